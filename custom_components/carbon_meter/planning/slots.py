"""The slots of time in which a plan is made: one after the other, of any length."""

from dataclasses import dataclass
import math
from typing import Final, Self

import numpy as np

from ..carbon.flow.amounts import FloatArray

MOST_SLOTS: Final = 100_000
"""More than a year of five minutes in one plan is a mistake in a unit."""


class SlotsError(ValueError):
    """Slots that do not follow one another."""


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Half-open stretches of time, each beginning where the one before it ends.

    `starts` and `ends` are seconds since 1970 UTC. There may be none. Raises SlotsError for
    slots that have holes, overlap, have no length, or are no numbers.
    """

    starts: FloatArray
    ends: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no sequence of slots."""
        if self.starts.ndim != 1 or self.starts.shape != self.ends.shape:
            raise SlotsError("starts and ends are not two rows of the same length")
        if len(self.starts) == 0:
            return
        if not (np.isfinite(self.starts).all() and np.isfinite(self.ends).all()):
            raise SlotsError("a start or an end is not a finite number")
        if not (self.ends > self.starts).all():
            raise SlotsError("a slot ends before it has begun")
        if not (self.starts[1:] == self.ends[:-1]).all():
            raise SlotsError("a slot does not begin where the one before it ends")

    @classmethod
    def of(cls, start: float, end: float, step: float) -> Self:
        """Return the slots of [start, end), `step` seconds each; the last may be shorter."""
        if not (math.isfinite(start) and math.isfinite(end) and math.isfinite(step) and step > 0):
            raise SlotsError(f"{start} to {end} in steps of {step} s are no slots")
        count = max(0, math.ceil((end - start) / step))
        if count > MOST_SLOTS:
            raise SlotsError(f"{count} slots are too many for a plan")
        starts = start + step * np.arange(count)
        # A last slot that is nothing but rounding is none.
        return cls.at(np.append(starts[starts < end - 1e-6], [end] * (count > 0)))

    @classmethod
    def at(cls, edges: FloatArray) -> Self:
        """Return the slots between so many edges and the next."""
        return cls(edges[:-1], edges[1:])

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def start(self) -> float:
        """Return where the first slot begins; NaN where there is none."""
        return float(self.starts[0]) if len(self) else math.nan

    @property
    def end(self) -> float:
        """Return where the last slot ends; NaN where there is none."""
        return float(self.ends[-1]) if len(self) else math.nan

    @property
    def edges(self) -> FloatArray:
        """Return where slots begin and end: one more than there are slots."""
        return np.append(self.starts, self.ends[-1:])

    @property
    def seconds(self) -> FloatArray:
        """Return how long each slot is in seconds."""
        return self.ends - self.starts

    @property
    def hours(self) -> FloatArray:
        """Return how long each slot is in hours."""
        return (self.ends - self.starts) / 3600.0

    def index(self, moment: float) -> int:
        """Return which slot holds a moment.

        Raises IndexError for a moment that is in none of them.
        """
        place = int(np.searchsorted(self.ends, moment, side="right"))
        if place == len(self) or moment < self.starts[place]:
            raise IndexError(f"{moment} is in none of the slots")
        return place

    def places(self, start: float, end: float) -> slice:
        """Return which slots have something in common with [start, end)."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left")) if end > start else first
        return slice(first, max(first, last))

    def cut(self, start: float, end: float) -> Slots:
        """Return what of the slots lies in [start, end); the first and last may be parts."""
        places = self.places(start, end)
        if places.start == places.stop:
            return Slots(self.starts[:0], self.ends[:0])
        edges = np.append(self.starts[places], self.ends[places.stop - 1])
        edges[0], edges[-1] = max(edges[0], start), min(edges[-1], end)
        return Slots.at(edges)
