"""Energy from the counter of a meter, whatever happens to the counter.

What a counter says is believed when it fits what can have flowed since; what does
not fit waits for the next reading, which shows whether it was a slip, a jump or a
reset. Nothing is repaired silently: what is set apart is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

_TOLERANCE_WH: Final = 0.5
_TOLERANCE_RELATIVE: Final = 3e-7
"""Steps back of this size are the rounding of 32-bit floats (2^-23), not a counter running back."""

_HOUR: Final = 3600.0


class CounterEvent(StrEnum):
    """What happened to a counter other than counting."""

    ROLLOVER = "rollover"
    """It passed its largest value and went on from zero; no energy is lost."""

    RESET = "reset"
    """It went back to zero; what it counts since is booked."""

    REPLACED = "replaced"
    """It stands at another value that cannot have been counted since zero: a new start."""

    JUMP = "jump"
    """It went up by more than can have flowed and stayed there; that rise is set apart."""

    SPIKE = "spike"
    """One value that the next reading took back; it is set apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CounterStep:
    """What one reading of a counter adds."""

    energy: float
    """Wh that flowed since the last step that was not pending."""

    pending: bool = False
    """Whether the value waits for the next reading to be understood; `energy` is then 0."""

    event: CounterEvent | None = None
    set_apart: float = 0.0
    """Wh by which the counter changed without being believed."""


@dataclass(kw_only=True, slots=True)
class _Suspect:
    """A value that does not fit, and how long before the present reading it was seen."""

    value: float
    age: float = 0.0


class Counter:
    """One energy counter in Wh.

    `max_power` in W bounds what can have flowed; `rollover` in Wh is where the
    counter starts again from zero, if that is known.
    """

    def __init__(self, *, max_power: float, rollover: float | None = None) -> None:
        """Start without a value: the first reading is the baseline."""
        self._max_power = max_power
        self._rollover = rollover
        self._last: float | None = None
        self._suspect: _Suspect | None = None

    @property
    def last(self) -> float | None:
        """Return the last believed value in Wh."""
        return self._last

    def step(self, value: float, elapsed: float, *, since_last: float) -> CounterStep:
        """Take a value in Wh and return what it adds.

        `elapsed` is the time in seconds since the last step that was not pending,
        `since_last` the time since the last value of any kind.
        """
        if self._last is None:
            self._last = value
            return CounterStep(energy=0.0)
        energy = self._believable(value, self._last, elapsed)
        if self._suspect is None:
            if energy is not None:
                self._last = max(value, self._last)
                return CounterStep(energy=energy)
            if (rolled := self._rolled(value, elapsed)) is not None:
                self._last = value
                return CounterStep(energy=rolled, event=CounterEvent.ROLLOVER)
            self._suspect = _Suspect(value=value)
            return CounterStep(energy=0.0, pending=True)
        return self._resolve(value, energy, elapsed, self._suspect, since_last)

    def _resolve(
        self, value: float, energy: float | None, elapsed: float, suspect: _Suspect, since: float
    ) -> CounterStep:
        """Take the value after one that did not fit."""
        assert self._last is not None  # noqa: S101  # a suspect exists only after a baseline
        suspect.age += since
        if energy is not None:
            # Back where it was: the one value between was a slip.
            self._suspect = None
            step = CounterStep(
                energy=energy, event=CounterEvent.SPIKE, set_apart=suspect.value - self._last
            )
            self._last = max(value, self._last)
            return step
        growth = self._believable(value, suspect.value, suspect.age)
        if growth is None:
            self._suspect = _Suspect(value=value)
            return CounterStep(energy=0.0, pending=True)
        self._suspect = None
        last, self._last = self._last, max(value, suspect.value)
        if suspect.value > last:
            return CounterStep(
                energy=growth, event=CounterEvent.JUMP, set_apart=suspect.value - last
            )
        if self._believable(value, 0.0, elapsed) is not None:
            return CounterStep(energy=value, event=CounterEvent.RESET)
        return CounterStep(
            energy=growth, event=CounterEvent.REPLACED, set_apart=suspect.value - last
        )

    def _believable(self, value: float, before: float, elapsed: float) -> float | None:
        """Return the growth in Wh when it can have flowed in that time, else None."""
        growth = value - before
        tolerance = max(_TOLERANCE_WH, abs(before) * _TOLERANCE_RELATIVE)
        if -tolerance <= growth <= 0:
            return 0.0
        limit = self._max_power * max(elapsed, 1.0) / _HOUR + tolerance
        return growth if 0 < growth <= limit else None

    def _rolled(self, value: float, elapsed: float) -> float | None:
        """Return the growth over the end of the counter, if it can have come to that."""
        if self._rollover is None or self._last is None or value >= self._last:
            return None
        return self._believable(value + self._rollover, self._last, elapsed)

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        suspect = self._suspect
        return {
            "last": self._last,
            "suspect": None if suspect is None else [suspect.value, suspect.age],
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, max_power: float, rollover: float | None = None
    ) -> Self:
        """Return the counter as it was stored."""
        counter = cls(max_power=max_power, rollover=rollover)
        counter._last = data["last"]
        if data["suspect"] is not None:
            value, age = data["suspect"]
            counter._suspect = _Suspect(value=value, age=age)
        return counter
