"""When a home speaks: homes are spread over the hour, and those that failed wait ever longer.

Ten thousand homes that all speak on the hour, or all come back when a broker does, would be more
than it can take: a connection costs it milliseconds, a message microseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import random
from typing import Final

HOUR: Final = 3600
"""Seconds."""

_EARLY: Final = 300
"""Seconds after the hour in which nobody speaks: the site still works on its figures."""

_LATE: Final = 60
"""Seconds before the next hour in which nobody begins."""

_REFUSED: Final = 3600.0
"""Seconds: who is not let in tries about once in this time, it takes people to change that."""

_MOST_DOUBLINGS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How fast a home speaks and how soon it comes back."""

    rate: float = 20.0
    """Messages a second, at most, while a backlog is sent."""

    spread: int = HOUR
    """Seconds over which homes are spread; with 0 each speaks as soon as it has something."""

    first: float = 60.0
    """Seconds within which the first connection is made: after a power cut all homes start."""

    backoff: float = 10.0
    """Seconds within which the first new attempt comes, doubled with each failure ..."""

    longest: float = 1800.0
    """... up to this many; not below 15 minutes where homes are many."""

    stable: float = 600.0
    """Seconds that a connection must last before failures are forgotten."""


def offset_in_hour(home: str, hour: int, spread: int = HOUR) -> int:
    """Return how many seconds into an hour a home speaks: another in each hour, always the same.

    `hour` counts from 1970. Nothing else than the id goes in, so that a home stays where it is
    after a restart; over many homes the offsets are even.
    """
    first = _EARLY * spread // HOUR
    width = spread - first - _LATE * spread // HOUR
    if width <= 0:
        return 0
    digest = hashlib.sha256(f"{home}|{hour}".encode()).digest()
    return first + int.from_bytes(digest[:8]) % width


def next_slot(home: str, now: float, pace: Pace) -> float:
    """Return when a home speaks next, after `now`, in seconds since 1970 UTC."""
    if pace.spread <= 0:
        return now
    number = int(now // pace.spread)
    slot = number * pace.spread + offset_in_hour(home, number, pace.spread)
    if slot > now:
        return slot
    number += 1
    return number * pace.spread + offset_in_hour(home, number, pace.spread)


class BackOff:
    """Seconds to wait before the next attempt: full jitter under an exponential bound."""

    def __init__(self, pace: Pace, chance: Callable[[], float] = random.random) -> None:
        """Take the bounds; `chance` is in [0, 1)."""
        self._pace = pace
        self._chance = chance
        self._failures = 0

    def failed(self, lasted: float) -> float:
        """Return how long to wait after a connection that lasted so many seconds, or none.

        Only one that was stable makes the next wait short again: else a broker that takes homes
        in and drops them would have all of them at once, again and again.
        """
        self._failures = 1 if lasted >= self._pace.stable else self._failures + 1
        doublings = min(self._failures - 1, _MOST_DOUBLINGS)
        bound: float = min(self._pace.longest, self._pace.backoff * 2**doublings)
        return self._chance() * bound

    def refused(self) -> float:
        """Return how long to wait when the broker does not let this home in."""
        self._failures += 1
        longest: float = max(self._pace.longest, min(_REFUSED, 360 * self._pace.backoff))
        return longest * (0.5 + 0.5 * self._chance())
