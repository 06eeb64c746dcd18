"""The ledger of one community: takes footprints, keeps every revision, adds them up."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
import sqlite3
import time
from typing import Final
from zoneinfo import ZoneInfo

from ..contract.message import Flow, Footprint, Kind
from . import statements
from .booking import Booking
from .calendar import HOUR, Calendar, Grain
from .cells import Cell, CellKey, Scope, Sums, sums_of
from .contributions import Contributions, gather
from .database import Database
from .gaps import gaps
from .intake import Intake, Outcome
from .membership import Membership
from .schema import SUMS

_EVER: Final = -(1 << 40)
"""Before the first day of all."""


class Ledger:
    """One community's footprints and what they add up to.

    Every method blocks and belongs in an executor; calls from several threads wait for each
    other. All raise LedgerError when the file cannot be read or written, and then nothing of
    the call is kept. When a method returns, what it did survives a loss of power.
    """

    def __init__(self, path: Path, *, community: str, zone: ZoneInfo) -> None:
        """Open the file or begin it.

        `zone` makes days, months and years; hours are those of UTC. Raises LedgerError for
        the file of another program, another community, another zone or a newer version.
        """
        self.community = community
        self.calendar = Calendar(zone)
        self._database = Database(path, {"community": community, "zone": zone.key})
        self._membership = Membership(community)
        self._intake = Intake(community, self.calendar, self._membership)
        with self._database.reading() as connection:
            self._load(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def take(self, footprints: Iterable[Footprint], received_at: int) -> list[Outcome]:
        """Keep footprints in one transaction; return what became of each, in their order.

        `received_at` is the hub's own time in seconds since 1970 UTC. Acknowledge to the
        homes only after this has returned. Footprints have passed the contract's reading.
        """
        with self._changing(received_at) as (connection, booking):
            return [
                self._intake.take(connection, booking, footprint, received_at)
                for footprint in footprints
            ]

    # Members

    @property
    def homes(self) -> tuple[str, ...]:
        """Return everybody who is or was a member, by name."""
        return self._membership.homes

    def assign(
        self, home: str, day: date, *, feeder: str | None = None, groups: Iterable[str] = ()
    ) -> None:
        """Make a home a member from a local day on, behind a feeder and in groups.

        A new home is first kept by this: footprints of strangers are not taken. A day of the
        past moves what is there; what was planned for later days is dropped.
        """
        self._move(home, day, (feeder, tuple(groups)))

    def leave(self, home: str, day: date) -> None:
        """End a membership: from that local day on the home counts nowhere, its past stays."""
        self._move(home, day, None)

    def withdraw(self, home: str) -> None:
        """Delete a home and everything it ever told; no cell holds any of it afterwards."""
        with self._changing(int(time.time())) as (connection, booking):
            for (day,) in connection.execute(
                statements.HOME_DAYS, (self.community, home, _EVER)
            ).fetchall():
                booking.touch(home, day)
            for statement in statements.FORGET_HOME:
                connection.execute(statement, (self.community, home))
            self._membership.forget(home)
            self._intake.forget(home)
        self._database.overwrite()

    def _move(self, home: str, day: date, where: tuple[str | None, tuple[str, ...]] | None) -> None:
        """Change where a home is from a day on, and with it what it has told of those days."""
        first = self.calendar.begin(day)
        with self._changing(int(time.time())) as (connection, booking):
            days = connection.execute(
                statements.HOME_DAYS, (self.community, home, first)
            ).fetchall()
            for (touched,) in days:
                booking.touch(home, touched)
            place = self._membership.put(connection, home, first, where)
            connection.execute(statements.PLACE_ITEMS, (place, self.community, home, first))

    # What it comes to

    def cells(
        self,
        grain: Grain,
        begin: int,
        end: int,
        *,
        scope: Scope = Scope.COMMUNITY,
        name: str | None = None,
    ) -> list[Cell]:
        """Return the cells of a scope that begin in [begin, end), by time, flow and kind.

        A time of which no home has told anything has none: it is a gap, not zero. `name` is
        that of the feeder or group.
        """
        name = self._name(scope, name)
        with self._database.reading() as connection:
            rows = connection.execute(
                statements.CELLS, (self.community, grain, scope, name, begin, end)
            ).fetchall()
            expected: dict[int, int] = {}
            cells = []
            for row in rows:
                until = self.calendar.end(grain, row[0])
                since = row[0]
                if grain is Grain.HOUR:
                    since = self.calendar.day(row[0], HOUR)
                if since not in expected:
                    expected[since] = self._expected(connection, scope, name, since, until)
                cells.append(
                    Cell(
                        key=CellKey(
                            grain=grain,
                            begin=row[0],
                            scope=scope,
                            name=name,
                            flow=Flow(row[1]),
                            kind=Kind(row[2]),
                        ),
                        end=until,
                        homes=row[3],
                        expected=expected[since],
                        sums=sums_of(row[4:-4]),
                        lowest=row[-4],
                        highest=row[-3],
                        revision=row[-2],
                        changed_at=row[-1],
                    )
                )
        return cells

    def homes_of(self, key: CellKey) -> dict[str, Sums]:
        """Return what each home has in a cell: for distributions, never to be passed on."""
        with self._database.reading() as connection:
            if key.grain is Grain.HOUR:
                day = self.calendar.day(key.begin, HOUR)
                rows = connection.execute(
                    statements.HOMES_OF_HOUR,
                    (
                        self.community,
                        key.scope,
                        key.name,
                        day,
                        day,
                        key.begin,
                        key.begin + HOUR,
                        key.begin,
                        key.flow,
                        key.kind,
                    ),
                ).fetchall()
            else:
                rows = connection.execute(
                    statements.HOMES_OF_PERIOD,
                    (self.community, key.grain, key.begin, key.flow, key.kind, key.scope, key.name),
                ).fetchall()
        return {row[0]: sums_of(row[1:]) for row in rows}

    def contributions(self, begin: int, end: int, flow: Flow, kind: Kind) -> Contributions:
        """Return each home's part in the local days that begin in [begin, end).

        It is what `privacy.publish` decides by: who is in which cell, with which revision.
        """
        with self._database.reading() as connection:
            return gather(
                connection, self.community, self._membership.scopes, (begin, end), (flow, kind)
            )

    def expected(
        self, begin: int, end: int, *, scope: Scope = Scope.COMMUNITY, name: str | None = None
    ) -> int:
        """Return how many homes are members of a scope at some time in [begin, end)."""
        with self._database.reading() as connection:
            return self._expected(connection, scope, self._name(scope, name), begin, end)

    def missing(
        self, home: str, begin: int, end: int, *, duration: int = HOUR
    ) -> list[tuple[int, int]]:
        """Return the periods in [begin, end) that a member has not told: (start, how many).

        Days on which the home is no member are not asked for. A period that was told to be
        missing is told; one that a longer period holds is too.
        """
        with self._database.reading() as connection:
            return gaps(
                connection,
                (self.community, home),
                self._membership.spans(home),
                (begin, end),
                duration,
            )

    # Care

    def recompute(self) -> int:
        """Work all totals and cells out again from the items; return how many were wrong.

        It is an audit: 0 is what it has to return. Wrong ones are put right and get a new
        revision.
        """
        with self._database.writing() as connection:
            for statement in statements.RECOMPUTE:
                connection.execute(statement)
            wrong = _put_right(connection, int(time.time()))
            for statement in statements.CLEAR_FRESH:
                connection.execute(statement)
        return wrong

    def quarantined(self) -> list[tuple[str, int, int, int, str]]:
        """Return what contradicts itself: home, start, duration, revision and the message."""
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT home, start_at, duration, revision, body FROM quarantine"
                " WHERE community = ? ORDER BY home, start_at, duration, revision",
                (self.community,),
            ).fetchall()

    @contextmanager
    def _changing(self, at: int) -> Generator[tuple[sqlite3.Connection, Booking]]:
        """Give a transaction in which what is touched is added up at the end."""
        try:
            with self._database.writing() as connection:
                booking = Booking(
                    connection, self.community, self.calendar, self._membership.scopes, at
                )
                yield connection, booking
                booking.settle()
        except BaseException:
            with self._database.reading() as connection:
                self._load(connection)
            raise

    def _load(self, connection: sqlite3.Connection) -> None:
        """Read what is held in memory."""
        self._membership.load(connection)
        self._intake.load(connection)

    def _name(self, scope: Scope, name: str | None) -> str:
        """Return the name of a scope; the community has its own."""
        if scope is Scope.COMMUNITY:
            return self.community
        if name is None:
            raise ValueError(f"which {scope}?")
        return name

    def _expected(
        self, connection: sqlite3.Connection, scope: Scope, name: str, begin: int, end: int
    ) -> int:
        (count,) = connection.execute(
            statements.EXPECTED, (self.community, scope, name, end, begin)
        ).fetchone()
        return int(count)


def _put_right(connection: sqlite3.Connection, at: int) -> int:
    """Put what was recomputed in place of what is wrong; return the number of wrong rows."""
    wrong = set()
    for row in connection.execute(statements.WRONG_TOTALS).fetchall():
        connection.execute(statements.DROP_TOTAL, row[:7])
        wrong.add(row[:7])
    for row in connection.execute(statements.RIGHT_TOTALS).fetchall():
        connection.execute(statements.PUT_TOTAL, row)
        wrong.add(row[:7])
    zeros = (0,) * (len(SUMS) + 3)
    right = {row[:7]: row[7:] for row in connection.execute(statements.RIGHT_CELLS).fetchall()}
    for row in connection.execute(statements.WRONG_CELLS).fetchall():
        right.setdefault(row[:7], zeros)
    for key, values in right.items():
        community, grain, begin, scope, name, flow, kind = key
        found = connection.execute(
            statements.CELL, (community, grain, scope, name, begin, flow, kind)
        ).fetchone()
        revision = 0 if found is None else found[-1] + 1
        connection.execute(statements.PUT_CELL, (*key, *values, revision, at))
    return len(wrong) + len(right)
