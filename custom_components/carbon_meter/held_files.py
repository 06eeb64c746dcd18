"""Databases come out of a backup whole: while it is made their files do not change.

A reader that began while the log was empty keeps SQLite from bringing anything of the log into
the file. What is written meanwhile goes into the log, of which a copy holds some part or nothing.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
import sqlite3
import time
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER

_DATA: HassKey[list[sqlite3.Connection]] = HassKey(f"{DOMAIN}_held_files")

_PATIENCE: Final = 60.0
"""Seconds to wait for whoever is writing or reading."""

_STEP: Final = 0.05


async def async_hold_files(hass: HomeAssistant, paths: Iterable[Path]) -> None:
    """Leave databases alone, in this order; what cannot be held is told and hinders no backup."""
    held = hass.data.setdefault(_DATA, [])
    held += await hass.async_add_executor_job(_hold_all, list(paths))


async def async_release_files(hass: HomeAssistant) -> None:
    """Let the files change again."""
    held = hass.data.pop(_DATA, [])
    await hass.async_add_executor_job(_release, held)


def _hold_all(paths: list[Path]) -> list[sqlite3.Connection]:
    """Hold one after the other."""
    held = []
    for path in paths:
        try:
            held.append(_hold(path))
        except (sqlite3.Error, TimeoutError) as err:
            LOGGER.error("%s is in the backup as it happens to be: %s", path, err)
    return held


def _hold(path: Path) -> sqlite3.Connection:
    """Return a reader that keeps the file as it is; raises sqlite3.Error or TimeoutError."""
    place = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(place, uri=True, isolation_level=None, timeout=_PATIENCE)) as one:
        # While nobody else can write, the log is emptied and the reader begins.
        one.execute("BEGIN IMMEDIATE")
        reader = sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
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
