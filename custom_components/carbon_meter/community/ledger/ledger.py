"""The ledger of one community: takes footprints, keeps every revision, adds them up."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
import sqlite3
import time
from typing import Final
from zoneinfo import ZoneInfo

from ..contract.message import Flow, Footprint, Kind
from . import fresh, statements
from .booking import Booking
from .calendar import HOUR, Calendar, Grain
from .cells import Cell, CellKey, Scope, Standing, Sums, sums_of
from .contributions import Contributions, HomeTotals, gather, gather_totals, look_up, told_energy
from .database import Database, LedgerError, TooLargeError
from .gaps import gaps
from .intake import Intake, Outcome
from .membership import Membership
from .recomputing import fill, put_right
from .schema import INDEXES, KNOWN_BEFORE, OUTDATED

_EVER: Final = -(1 << 40)
"""Before the first day of all."""

_SLICE: Final = 200
"""Days of homes that are booked in one transaction: others wait for it a fifth of a second."""


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
        self._database = Database(
            path,
            {"community": community, "zone": zone.key},
            outdated=OUTDATED,
            more=(*INDEXES, *KNOWN_BEFORE),
        )
        self._membership = Membership(community)
        self._intake = Intake(community, self.calendar, self._membership)
        # After a transaction that came to nothing, what is in memory is read anew.
        self._is_stale = False
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
            return self._intake.take(connection, booking, footprints, received_at)

    def settle(self, most: int | None = None) -> bool:
        """Book what was taken and is not in totals and cells yet; return whether more is left.

        At most so many days of homes, by default all that are there now. Whoever asks for
        figures has it done before; done in good time, nobody waits for it.
        """
        if most is None:
            with self._database.reading() as connection:
                (most,) = connection.execute(
                    statements.COUNT_UNBOOKED, (self.community,)
                ).fetchone()
        while most > 0:
            count = min(most, _SLICE)
            if not self._settle(count):
                return False
            most -= count
        with self._database.reading() as connection:
            row = connection.execute(statements.UNBOOKED_DAYS, (self.community, 1)).fetchone()
        return row is not None

    def _settle(self, count: int) -> bool:
        """Book so many days of homes, and return whether there were as many.

        Those that are too large for any sum are left out.
        """
        with self._database.reading() as connection:
            days = connection.execute(statements.UNBOOKED_DAYS, (self.community, count)).fetchall()
        at = max((received for _, _, received in days), default=0)
        ahead = [days] if days else []
        while ahead:
            part = ahead.pop()
            try:
                with self._changing(at) as (_, booking):
                    for home, day, _ in part:
                        booking.touch(home, day)
            except TooLargeError:
                half = len(part) // 2
                if half:
                    ahead += [part[half:], part[:half]]
                else:
                    self._set_apart(*part[0][:2])
        return len(days) == count

    def _set_apart(self, home: str, day: int) -> None:
        """Keep what was taken of a home's day for somebody to look at, but count it nowhere."""
        with self._database.writing() as connection:
            for statement in (
                statements.QUARANTINE_UNBOOKED,
                statements.UNCOUNT_UNBOOKED,
                statements.DROP_UNBOOKED,
            ):
                connection.execute(statement, (self.community, home, day))

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
            self._intake.forget(connection, home)
        self._database.empty_log()

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
        self.settle()
        with self._database.reading() as connection:
            rows = connection.execute(
                statements.CELLS, (self.community, grain, scope, name, begin, end)
            ).fetchall()
            cells = []
            for row in rows:
                until = self.calendar.end(grain, row[0])
                since = row[0]
                if grain is Grain.HOUR:
                    since = self.calendar.day(row[0], HOUR)
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
                        expected=self._membership.expected(scope, name, since, until),
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
        self.settle()
        where = (self.community, key.scope, key.name)
        with self._database.reading() as connection:
            if key.grain is Grain.HOUR:
                day = self.calendar.day(key.begin, HOUR)
                rows = connection.execute(
                    statements.HOMES_OF_HOUR,
                    (
                        self.community,
                        day,
                        day,
                        *where,
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
                    (self.community, key.grain, key.begin, key.flow, key.kind, *where),
                ).fetchall()
        return {row[0]: sums_of(row[1:]) for row in rows}

    def contributions(
        self, begin: int, end: int, flow: Flow, kind: Kind, *, with_level: bool = False
    ) -> Contributions:
        """Return each home's part in the periods whose middle lies in [begin, end).

        It is what `privacy` decides by: who is in which cell, with which revision. Whether
        homes show themselves is looked up only `with_level`.
        """
        with self._database.reading() as connection:
            return gather(
                connection, self.community, (begin, end), (flow, kind), with_level=with_level
            )

    def look_up(
        self, parts: Iterable[tuple[str, int, int, int]], flow: Flow, kind: Kind
    ) -> list[tuple[int, ...] | None]:
        """Return of single parts place, Wh, coverage, whether estimated and whether clear.

        A part is home, start, duration and revision; None for one that no longer counts.
        """
        with self._database.reading() as connection:
            return list(look_up(connection, self.community, parts, (flow, kind)))

    def told_energy(
        self, parts: Iterable[tuple[str, int, int, int]], flow: Flow
    ) -> list[int | None]:
        """Return the Wh of single parts, also of those of before.

        A part is home, start, duration and revision; None for one that is not known any more:
        of a home that has withdrawn.
        """
        with self._database.reading() as connection:
            return list(told_energy(connection, self.community, parts, flow))

    @property
    def published(self) -> int:
        """Return how often something was published of this ledger."""
        with self._database.reading() as connection:
            row = connection.execute(statements.PUBLISHED, (self.community,)).fetchone()
        return 0 if row is None else int(row[0])

    @published.setter
    def published(self, times: int) -> None:
        """Keep how often something was published."""
        with self._database.writing() as connection:
            connection.execute(statements.PUT_PUBLISHED, (self.community, times))

    def totals(self, grain: Grain, begin: int, flow: Flow, kind: Kind) -> HomeTotals:
        """Return the energy of each home in a day, month or year: never to be passed on."""
        self.settle()
        with self._database.reading() as connection:
            return gather_totals(connection, self.community, (grain, begin), (flow, kind))

    def standing(self, grain: Grain, since: int) -> dict[tuple[int, Flow, Kind], Standing]:
        """Return by begin, flow and kind how the cells stand that begin since then."""
        self.settle()
        with self._database.reading() as connection:
            rows = connection.execute(
                statements.STANDING, (self.community, grain, since)
            ).fetchall()
        return {
            (begin, Flow(flow), Kind(kind)): Standing(
                changes=changes, changed_at=changed_at, homes=homes
            )
            for begin, flow, kind, changes, changed_at, homes in rows
        }

    def has_told(self, home: str) -> bool:
        """Return whether anything of a home is there, member or not."""
        with self._database.reading() as connection:
            row = connection.execute(statements.LATEST, (self.community, home)).fetchone()
        return row[0] is not None

    @property
    def scopes(self) -> Mapping[int, tuple[tuple[str, str], ...]]:
        """Return by place the scopes it lies in, each with its name."""
        return dict(self._membership.scopes)

    def names(self, scope: Scope) -> tuple[str, ...]:
        """Return all feeders or groups in which any home is or was."""
        every = (each for here in self._membership.scopes.values() for each in here)
        return tuple(sorted({name for kind, name in every if kind == scope}))

    def expected(
        self, begin: int, end: int, *, scope: Scope = Scope.COMMUNITY, name: str | None = None
    ) -> int:
        """Return how many homes are members of a scope at some time in [begin, end)."""
        with self._database.reading():
            return self._membership.expected(scope, self._name(scope, name), begin, end)

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
        self.settle()
        with self._database.sorting() as connection, self._database.beside() as other:
            fill(connection, other, self.community)
            wrong = put_right(connection, int(time.time()))
            for statement in fresh.CLEAR_FRESH:
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
                if self._is_stale:
                    self._load(connection)
                booking = Booking(
                    connection, self.community, self.calendar, self._membership.scopes, at
                )
                yield connection, booking
                booking.settle()
        except BaseException:
            self._is_stale = True
            # Where the file cannot even be read, the next change begins with it.
            with suppress(LedgerError), self._database.reading() as connection:
                self._load(connection)
            raise

    def _load(self, connection: sqlite3.Connection) -> None:
        """Read what is held in memory."""
        self._membership.load(connection)
        self._intake.load(connection)
        self._is_stale = False

    def _name(self, scope: Scope, name: str | None) -> str:
        """Return the name of a scope; the community has its own."""
        if scope is Scope.COMMUNITY:
            return self.community
        if name is None:
            raise ValueError(f"which {scope}?")
        return name
