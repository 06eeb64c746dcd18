"""Waking up when something is planned to change."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..drivers.clock import now as clock


class Alarm:
    """Rings at the next of some moments, each of which has a key."""

    def __init__(self, hass: HomeAssistant, rung: Callable[[Collection[str]], None]) -> None:
        """Take what is called with the keys whose moments have come."""
        self._hass = hass
        self._rung = rung
        self._moments: Mapping[str, float | None] = {}
        self._next: tuple[float, CALLBACK_TYPE] | None = None

    @callback
    def set(self, moments: Mapping[str, float | None]) -> None:
        """Ring at the next of these moments, and at none that were set before."""
        self._moments = moments
        moment = min((each for each in moments.values() if each is not None), default=None)
        if self._next is not None and self._next[0] == moment:
            return
        self.stop()
        if moment is not None:
            when = dt_util.utc_from_timestamp(moment)
            self._next = (moment, async_track_point_in_utc_time(self._hass, self._ring, when))

    @callback
    def _ring(self, _now: datetime) -> None:
        self._next = None
        now = clock()
        self._rung([key for key, each in self._moments.items() if each is not None and each <= now])

    @callback
    def stop(self) -> None:
        """Do not ring."""
        if self._next is not None:
            self._next[1]()
            self._next = None
