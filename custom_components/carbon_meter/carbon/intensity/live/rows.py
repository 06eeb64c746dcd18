"""The rows of an answer as intervals: holes stay holes, and what cannot be is left out."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from ...grade import Grade
from ...units import to_grams_per_kwh
from ..checked import HIGHEST
from ..source import IntensityInterval
from .answers import number
from .errors import ProviderChangedError

_SHORTEST: Final = 60.0
_LONGEST: Final = 86400.0
"""Seconds that an interval can have."""


class Rows:
    """Rows that are added one by one; `source` is what the intervals name, `unit` that of values.

    Raises UnknownIntensityUnitError for a unit that is none: percentages, prices.
    """

    def __init__(self, source: str, unit: str, *, now: float) -> None:
        """Take the time, in seconds since 1970 UTC, after which nothing can be measured yet."""
        to_grams_per_kwh(0.0, unit)
        self._source, self._unit, self._now = source, unit, now
        self._intervals: list[IntensityInterval] = []
        self.faults: list[str] = []
        """Why rows were left out; a null value is none."""

    def add(self, start: float | None, end: float | None, value: Any, grade: Grade) -> None:
        """Take a row: moments in seconds since 1970 UTC, and whatever stands as its value.

        What is told of a time that has not begun is a forecast, whatever it is called.
        """
        if value is None:
            return
        if start is None or end is None or not _SHORTEST <= end - start <= _LONGEST:
            self.faults.append("a time that cannot be read")
            return
        if (found := number(value)) is None:
            self.faults.append(f"{str(value)[:20]!r} instead of a number")
            return
        grams = to_grams_per_kwh(found, self._unit)
        if not 0 <= grams <= HIGHEST:
            self.faults.append(f"{found:g} {self._unit}, which cannot be")
            return
        if start > self._now:
            grade = Grade.FORECAST
        self._intervals.append(
            IntensityInterval(start=start, end=end, value=grams, grade=grade, source=self._source)
        )

    def intervals(self) -> list[IntensityInterval]:
        """Return the intervals in order, without overlaps.

        Raises ProviderChangedError when there are rows and none of them can be used.
        """
        if self.faults and not self._intervals:
            raise ProviderChangedError(f"no usable row: {self.faults[0]}")
        return tidy(self._intervals)


def tidy(intervals: Iterable[IntensityInterval]) -> list[IntensityInterval]:
    """Return intervals in order: of two for one time the later one counts.

    One that reaches into the next is cut there.
    """
    by_start = {interval.start: interval for interval in intervals}
    ordered = [by_start[start] for start in sorted(by_start)]
    cut = [
        _ending(interval, following.start) if interval.end > following.start else interval
        for interval, following in pairwise(ordered)
    ]
    return [*cut, *ordered[-1:]]


def _ending(interval: IntensityInterval, end: float) -> IntensityInterval:
    return IntensityInterval(
        start=interval.start,
        end=end,
        value=interval.value,
        grade=interval.grade,
        source=interval.source,
    )


def step_of(starts: Iterable[float | None], usual: float) -> float:
    """Return the step in which moments follow each other: the most frequent, else the usual one.

    For rows that name only where they begin: providers go from hours to quarters.
    """
    ordered = sorted({start for start in starts if start is not None})
    steps = Counter(
        later - earlier
        for earlier, later in pairwise(ordered)
        if _SHORTEST <= later - earlier <= 4 * usual
    )
    return min(steps, key=lambda step: (-steps[step], step), default=usual)
