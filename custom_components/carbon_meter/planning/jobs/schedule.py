"""A weekly schedule by the local clock, as stretches of time."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from .job import Stretches
from .times import moment_at

EVERY_DAY: Final = frozenset(range(7))
"""Monday is 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """From `start` to `end` on some days of the week; both the same, or absent: all day long.

    What goes beyond midnight belongs to the day on which it begins. Raises ValueError for days
    that there are not.
    """

    zone: tzinfo
    start: time | None = None
    end: time | None = None
    days: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        """Refuse days that there are not."""
        if not self.days <= EVERY_DAY:
            raise ValueError(f"{sorted(self.days - EVERY_DAY)} are no days of a week")

    def within(self, start: float, end: float) -> Stretches:
        """Return the stretches of [start, end) that it says."""
        found: list[tuple[float, float]] = []
        day = datetime.fromtimestamp(start, self.zone).date() - timedelta(days=1)
        last = datetime.fromtimestamp(max(start, end), self.zone).date()
        while day <= last:
            if day.weekday() in self.days:
                found.append(self._on(day))
            day += timedelta(days=1)
        return joined_stretches(found, start, end)

    def _on(self, day: date) -> tuple[float, float]:
        """Return what begins on a day."""
        if self.start is None or self.end is None or self.start == self.end:
            return moment_at(day, time(), self.zone), moment_at(
                day + timedelta(days=1), time(), self.zone
            )
        until = day if self.start < self.end else day + timedelta(days=1)
        return moment_at(day, self.start, self.zone), moment_at(until, self.end, self.zone)


def joined_stretches(parts: list[tuple[float, float]], start: float, end: float) -> Stretches:
    """Return what of some stretches lies in [start, end), in order; those that touch are one."""
    found: list[tuple[float, float]] = []
    for begin, until in sorted(parts):
        first, last = max(begin, start), min(until, end)
        if first >= last:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def without(stretches: Stretches, start: float, end: float) -> Stretches:
    """Return stretches less what lies in [start, end)."""
    parts = [
        part
        for begin, until in stretches
        for part in ((begin, min(until, start)), (max(begin, end), until))
    ]
    return tuple(part for part in parts if part[0] < part[1])
