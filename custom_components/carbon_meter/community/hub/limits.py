"""How much one home may say: a flood is dropped before anything looks into it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_SENDERS: Final = 50_000
"""Homes whose budget is held in memory; who has been quiet for long has a full one anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one home may use of the hub."""

    rate: float = 1.0
    """Messages a second, for ever."""

    burst: int = 10_000
    """Messages at once: 400 days of hours are 9600."""

    boots: int = 8
    """Runs of a home of which numbers are kept, the latest ones."""


RESERVED: Final = Limits(rate=1 / 60, burst=10)
"""What a home may say of each kind that must not be lost, when it has said too much already."""


class Budgets:
    """What each home may still say: `burst` messages, refilled by `rate`.

    Moments are seconds by the hub's clock, which may be set back.
    """

    def __init__(self, limits: Limits) -> None:
        """Begin with a full budget for everybody."""
        self._limits = limits
        self._left: dict[str, tuple[float, float]] = {}
        self._spent: Counter[str] = Counter()

    def admit(self, home: str, now: float) -> bool:
        """Return whether a home may say one more, and count it."""
        left, since = self._left.get(home, (float(self._limits.burst), now))
        gained = max(now - since, 0.0) * self._limits.rate
        left = min(left + gained, float(self._limits.burst))
        is_admitted = left >= 1
        if is_admitted:
            left -= 1
            self._spent[home] += 1
        self._left[home] = (left, now)
        return is_admitted

    def keep(self) -> None:
        """Let what was admitted count for good."""
        self._spent.clear()
        if len(self._left) > MOST_SENDERS:
            self._forget()

    def give_back(self) -> None:
        """Take back what was admitted since `keep`: it will be said again."""
        for home, count in self._spent.items():
            left, since = self._left[home]
            self._left[home] = (left + count, since)
        self._spent.clear()

    def _forget(self) -> None:
        """Forget those with the fullest budgets: they lose least by a full one."""
        fullest: Callable[[str], float] = lambda home: -self._left[home][0]  # noqa: E731
        for home in sorted(self._left, key=fullest)[: MOST_SENDERS // 2]:
            del self._left[home]
