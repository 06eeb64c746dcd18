"""An entity or a topic that reports its intensity as it changes, and may forecast it."""

from collections.abc import Mapping, Sequence
from typing import Any, override

from ..reported import ReportedSource
from ..source import IntensityInterval
from .memory import Memory
from .overlay import cut, overlaid


class ForecastingReporter(ReportedSource):
    """A step function of reports, and after the last word the forecast.

    Where there is none the last value holds for an hour more, as it does without forecasts.
    """

    def __init__(self, source_id: str, name: str) -> None:
        """Start without any report."""
        super().__init__(source_id, name)
        self._ahead = Memory()
        self._read_at = 0.0

    def forecast(self, intervals: Sequence[IntensityInterval], now: float) -> None:
        """Take a forecast that was read at a moment; where it tells nothing the old one stands."""
        self._ahead.take(intervals, now)
        self._read_at = now

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return what was reported of [start, end), and what is forecast of the rest."""
        reported = super().intervals(start, end)
        ahead = self._ahead.intervals(start, end)
        if not ahead:
            return reported
        return overlaid(cut(reported, start, self._heard), overlaid(ahead, reported))

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        ahead = {"read_at": self._read_at, **self._ahead.as_dict(self._read_at)}
        return {**super().as_dict(), "ahead": ahead}

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave before a restart, of a source without forecasts too."""
        super().restore(data)
        if (ahead := data.get("ahead")) is not None:
            self._read_at = float(ahead["read_at"])
            self._ahead.restore(ahead, self._read_at)
