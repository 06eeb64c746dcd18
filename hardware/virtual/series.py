"""Power as a function of time that is constant between known moments.

Only such functions have integrals that are exact at every moment, so that a
counter never loses energy, whatever the speed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from .chance import Array

NEVER: Array = np.empty(0)
NEVER.flags.writeable = False


class Source(Protocol):
    """The power of one thing over time."""

    def edges(self, start: float, end: float) -> Array:
        """Return the moments from `start` to before `end` at which the power may change."""

    def power(self, times: Array) -> Array:
        """Return the power in W that holds from each of the times to the next edge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """The same power for ever."""

    watts: float

    def edges(self, start: float, end: float) -> Array:
        """Return nothing: the power never changes."""
        return NEVER

    def power(self, times: Array) -> Array:
        """Return the power in W for each time."""
        return np.full(times.shape, self.watts)


class Steps:
    """Given powers from given moments on, to which the integral can be worked out by hand."""

    def __init__(self, steps: Iterable[tuple[float, float]]) -> None:
        """Take (seconds since 1970 UTC, W) in the order of time; before the first it is 0 W."""
        rows = list(steps)
        self._times = np.array([at for at, _ in rows], dtype=np.float64)
        if np.any(np.diff(self._times) <= 0):
            raise ValueError("the steps must be in the order of time")
        self._watts = np.array([0.0, *(watts for _, watts in rows)])

    @classmethod
    def lasting(cls, start: float, steps: Iterable[tuple[float, float]]) -> Self:
        """Take (seconds it lasts, W) one after the other from `start` on; then it is 0 W."""
        rows: list[tuple[float, float]] = []
        at = start
        for seconds, watts in steps:
            rows.append((at, watts))
            at += seconds
        return cls([*rows, (at, 0.0)])

    def edges(self, start: float, end: float) -> Array:
        """Return the moments from `start` to before `end` at which the power changes."""
        first, last = np.searchsorted(self._times, [start, end])
        return self._times[first:last]

    def power(self, times: Array) -> Array:
        """Return the power in W for each time."""
        return self._watts[np.searchsorted(self._times, times, side="right")]


class Stepped(ABC):
    """Base of sources whose power is decided anew every `step` seconds of absolute time."""

    step: float = 60.0

    def edges(self, start: float, end: float) -> Array:
        """Return the beginnings of the steps."""
        return np.arange(np.ceil(start / self.step), np.ceil(end / self.step)) * self.step

    def power(self, times: Array) -> Array:
        """Return the power in W for each time."""
        return self.watts(np.floor(times / self.step) * self.step)

    @abstractmethod
    def watts(self, begins: Array) -> Array:
        """Return the power in W of the steps that begin at these times."""
