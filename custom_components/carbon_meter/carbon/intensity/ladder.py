"""Which of several sources is believed: the first in order that knows the time asked for."""

from collections.abc import Sequence

from .source import IntensityInterval, IntensitySource


class Ladder:
    """Sources from the best to the last resort, seen as one.

    The last one should know every time (a yearly factor, a fixed value), so that a
    site always has a figure; each interval says by its grade how good it is.
    """

    def __init__(self, sources: Sequence[IntensitySource]) -> None:
        """Take the sources in the order of preference; raises ValueError without any."""
        if not sources:
            raise ValueError("a ladder needs at least one source")
        self.sources = tuple(sources)

    def intervals(self, start: float, end: float) -> list[IntensityInterval]:
        """Return the best known intensity over [start, end), in order.

        There is a hole only where no source knows anything.
        """
        return self._fill(start, end, 0)

    def at(self, moment: float) -> IntensityInterval | None:
        """Return the best known intensity at a moment, None where no source knows one."""
        # The shortest stretch that is not empty at this distance from 1970.
        found = self.intervals(moment, moment + 1e-3)
        return found[0] if found and found[0].start <= moment else None

    def _fill(self, start: float, end: float, rung: int) -> list[IntensityInterval]:
        """Return what this source knows, with its holes filled from the next ones."""
        if start >= end or rung == len(self.sources):
            return []
        filled: list[IntensityInterval] = []
        position = start
        for interval in self.sources[rung].intervals(start, end):
            filled += self._fill(position, interval.start, rung + 1)
            filled.append(interval)
            position = interval.end
        return filled + self._fill(position, end, rung + 1)
