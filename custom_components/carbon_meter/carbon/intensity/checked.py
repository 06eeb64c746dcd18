"""A wall around a source that somebody else wrote: only possible intensities come through."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
import math
from typing import Final

from .source import IntensityInterval, IntensityKind, IntensitySource, SourceInfo

HIGHEST: Final = 5000.0
"""gCO2eq/kWh; no way of generating electricity emits more."""


class UnusableSourceError(Exception):
    """A source says something that cannot be used."""


class CheckedSource:
    """What a source knows, as far as it can be true, under an id that is its own here.

    Raises UnusableSourceError for what has no information of itself, and for marginal
    intensities: they say what a decision changes and are never blended into an account.
    """

    def __init__(self, source: IntensitySource, source_id: str) -> None:
        """Take the source; `source_id` is what intervals name as where they come from."""
        info = source.info
        if not isinstance(info, SourceInfo):
            raise UnusableSourceError(f"info is {info!r}, not a SourceInfo")
        if info.kind is not IntensityKind.AVERAGE:
            raise UnusableSourceError(f"its intensities are {info.kind}, not average")
        self._source = source
        self._own_id = info.id
        self.info = replace(info, id=source_id)

    @property
    def refresh_after(self) -> float | None:
        """Return in how many seconds `refresh` is due, None for never.

        Raises UnusableSourceError for what is no stretch of time.
        """
        seconds = self._source.refresh_after
        if seconds is None:
            return None
        if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            raise UnusableSourceError(f"refresh_after is {seconds!r}, not a number of seconds")
        return float(seconds)

    async def refresh(self) -> None:
        """Fetch what is new; raises what the source raises."""
        await self._source.refresh()

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what can be believed of what the source knows of [start, end).

        Raises UnusableSourceError where an interval cannot be; whatever else the source raises
        comes through.
        """
        return list(self._checked(start, end))

    def _checked(self, start: float, end: float) -> Iterator[IntensityInterval]:
        """Yield the intervals cut to what was asked for, and to where the one before ends."""
        position = start
        for interval in self._source.intervals(start, end):
            if not isinstance(interval, IntensityInterval):
                raise UnusableSourceError(f"{interval!r} is not an IntensityInterval")
            if not math.isfinite(interval.value) or not 0 <= interval.value <= HIGHEST:
                raise UnusableSourceError(f"{interval.value} gCO2eq/kWh cannot be")
            if not (math.isfinite(interval.start) and math.isfinite(interval.end)):
                raise UnusableSourceError("an interval without a beginning or an end")
            begin, stop = max(position, interval.start), min(end, interval.end)
            if begin < stop:
                position = stop
                yield replace(interval, start=begin, end=stop, source=self._named(interval.source))

    def _named(self, source: str) -> str:
        """Return an interval's source, with its edition, under the id that it has here."""
        edition = source.removeprefix(self._own_id).removeprefix(":")
        return f"{self.info.id}:{edition}" if edition else self.info.id
