"""The report of a site's running year, for the sensors that show it: reckoned once an hour.

Only while somebody listens: a year of intervals is not weighed for nobody.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from .carbon.report.periods import Period, bounds
from .carbon.report.report import SiteReport
from .const import LOGGER
from .data import CarbonMeterConfigEntry
from .reporting import async_accounts

_MINUTE: Final = 1
"""Of each local hour: the hour before is in the recorder, and a new year has begun."""


class YearReport:
    """The figures since local New Year."""

    def __init__(self, hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
        """Take the site; nothing is reckoned yet."""
        self._hass = hass
        self._entry = entry
        self._listeners: set[Callable[[], None]] = set()
        self._stop: CALLBACK_TYPE | None = None
        self._reckoning = asyncio.Lock()
        self.report: SiteReport | None = None
        """None until it was reckoned, and while it cannot be."""

        self.refused: list[dict[str, str]] = []
        """The contracts that were not used, and why."""

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when there is a new report; returns how to stop it."""
        self._listeners.add(listener)
        if self._stop is None:
            self._stop = async_track_time_change(
                self._hass, self._async_reckon, minute=_MINUTE, second=0
            )
            self._entry.async_create_background_task(
                self._hass, self._async_reckon(), "report of the year"
            )

        @callback
        def remove() -> None:
            self._listeners.discard(listener)
            if not self._listeners and self._stop is not None:
                self._stop()
                self._stop = None

        return remove

    async def _async_reckon(self, _now: datetime | None = None) -> None:
        """Make the report anew; what is in the way of it is logged."""
        if self._reckoning.locked():
            return
        async with self._reckoning:
            moment = dt_util.utcnow().timestamp()
            year = bounds(Period.YEAR, moment, dt_util.get_default_time_zone()).until(moment)
            try:
                accounts = await async_accounts(self._hass, self._entry, year.start, year.end)
                report = partial(accounts.report, year.start, year.end)
                self.report = await self._hass.async_add_executor_job(report)
                self.refused = accounts.refused(self.report)
            except HomeAssistantError as err:
                self.report = None
                # Nobody listens any more while the site is being unloaded.
                if self._listeners:
                    LOGGER.error("%s: %s", self._entry.title, err)
        for listener in list(self._listeners):
            listener()
