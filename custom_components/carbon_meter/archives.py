"""The archives of sites: opened, closed and deleted in the executor, held during backups.

While Home Assistant copies its configuration the file of an archive does not change: what is
written meanwhile goes into the log beside it, of which the copy holds some part or nothing.
Nobody has to wait for a backup to end.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from glob import escape
from pathlib import Path

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .carbon.archive.archive import Archive
from .carbon.archive.errors import ArchiveError
from .const import DOMAIN, LOGGER


@dataclass(kw_only=True)
class _Archives:
    """The open archives of all sites."""

    opened: list[Archive] = field(default_factory=list)
    held: bool = False
    """Whether a backup is being made."""

    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


_DATA: HassKey[_Archives] = HassKey(f"{DOMAIN}_archives")


def _archives(hass: HomeAssistant) -> _Archives:
    """Return the open archives; they are closed when Home Assistant stops."""
    if _DATA not in hass.data:
        archives = hass.data[_DATA] = _Archives()

        async def close(_event: Event) -> None:
            await _async_for_all(hass, archives, Archive.close)

        # After the last writing: what is open then has its log to be gone through at the start.
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return hass.data[_DATA]


async def async_open_archive(hass: HomeAssistant, path: Path) -> Archive:
    """Open the archive of a site; backups then hold it.

    Raises ArchiveError, whose message says what to do.
    """
    archives = _archives(hass)
    async with archives.changing:
        archive = await hass.async_add_executor_job(partial(_opened, path, held=archives.held))
        archives.opened.append(archive)
    if archive.damaged is not None:
        LOGGER.error(
            "%s was damaged; it is kept as %s, and a new archive was begun", path, archive.damaged
        )
    return archive


def _opened(path: Path, *, held: bool) -> Archive:
    """Open a file, in a folder that may be missing as yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Archive(path, held=held)


async def async_close_archive(hass: HomeAssistant, archive: Archive) -> None:
    """Close the archive of a site; raises ArchiveError when its file cannot be written."""
    archives = _archives(hass)
    async with archives.changing:
        if archive in archives.opened:
            archives.opened.remove(archive)
        await hass.async_add_executor_job(archive.close)


async def async_remove_archive(hass: HomeAssistant, path: Path) -> None:
    """Delete a closed archive with everything beside it, damaged files of before among it."""

    def remove() -> None:
        for file in path.parent.glob(f"{escape(path.name)}*"):
            file.unlink(missing_ok=True)

    await hass.async_add_executor_job(remove)


async def async_hold_archives(hass: HomeAssistant) -> None:
    """Leave the files of all archives alone, also of those that are opened from now on."""
    archives = _archives(hass)
    archives.held = True
    await _async_for_all(hass, archives, Archive.hold)


async def async_release_archives(hass: HomeAssistant) -> None:
    """Write to the files of all archives again."""
    archives = _archives(hass)
    archives.held = False
    await _async_for_all(hass, archives, Archive.release)


async def _async_for_all(
    hass: HomeAssistant, archives: _Archives, action: Callable[[Archive], None]
) -> None:
    """Do something to every archive, whatever happens to others."""
    async with archives.changing:
        for archive in archives.opened:
            try:
                await hass.async_add_executor_job(action, archive)
            except ArchiveError as err:
                LOGGER.error("%s", err)
