"""The power of one meter by the hour: mean, minimum and maximum for the record.

Power stands from one sample to the next, for a limited time, as in `metering.sampling`.
An hour that is known in part says of how much of it; nothing is filled in. Rows are
absolute, so that writing an hour again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any, Final, Self

from .intervals import HOUR, floor, pieces

_KEPT: Final = 48
"""Intervals for which a row can still change after it was written."""

_MOST: Final = 1000
"""Intervals that are kept where nobody writes them: forty days of hours, three of five minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerRow:
    """The power in one interval, W, import positive."""

    start: int
    """Seconds since 1970 UTC."""

    mean: float
    """Weighted by time, over the part of the interval that is known."""

    minimum: float
    maximum: float
    coverage: float
    """The part of the interval that is known, from 0 to 1."""


@dataclass(kw_only=True, slots=True)
class _Slot:
    """The sums of one interval."""

    weighted: float = 0.0
    covered: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    told: bool = False
    """Whether the record has it as it is now."""

    def add(self, power: float, seconds: float) -> None:
        """Let a power stand for some seconds."""
        self.weighted += power * seconds
        self.covered += seconds
        self.minimum = min(self.minimum, power)
        self.maximum = max(self.maximum, power)
        self.told = False


class PowerHours:
    """Sums up the power of one meter in intervals of `step` seconds since 1970 UTC.

    A sample stands for `longest` seconds at most; give a few intervals of the meter. An
    hour is what external statistics take, five minutes are for what is shown of today.
    """

    def __init__(self, *, step: int = HOUR, longest: float = 30.0) -> None:
        """Start empty."""
        self._step = step
        self._longest = longest
        self._slots: dict[int, _Slot] = {}
        self._last: tuple[float, float] | None = None

    def observe(self, time: float, power: float | None) -> None:
        """Take a power in W, None or not finite where it is not known from now on."""
        if self._last is not None:
            since, stood = self._last
            self._stand(stood, since, min(time, since + self._longest))
        known = power is not None and -math.inf < power < math.inf
        self._last = (time, power) if known and power is not None else None

    def _stand(self, power: float, start: float, end: float) -> None:
        """Add a stretch of constant power."""
        slot = floor(start, self._step)
        if end <= slot + self._step:
            if end > start:
                self._slot(slot).add(power, end - start)
            return
        for begin, first, last in pieces(start, end, self._step):
            self._slot(begin).add(power, last - first)

    def _slot(self, start: int) -> _Slot:
        """Return an interval; the oldest that are written and beyond change are let go."""
        if (slot := self._slots.get(start)) is None:
            slot = self._slots[start] = _Slot()
            closed = start - _KEPT * self._step
            for old in [key for key, kept in self._slots.items() if key < closed and kept.told]:
                del self._slots[old]
            if len(self._slots) > _MOST:
                del self._slots[min(self._slots)]
        return slot

    def rows(self, until: float) -> list[PowerRow]:
        """Return the intervals that ended by `until` and are not in the record as they are."""
        return [
            self._row(start, slot)
            for start, slot in sorted(self._slots.items())
            if start + self._step <= until and not slot.told
        ]

    def row(self, start: int) -> PowerRow | None:
        """Return one interval as far as it is known, None where nothing of it is."""
        slot = self._slots.get(start)
        return None if slot is None else self._row(start, slot)

    def published(self, rows: Sequence[PowerRow]) -> None:
        """Take note that rows are in the record, where they still say what is known."""
        for row in rows:
            slot = self._slots.get(row.start)
            if slot is not None and self._row(row.start, slot) == row:
                slot.told = True

    def publish_again(self) -> None:
        """Take every interval for unwritten: whether the record kept it is not known."""
        for slot in self._slots.values():
            slot.told = False

    def _row(self, start: int, slot: _Slot) -> PowerRow:
        """Return the row of an interval; rounding must not put the mean outside its bounds."""
        mean = slot.weighted / slot.covered
        return PowerRow(
            start=start,
            mean=min(max(mean, slot.minimum), slot.maximum),
            minimum=slot.minimum,
            maximum=slot.maximum,
            coverage=min(1.0, slot.covered / self._step),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "last": self._last,
            "slots": {
                str(start): [slot.weighted, slot.covered, slot.minimum, slot.maximum, slot.told]
                for start, slot in self._slots.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, step: int = HOUR, longest: float = 30.0) -> Self:
        """Return the hours as they were stored."""
        hours = cls(step=step, longest=longest)
        if data["last"] is not None:
            time, power = data["last"]
            hours._last = time, power
        for start, (weighted, covered, minimum, maximum, told) in data["slots"].items():
            hours._slots[int(start)] = _Slot(
                weighted=weighted, covered=covered, minimum=minimum, maximum=maximum, told=told
            )
        return hours
