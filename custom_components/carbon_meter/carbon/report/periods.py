"""Calendar periods of a time zone, as half-open stretches of seconds since 1970 UTC.

A period begins at the first moment at which the clock on the wall reaches its beginning, or
jumps over it. So periods of one kind follow each other without a hole or an overlap whatever the
clocks do, and every period but the week is made of whole periods of the kinds below it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from ..intervals import HOUR


class Period(StrEnum):
    """A stretch of the calendar, shortest first."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday (ISO 8601)."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The stretch [start, end) in seconds since 1970 UTC."""

    start: float
    end: float

    def until(self, now: float) -> Bounds:
        """Return what has passed of it: a running period ends now."""
        return Bounds(self.start, max(self.start, min(self.end, now)))


def bounds(period: Period, moment: float, zone: tzinfo) -> Bounds:
    """Return the period that holds a moment in seconds since 1970 UTC.

    An hour is one of the clock on the wall. Where the clock is changed within it, it ends there
    and another one begins: the hour that comes twice is two hours.

    Raises ValueError or OverflowError for a moment outside of the calendar.
    """
    if period is Period.HOUR:
        return _hour(moment, zone)
    second = int(moment // 1)
    first = _first_day(period, _local(second, zone).date())
    while second >= (end := start_of(following := _next(period, first), zone)):
        first = following
    return Bounds(start_of(first, zone), end)


def split(start: float, end: float, period: Period, zone: tzinfo) -> Iterator[Bounds]:
    """Yield the periods of one kind in [start, end), the first and the last cut to it.

    They are in order, none is empty, and together they are [start, end). A day that a zone has
    skipped does not occur. Raises as `bounds` does.
    """
    position = start
    while position < end:
        stop = min(end, bounds(period, position, zone).end)
        yield Bounds(position, stop)
        position = stop


def start_of(day: date, zone: tzinfo) -> int:
    """Return the first second at which the clock on the wall shows a day, or a later one."""
    midnight = datetime.combine(day, time())
    early, late = sorted(
        int(midnight.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)
    )
    if _local(early, zone) == midnight:
        return early
    # The clock jumps over midnight. It shows an earlier day at `early`, a later time at `late`.
    return early + bisect_left(
        range(late - early), True, key=lambda later: _local(early + later, zone) >= midnight
    )


def _first_day(period: Period, day: date) -> date:
    """Return the first day of the period that holds a day."""
    match period:
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case Period.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


def _next(period: Period, first: date) -> date:
    """Return the first day of the next period."""
    match period:
        case Period.WEEK:
            return first + timedelta(weeks=1)
        case Period.MONTH | Period.QUARTER:
            month = first.month + (1 if period is Period.MONTH else 3)
            return date(first.year + month // 13, (month - 1) % 12 + 1, 1)
        case Period.YEAR:
            return first.replace(year=first.year + 1)
        case _:
            return first + timedelta(days=1)


def _hour(moment: float, zone: tzinfo) -> Bounds:
    """Return the hour of the wall clock that holds a moment, cut where the clock is changed."""
    second = int(moment // 1)
    offset = _offset(second, zone)
    start = second - (second + offset) % HOUR
    end = start + HOUR
    if _offset(start, zone) != offset:
        start += bisect_left(
            range(second - start), True, key=lambda later: _offset(start + later, zone) == offset
        )
    if _offset(end - 1, zone) != offset:
        end = second + bisect_left(
            range(end - second), True, key=lambda later: _offset(second + later, zone) != offset
        )
    return Bounds(start, end)


def _local(moment: int, zone: tzinfo) -> datetime:
    """Return what the clock on the wall shows."""
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0)


def _offset(moment: int, zone: tzinfo) -> int:
    """Return the seconds by which the clock on the wall is ahead of UTC."""
    shift = datetime.fromtimestamp(moment, zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())
