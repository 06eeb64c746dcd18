"""What must survive a restart: counters, open hours, the last reported intensity."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.json import json_bytes, json_fragment
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_VERSION: Final = 1

_SAVE_DELAY: Final = 60
"""Seconds. What a crash takes with it the meter's counter gives back, marked as a gap."""

_AT_STOP: Final = 3600
"""Seconds after which Home Assistant would save by itself: never, only when it stops."""

type Part = Callable[[], Mapping[str, Any]]
"""Gives the present content of one part of the file."""


class SiteStore:
    """The file of one site. What it holds of one meter is of one moment."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; `async_load` reads it."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True
        )
        self._meters: Mapping[str, Part] = {}
        self._rest: Part = dict
        self._timer: CALLBACK_TYPE | None = None
        self._closed = False
        self._saving = asyncio.Lock()

    async def async_load(self) -> dict[str, Any]:
        """Return what was stored, empty at the first start."""
        return await self._store.async_load() or {}

    @callback
    def async_collect_with(self, meters: Mapping[str, Part], rest: Part) -> None:
        """Set what gives the present content of the file: of each meter by its id, and the rest."""
        self._meters = meters
        self._rest = rest

    @callback
    def async_schedule(self) -> None:
        """Save within a minute; further changes until then go with it."""
        if self._timer is not None or self._closed:
            return
        self._timer = async_call_later(self._hass, _SAVE_DELAY, self._async_due)
        self._store.async_delay_save(self._content, _AT_STOP)

    @callback
    def async_close(self) -> None:
        """Schedule nothing more: whoever comes after has the file."""
        self._closed = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    async def _async_due(self, _now: datetime) -> None:
        self._timer = None
        await self.async_save()

    async def async_save(self) -> None:
        """Save now; between two meters others have their turn."""
        self._stop_timer()
        async with self._saving:
            meters: dict[str, Any] = {}
            for key, part in self._meters.items():
                meters[key] = json_fragment(json_bytes(part()))
                await asyncio.sleep(0)
            await self._store.async_save({**self._rest(), "meters": meters})
            if self._timer is not None:
                # What has changed since is not in the file, and saving gave up what was to come.
                self._store.async_delay_save(self._content, _AT_STOP)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _content(self) -> dict[str, Any]:
        """Return everything at once: Home Assistant stops."""
        return {**self._rest(), "meters": {key: part() for key, part in self._meters.items()}}
