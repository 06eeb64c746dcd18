"""The setpoint of a thermostat that is moved: what its user chose, and what it is asked for."""

from collections.abc import Mapping
import math
from typing import Any, Final

from .held import Held, number, number_or_none

STEP: Final = 0.5
"""K between two setpoints: what thermostats know."""

CHANGE: Final = 1800.0
"""s between two changes."""

_COLDEST: Final = -30.0
_HOTTEST: Final = 100.0
"""Degrees Celsius that thermostats are set to."""

_KEPT: Final = 20
"""Setpoints that are kept: more than there are between two limits of a comfort."""

_ALIKE: Final = 0.05
"""K by which setpoints differ that are the same."""


class Setpoint:
    """The setpoint that the user has chosen, the base, is learned only while it is not moved.

    What is seen while it is moved is what was asked for, or a change by hand that lasts as long as
    its override: it never becomes the base, so that no shift can be taken for a wish.
    """

    def __init__(self) -> None:
        """Start without a base."""
        self.base: float | None = None
        self._asked: Held[float] = Held(CHANGE)
        self._before: list[float] = []
        """What else was asked for, as long as the device was not seen at the base again."""

    @property
    def is_moved(self) -> bool:
        """Return whether something else than the base was asked for, or may still be set."""
        asked = self._asked.value
        return asked is not None and (not _alike(asked, self.base) or bool(self._before))

    def see(self, setpoint: float | None) -> bool:
        """Take what the device is set to; return whether the user has chosen a new one."""
        if setpoint is None or not _COLDEST <= setpoint <= _HOTTEST:
            return False
        if _alike(setpoint, self.base):
            if _alike(self._asked.value, self.base):
                self._before.clear()
            return False
        asked = self._asked.value
        if asked is not None and not _alike(asked, self.base):
            return False
        # A device that did not hear what came after it may still be set to any of these.
        if any(_alike(setpoint, each) for each in self._before):
            return False
        self.base, self._before = setpoint, []
        self._asked.forget()
        return True

    def ask(self, wanted: float, now: float, *, at_once: bool = False) -> float:
        """Return what the device should be set to: what is wanted, or what was asked for lately."""
        before = self._asked.value
        asked = self._asked.take(wanted, now, at_once=at_once)
        if before is not None and asked != before:
            others = [each for each in self._before if not _alike(each, before)]
            self._before = [*others, before][-_KEPT:]
        return asked

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"base": self.base, "asked": self._asked.as_dict(), "before": list(self._before)}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        base, before = number_or_none(data["base"]), [number(each) for each in data["before"]]
        self._asked.restore(data["asked"], number)
        self.base, self._before = base, before


def rounded(temperature: float, *, up: bool) -> float:
    """Return a temperature, or a difference of two, in whole steps."""
    steps = temperature / STEP
    slack = _ALIKE / STEP
    return STEP * (math.ceil(steps - slack) if up else math.floor(steps + slack))


def whole(most: float) -> float:
    """Return the whole steps of the K that a setpoint may be moved at the most."""
    return STEP * math.floor(max(most, 0.0) / STEP + 1e-9)


def _alike(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _ALIKE
