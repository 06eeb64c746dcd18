"""Work that is done again and again in the background while a site is loaded."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN, LOGGER

FIRST_RETRY: Final = 60.0
LONGEST_RETRY: Final = 3600.0


def back_off(failures: int) -> float:
    """Return in how many seconds to try again after so many failures in a row, at least one."""
    return min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(failures - 1, 10))


class Recurring:
    """One piece of work at a time; when it is done it says in how many seconds it is due again.

    Nobody waits for it, and nothing of it is left when the site is unloaded.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        name: str,
        work: Callable[[], Awaitable[float | None]],
    ) -> None:
        """Take the work; it returns seconds, or None when it is not due again."""
        self._hass = hass
        self._entry = entry
        self._name = name
        self._work = work
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = False

    @callback
    def async_start(self, delay: float = 0.0) -> None:
        """Begin, at once or after some seconds."""
        self._started = True
        if delay > 0:
            self._timer = async_call_later(self._hass, delay, self._run)
        else:
            self._run()

    @callback
    def async_stop(self) -> None:
        """Do nothing more; what is being done is given up."""
        self._started = False
        self._stop_timer()
        if self._task is not None:
            self._task.cancel()

    @callback
    def async_soon(self) -> None:
        """Do it now, unless it is being done."""
        if self._started and (self._task is None or self._task.done()):
            self._stop_timer()
            self._run()

    async def async_now(self) -> None:
        """Do it now, or wait until what is being done is done."""
        self.async_soon()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    @callback
    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def _run(self, _now: datetime | None = None) -> None:
        self._timer = None
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_run(), f"{DOMAIN} {self._name}"
        )

    async def _async_run(self) -> None:
        try:
            wait = await self._work()
        except Exception:  # noqa: BLE001  # told, and tried again
            LOGGER.exception("%s", self._name)
            wait = LONGEST_RETRY
        if wait is not None and self._started:
            self._timer = async_call_later(self._hass, wait, self._run)
