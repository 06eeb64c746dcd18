"""The time of the virtual home: it can run faster, stand still and be stepped."""

from collections.abc import Callable
import time
from typing import Final

FASTEST: Final = 3600.0
"""An hour in a second."""


class VirtualClock:
    """Seconds since 1970 UTC in the virtual home; they never go back.

    `start` is the first moment (default: the system's time), `speed` how many
    virtual seconds pass in a real one, `ticks` what real seconds are taken from.
    A frozen clock moves only when it is stepped.
    """

    def __init__(
        self,
        start: float | None = None,
        *,
        speed: float = 1.0,
        frozen: bool = False,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock."""
        self._ticks = ticks
        self._virtual = time.time() if start is None else float(start)
        self._real = ticks()
        self._speed = _checked(speed)
        self._frozen = frozen

    def now(self) -> float:
        """Return the virtual time, in seconds since 1970 UTC."""
        if self._frozen:
            return self._virtual
        return self._virtual + (self._ticks() - self._real) * self._speed

    @property
    def speed(self) -> float:
        """Return how many virtual seconds pass in a real one, while the clock is not frozen."""
        return self._speed

    @property
    def frozen(self) -> bool:
        """Return whether the clock stands still."""
        return self._frozen

    def run(self, speed: float | None = None) -> None:
        """Let the clock run on, at another speed if one is given; from 1/3600 to 3600."""
        speed = self._speed if speed is None else _checked(speed)
        self._anchor()
        self._speed = speed
        self._frozen = False

    def freeze(self) -> None:
        """Stop the clock."""
        self._anchor()
        self._frozen = True

    def step(self, seconds: float) -> float:
        """Move the clock forward at once; return the new time."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock cannot be stepped by {seconds} s: time only goes forward")
        self._anchor()
        self._virtual += seconds
        return self.now()

    def _anchor(self) -> None:
        self._virtual, self._real = self.now(), self._ticks()


def _checked(speed: float) -> float:
    if not 1 / FASTEST <= speed <= FASTEST:
        raise ValueError(f"a speed of {speed} is not between 1/{FASTEST:g} and {FASTEST:g}")
    return float(speed)
