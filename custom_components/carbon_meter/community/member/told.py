"""What a home has told, by digests: only what has changed is told again.

A digest leaves out what changes without any figure changing: the software and the clock's offset.
Beside them are the days that are to be told once they are over.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
import hashlib
from pathlib import Path
import sqlite3
import threading
from typing import Final

from ..contract.message import Footprint, as_object, canonical
from ..transaction import transaction
from .errors import MemberError

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS told (
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (start, duration)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS due (
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    PRIMARY KEY (start, duration)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS base (revision INTEGER NOT NULL) STRICT;
"""

_BYTES: Final = 16
"""Of a digest: nobody attacks it, it is about the home's own figures."""

_WAIT: Final = 10.0
"""Seconds to wait for another program that looks into the file."""

_MOST: Final = 20_000
"""Periods: twice 400 days of hours."""


_PRIMARY: Final = 0xFF
"""The part of an SQLite error code that tells the kind."""


class Told:
    """The file of one id. Every method blocks, and raises MemberError if the disk fails."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it; a damaged one is begun anew, see `is_new`."""
        self._lock = threading.Lock()
        self.is_new = not path.exists()
        self._path = path
        try:
            try:
                self._connection = _opened(path)
            except _DamagedError:
                self.is_new = True
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                self._connection = _opened(path)
        except (OSError, sqlite3.Error, _DamagedError) as err:
            raise MemberError(f"{path} cannot be used ({err})") from err

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @property
    def base(self) -> int:
        """Return the revision with which a period begins that was never told."""
        rows = self._run("SELECT revision FROM base")
        return int(rows[0][0]) if rows else 0

    def begin_at(self, revision: int) -> None:
        """Begin with this revision from now on, as if nothing had been told before."""
        self._run("DELETE FROM told")
        self._run("DELETE FROM base")
        self._run("INSERT INTO base (revision) VALUES (?)", (revision,))

    def has(self, footprint: Footprint) -> bool:
        """Return whether the same figures of this period were told last."""
        rows = self._run(
            "SELECT digest FROM told WHERE start = ? AND duration = ?",
            (footprint.start, footprint.duration),
        )
        return bool(rows) and bytes(rows[0][0]) == figures_digest(footprint)

    def keep(self, footprints: Iterable[Footprint]) -> None:
        """Take note of what is told of periods."""
        rows = [
            (footprint.start, footprint.duration, figures_digest(footprint))
            for footprint in footprints
        ]
        self._run_all(
            "INSERT INTO told (start, duration, digest) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET digest = excluded.digest",
            rows,
        )

    def due(self) -> list[tuple[int, int]]:
        """Return start and duration of the longer periods that are to be told, in order."""
        return self._run("SELECT start, duration FROM due ORDER BY start, duration")

    def add_due(self, periods: Iterable[tuple[int, int]]) -> None:
        """Have longer periods told, once they are over."""
        self._run_all(
            "INSERT INTO due (start, duration) VALUES (?, ?) ON CONFLICT DO NOTHING", list(periods)
        )

    def drop_due(self, period: tuple[int, int]) -> None:
        """Take a period off that was told."""
        self._run("DELETE FROM due WHERE start = ? AND duration = ?", period)

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[int, int]]:
        """Run one statement, on the disk when it returns."""
        try:
            with self._lock, closing(self._connection.execute(statement, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as err:
            raise MemberError(f"{self._path} cannot be used ({err})") from err

    def _run_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run one statement for each row, all or none."""
        if not rows:
            return
        try:
            with self._lock, transaction(self._connection):
                self._connection.executemany(statement, rows)
        except sqlite3.Error as err:
            raise MemberError(f"{self._path} cannot be used ({err})") from err


def figures_digest(footprint: Footprint) -> bytes:
    """Return the digest of what a footprint says of the home."""
    body = as_object(replace(footprint, revision=0, offset_ms=None, software="-"))
    for name in ("at", "boot", "seq"):
        del body[name]
    return hashlib.sha256(canonical(body)).digest()[:_BYTES]


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection to a sound file with its tables, without what is long ago."""
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        is_sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        connection.executescript(_TABLES)
        connection.execute(
            "DELETE FROM told WHERE start <"
            " (SELECT start FROM told ORDER BY start DESC LIMIT 1 OFFSET ?)",
            (_MOST,),
        )
    except sqlite3.Error as err:
        connection.close()
        code = getattr(err, "sqlite_errorcode", 0) & _PRIMARY
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise _DamagedError(str(err)) from err
        raise
    if not is_sound:
        connection.close()
        raise _DamagedError(f"{path} is damaged")
    return connection


class _DamagedError(Exception):
    """The file has to be begun anew."""
