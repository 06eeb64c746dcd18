"""Two stages of ridge regression, and what they say of days that they were not fitted to.

First one regression per lead over the origins of all hours of the day; then, per hour of the day
at the origin, one of what the first leaves unexplained, so that the morning may weigh the evening
before otherwise than noon does. Both are fitted to blocks of time in turn, and each block is
forecast by what was fitted to the others: from these forecasts the second stage learns, and the
band its width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final, Self

import numpy as np

from .features import FIRST, Features
from .history import Values
from .hours import DAY, Hours
from .methods import HORIZON
from .ridge import Linear, Sums

_STRIDE: Final = 5
"""Every fifth origin is fitted in the first stage; it meets every hour of the day (5 and 24)."""

_BLOCKS: Final = 5

_PENALTY: Final = 0.003
_PENALTY_BY_HOUR: Final = 0.5
"""Per sample, for columns of unit variance."""


@dataclass(frozen=True, kw_only=True)
class Regression:
    """What was fitted to some hours."""

    leads: tuple[Linear, ...]
    """From origin and target to the value at each lead, relative to the level."""

    by_hour: tuple[Linear, ...]
    """From the origin to what the first stage leaves at all leads, for 24 hours of the day."""

    unseen: Values
    """Forecasts for the latest origins by what was not fitted to them, rows of 72 leads."""

    @classmethod
    def fit(cls, hours: Hours, zone: tzinfo) -> Self:
        """Fit to hours, of which there are at least some weeks; `zone` has the weekdays."""
        fit = _Fit(hours, zone)
        leads, unseen = fit.by_lead()
        by_hour = fit.by_hour(unseen)
        unseen += fit.level
        return cls(leads=leads, by_hour=by_hour, unseen=unseen)

    def latest(self, origins: int) -> Self:
        """Return the same with the unseen forecasts of the latest origins only."""
        return replace(self, unseen=self.unseen[-origins:].copy())

    def forecast(self, hours: Hours, zone: tzinfo, first: int, last: int) -> Values:
        """Forecast from origins [first, last): a row of 72 leads for each."""
        features = Features(hours, zone)
        shared = features.of_origin(first, last)
        result = np.empty((last - first, HORIZON))
        for lead, linear in enumerate(self.leads, start=1):
            columns = np.hstack([shared, features.of_target(first, last, lead)])
            result[:, lead - 1] = linear.of(columns)[:, 0]
        hour = features.hour_of_day(first, last)
        columns = np.hstack([shared, features.of_weekday(first, last)])
        for each, linear in enumerate(self.by_hour):
            result[hour == each] += linear.of(columns[hour == each])
        return result + features.level[first:last, None]


class _Fit:
    """One fit, over the origins from `FIRST` to the last hour."""

    def __init__(self, hours: Hours, zone: tzinfo) -> None:
        """Take the columns that all leads share."""
        self._range = FIRST, len(hours.values)
        self._count = len(hours.values) - FIRST
        self._features = Features(hours, zone)
        self._shared = self._features.of_origin(*self._range)
        self.level = self._features.level[FIRST:, None]
        padded = np.full(len(hours.values) + HORIZON, np.nan)
        padded[: len(hours.values)] = np.where(hours.known, hours.values, np.nan)
        came = np.lib.stride_tricks.sliding_window_view(padded[FIRST + 1 :], HORIZON)
        self._truth = came[: self._count] - self.level
        edges = np.linspace(0, self._count, _BLOCKS + 1).astype(int)
        self._blocks = [np.arange(edges[block], edges[block + 1]) for block in range(_BLOCKS)]

    def by_lead(self) -> tuple[tuple[Linear, ...], Values]:
        """Return the first stage, and its forecasts of each block by the others."""
        unseen = np.empty((self._count, HORIZON))
        fits = []
        width = self._shared.shape[1]
        columns = np.hstack([self._shared, self._features.of_target(*self._range, 1)])
        for lead in range(1, HORIZON + 1):
            columns[:, width:] = self._features.of_target(*self._range, lead)
            truth = self._truth[:, [lead - 1]]
            known = np.isfinite(truth[:, 0])
            sums = []
            for block in self._blocks:
                rows = block[::_STRIDE][known[block[::_STRIDE]]]
                sums.append(Sums.of(columns[rows], truth[rows]))
            fit, others = _fits(sums, _PENALTY)
            fits.append(fit)
            for block, linear in zip(self._blocks, others, strict=True):
                part = slice(block[0], block[-1] + 1)
                unseen[part, lead - 1] = linear.of(columns[part])[:, 0]
        return tuple(fits), unseen

    def by_hour(self, unseen: Values) -> tuple[Linear, ...]:
        """Return the second stage; to the forecasts of the first is added what it says."""
        # What is not known asks for no correction.
        rest = np.nan_to_num(self._truth - unseen)
        weekday = self._features.of_weekday(*self._range)
        columns = np.hstack([self._shared, weekday])
        hour = self._features.hour_of_day(*self._range)
        fits = []
        for each in range(DAY):
            parts = [block[hour[block] == each] for block in self._blocks]
            fit, others = _fits(
                [Sums.of(columns[rows], rest[rows]) for rows in parts], _PENALTY_BY_HOUR
            )
            fits.append(fit)
            for rows, linear in zip(parts, others, strict=True):
                unseen[rows] += linear.of(columns[rows])
        return tuple(fits)


def _fits(blocks: Sequence[Sums], penalty: float) -> tuple[Linear, list[Linear]]:
    """Return the fit to all blocks, and for each the fit to the others."""
    everything = blocks[0]
    for block in blocks[1:]:
        everything += block
    return everything.solve(penalty), [(everything - block).solve(penalty) for block in blocks]
