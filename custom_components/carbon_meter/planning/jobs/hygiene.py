"""Once a week a tank of hot water is heated so far that no legionella grow in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
import math
from typing import Any, Final

from ...carbon.flow.amounts import ImpossibleAmountError, amount
from ..thermal import Body
from .held import number
from .times import moment_at, moment_or_none

_DAY: Final = 86_400.0

_EARLY: Final = 2.0 * _DAY
"""How long before its deadline a run, or hot sun, counts for it."""

_SLACK: Final = 600.0
_PART: Final = 1.1
"""s, and times the time to heat: how much earlier than needed it begins at the latest."""

LONGEST: Final = 12.0 * 3600.0
"""s of heating after which it is given up until the next week: the tank gets no hotter."""

AHEAD: Final = 12.0 * 3600.0
"""s before its deadline in which the tank may be hotter than its comfort for this."""

_GAP: Final = 300.0
"""s between two looks of which it is known that it was heated all along."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneSettings:
    """Degrees Celsius that a tank reaches by a time of day on a weekday, Monday being 0.

    Raises ImpossibleAmountError for what cannot be.
    """

    temperature: float
    weekday: int
    by: time
    zone: tzinfo

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0.0 < amount("temperature", self.temperature) < 100.0:
            raise ImpossibleAmountError("temperature", "water is not as hot as that")
        if self.weekday not in range(7):
            raise ImpossibleAmountError("weekday", f"{self.weekday} is no day of a week")

    def deadlines(self, start: float, end: float) -> tuple[float, ...]:
        """Return the deadlines in (start, end]."""
        found: list[float] = []
        day = datetime.fromtimestamp(start, self.zone).date()
        day += timedelta(days=(self.weekday - day.weekday()) % 7)
        while (due := moment_at(day, self.by, self.zone)) <= end:
            if due > start:
                found.append(due)
            day += timedelta(days=7)
        return tuple(found)


class Hygiene:
    """When a tank has to be hot, by when it was."""

    def __init__(self, settings: HygieneSettings) -> None:
        """Start with a tank of which nothing is known: its first deadline is the next one."""
        self.settings = settings
        self._since: float | None = None
        """From when deadlines count."""

        self._seen: float | None = None
        self._heated = 0.0
        """s that it was heated for a deadline in vain."""

    def see(self, now: float, level: float | None, *, heated: bool) -> None:
        """Take a temperature, None where it is not known, and whether it is heated for this."""
        if self._since is None or now < self._since - _EARLY - _DAY:
            # A clock that was wrong by days tells nothing of what was.
            self._since, self._heated = now, 0.0
        if level is not None and level >= self.settings.temperature:
            self._since, self._heated = now + _EARLY, 0.0
        elif heated and self._seen is not None and 0.0 < now - self._seen <= _GAP:
            self._heated += now - self._seen
        self._seen = now
        due = self.due(now)
        if self._heated >= LONGEST and due is not None and due <= now:
            self._since, self._heated = now, 0.0

    def due(self, now: float) -> float | None:
        """Return by when it has to be hot, in the past where that was missed."""
        since = now if self._since is None else self._since
        return next(iter(self.settings.deadlines(since, since + 8.0 * _DAY)), None)

    def must_heat(self, now: float, needed: float) -> bool:
        """Return whether it has to be heated now, where that takes so many seconds."""
        due = self.due(now)
        return due is not None and now >= due - latest(needed)

    def is_near(self, now: float) -> bool:
        """Return whether the tank may be hotter than its comfort for this."""
        due = self.due(now)
        return due is not None and now >= due - AHEAD

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"since": self._since, "heated": self._heated}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        since = moment_or_none(data["since"])
        heated = number(data["heated"])
        self._since, self._heated, self._seen = since, heated, None


def latest(needed: float) -> float:
    """Return how many seconds before a deadline it is time, where heating takes so many."""
    return min(needed, LONGEST) * _PART + _SLACK


def heating_time(
    body: Body, *, level: float, wanted: float, heat: float, surroundings: float
) -> float:
    """Return how many seconds so many W of heat take from one temperature to another.

    From capacity * dT/dt = heat - loss * (T - surroundings). Infinite where they never do.
    """
    if level >= wanted:
        return 0.0
    if body.loss == 0.0:
        return (wanted - level) * body.capacity / heat * 3600.0 if heat > 0.0 else math.inf
    most = surroundings + heat / body.loss
    if most <= wanted or level >= most:
        return math.inf
    return body.capacity / body.loss * math.log((most - level) / (most - wanted)) * 3600.0
