"""Sums over the last hour or day, in slots that all meters share.

Slots start at multiples of their length since 1970 UTC, so that windows of different
meters hold the same stretch of time whenever each of them was asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

HOUR: Final = 3600
DAY: Final = 86400
"""Seconds."""

_SPARE: Final = 2
"""Windows that are kept: meters that are asked seldom lag behind the others."""


class RollingSums:
    """Sums of a few figures over a rolling window of `length` seconds in `parts` slots.

    The figures of a slot are a list of `width` numbers that `add` adds to; the last
    `maxima` of them keep their largest value instead.
    """

    def __init__(self, *, length: int, parts: int, width: int, maxima: int = 0) -> None:
        """Start empty."""
        self.length = length
        self._slot = length // parts
        self._parts = parts
        self._sums = width - maxima
        self._width = width
        self._slots: dict[int, list[float]] = {}

    def last_complete(self, moment: float) -> int:
        """Return the end of the last slot that is over at a moment, seconds since 1970 UTC."""
        return int(moment // self._slot) * self._slot

    def add(self, start: float, end: float, figures: Sequence[float]) -> None:
        """Spread figures evenly over the stretch [start, end) of time."""
        first = int(start // self._slot) * self._slot
        if end <= first + self._slot:
            self._put(first, figures, 1.0)
            return
        position = start
        while position < end:
            slot = int(position // self._slot) * self._slot
            stop = min(end, float(slot + self._slot))
            self._put(slot, figures, (stop - position) / (end - start))
            position = stop

    def _put(self, slot: int, figures: Sequence[float], share: float) -> None:
        """Add a share of the figures to a slot."""
        if (kept := self._slots.get(slot)) is None:
            kept = self._open(slot)
        for index, figure in enumerate(figures):
            if index < self._sums:
                kept[index] += figure * share
            elif figure > kept[index]:
                kept[index] = figure

    def _open(self, slot: int) -> list[float]:
        """Return a new slot; what is too old is let go."""
        oldest = slot - _SPARE * self.length
        for key in [key for key in self._slots if key < oldest]:
            del self._slots[key]
        kept = self._slots[slot] = [0.0] * self._width
        return kept

    def window(self, until: int) -> list[float]:
        """Return the sums of the window that ends at `until`, which ends a slot."""
        rows = [
            row
            for start in range(until - self._parts * self._slot, until, self._slot)
            if (row := self._slots.get(start)) is not None
        ]
        if not rows:
            return [0.0] * self._width
        columns = list(zip(*rows, strict=True))
        return [
            sum(column) if index < self._sums else max(column)
            for index, column in enumerate(columns)
        ]

    def forget_from(self, moment: float) -> None:
        """Let go the slots that a clock was in before it was set back to a moment."""
        for key in [key for key in self._slots if key + self._slot > moment]:
            del self._slots[key]

    def as_dict(self) -> dict[str, list[float]]:
        """Return the slots in a form for a JSON file."""
        return {str(start): list(figures) for start, figures in self._slots.items()}

    def restore(self, stored: Mapping[str, Iterable[float]]) -> Self:
        """Take the slots as they were stored; those of another width are of an older version."""
        for start, figures in stored.items():
            kept = list(figures)
            if len(kept) == self._width:
                self._slots[int(start)] = kept
        return self
