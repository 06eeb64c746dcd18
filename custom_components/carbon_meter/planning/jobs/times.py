"""Times of day of the local clock as moments, on days of 23, 24, 25 and other hours.

A time that the clock skips is the moment at which it skips it, a time that comes twice its first
one: so later times of a day are never earlier moments.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
import math
from typing import Any, Final

from .held import number
from .job import Stretches

_DAY: Final = timedelta(days=1)

_FIRST: Final = 86_400.0 * 7
_LAST: Final = 250_000_000_000.0
"""Moments, in seconds since 1970 UTC, around which calendars of Python have days in every zone."""

_YEAR: Final = 366 * 86_400.0
"""Seconds in which quiet hours are told: beyond it nothing is planned."""

type TimesOfDay = tuple[time, time]
"""From when to when each day; the same twice is never."""


def is_moment(moment: float) -> bool:
    """Return whether a number is a moment that a calendar knows."""
    return math.isfinite(moment) and _FIRST <= moment <= _LAST


def moment_or_none(value: Any) -> float | None:
    """Return a moment that was kept, or None; raises ValueError or TypeError for anything else."""
    if value is None:
        return None
    if not is_moment(number(value)):
        raise ValueError(f"{value} is no moment")
    return float(value)


def moment_at(day: date, at: time, zone: tzinfo) -> float:
    """Return the moment at which the clock first shows a time of a day, or skips it."""
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=zone)
    found, other = local.timestamp(), local.replace(fold=1).timestamp()
    # Of a time that is skipped, the one reading lies before and the other after the skip (PEP 495).
    return _skip(other, found, zone) if other < found else found


def next_at(now: float, at: time, zone: tzinfo) -> float:
    """Return the first moment after now at which it is a time of day."""
    day = _day(now, zone) - _DAY
    while (found := moment_at(day, at, zone)) <= now:
        day += _DAY
    return found


def daily_window(
    now: float, begin: time | None, end: time | None, zone: tzinfo
) -> tuple[float, float]:
    """Return from when to when the window of a day is that holds now, or else comes next.

    A window that ends at or before the time of day at which it begins goes on to the next day. One
    without times, and one that ends when it begins, is the day from midnight to midnight.
    """
    if begin == end:
        begin = end = None
    windows = _windows(_day(now, zone) - 2 * _DAY, begin or time.min, end or time.min, zone)
    return next(window for window in windows if window[1] > max(now, window[0]))


def quiet_within(start: float, end: float, quiet: TimesOfDay | None, zone: tzinfo) -> Stretches:
    """Return the stretches of [start, end) that lie in the quiet hours of each day, for a year."""
    if quiet is None or quiet[0] == quiet[1] or not end > start:
        return ()
    end = min(end, start + _YEAR)
    found: list[tuple[float, float]] = []
    for begin, finish in _windows(_day(start, zone) - 2 * _DAY, *quiet, zone):
        if begin >= end:
            break
        if min(finish, end) > max(begin, start):
            found.append((max(begin, start), min(finish, end)))
    return tuple(found)


def _windows(day: date, begin: time, end: time, zone: tzinfo) -> Iterator[tuple[float, float]]:
    """Yield the window of each day from one on; one whose times are all skipped is empty."""
    while True:
        last = day if end > begin else day + _DAY
        yield moment_at(day, begin, zone), moment_at(last, end, zone)
        day += _DAY


def _day(moment: float, zone: tzinfo) -> date:
    """Return the local date of a moment."""
    return datetime.fromtimestamp(moment, zone).date()


def _skip(before: float, after: float, zone: tzinfo) -> float:
    """Return the second between two moments at which the clock is put on."""
    early, late = math.floor(before), math.ceil(after)
    offset = _offset(early, zone)
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(middle, zone) == offset:
            early = middle
        else:
            late = middle
    return float(late)


def _offset(moment: float, zone: tzinfo) -> timedelta | None:
    """Return how far the clock of a zone is ahead of UTC."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
