"""Forecasts of a site's carbon intensity from its own recorded history.

The ladder: under 14 days of history the mean of each hour over seven days; to 60 days a profile
of 28 days with what is unusual now fading; from then on a ridge regression beside it. From 14
days on each method weighs what it deserved lately, and yesterday is a method too.
"""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..intervals import HOUR, floor
from .band import USED, Band
from .features import FIRST
from .forecast import Forecast
from .history import History, Values
from .hours import DAY, Hours
from .methods import HORIZON, LONGEST_LOOK, profile, week_mean, yesterday
from .mixing import MEMORY, mix
from .regression import Regression
from .steps import in_steps

LATEST: Final = 2 * 86400
"""Seconds; a history that ends longer ago says nothing of now."""

REFIT: Final = 7 * 86400.0
REFIT_YOUNG: Final = 86400.0
"""Seconds until the next fit, and while the history is under 60 days."""

_LOOK_BACK: Final = MEMORY + HORIZON
"""Hours of origins whose errors say how the methods do now."""

_CONTEXT: Final = _LOOK_BACK + max(LONGEST_LOOK, FIRST) + DAY
"""Hours that a forecast needs."""


class Rung(IntEnum):
    """What a forecast rests on."""

    WEEK_MEAN = 1
    PROFILE = 2
    REGRESSION = 3


_DAYS: Final = {Rung.REGRESSION: 60, Rung.PROFILE: 14, Rung.WEEK_MEAN: 2}
"""Days of known history from which each rung holds, the highest first."""


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """What a fit leaves."""

    at: float
    until: int
    """Where the hours end that were fitted."""

    step: int
    rung: Rung
    regression: Regression | None
    band: Band
    error: float
    """What is to be expected where nothing of the last weeks is known, gCO2eq/kWh."""


