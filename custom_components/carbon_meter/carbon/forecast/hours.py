"""The hours that a forecast looks back on: spikes taken out, gaps filled from before."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ..intervals import HOUR
from .history import History, Values

DAY: Final = 24
WEEK: Final = 168

_LEAST: Final = 50.0
"""gCO2eq/kWh that a spike differs by, at least: a grid that hardly changes has none below."""

_BRIDGED: Final = 3
"""Hours without a value that a straight line bridges."""

_SPIKE: Final = 8.0
"""Times the usual change that an hour must differ by from both neighbours to be no intensity."""

_USUAL: Final = 0.99
"""The change from hour to hour that all but one in a hundred stay below is the usual one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """Hours without a hole, in gCO2eq/kWh, oldest first.

    `start` is where the first begins, in seconds since 1970 UTC; `known` says which were
    recorded, the others are filled in.
    """

    start: int
    values: Values
    known: NDArray[np.bool_]

    @classmethod
    def until(cls, history: History, end: int) -> Self:
        """Return the hours of a history that end at `end`, from the first known one on."""
        start, values = history.hours_until(end)
        found = np.flatnonzero(np.isfinite(values))
        if len(found) == 0:
            return cls(start=end, values=np.empty(0), known=np.empty(0, dtype=np.bool_))
        start, values = start + int(found[0]) * HOUR, values[found[0] :]
        values = np.where(_spikes(values), np.nan, values)
        known = np.isfinite(values)
        return cls(start=start, values=_filled(values), known=known)

    def latest(self, count: int) -> Self:
        """Return the latest hours only."""
        cut = max(0, len(self.values) - count)
        return replace(
            self,
            start=self.start + cut * HOUR,
            values=self.values[cut:],
            known=self.known[cut:],
        )

    @property
    def moments(self) -> NDArray[np.int64]:
        """Return where each hour begins, in seconds since 1970 UTC."""
        return self.start + HOUR * np.arange(len(self.values), dtype=np.int64)


def _spikes(values: Values) -> NDArray[np.bool_]:
    """Return which single hours stand far from both their neighbours, on the same side."""
    spikes = np.zeros(len(values), dtype=np.bool_)
    steps = np.diff(values)
    known = np.abs(steps[np.isfinite(steps)])
    if len(known) < WEEK:
        return spikes
    limit = max(_SPIKE * float(np.quantile(known, _USUAL)), _LEAST)
    up, down = steps[:-1], -steps[1:]
    with np.errstate(invalid="ignore"):
        spikes[1:-1] = (np.minimum(up, down) > limit) | (np.maximum(up, down) < -limit)
    return spikes


def _filled(values: Values) -> Values:
    """Return the values, of which the first is known, with every gap filled.

    Short ones by a straight line, others with the mean of the same hour of the seven days before;
    where there is none, the value before stays.
    """
    gaps = ~np.isfinite(values)
    if not gaps.any():
        return values
    filled = values.copy()
    places = np.arange(len(values))
    line = np.interp(places, places[~gaps], values[~gaps])
    for first, last in _runs(gaps):
        if last - first <= _BRIDGED and last < len(values):
            filled[first:last] = line[first:last]
            continue
        for place in range(first, last):
            days = filled[place - DAY :: -DAY][:7] if place >= DAY else filled[place - 1 : place]
            filled[place] = days.mean()
    return filled


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where each run of true values begins and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
