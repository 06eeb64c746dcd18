"""Energy of a meter that only knows its power.

The method is sample and hold, the left Riemann sum: a power stands from the moment at which
it was told until the next one is told. Many sources tell a power only when it has changed;
between two such reports it was what was told first, and the straight line of the trapezoidal
rule would invent a ramp over hours. For sources that tell it every few seconds the error of
both is the same in the mean. The recorder averages by the same rule.

    energy [Wh] = sum over reports of power [W] * time until the next report [s] / 3600

A power stands for a limited time: what lies beyond is not integrated, and told.
"""

from collections.abc import Mapping
import math
from typing import Any, Final, Self

LONGEST_STANDING: Final = 3900.0
"""Seconds for which what a source said stands without a further word.

The sources that speak least do so every hour (zigbee2mqtt sets up plugs with
`repInterval.HOUR`, ZHA with 900 s), and need a few minutes more when the radio is busy.
"""

_UNSEEN: Final = 60.0
"""Seconds without anybody who listens, as at a restart, for which a power still stands."""

_HOUR: Final = 3600.0


class PowerIntegral:
    """Integrates one power in W, import positive, into two counters in Wh."""

    def __init__(self, *, longest: float = LONGEST_STANDING) -> None:
        """Start without a power; one stands for `longest` seconds at most."""
        self.imported = 0.0
        self.exported = 0.0
        self.missed = 0.0
        """Seconds that were not integrated, because no power was known."""

        self._longest = longest
        self._power: float | None = None
        self._stands_until = 0.0
        self._until: float | None = None
        self._unseen = False

    def advance(self, time: float) -> None:
        """Let the power that stands count up to a moment, in seconds since 1970 UTC."""
        if self._unseen or self._power is None or self._until is None:
            return
        end = min(time, self._stands_until)
        if end > self._until:
            energy = self._power * (end - self._until) / _HOUR
            self.imported += max(0.0, energy)
            self.exported += max(0.0, -energy)
            self._until = end

    def tell(self, time: float, power: float | None) -> float:
        """Take the power from a moment on, None or not finite where it is not known any more.

        Returns the seconds before it that are not integrated.
        """
        if self._unseen and self._until is not None and time - self._until <= _UNSEEN:
            self._unseen = False
        self.advance(time)
        self._unseen = False
        known = power is not None and math.isfinite(power)
        missed = 0.0
        if known:
            if self._until is not None:
                missed = max(0.0, time - self._until)
            self.missed += missed
            self._until = time
            self._stands_until = time + self._longest
        self._power = power if known else None
        return missed

    def resume(self) -> None:
        """Take note after a restart that the power has stood all the time: nobody told another."""
        self._unseen = False

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "imported": self.imported,
            "exported": self.exported,
            "missed": self.missed,
            "power": self._power,
            "stands_until": self._stands_until,
            "until": self._until,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, longest: float = LONGEST_STANDING) -> Self:
        """Return the integral as it was stored; what happened since then nobody saw."""
        integral = cls(longest=longest)
        integral.imported = data["imported"]
        integral.exported = data["exported"]
        integral.missed = data["missed"]
        integral._power = data["power"]
        integral._stands_until = data["stands_until"]
        integral._until = data["until"]
        integral._unseen = True
        return integral
