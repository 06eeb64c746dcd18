"""The file of a site's loads: plans, jobs, overrides, savings."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..drivers.clock import now

_VERSION: Final = 1

_SOON: Final = 1.0
"""Seconds: a run that begins must be known after a power cut."""

_AT_STOP: Final = 3600.0
"""Seconds after which Home Assistant would save by itself: never, only when it stops."""


class LoadsStore:
    """The file of the loads of one site."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; `async_load` reads it."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{entry_id}.loads", atomic_writes=True
        )
        self._content: Callable[[], dict[str, Any]] = dict
        self._timer: CALLBACK_TYPE | None = None
        self._is_closed = False

    async def async_load(self) -> dict[str, Any]:
        """Return what was stored, empty at the first start."""
        return await self._store.async_load() or {}

    @callback
    def async_collect_with(self, content: Callable[[], dict[str, Any]]) -> None:
        """Set what gives the present content of the file."""
        self._content = content

    @callback
    def async_schedule(self) -> None:
        """Save within a second, or when Home Assistant stops before that."""
        if self._timer is not None or self._is_closed:
            return
        self._timer = async_call_later(self._hass, _SOON, self._async_due)
        self._store.async_delay_save(self._dated, _AT_STOP)

    async def _async_due(self, _now: datetime) -> None:
        self._timer = None
        await self._store.async_save(self._dated())
        if not self._is_closed:
            # What is seen from now on is in the file as well when Home Assistant stops.
            self._store.async_delay_save(self._dated, _AT_STOP)

    async def async_close(self) -> None:
        """Save now and never again: whoever comes after has the file."""
        self._is_closed = True
        if self._timer is not None:
            self._timer()
            self._timer = None
        await self._store.async_save(self._dated())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _dated(self) -> dict[str, Any]:
        """Return the content with the moment that it is of."""
        return {"kept": now(), **self._content()}
