"""What the regression sees of the past at an origin, and of the hour that it forecasts.

Everything is told relative to the mean of the last week, so that a grid that has become cleaner
is forecast as one that always was.
"""

from datetime import tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .clock import local_clock
from .history import Values
from .hours import DAY, WEEK, Hours
from .methods import HORIZON, same_hour_before, trailing_mean

FIRST: Final = WEEK + DAY
"""The first origin with enough past."""

_LAGS: Final = 24
_DAY_MEANS: Final = 4
_DAYS_BEFORE: Final = (1, 2, 3, 7)
_SATURDAY: Final = 5


class Features:
    """Columns for a range of origins; an origin is the place of the last known hour.

    Hours of the day follow the sun and are taken in UTC, so that the clocks may change; weekdays
    follow people and are those of the local calendar. Seasons are not among the columns: what
    they would say the last weeks say better (cross-validated on the years 2021 and 2022 of ten
    grids, with seasons the error was 2 % larger).
    """

    def __init__(self, hours: Hours, zone: tzinfo) -> None:
        """Work out once what all origins share."""
        values = hours.values
        self._values = values
        self.level = trailing_mean(values, WEEK)
        """The mean of the last week at each origin."""

        self._day_mean = trailing_mean(values, DAY)
        self._past = [same_hour_before(values, days) for days in (7, 28)]
        self._weeks = same_hour_before(values, 4, ahead=HORIZON, apart=WEEK)
        moments = hours.start + 3600 * np.arange(len(values) + HORIZON, dtype=np.int64)
        day = _waves(moments % 86400 / 86400, 3)
        weekday = local_clock(moments, zone).weekday
        weekend = (weekday >= _SATURDAY)[:, None]
        self._hour = (moments + 1800) // 3600 % DAY
        self._origin = np.eye(7)[weekday]
        self._target = np.hstack([day, self._origin, weekend * day[:, :4]])

    def of_origin(self, first: int, last: int) -> Values:
        """Return what is known at each origin of [first, last), whatever is forecast."""
        level = self.level[first:last]
        lags = [self._values[first - lag : last - lag] - level for lag in range(_LAGS)]
        days = [
            self._day_mean[first - DAY * day : last - DAY * day] - level
            for day in range(_DAY_MEANS)
        ]
        return np.stack([*lags, *days], axis=1)

    def of_weekday(self, first: int, last: int) -> Values:
        """Return the local weekday of each origin as seven columns."""
        return self._origin[first:last]

    def of_target(self, first: int, last: int, lead: int) -> Values:
        """Return what is known of the hour `lead` hours after each origin."""
        level = self.level[first:last]
        latest = lead - DAY * ((lead - 1) // DAY)
        """The same hour of the day after the origin, of which the day before is known."""
        start, stop = first + latest, last + latest
        days = [self._values[start - DAY * day : stop - DAY * day] for day in _DAYS_BEFORE]
        means = [past[start:stop] for past in self._past]
        weeks = self._weeks[first + lead : last + lead]
        known = np.stack([column - level for column in (*days, *means, weeks)], axis=1)
        return np.hstack([known, self._target[first + lead : last + lead]])

    def hour_of_day(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the nearest full hour of the day (UTC) at which each origin ends."""
        return self._hour[first + 1 : last + 1]


def _waves(turns: Values, orders: int) -> Values:
    """Return sines and cosines of so many orders, in columns."""
    angles = 2 * np.pi * turns
    return np.stack(
        [wave(order * angles) for order in range(1, orders + 1) for wave in (np.sin, np.cos)],
        axis=1,
    )
