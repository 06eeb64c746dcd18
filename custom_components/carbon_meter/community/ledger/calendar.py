"""The community's own days, months and years, as seconds since 1970 UTC.

Hours are those of UTC. A day is the local one, 23 or 25 hours long where clocks change. A period
belongs to the local day in which its middle lies: an hour across midnight has one day all the
same, and so has a day of UTC. A shorter period belongs to the day of its hour: where midnight is at
half past, the quarters of an hour would be of two days, and the hour of one.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ..contract.message import middle_of

HOUR: Final = 3600
"""Seconds."""


class Grain(StrEnum):
    """How long a cell is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Calendar:
    """Days, months and years of one time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Keep the zone."""
        self.zone = zone
        self._day_of = lru_cache(maxsize=65536)(self._find_day)
        self._end = lru_cache(maxsize=65536)(self._find_end)
        self._first = lru_cache(maxsize=65536)(self._find_first)
        self._begin = lru_cache(maxsize=65536)(self._find_begin)

    def begin(self, day: date) -> int:
        """Return when a local day begins; where clocks skip midnight, when they have."""
        return self._begin(day)

    def day(self, start: int, duration: int) -> int:
        """Return the beginning of the local day to which a period belongs.

        One of less than an hour belongs to the day of its hour; a moment has no duration.
        """
        return self._day_of(middle_of(start, duration))

    def date_of(self, moment: int) -> date:
        """Return the local date of a moment."""
        return datetime.fromtimestamp(moment, self.zone).date()

    def month(self, day_at: int) -> int:
        """Return the beginning of the month of a day that begins then."""
        return self._first(Grain.MONTH, day_at)

    def year(self, day_at: int) -> int:
        """Return the beginning of the year of a day that begins then."""
        return self._first(Grain.YEAR, day_at)

    def end(self, grain: Grain, begin_at: int) -> int:
        """Return where an hour, day, month or year ends that begins then."""
        if grain is Grain.HOUR:
            return begin_at + HOUR
        return self._end(grain, begin_at)

    def days(self, begin: int, end: int) -> Iterator[int]:
        """Yield the beginnings of the local days that [begin, end) touches."""
        day = self._day_of(begin)
        while day < end:
            yield day
            day = self.end(Grain.DAY, day)

    def _find_day(self, moment: int) -> int:
        return self.begin(self.date_of(moment))

    def _find_begin(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def _find_first(self, grain: Grain, day_at: int) -> int:
        first = self.date_of(day_at).replace(day=1)
        return self.begin(first if grain is Grain.MONTH else first.replace(month=1))

    def _find_end(self, grain: Grain, begin_at: int) -> int:
        first = self.date_of(begin_at)
        if grain is Grain.DAY:
            return self.begin(first + timedelta(days=1))
        if grain is Grain.MONTH:
            return self.begin((first.replace(day=1) + timedelta(days=32)).replace(day=1))
        return self.begin(first.replace(year=first.year + 1, month=1, day=1))
