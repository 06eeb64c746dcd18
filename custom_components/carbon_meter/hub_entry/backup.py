"""The files of hubs come out of a backup whole: while it is made they do not change.

A reader that began while the log was empty keeps SQLite from bringing anything of the log into
the file. What is written meanwhile goes into the log, of which a copy holds some part or nothing;
homes send again what the copy has not, as nothing of it was acknowledged there.
"""

from contextlib import closing
from pathlib import Path
import sqlite3
import time
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..entries import async_hubs
from .files import hub_folder

_DATA: HassKey[list[sqlite3.Connection]] = HassKey(f"{DOMAIN}_held_hubs")

_PATIENCE: Final = 60.0
"""Seconds to wait for whoever is writing or reading."""

_STEP: Final = 0.05


async def async_hold_hubs(hass: HomeAssistant) -> None:
    """Leave the files of all hubs alone; what cannot be held is told and hinders no backup."""
    held = hass.data.setdefault(_DATA, [])
    for entry in async_hubs(hass):
        if entry.state is ConfigEntryState.LOADED:
            folder = hub_folder(hass, entry.entry_id)
            held += await hass.async_add_executor_job(_hold_all, folder)


async def async_release_hubs(hass: HomeAssistant) -> None:
    """Let the files change again."""
    held = hass.data.pop(_DATA, [])
    await hass.async_add_executor_job(_release, held)


def _hold_all(folder: Path) -> list[sqlite3.Connection]:
    """Hold every database of a hub."""
    held = []
    for path in sorted(folder.glob("*.db")):
        try:
            held.append(_hold(path))
        except (sqlite3.Error, TimeoutError) as err:
            LOGGER.error("%s is in the backup as it happens to be: %s", path, err)
    return held


def _hold(path: Path) -> sqlite3.Connection:
    """Return a reader that keeps the file as it is; raises sqlite3.Error or TimeoutError."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)) as writer:
        # While nobody else can write, the log is emptied and the reader begins.
        writer.execute("BEGIN IMMEDIATE")
        reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _empty(reader, path)
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except BaseException:
            reader.close()
            raise
        return reader


def _empty(reader: sqlite3.Connection, path: Path) -> None:
    """Bring the log into the file, as soon as nobody reads an earlier state."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        busy, pages, moved = reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if not busy and pages == moved:
            return
        time.sleep(_STEP)
    raise TimeoutError(f"{path} is being read without end")


def _release(held: list[sqlite3.Connection]) -> None:
    """Let readers go; what has gathered in the log goes into the file."""
    for reader in held:
        with closing(reader):
            reader.execute("ROLLBACK")
            reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
