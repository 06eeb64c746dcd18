"""The grid of time on which energy is kept: half-open intervals in UTC.

Intervals start at multiples of five minutes since 1970 UTC, hours at multiples of
an hour. Every time zone in use is offset from UTC by a multiple of 15 minutes, so
that a local day is a whole number of intervals, whatever the clocks do.
"""

from collections.abc import Iterator
from typing import Final

INTERVAL: Final = 300
"""Seconds."""

HOUR: Final = 3600
"""Seconds."""


def floor(moment: float, step: int = INTERVAL) -> int:
    """Return the start of the interval that holds a moment (seconds since 1970 UTC)."""
    return int(moment // step) * step


def pieces(start: float, end: float, step: int = INTERVAL) -> Iterator[tuple[int, float, float]]:
    """Yield the parts of a stretch of time: the interval's start, the part's start and end.

    The parts are in order and cover [start, end) exactly; none is empty.
    """
    position = start
    while position < end:
        slot = floor(position, step)
        stop = min(end, float(slot + step))
        yield slot, position, stop
        position = stop
