"""What a community has published, kept for good: figures, and who was in them.

A file beside the ledger. It outlives corrections, moves and withdrawals: what was seen once can
be subtracted for ever. It holds no energy of a home. A home is a number in it; the name that
belongs to the number is deleted and overwritten when the home withdraws.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
import json
from pathlib import Path
import sqlite3
from typing import Any, Final

import numpy as np

from ..contract.message import Flow, Kind
from ..ledger.calendar import HOUR, Grain
from ..ledger.cells import CellKey, Scope
from ..ledger.contributions import Whole
from ..ledger.database import Database, LedgerError
from ..privacy.sums import Content
from .packing import Bucket, packed, unpacked

VERSION: Final = 2
"""Of the tables; a file of a later one is not opened."""

MOST_HOMES: Final = 1 << 21
"""Numbers there are for homes: what fits into the key of a part."""


class Counter(StrEnum):
    """What is counted for good."""

    HOMES = "homes"
    """The highest number of a home."""

    CLOCK = "clock"
    """The latest time that was believed, in seconds since 1970 UTC."""

    FENCE = "fence"
    """The day before which nothing is decided any more: what was shown of it is not known."""

    PUBLISHED = "published"
    """How often something was published."""


type Series = tuple[Flow, Kind]

type Where = tuple[Flow, Kind, Grain, int]
"""A bucket: what of, and from when to when."""

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS numbers (home TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS buckets (
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  grain TEXT NOT NULL,
  begin_at INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (flow, kind, grain, begin_at)
)""",
    """CREATE TABLE IF NOT EXISTS published (
  grain TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  begin_at INTEGER NOT NULL,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  revision INTEGER NOT NULL,
  reason TEXT,
  homes INTEGER NOT NULL,
  expected INTEGER NOT NULL,
  periods INTEGER NOT NULL,
  seconds INTEGER NOT NULL,
  covered INTEGER NOT NULL,
  wh INTEGER NOT NULL,
  mg INTEGER,
  carbon_free INTEGER,
  estimated INTEGER,
  is_exact INTEGER NOT NULL,
  is_current INTEGER NOT NULL,
  told INTEGER NOT NULL,
  quantiles TEXT NOT NULL,
  PRIMARY KEY (grain, scope, name, begin_at, flow, kind)
)""",
)

_SAID_BEFORE: Final = ("UPDATE published SET reason = 'difference' WHERE reason = 'dominant'",)
"""Files of the first version had a word for it that told too much."""

_CELL: Final = (
    "grain, scope, name, begin_at, flow, kind, revision, reason, homes, expected, periods,"
    " seconds, covered, wh, mg, carbon_free, estimated, is_exact, is_current, told, quantiles"
)


