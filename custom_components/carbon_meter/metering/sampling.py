"""What lay between two writings of the entities: mean, minimum and maximum of each quantity.

A value stands from its sample to the next one (sample and hold, the rule by which Home
Assistant's recorder averages too): nothing is made up between two samples, and a load that
was seen counts until it is seen to have gone. A value stands for a limited time only; what
lies beyond is not known and not in the mean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import math
from typing import Final

from .quantities import QUANTITIES

INSTANTANEOUS: Final = tuple(key for key, quantity in QUANTITIES.items() if not quantity.counter)
"""The quantities of which an average says something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantitySummary:
    """One quantity over one window, in its own unit."""

    mean: float
    """Weighted by the time that each value stood; where none did, the last value."""

    minimum: float
    maximum: float
    samples: int
    """Values that came in the window; 0 where one from before it still stands."""

    covered: float
    """Seconds of the window in which the quantity is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSummary:
    """Everything that was sampled from `start` to `end`, seconds since 1970 UTC."""

    start: float
    end: float
    quantities: Mapping[str, QuantitySummary]
    """By key; what was not known at any time of the window is absent."""


class _Track:
    """One quantity: what stands now, and the sums of the open window."""

    __slots__ = ("covered", "held", "last", "maximum", "minimum", "samples", "weighted")

    def __init__(self) -> None:
        self.held: float | None = None
        self.reopen()

    def reopen(self) -> None:
        """Start a window; what stands goes over into it."""
        self.weighted = self.covered = 0.0
        self.samples = 0
        self.last = self.held
        self.minimum = math.inf if self.held is None else self.held
        self.maximum = -math.inf if self.held is None else self.held

    def summary(self) -> QuantitySummary | None:
        """Return the sums of the window, None where the quantity was never known in it."""
        if self.last is None:
            return None
        return QuantitySummary(
            mean=self.weighted / self.covered if self.covered else self.last,
            minimum=self.minimum,
            maximum=self.maximum,
            samples=self.samples,
            covered=self.covered,
        )


class Sampler:
    """Sums up the samples of one meter between two takings.

    `quantities` are those to sum up. A value stands for `longest` seconds at most; give a
    few intervals of the meter. Of a clock that was set back nobody knows how long a value
    stood: it counts with its size, not with any time.
    """

    def __init__(self, quantities: Iterable[str] = INSTANTANEOUS, *, longest: float = 30.0) -> None:
        """Start without a sample."""
        self._tracks = {quantity: _Track() for quantity in quantities}
        self._items = tuple(self._tracks.items())
        self._longest = longest
        self._start: float | None = None
        self._sampled = 0.0
        self._counted = 0.0

    def observe(self, time: float, values: Mapping[str, float]) -> None:
        """Take the values of one moment; what is absent or not finite is not known from now on."""
        if self._start is None:
            self._start = self._counted = time
        stood = self._advance(time)
        self._sampled = time
        for quantity, track in self._items:
            held = track.held
            if held is not None and stood > 0:
                track.weighted += held * stood
                track.covered += stood
            value = values.get(quantity)
            if value is None or not -math.inf < value < math.inf:
                track.held = None
                continue
            track.held = track.last = value
            track.samples += 1
            track.minimum = min(track.minimum, value)
            track.maximum = max(track.maximum, value)

    def take(self, now: float) -> WindowSummary | None:
        """Return the window up to now and start the next one; None before the first sample."""
        if self._start is None:
            return None
        stood = self._advance(now)
        if stood > 0:
            for track in self._tracks.values():
                if track.held is not None:
                    track.weighted += track.held * stood
                    track.covered += stood
        summary = WindowSummary(
            start=min(self._start, now),
            end=now,
            quantities={
                quantity: told
                for quantity, track in self._items
                if (told := track.summary()) is not None
            },
        )
        if now - self._sampled > self._longest:
            for track in self._tracks.values():
                track.held = None
        for track in self._tracks.values():
            track.reopen()
        self._start = now
        return summary

    def _advance(self, now: float) -> float:
        """Return for how long the held values stood since they were last counted."""
        until = min(now, self._sampled + self._longest)
        stood, self._counted = until - self._counted, now
        return stood
