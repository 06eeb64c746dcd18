"""What a source has said, kept for when it cannot be asked: after a restart, for example."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .source import IntensityInterval, SourceInfo
from .stored import intervals_of, rows_of

KEPT_BEHIND: Final = 48 * 3600.0
"""Seconds of the past that late energy is still weighed with."""

KEPT_AHEAD: Final = 24 * 3600.0
"""Seconds of a forecast that bridge a source that cannot be reached."""


class KeptSource:
    """Intervals in order, as they were taken last."""

    refresh_after: float | None = None

    def __init__(self, info: SourceInfo) -> None:
        """Keep nothing yet; `info` is of the source whose intervals these will be."""
        self.info = info
        self._intervals: list[IntensityInterval] = []

    async def refresh(self) -> None:
        """There is nothing to fetch."""

    def take(self, intervals: Iterable[IntensityInterval]) -> None:
        """Keep these and nothing else; they are in order and do not overlap."""
        self._intervals = list(intervals)

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what is kept of [start, end)."""
        return [
            replace(interval, start=max(start, interval.start), end=min(end, interval.end))
            for interval in self._intervals
            if max(start, interval.start) < min(end, interval.end)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"intervals": rows_of(self._intervals)}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        self._intervals = intervals_of(data["intervals"])
