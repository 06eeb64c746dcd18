"""A counter of another integration, as a counter that can be booked.

What it says is as old as its last report; what it starts anew by design (a cycle of a day or
a month) goes on; a net counter that runs forwards and backwards becomes two that only grow.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

from .integral import LONGEST_STANDING

_LEARNING: Final = 0.25
"""Share by which the usual time between two reports follows what it is."""

_MISSED_REPORTS: Final = 2.5
"""Usual times between two reports after which silence means that nothing has changed."""

_SHORTEST: Final = 60.0
"""Seconds between two conclusions that nothing has changed."""

_LEAST_RESET: Final = 1000.0
_NEARLY_ZERO: Final = 0.01
"""A net counter that falls by more than a kWh in one step, to less than this share, was reset."""


class AdoptedCounter:
    """Follows the reports of one counter in Wh or L.

    `net` says that it runs backwards when energy flows the other way.
    """

    def __init__(self, *, net: bool = False) -> None:
        """Start without a value."""
        self._net = net
        self._last: float | None = None
        self._cycle: str | None = None
        self._base = 0.0
        self._backwards = 0.0
        self._told: float | None = None
        self._settled = 0.0
        self._usual: float | None = None

    @property
    def forwards(self) -> float:
        """Return what it has counted forwards, from wherever it stood at first."""
        return self._base if self._net else self._base + (self._last or 0.0)

    @property
    def backwards(self) -> float:
        """Return what a net counter has counted backwards."""
        return self._backwards

    def observe(
        self, time: float, told: float, value: float, *, cycle: str | None, coarse: bool = False
    ) -> bool:
        """Take what the counter shows at `time`, and when it was told; return whether it is news.

        It is no news where it repeats an earlier report: the energy since then will only be
        known with the next. A report that stays out for longer than usual means that nothing
        has changed. `cycle` tells one run from zero from the next. A `coarse` counter moves in
        steps that no load fills in one reading: it is news when it moves.
        """
        if told == self._told:
            return not coarse and self._is_quiet(time)
        if self._told is not None:
            self._learn(told - self._told)
        self._told = told
        moved = self._take(value, cycle)
        if coarse and not moved:
            return False
        self._settled = told
        return True

    def _take(self, value: float, cycle: str | None) -> bool:
        """Take a value; return whether it differs from the one before."""
        last, self._last = self._last, value
        known, self._cycle = self._cycle, cycle or self._cycle
        restarted = last is not None and known is not None and cycle not in (None, known)
        if self._net:
            self._count_net(value, 0.0 if restarted else last)
        elif restarted:
            self._base += last or 0.0
        return value != last or restarted

    def _count_net(self, value: float, last: float | None) -> None:
        """Add a step to the side that it is for."""
        start = last or 0.0
        if start - value > _LEAST_RESET and 0 <= value < _NEARLY_ZERO * start:
            start = 0.0
        self._base += max(0.0, value - start)
        self._backwards += max(0.0, start - value)

    def _learn(self, spacing: float) -> None:
        """Follow the usual time between two reports; a night without any is not usual."""
        if 0 < spacing <= LONGEST_STANDING:
            usual = spacing if self._usual is None else self._usual
            self._usual = usual + _LEARNING * (spacing - usual)

    def _is_quiet(self, time: float) -> bool:
        """Return whether the silence means, once more, that nothing has changed."""
        if self._told is None:
            return False
        usual = LONGEST_STANDING if self._usual is None else self._usual
        silence = min(_MISSED_REPORTS * usual, LONGEST_STANDING)
        if time - self._told <= silence or time - self._settled < max(usual, _SHORTEST):
            return False
        self._settled = time
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "last": self._last,
            "cycle": self._cycle,
            "base": self._base,
            "backwards": self._backwards,
            "told": self._told,
            "settled": self._settled,
            "usual": self._usual,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, net: bool = False) -> Self:
        """Return the counter as it was stored."""
        counter = cls(net=net)
        counter._last = data["last"]
        counter._cycle = data["cycle"]
        counter._base = data["base"]
        counter._backwards = data["backwards"]
        counter._told = data["told"]
        counter._settled = data["settled"]
        counter._usual = data["usual"]
        return counter
