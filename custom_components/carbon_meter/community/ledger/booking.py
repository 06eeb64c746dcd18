"""Booking: a transaction's changes carried into totals and cells, and only those they touch.

Before a home's local day is changed for the first time, what it has is kept; at the end the
difference to what it then has goes into the totals of the home and the cells of its scopes. So
it makes no difference whether periods came, were revised, moved to another place or were deleted.

A new period need not be carried over at once: it stands in `unbooked` until its home's day is
touched and settled, and so is in the items, but not yet in totals and cells.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add, sub
import sqlite3
from typing import Final

from . import statements
from .calendar import Calendar, Grain
from .schema import SUMS

type Row = tuple[int, ...]
"""Sums in the order of `SUMS`."""

type Part = tuple[int, str, str]
"""Place, flow and kind: what one home has of one time."""

type Scopes = Mapping[int, tuple[tuple[str, str], ...]]
"""By place the scopes it lies in, each with its name."""

_NOTHING: Final[Row] = (0,) * len(SUMS)
_PERIODS: Final = SUMS.index("periods")
_WH: Final = SUMS.index("wh")
_LONGEST_HALF: Final = 43200
"""Half of the longest period: how far before its local day a period can begin."""


@dataclass(kw_only=True, slots=True)
class _Change:
    """What happens to one cell."""

    lost: list[Row] = field(default_factory=list)
    """What homes had before, of those that change."""

    gained: list[Row] = field(default_factory=list)
    """What homes have after."""

    def add(self, was: Row | None, now: Row | None) -> None:
        """Take up what one home had and has; None for nothing."""
        if was is not None:
            self.lost.append(was)
        if now is not None:
            self.gained.append(now)

    @property
    def homes(self) -> int:
        """Return how many homes come to the cell."""
        return len(self.gained) - len(self.lost)

    def sums(self, old: Row) -> Row:
        """Return the sums of the cell after the change."""
        return _minus(_total([old, *self.gained]), _total([_NOTHING, *self.lost]))

    def extremes(self, old: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return the least and the most Wh of a home after the change.

        None where a home that was one has given it up, and no other one is known to be it.
        """
        new = [row[_WH] for row in self.gained]
        gone = {row[_WH] for row in self.lost}
        least, most = min(new, default=None), max(new, default=None)
        if old is not None:
            if least is None or least > old[0]:
                least = None if old[0] in gone else old[0]
            if most is None or most < old[1]:
                most = None if old[1] in gone else old[1]
        return None if least is None or most is None else (least, most)


