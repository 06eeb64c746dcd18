"""A home battery: takes what the roof yields beyond the need, gives it back after dark."""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Final, override

import numpy as np

from .chance import Array
from .series import Source, Stepped
from .weather import Weather

_DAY: Final = 86400.0
_MORNING: Final = 6 * 3600.0
"""Seconds after local midnight at which the battery's day begins: the night has emptied it."""

_EVENING: Final = 10 * 3600.0
"""Seconds of its day, until 16 h of solar time, in which it is charged; then it is discharged."""


@dataclass(frozen=True, kw_only=True)
class HomeBattery(Stepped):
    """Charges by day from what the roof yields beyond the need, gives the need after 16 h.

    A function of time like the other appliances, because each of its days stands alone: from one
    morning at 6 h of solar time to the next it takes no more than the coming evening and night
    will draw from it, so that it is empty when the next one begins, and what comes out is exactly
    `round_trip` times what went in. It knows that need, since the loads are functions of time.
    The power in W is positive while it charges, negative while it gives.
    """

    weather: Weather
    roof: Source
    loads: Sequence[Source]
    """What it gives to; what is not named here has to do with the grid."""

    capacity: float = 10_000.0
    """Wh in the cells."""

    round_trip: float = 0.9
    """The part of the charged energy that comes back, above 0 up to 1."""

    limit: float = 4000.0
    """W, either way."""

    @override
    def watts(self, begins: Array) -> Array:
        """Return the power in W."""
        days = np.floor((self.weather.local(begins) - _MORNING) / _DAY)
        power = np.zeros(begins.shape)
        for day in np.unique(days):
            steps, of_day = self._day(float(day))
            chosen = days == day
            power[chosen] = of_day[np.searchsorted(steps, begins[chosen])]
        return power

    def _day(self, day: float) -> tuple[Array, Array]:
        """Return the beginnings of the steps of one of its days, and the power of each."""
        morning = day * _DAY + _MORNING - self.weather.shift
        steps = self.edges(morning, morning + _DAY)
        surplus = self.roof.power(steps) - sum(load.power(steps) for load in self.loads)
        by_day = steps < morning + _EVENING
        hours = self.step / 3600
        offered = np.where(by_day, np.clip(surplus, 0, self.limit), 0.0) * hours
        wanted = np.where(by_day, 0.0, np.clip(-surplus, 0, self.limit)) * hours
        # Both in Wh of the cells, which lose as much on the way in as on the way out.
        one_way = math.sqrt(self.round_trip)
        content = min(self.capacity, offered.sum() * one_way, wanted.sum() / one_way)
        charged = _up_to(offered, content / one_way)
        given = _up_to(wanted, content * one_way)
        return steps, (charged - given) / hours


def _up_to(amounts: Array, limit: float) -> Array:
    """Return the first of the amounts, as many as make up the limit."""
    taken: Array = np.diff(np.minimum(np.cumsum(amounts), limit), prepend=0.0)
    return taken
