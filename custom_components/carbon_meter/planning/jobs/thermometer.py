"""The temperature of a body: as it is measured, and for a while as its model says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .held import number_or_none
from .times import moment_or_none

HOLD: Final = 1800.0
"""s that a temperature is worked out where none is measured; after that it is not known."""

_COLDEST: Final = -60.0
_HOTTEST: Final = 120.0
"""Degrees Celsius. What lies outside is the code of a broken sensor."""

_LONGEST: Final = 900.0
"""s that one power is believed to have gone on unseen."""

type After = Callable[[float, float, float, float], float]
"""Tells the temperature after so many seconds: moment, temperature, seconds, power in W."""


class Thermometer:
    """What is known of a temperature in degrees Celsius."""

    def __init__(self, after: After) -> None:
        """Start with a temperature that is not known."""
        self._after = after
        self._level: float | None = None
        self._moment = 0.0
        self._measured = 0.0

    def see(self, now: float, level: float | None, power: float | None) -> bool:
        """Take what is measured, or go on with the power in W that has been since the last time.

        Where that is not known the temperature is taken to be kept. Returns whether it was
        measured.
        """
        if level is not None and _COLDEST <= level <= _HOTTEST:
            self._level, self._moment, self._measured = level, now, now
            return True
        if self._level is not None and now > self._moment:
            if power is not None:
                seconds = min(now - self._moment, _LONGEST)
                self._level = self._after(self._moment, self._level, seconds, power)
            self._moment = now
        return False

    def at(self, now: float) -> float | None:
        """Return the temperature, None where none was measured for too long."""
        if self._level is None or not abs(now - self._measured) <= HOLD:
            return None
        return self._level

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"level": self._level, "measured": self._measured or None}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        level, measured = number_or_none(data["level"]), moment_or_none(data["measured"])
        self._level = None if measured is None else level
        self._moment = self._measured = measured or 0.0
