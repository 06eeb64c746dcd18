"""The register of a hub: which homes there are, and the one certificate of each.

Nothing in the file says which ids have been one home, one after the other. Rows stand in the order
of random ids, dates are those of whole months where an id is a pseudonym, what is deleted is
overwritten, and what changes of a home that takes another id keeps its length, so that SQLite
writes it in its place: not even where a row stands tells when it was written.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
import json
from pathlib import Path
import sqlite3
from typing import Any, Final

from ...sqlitefile import (
    Refusal,
    SqliteFile,
    application_of,
    is_empty,
    keep_on_disk,
    new_tables,
    other_identity,
    version_of,
)

APPLICATION: Final = 0x434D4445
"""In the header of the file: CMDE."""

VERSION: Final = 1

STAYS: Final = date.max
"""When a home leaves that does not; written as long as any other day."""

_TABLES: Final = """
CREATE TABLE identity (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE home (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since TEXT,
    leaves TEXT NOT NULL,
    feeder TEXT,
    groups TEXT NOT NULL,
    is_member INTEGER NOT NULL,
    door INTEGER NOT NULL,
    is_used INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    asked_on INTEGER NOT NULL,
    asked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate (
    home TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    pem TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


_DOUBTED: Final = "CREATE TABLE IF NOT EXISTS doubted (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID"
"""Ids that are held back, and homes of which each may have one of them; files of before have no
such table."""

type _Values = tuple[Any, ...] | dict[str, Any]


class RegistryError(Exception):
    """The file cannot be read or written; the message says why."""


class State(StrEnum):
    """Where a home is with its community."""

    INVITED = "invited"
    ENROLLED = "enrolled"
    NEXT = "next"
    """A pseudonym whose month has not come."""

    LEFT = "left"
    """A pseudonym whose month is over; it may still tell what is late."""

    WITHDRAWN = "withdrawn"
    EXPELLED = "expelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """One id of the register."""

    id: str
    state: State
    since: date | None = None
    """The local day from which it counts, None if that is the day on which it enrols."""

    leaves: date = STAYS
    """The local day on which another id takes its place."""

    feeder: str | None = None
    groups: tuple[str, ...] = ()
    is_member: bool = False
    """Whether the ledger knows it: from its first consent on."""

    door: int = 0
    """Until when the broker lets its token in, in seconds since 1970 UTC; 0 if it does not."""

    is_used: bool = False
    """Whether its invitation has got a certificate."""

    closed: int = 0
    """When the token was last good, in seconds since 1970 UTC."""

    asked_on: int = 0
    """The UTC day of its last renewal, in seconds since 1970 UTC ..."""

    asked: int = 0
    """... and how many there were on that day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """The certificate of a home that holds."""

    home: str
    key: str
    """The SHA-256 of its public key."""

    pem: str
    begins: int
    ends: int
    """Seconds since 1970 UTC."""


class Registry:
    """The file; one thread at a time has it. Every method raises RegistryError."""

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        """Open the file or begin it.

        Raises RegistryError for one of another program, of a later version, or with another
        identity: what the register is about, by name.
        """
        self.path = path
        self._file = SqliteFile(
            path, partial(_begin, path=path, identity=identity), partial(_told, path)
        )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @contextmanager
    def changing(self) -> Generator[None]:
        """Make one transaction of a block: all of it is on the disk afterwards, or nothing."""
        with self._file.writing():
            yield

    def home(self, name: str) -> Home | None:
        """Return a home, None if nobody is called so."""
        rows = self._rows("SELECT * FROM home WHERE id = ?", (name,))
        return _home(rows[0]) if rows else None

    def homes(self, *states: State) -> list[Home]:
        """Return the homes in one of these states, all without any, in the order of ids."""
        rows = map(_home, self._rows("SELECT * FROM home ORDER BY id"))
        return [home for home in rows if not states or home.state in states]

    def due(self, day: date) -> list[Home]:
        """Return the pseudonyms that come or go by a local day, in the order of ids.

        Those that are held back do not come.
        """
        rows = self._rows(
            "SELECT * FROM home WHERE state = 'next' AND since <= :day"
            " AND id NOT IN (SELECT id FROM doubted)"
            " OR state = 'enrolled' AND leaves <= :day ORDER BY id",
            {"day": day.isoformat()},
        )
        return [_home(row) for row in rows]

    def with_open_doors(self, now: float) -> list[Home]:
        """Return the homes whose token is good no longer, but still let in."""
        rows = self._rows("SELECT * FROM home WHERE door > 0 AND door <= ? ORDER BY id", (now,))
        return [_home(row) for row in rows]

    def over(self, now: float, *, silent_since: float, left_before: date) -> list[str]:
        """Return the ids that nothing is to come from any more.

        Their certificate has ended, or it began before `silent_since` and nobody has consented;
        of those that have left without one, when was before a day.
        """
        rows = self._rows(
            "SELECT id FROM home LEFT JOIN certificate ON certificate.home = id WHERE"
            " state IN ('left', 'withdrawn', 'expelled') AND ends <= :now"
            " OR state = 'left' AND ends IS NULL AND leaves < :left"
            " OR state IN ('next', 'enrolled') AND NOT is_member AND begins <= :silent"
            " ORDER BY id",
            {"now": now, "left": left_before.isoformat(), "silent": silent_since},
        )
        return [name for (name,) in rows]

    def put(self, home: Home) -> None:
        """Write a home, new or in its place."""
        values = (
            home.id,
            home.state.value,
            None if home.since is None else home.since.isoformat(),
            home.leaves.isoformat(),
            home.feeder,
            json.dumps(home.groups, ensure_ascii=False),
            int(home.is_member),
            home.door,
            int(home.is_used),
            home.closed,
            home.asked_on,
            home.asked,
        )
        self._rows(
            "INSERT INTO home VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET state = excluded.state, since = excluded.since,"
            " leaves = excluded.leaves, feeder = excluded.feeder, groups = excluded.groups,"
            " is_member = excluded.is_member, door = excluded.door, is_used = excluded.is_used,"
            " closed = excluded.closed, asked_on = excluded.asked_on, asked = excluded.asked",
            values,
        )

    def drop(self, name: str) -> None:
        """Delete a home with its certificate."""
        self.trust(name)
        self._rows("DELETE FROM certificate WHERE home = ?", (name,))
        self._rows("DELETE FROM home WHERE id = ?", (name,))

    def following(self, day: date, begins: int) -> list[Home]:
        """Return the pseudonyms that come on a local day, under which nobody has consented.

        `begins` is when that day does: so do their certificates. In the order of ids.
        """
        rows = self._rows(
            "SELECT home.* FROM home JOIN certificate ON certificate.home = id WHERE since = :day"
            " AND begins = :begins AND NOT is_member AND (state = 'next'"
            " OR state = 'enrolled' AND door = 0 AND closed = 0) ORDER BY id",
            {"day": day.isoformat(), "begins": begins},
        )
        return [_home(row) for row in rows]

    def leaving(self, day: date) -> list[str]:
        """Return the ids in whose place others come on a local day, in their order."""
        rows = self._rows(
            "SELECT id FROM home WHERE leaves = ? AND state IN ('enrolled', 'left') ORDER BY id",
            (day.isoformat(),),
        )
        return [name for (name,) in rows]

    def doubt(self, name: str) -> None:
        """Hold an id back, or let a home ask once for one that is."""
        self._rows("INSERT INTO doubted VALUES (?) ON CONFLICT DO NOTHING", (name,))

    def trust(self, *names: str) -> None:
        """Hold ids back no longer; let homes ask for no other any more."""
        for name in names:
            self._rows("DELETE FROM doubted WHERE id = ?", (name,))

    def is_doubted(self, name: str) -> bool:
        """Return whether an id is held back, or a home may ask for one that is."""
        return bool(self._rows("SELECT 1 FROM doubted WHERE id = ?", (name,)))

    @property
    def changes(self) -> int:
        """Return how many rows were changed since the file was opened."""
        with self._file.reading() as connection:
            return connection.total_changes

    def certificate(self, home: str) -> Certificate | None:
        """Return the certificate of a home, None if it has none."""
        return self._certificate("SELECT * FROM certificate WHERE home = ?", (home,))

    def certificate_of_key(self, key: str) -> Certificate | None:
        """Return the certificate of a public key, None if no home has that key."""
        return self._certificate("SELECT * FROM certificate WHERE key = ?", (key,))

    def ends(self) -> dict[str, int]:
        """Return until when the certificate of each home holds."""
        return dict(self._rows("SELECT home, ends FROM certificate"))

    def certify(self, certificate: Certificate) -> None:
        """Write the certificate of a home in the place of the one before."""
        self._rows(
            "INSERT INTO certificate (home, key, pem, begins, ends) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (home) DO UPDATE SET key = excluded.key, pem = excluded.pem,"
            " begins = excluded.begins, ends = excluded.ends",
            (
                certificate.home,
                certificate.key,
                certificate.pem,
                certificate.begins,
                certificate.ends,
            ),
        )

    def leave_no_trace(self, *, rebuild: bool = False) -> None:
        """Empty the log, which tells what was written together.

        With `rebuild` the file is also written anew in the order of ids.
        """
        if rebuild:
            self._rows("VACUUM")
        self._file.empty_log()

    def _certificate(self, statement: str, values: _Values) -> Certificate | None:
        for home, key, pem, begins, ends in self._rows(statement, values):
            return Certificate(home=home, key=key, pem=pem, begins=begins, ends=ends)
        return None

    def _rows(self, statement: str, values: _Values = ()) -> list[tuple[Any, ...]]:
        with self._file.reading() as connection:
            return connection.execute(statement, values).fetchall()


def _begin(connection: sqlite3.Connection, *, path: Path, identity: Mapping[str, str]) -> None:
    """Make the tables of a new file, refuse those of another version."""
    version, application = version_of(connection), application_of(connection)
    if version > VERSION or (not is_empty(connection) and application != APPLICATION):
        raise RegistryError(f"{path} is no register of this version of Carbon Meter")
    keep_on_disk(connection, overwrites=True)
    if not version:
        with new_tables(connection, VERSION, APPLICATION):
            for table in _TABLES.split(";"):
                connection.execute(table)
            rows = list(identity.items())
            connection.executemany("INSERT INTO identity VALUES (?, ?)", rows)
    connection.execute(_DOUBTED)
    if wrong := other_identity(connection, identity):
        raise RegistryError(f"{path}: {wrong}")


def _told(path: Path, err: Refusal) -> RegistryError:
    """Return our error for one of SQLite."""
    return RegistryError(f"{path}: {err}")


def _home(row: tuple[Any, ...]) -> Home:
    """Return the home in a row."""
    return Home(
        id=row[0],
        state=State(row[1]),
        since=None if row[2] is None else date.fromisoformat(row[2]),
        leaves=date.fromisoformat(row[3]),
        feeder=row[4],
        groups=tuple(json.loads(row[5])),
        is_member=bool(row[6]),
        door=row[7],
        is_used=bool(row[8]),
        closed=row[9],
        asked_on=row[10],
        asked=row[11],
    )