class Forecaster:
    """Learns from a history and forecasts from it.

    `fit` takes up to a second and `predict` some milliseconds of computing: call them where that
    does not hold up others. Weekdays are those of `zone`; hours of the day are UTC.
    """

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take the time zone of the site."""
        self._zone = zone
        self._fitted: _Fitted | None = None

    @property
    def rung(self) -> Rung | None:
        """Return what forecasts rest on, None before there is anything to rest on."""
        return self._fitted.rung if self._fitted else None

    def is_due(self, history: History, now: float) -> bool:
        """Return whether to fit: for the first time, after some days, to another sort of history.

        `now` is in seconds since 1970 UTC.
        """
        rung, fitted = rung_of(history), self._fitted
        if fitted is None or rung is not fitted.rung or history.step != fitted.step:
            return rung is not None or fitted is not None
        after = REFIT if rung is Rung.REGRESSION else REFIT_YOUNG
        return not 0 <= now - fitted.at < after

    def fit(self, history: History, now: float) -> None:
        """Learn from what was known by a moment in seconds since 1970 UTC.

        With less than two days nothing is learned, and what was learned before is forgotten.
        """
        self._fitted = None
        until = floor(min(now, history.end), HOUR)
        hours = Hours.until(history, until)
        # At either end part of an hour may lie outside.
        rung = _rung(min(history.days, (len(hours.values) + 1) / DAY))
        if rung is None:
            return
        regression = Regression.fit(hours, self._zone) if rung is Rung.REGRESSION else None
        last = len(hours.values)
        first = max(FIRST if regression else DAY, last - USED - _LOOK_BACK)
        forecasts = _simple_forecasts(hours, rung, first, last)
        if regression:
            forecasts.append(regression.unseen[-(last - first) :])
        truth = _truth(hours, first)
        mixed = mix(forecasts, truth)
        padded = np.concatenate([truth, np.full(HORIZON, np.nan)])
        came = np.lib.stride_tricks.sliding_window_view(padded, HORIZON)
        known = mixed.error[np.isfinite(mixed.error)]
        if len(known) == 0:
            return
        self._fitted = _Fitted(
            at=now,
            until=until,
            step=history.step,
            rung=rung,
            regression=regression and regression.latest(_LOOK_BACK),
            band=Band.of((came - mixed.values) / mixed.error, _hours_of_day(hours, first, last)),
            error=float(known.mean()),
        )

    def predict(self, history: History, now: float, hours: int = HORIZON) -> Forecast | None:
        """Forecast from the step that is running at `now` on, for up to 72 hours.

        `now` is in seconds since 1970 UTC; the result has the step of the history. None where
        nothing is fitted, or the history ended more than two days ago. Raises ValueError for a
        number of hours that is not from 1 to 72.
        """
        if not 1 <= hours <= HORIZON:
            raise ValueError(f"a forecast is for 1 to {HORIZON} hours, not {hours}")
        start = floor(now, history.step)
        end = min(history.end, start)
        known = Hours.until(history, end).latest(_CONTEXT)
        if self._fitted is None or start - end > LATEST or len(known.values) < self._fewest:
            return None
        last = len(known.values)
        ahead = self.quantiles(known, last - 1, last)[:, 0]
        # What lies beyond, because the history ends some time ago, is as a day before.
        ahead = np.concatenate([ahead, ahead[:, -DAY:], ahead[:, -DAY:]], axis=1)
        first = (start - end) // history.step
        steps = in_steps(ahead, history.step)[:, first : first + hours * HOUR // history.step]
        p10, p50, p90 = np.sort(steps, axis=0)
        return Forecast(made=now, start=start, step=history.step, p10=p10, p50=p50, p90=p90)

    def quantiles(self, hours: Hours, first: int, last: int) -> Values:
        """Forecast from each origin of [first, last) as it would have been done then.

        An origin is the place of the last known hour; there are more than 24 hours before the
        first, 192 where the forecast rests on a regression. Returns p10, p50 and p90: three
        tables with a row of 72 hours for each origin. Raises ValueError before the first fit.
        """
        fitted = self._fitted
        if fitted is None:
            raise ValueError("nothing is fitted")
        begin = max(first - _LOOK_BACK, self._fewest - 1)
        own: list[Values] = []
        if (regression := fitted.regression) is not None:
            # What it was fitted to is judged by what the others said of it.
            seen = (fitted.until - hours.start) // HOUR
            fresh = max(begin, min(first, seen))
            unseen = regression.unseen[: max(0, len(regression.unseen) - (seen - fresh))]
            unseen = unseen[max(0, len(unseen) - (fresh - begin)) :]
            begin = fresh - len(unseen)
            own.append(np.vstack([unseen, regression.forecast(hours, self._zone, fresh, last)]))
        simple = _simple_forecasts(hours, fitted.rung, begin, last)
        mixed = mix([*simple, *own], _truth(hours, begin))
        values, error = mixed.values[first - begin :], mixed.error[first - begin :]
        error = np.where(np.isnan(error), fitted.error, error)
        return fitted.band.around(values, error, _hours_of_day(hours, first, last))

    @property
    def _fewest(self) -> int:
        """Return how many hours a forecast needs."""
        return FIRST + 1 if self.rung is Rung.REGRESSION else DAY + 1


def rung_of(history: History) -> Rung | None:
    """Return the rung for which a history is long enough, None for less than two days."""
    return _rung(history.days)


def _rung(known_days: float) -> Rung | None:
    """Return the rung for so many days of history."""
    return next((rung for rung, days in _DAYS.items() if known_days >= days), None)


def _simple_forecasts(hours: Hours, rung: Rung, first: int, last: int) -> list[Values]:
    """Return the forecasts of the methods that need no fit."""
    methods = (week_mean,) if rung is Rung.WEEK_MEAN else (yesterday, profile)
    return [method(hours, first, last) for method in methods]


def _truth(hours: Hours, first: int) -> Values:
    """Return what came after an origin, NaN for hours that are not known."""
    return np.where(hours.known, hours.values, np.nan)[first + 1 :]


def _hours_of_day(hours: Hours, first: int, last: int) -> NDArray[np.int64]:
    """Return the nearest full hour of the day (UTC) at which each origin ends."""
    ends = hours.moments[first:last] + HOUR
    return (ends + HOUR // 2) // HOUR % DAY