class Booking:
    """The changes of one transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        community: str,
        calendar: Calendar,
        scopes: Scopes,
        received_at: int,
    ) -> None:
        """Begin with no changes; `scopes` is looked at when they are settled."""
        self._connection = connection
        self._community = community
        self._calendar = calendar
        self._scopes = scopes
        self._at = received_at
        self._before: dict[tuple[str, int], dict[tuple[int, Part], Row]] = {}
        self._changes: dict[tuple[str, int, str, str, str, str], _Change] = defaultdict(_Change)

    def touch(self, home: str, day: int) -> None:
        """Say that a local day of a home is about to change."""
        if (home, day) not in self._before:
            self._before[home, day] = self._day(home, day, statements.HOME_DAY_BOOKED)

    def settle(self) -> int:
        """Carry the changes into totals and cells; return how many cells have changed."""
        longer: dict[tuple[Grain, int, str], dict[Part, Row]] = defaultdict(dict)
        for (home, day), before in self._before.items():
            after = self._day(home, day, statements.HOME_DAY)
            self._connection.execute(statements.DROP_UNBOOKED, (self._community, home, day))
            if after == before:
                continue
            self._settle_hours(home, before, after)
            whole_before, whole_after = _whole(before), _whole(after)
            self._put_totals(Grain.DAY, day, home, whole_before, whole_after)
            self._cells(Grain.DAY, day, whole_before, whole_after)
            months = {Grain.MONTH: self._calendar.month(day), Grain.YEAR: self._calendar.year(day)}
            self._connection.execute(
                statements.PUT_DAY, (day, months[Grain.MONTH], months[Grain.YEAR])
            )
            for part in whole_before.keys() | whole_after.keys():
                difference = _minus(
                    whole_after.get(part, _NOTHING), whole_before.get(part, _NOTHING)
                )
                for grain, begin in months.items():
                    rows = longer[grain, begin, home]
                    rows[part] = _plus(rows.get(part, _NOTHING), difference)
        for (grain, begin, home), differences in longer.items():
            self._settle_longer(grain, begin, home, differences)
        return sum(self._apply(key, change) for key, change in self._changes.items())

    def _day(self, home: str, day: int, statement: str) -> dict[tuple[int, Part], Row]:
        """Return what a home has in a local day, by hour and part."""
        end = self._calendar.end(Grain.DAY, day)
        rows = self._connection.execute(
            statement, (self._community, home, day - _LONGEST_HALF, end, day)
        )
        return {(row[0], (row[1], row[2], row[3])): row[4:] for row in rows}

    def _settle_hours(
        self,
        home: str,
        before: Mapping[tuple[int, Part], Row],
        after: Mapping[tuple[int, Part], Row],
    ) -> None:
        """Take up the changes of single hours; a period of a day has none."""
        hours: dict[int, tuple[dict[Part, Row], dict[Part, Row]]] = defaultdict(lambda: ({}, {}))
        for side, rows in enumerate((before, after)):
            for (hour, part), row in rows.items():
                if hour >= 0:
                    hours[hour][side][part] = row
        for hour, (old, new) in hours.items():
            if old != new:
                self._cells(Grain.HOUR, hour, old, new)

    def _settle_longer(
        self, grain: Grain, begin: int, home: str, differences: Mapping[Part, Row]
    ) -> None:
        """Take up the change of a home's month or year."""
        rows = self._connection.execute(
            statements.HOME_TOTALS, (self._community, grain, begin, home)
        )
        before: dict[Part, Row] = {(row[0], row[1], row[2]): row[3:] for row in rows}
        after = dict(before)
        for part, difference in differences.items():
            after[part] = _plus(after.get(part, _NOTHING), difference)
            if after[part][_PERIODS] == 0:
                del after[part]
        self._put_totals(grain, begin, home, before, after)
        self._cells(grain, begin, before, after)

    def _put_totals(
        self,
        grain: Grain,
        begin: int,
        home: str,
        before: Mapping[Part, Row],
        after: Mapping[Part, Row],
    ) -> None:
        """Keep the totals of a home."""
        for part, row in after.items():
            if before.get(part) != row:
                self._connection.execute(
                    statements.PUT_TOTAL, (self._community, grain, begin, home, *part, *row)
                )
        for part in before.keys() - after.keys():
            self._connection.execute(
                statements.DROP_TOTAL, (self._community, grain, begin, home, *part)
            )

    def _cells(
        self, grain: Grain, begin: int, before: Mapping[Part, Row], after: Mapping[Part, Row]
    ) -> None:
        """Take up what the change of one home does to the cells of its scopes."""
        old, new = self._by_scope(before), self._by_scope(after)
        for key, now in new.items():
            was = old.pop(key, None)
            if was != now:
                self._changes[grain, begin, *key].add(was, now)
        for key, was in old.items():
            self._changes[grain, begin, *key].add(was, None)

    def _by_scope(self, rows: Mapping[Part, Row]) -> dict[tuple[str, str, str, str], Row]:
        """Return a home's sums by scope, name, flow and kind: it may have moved in that time."""
        result: dict[tuple[str, str, str, str], Row] = {}
        for (place, flow, kind), row in rows.items():
            for scope, name in self._scopes[place]:
                key = (scope, name, flow, kind)
                result[key] = _plus(result[key], row) if key in result else row
        return result

    def _apply(self, key: tuple[str, int, str, str, str, str], change: _Change) -> bool:
        """Change one cell; return whether it is another one now."""
        grain, begin, scope, name, flow, kind = key
        found = self._connection.execute(
            statements.CELL, (self._community, grain, scope, name, begin, flow, kind)
        ).fetchone()
        old: Row = found or (0, *_NOTHING, 0, 0, -1)
        homes = old[0] + change.homes
        sums = change.sums(old[1:-3])
        lowest, highest = 0, 0
        if homes:
            extremes = change.extremes((old[-3], old[-2]) if old[0] else None)
            lowest, highest = extremes or self._extremes(key)
        if (homes, *sums, lowest, highest) == old[:-1]:
            return False
        self._connection.execute(
            statements.PUT_CELL,
            (
                self._community,
                grain,
                begin,
                scope,
                name,
                flow,
                kind,
                homes,
                *sums,
                lowest,
                highest,
                old[-1] + 1,
                self._at,
            ),
        )
        return True

    def _extremes(self, key: tuple[str, int, str, str, str, str]) -> tuple[int, int]:
        """Return the least and the most that a home has in a cell."""
        grain, begin, scope, name, flow, kind = key
        where = (self._community, scope, name)
        if grain == Grain.HOUR:
            day = self._calendar.day(begin, 3600)
            row = self._connection.execute(
                statements.EXTREMES_OF_HOUR,
                (self._community, day, day, *where, begin, begin + 3600, begin, flow, kind),
            ).fetchone()
        else:
            row = self._connection.execute(
                statements.EXTREMES_OF_PERIOD,
                (self._community, grain, begin, flow, kind, *where),
            ).fetchone()
        return row[0], row[1]


def _whole(hours: Mapping[tuple[int, Part], Row]) -> dict[Part, Row]:
    """Return a day's sums."""
    result: dict[Part, Row] = {}
    for (_, part), row in hours.items():
        result[part] = _plus(result[part], row) if part in result else row
    return result


def _total(rows: Iterable[Row]) -> Row:
    return tuple(map(sum, zip(*rows, strict=True)))


def _plus(one: Row, other: Row) -> Row:
    return tuple(map(add, one, other, strict=False))


def _minus(one: Row, other: Row) -> Row:
    return tuple(map(sub, one, other, strict=False))
