"""What a provider has told: what it measured, and the newest forecast for the rest."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ...grade import Grade
from ..source import IntensityInterval
from ..stored import intervals_of, rows_of
from .overlay import cut, overlaid

_BEHIND: Final = 14 * 86400.0
"""Seconds of the past that late energy can still be weighed with."""

_STORED_BEHIND: Final = 2 * 86400.0
"""Seconds of the past that are worth their place in a file: hours stay open no longer."""

_AHEAD: Final = 8 * 86400.0
"""Seconds; no provider forecasts farther."""


class Memory:
    """Intervals that were told, in two layers: what was measured lies over what was forecast.

    Within a layer the newest word counts: measured values are revised, forecasts are renewed. A
    forecast never replaces a measurement, and what was forecast stays until it was measured, so
    that it bridges a provider that cannot be reached.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._told: list[IntensityInterval] = []
        self._forecast: list[IntensityInterval] = []

    @property
    def last(self) -> IntensityInterval | None:
        """Return the last interval that was not forecast."""
        return self._told[-1] if self._told else None

    def take(self, intervals: Sequence[IntensityInterval], now: float) -> None:
        """Take what was told at a moment, in order and without overlaps."""
        told = [each for each in intervals if each.grade is not Grade.FORECAST]
        forecast = [each for each in intervals if each.grade is Grade.FORECAST]
        self._told = cut(overlaid(told, self._told), now - _BEHIND, now + _AHEAD)
        self._forecast = cut(overlaid(forecast, self._forecast), now - _BEHIND, now + _AHEAD)

    def intervals(self, start: float, end: float) -> list[IntensityInterval]:
        """Return what is known of [start, end)."""
        return overlaid(cut(self._told, start, end), cut(self._forecast, start, end))

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"intervals": rows_of(self.intervals(now - _STORED_BEHIND, now + _AHEAD))}

    def restore(self, data: Mapping[str, Any], now: float) -> None:
        """Take what `as_dict` gave; what was told since counts more.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        before = intervals_of(data["intervals"])
        since = self._layers()
        self._told, self._forecast = [], []
        self.take(_layer(before, forecast=False), now)
        self.take(_layer(before, forecast=True), now)
        for layer in since:
            self.take(layer, now)

    def _layers(self) -> tuple[list[IntensityInterval], list[IntensityInterval]]:
        return self._told, self._forecast


def _layer(intervals: Iterable[IntensityInterval], *, forecast: bool) -> list[IntensityInterval]:
    """Return the intervals of one layer."""
    return [each for each in intervals if (each.grade is Grade.FORECAST) is forecast]
