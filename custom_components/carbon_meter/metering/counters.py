"""Energy from the counter of a meter, whatever happens to the counter.

What a counter says is believed when it fits what can have flowed since; what does
not fit waits for the next readings, which show whether it was a slip, a jump or a
reset. Nothing is repaired silently: what is set apart is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

_TOLERANCE_WH: Final = 0.5
_TOLERANCE_RELATIVE: Final = 3e-7
"""Steps back of this size are the rounding of 32-bit floats (2^-23), not a counter running back."""

_RESOLUTIONS: Final = (1000.0, 100.0, 10.0)
"""Wh in which counters move that show no more: a step of theirs can come at any moment."""

_CONFIRMATIONS: Final = 2
"""Further readings that have to agree before a counter is believed to stand elsewhere."""

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
    """Whether the value waits for further readings to be understood; `energy` is then 0."""

    event: CounterEvent | None = None
    set_apart: float = 0.0
    """Wh by which the counter changed without being believed."""


_PENDING: Final = CounterStep(energy=0.0, pending=True)


@dataclass(kw_only=True, slots=True)
class _Suspect:
    """A level that does not fit, and the readings that have confirmed it since."""

    first: float
    latest: float
    age: float = 0.0
    """Seconds since `latest`."""

    confirmations: int = 0


class Counter:
    """One energy counter in Wh.

    `max_power` in W bounds what can have flowed; `rollover` in Wh is where the
    counter starts again from zero, if that is known.
    """

    def __init__(self, *, max_power: float, rollover: float | None = None) -> None:
        """Start without a value: the first reading is the baseline."""
        self._max_power = self._bound = max_power
        self._rollover = rollover
        self._last: float | None = None
        self._suspect: _Suspect | None = None

    @property
    def last(self) -> float | None:
        """Return the last believed value in Wh."""
        return self._last

    @property
    def is_doubted(self) -> bool:
        """Return whether the counter shows something that is not believed yet."""
        return self._suspect is not None

    def step(
        self,
        value: float,
        elapsed: float,
        *,
        since_last: float,
        trusted: bool = True,
        power: float = 0.0,
    ) -> CounterStep:
        """Take a value in Wh and return what it adds.

        `elapsed` is the time in seconds since the last step that was not pending,
        `since_last` the time since the last value of any kind. A value that is not
        `trusted` (it came with others that are impossible) is believed if it fits, but
        never takes part in confirming a new level. `power` in W is what the meter says
        is flowing: twice that may have flowed, also beyond the `max_power` of its family.
        """
        self._bound = max(self._max_power, 2 * power)
        if self._last is None:
            if not trusted:
                return _PENDING
            self._last = value
            return CounterStep(energy=0.0)
        if self._suspect is not None:
            self._suspect.age += since_last
        energy = self._believable(value, self._last, elapsed)
        if energy is not None and not self._keeps_jump(value):
            return self._accept(value, energy)
        if not trusted:
            self.doubt()
            return _PENDING
        return self._misfit(value, elapsed)

    def doubt(self) -> None:
        """Take note that the meter talks nonsense now: a new level has to be confirmed afresh."""
        self._suspect = None

    def _keeps_jump(self, value: float) -> bool:
        """Return whether a value stays where the counter cannot have come in time.

        That it could have come there by now does not make it true.
        """
        suspect = self._suspect
        if suspect is None or suspect.first < (self._last or 0.0):
            return False
        return self._believable(value, suspect.latest, suspect.age) is not None

    def _misfit(self, value: float, elapsed: float) -> CounterStep:
        """Take a value that does not follow from the last one."""
        suspect = self._suspect
        fell = suspect is not None and suspect.first < (self._last or 0.0)
        if not fell and (rolled := self._rolled(value, elapsed)) is not None:
            self._last = value
            self._suspect = None
            return CounterStep(energy=rolled, event=CounterEvent.ROLLOVER)
        if suspect is None or self._believable(value, suspect.latest, suspect.age) is None:
            self._suspect = _Suspect(first=value, latest=value)
            return _PENDING
        suspect.latest = max(value, suspect.latest)
        suspect.age = 0.0
        suspect.confirmations += 1
        if suspect.confirmations < _CONFIRMATIONS:
            return _PENDING
        return self._start_anew(suspect, elapsed)

    def _accept(self, value: float, energy: float) -> CounterStep:
        """Book a value that fits; whatever was suspected before it was a slip."""
        last = self._last or 0.0
        suspect = self._suspect
        self._last = max(value, last)
        if suspect is None:
            return CounterStep(energy=energy)
        self._suspect = None
        return CounterStep(energy=energy, event=CounterEvent.SPIKE, set_apart=suspect.latest - last)

    def _start_anew(self, suspect: _Suspect, elapsed: float) -> CounterStep:
        """Take the confirmed level as the counter's, and book what it has counted there."""
        last, self._last = self._last or 0.0, suspect.latest
        self._suspect = None
        growth = suspect.latest - suspect.first
        apart = suspect.first - last
        if apart > 0:
            return CounterStep(energy=growth, event=CounterEvent.JUMP, set_apart=apart)
        if self._believable(suspect.latest, 0.0, elapsed) is not None:
            return CounterStep(energy=suspect.latest, event=CounterEvent.RESET)
        return CounterStep(energy=growth, event=CounterEvent.REPLACED, set_apart=apart)

    def _believable(self, value: float, before: float, elapsed: float) -> float | None:
        """Return the growth in Wh when it can have flowed in that time, else None."""
        growth = value - before
        tolerance = max(_TOLERANCE_WH, abs(before) * _TOLERANCE_RELATIVE)
        if -tolerance <= growth <= 0:
            return 0.0
        flow = self._bound * max(elapsed, 1.0) / _HOUR
        limit = flow + tolerance + _resolution(value, before)
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
            "suspect": None
            if suspect is None
            else [suspect.first, suspect.latest, suspect.age, suspect.confirmations],
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, max_power: float, rollover: float | None = None
    ) -> Self:
        """Return the counter as it was stored."""
        counter = cls(max_power=max_power, rollover=rollover)
        counter._last = data["last"]
        if data["suspect"] is not None:
            first, latest, age, confirmations = data["suspect"]
            counter._suspect = _Suspect(
                first=first, latest=latest, age=age, confirmations=confirmations
            )
        return counter


def _resolution(value: float, before: float) -> float:
    """Return the steps in which the counter seems to move, 0 where they are fine."""
    for step in _RESOLUTIONS:
        if all(
            abs(number - round(number / step) * step) <= abs(number) * _TOLERANCE_RELATIVE
            for number in (value, before)
        ):
            return step
    return 0.0