_ONE: Final = (
    f"SELECT {_CELL} FROM published WHERE grain = ? AND scope = ? AND name = ?"  # noqa: S608
    " AND begin_at = ? AND flow = ? AND kind = ?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A cell as it stands: what may be known of it, whether or not it is shown."""

    key: CellKey
    revision: int = 0
    reason: str | None = None
    """Why it is not shown."""

    homes: int = 0
    expected: int = 0
    content: Content = field(default_factory=Content)
    is_current: bool = True
    told: int = 0
    """Seconds that homes have told, shown or not."""

    quantiles: dict[float, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """When a bucket was decided, and upon what."""

    seen: int
    decided_at: int
    version: int
    """How often what it has given away or what waits has changed."""


class Releases:
    """The file of one community's releases.

    Every method blocks; all raise LedgerError when the file cannot be read or written.
    """

    def __init__(self, path: Path, *, community: str) -> None:
        """Open the file or begin it; raises LedgerError for that of another community."""
        self._database = Database(
            path, {"community": community}, tables=_TABLES, more=_SAID_BEFORE, version=VERSION
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @contextmanager
    def changing(self) -> Generator[_Change]:
        """Give a transaction: all of it is on the disk afterwards, or nothing."""
        with self._database.writing() as connection:
            yield _Change(connection)

    # Homes

    def numbers(self, homes: Iterable[str]) -> Whole:
        """Return the number of each home; a new one has a number that nobody had before."""
        wanted = list(homes)
        known = {home: number for number, home in self.names().items()}
        if new := sorted({home for home in wanted if home not in known}):
            known |= self._number(new)
        return np.array([known[home] for home in wanted], dtype=np.int64)

    def _number(self, homes: Sequence[str]) -> dict[str, int]:
        """Give numbers to homes that have none."""
        with self._database.writing() as connection:
            (last,) = connection.execute(
                "SELECT COALESCE(MAX(value), 0) FROM counters WHERE name = 'homes'"
            ).fetchone()
            if last + len(homes) >= MOST_HOMES:
                raise LedgerError(f"more than {MOST_HOMES} homes")
            numbers = {home: number for number, home in enumerate(homes, last + 1)}
            connection.executemany("INSERT INTO numbers VALUES (?, ?)", numbers.items())
            _keep(connection, Counter.HOMES, last + len(homes))
        return numbers

    def names(self) -> dict[int, str]:
        """Return the homes by their numbers."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT number, home FROM numbers").fetchall()
        return dict(rows)

    def forget(self, homes: Collection[str]) -> None:
        """Delete and overwrite the names of homes; their numbers are given to nobody else."""
        if not homes:
            return
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM numbers WHERE home = ?", [(home,) for home in homes]
            )
        self._database.empty_log()

    # Memory

    def count(self, name: Counter) -> int:
        """Return a number that is kept for good, 0 if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT value FROM counters WHERE name = ?", (name,)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def keep(self, name: Counter, value: int) -> None:
        """Keep a number for good."""
        with self._database.writing() as connection:
            _keep(connection, name, value)

    def fence(self, day: int) -> None:
        """Decide nothing of before a day any more, from now on."""
        with self._database.writing() as connection:
            _fence(connection, day)

    # Buckets

    def marks(self, grain: Grain, since: int) -> dict[tuple[int, Flow, Kind], Mark]:
        """Return when the buckets were decided that begin since then."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT begin_at, flow, kind, seen, decided_at, version FROM buckets"
                " WHERE grain = ? AND begin_at >= ?",
                (grain, since),
            ).fetchall()
        return {
            (row[0], Flow(row[1]), Kind(row[2])): Mark(
                seen=row[3], decided_at=row[4], version=row[5]
            )
            for row in rows
        }

    def decided_at(self, series: Series, grain: Grain, first: int, last: int) -> dict[int, int]:
        """Return when the buckets of a series were decided that begin in [first, last]."""
        with self._database.reading() as connection:
            return dict(
                connection.execute(
                    "SELECT begin_at, decided_at FROM buckets WHERE flow = ? AND kind = ?"
                    " AND grain = ? AND begin_at >= ? AND begin_at <= ?",
                    (*series, grain, first, last),
                ).fetchall()
            )

    def bucket(self, series: Series, grain: Grain, begin: int) -> Bucket | None:
        """Return what a time has given away; None if nothing was decided of it."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT data FROM buckets"
                " WHERE flow = ? AND kind = ? AND grain = ? AND begin_at = ?",
                (*series, grain, begin),
            ).fetchone()
        return None if row is None else unpacked(row[0])

    def forget_before(self, day: int) -> None:
        """Let go of who was in what before a day; figures stay as they are for good."""
        with self._database.writing() as connection:
            # An hour that belongs to the day can begin before it.
            found = connection.execute("DELETE FROM buckets WHERE begin_at < ?", (day - HOUR,))
            if found.rowcount:
                _fence(connection, day)

    def others(self, series: Series, grain: Grain, begin: int, end: int) -> dict[int, list[Whole]]:
        """Return the parts of the same flow that were shown by another kind, by their time."""
        flow, kind = series
        result: dict[int, list[Whole]] = defaultdict(list)
        with self._database.reading() as connection:
            for other in Kind:
                if other is kind:
                    continue
                for at, data in connection.execute(
                    "SELECT begin_at, data FROM buckets WHERE flow = ? AND kind = ?"
                    " AND grain = ? AND begin_at >= ? AND begin_at < ?",
                    (flow, other, grain, begin, end),
                ).fetchall():
                    bucket = unpacked(data)
                    result[at] += [bucket.given.key, bucket.taken]
        return result

    # Figures

    def cells(self, grain: Grain, begin: int, end: int, scope: Scope, name: str) -> list[Release]:
        """Return the cells of a scope that begin in [begin, end), by time, flow and kind."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_CELL} FROM published WHERE grain = ? AND scope = ? AND name = ?"  # noqa: S608
                " AND begin_at >= ? AND begin_at < ? ORDER BY begin_at, flow, kind",
                (grain, scope, name, begin, end),
            ).fetchall()
        return [_release(row) for row in rows]

    def scopes(self) -> list[tuple[Scope, str]]:
        """Return whose cells there are."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT scope, name FROM published WHERE grain = 'day'"
                " UNION SELECT DISTINCT scope, name FROM published WHERE grain = 'hour'"
            ).fetchall()
        order = list(Scope)
        found = [(Scope(scope), name) for scope, name in rows]
        return sorted(found, key=lambda each: (order.index(each[0]), each[1]))

    def cell(self, key: CellKey) -> Release | None:
        """Return one cell, None if nothing was ever decided of it."""
        with self._database.reading() as connection:
            row = connection.execute(_ONE, _place(key)).fetchone()
        return None if row is None else _release(row)


def _fence(connection: sqlite3.Connection, day: int) -> None:
    connection.execute(
        "INSERT INTO counters VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = MAX(value, excluded.value)",
        (Counter.FENCE, day),
    )


def _keep(connection: sqlite3.Connection, name: Counter, value: int) -> None:
    connection.execute(
        "INSERT INTO counters VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


class _Change:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put_bucket(
        self,
        where: Where,
        bucket: Bucket,
        *,
        seen: int,
        now: int,
        has_changed: bool = False,
    ) -> None:
        """Keep what a bucket has given away, upon what it was decided and when.

        `has_changed` says that its cells are others now, even if the bucket itself is not.
        """
        found = self._connection.execute(
            "SELECT data, version FROM buckets"
            " WHERE flow = ? AND kind = ? AND grain = ? AND begin_at = ?",
            where,
        ).fetchone()
        data = packed(bucket)
        version = 0
        if found is not None:
            version = found[1] + (has_changed or found[0] != data)
        self._connection.execute(
            "INSERT INTO buckets VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (flow, kind, grain, begin_at) DO UPDATE SET seen = excluded.seen,"
            " decided_at = excluded.decided_at, version = excluded.version, data = excluded.data",
            (*where, seen, now, version, data),
        )

    def take(self, series: Series, day: int, bucket: Bucket) -> None:
        """Keep a day of which a month has shown what waited."""
        self._connection.execute(
            "UPDATE buckets SET data = ?"
            " WHERE flow = ? AND kind = ? AND grain = 'day' AND begin_at = ?",
            (packed(bucket), *series, day),
        )

    def put_cell(self, release: Release) -> bool:
        """Keep a cell; return whether anything that is said of it is another now."""
        row = self._connection.execute(_ONE, _place(release.key)).fetchone()
        before = None if row is None else _release(row)
        revision = 0
        if before is not None:
            revision = before.revision + (_shown(before) != _shown(release))
            if replace(release, revision=before.revision) == before:
                return False
        content = release.content
        self._connection.execute(
            f"INSERT INTO published ({_CELL}) VALUES ({', '.join('?' * 21)})"  # noqa: S608
            " ON CONFLICT (grain, scope, name, begin_at, flow, kind) DO UPDATE SET "
            + ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in _CELL.split(",")),
            (
                *_place(release.key),
                revision,
                release.reason,
                release.homes,
                release.expected,
                content.periods,
                content.seconds,
                content.covered,
                content.wh,
                content.mg,
                content.carbon_free,
                content.estimated,
                content.is_exact,
                release.is_current,
                release.told,
                json.dumps(list(release.quantiles.items())),
            ),
        )
        return True


def _shown(release: Release) -> tuple[Any, ...]:
    """Return what makes another revision: the figures, not how much of them is still to come."""
    return (release.reason, release.homes, release.content, release.quantiles)


def _place(key: CellKey) -> tuple[str | int, ...]:
    return (key.grain, key.scope, key.name, key.begin, key.flow, key.kind)


def _release(row: tuple[Any, ...]) -> Release:
    """Return a cell as its row has it."""
    return Release(
        key=CellKey(
            grain=Grain(row[0]),
            scope=Scope(row[1]),
            name=row[2],
            begin=row[3],
            flow=Flow(row[4]),
            kind=Kind(row[5]),
        ),
        revision=row[6],
        reason=row[7],
        homes=row[8],
        expected=row[9],
        content=Content(
            periods=row[10],
            seconds=row[11],
            covered=row[12],
            wh=row[13],
            mg=row[14],
            carbon_free=row[15],
            estimated=row[16],
            is_exact=bool(row[17]),
        ),
        is_current=bool(row[18]),
        told=row[19],
        quantiles=dict(json.loads(row[20])),
    )
