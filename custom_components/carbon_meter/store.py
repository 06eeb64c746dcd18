"""What must survive a restart: counters, open hours, the last reported intensity."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_VERSION: Final = 1

_SAVE_DELAY: Final = 60
"""Seconds. What a crash takes with it the meter's counter gives back, marked as a gap."""


class SiteStore:
    """The file of one site. Everything in it is of one moment."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; `async_load` reads it."""
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True
        )
        self._scheduled = False
        self._collect: Callable[[], dict[str, Any]] = dict

    async def async_load(self) -> dict[str, Any]:
        """Return what was stored, empty at the first start."""
        return await self._store.async_load() or {}

    @callback
    def async_collect_with(self, collect: Callable[[], dict[str, Any]]) -> None:
        """Set what gives the present content of the file."""
        self._collect = collect

    @callback
    def async_schedule(self) -> None:
        """Save within a minute; further changes until then go with it."""
        if not self._scheduled:
            self._scheduled = True
            self._store.async_delay_save(self._content, _SAVE_DELAY)

    @callback
    def async_close(self) -> None:
        """Schedule nothing more: whoever comes after has the file."""
        self._scheduled = True

    async def async_save(self) -> None:
        """Save now."""
        await self._store.async_save(self._collect())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _content(self) -> dict[str, Any]:
        self._scheduled = False
        return self._collect()
