"""What a home has told, by digests: only what has changed is told again.

A digest leaves out what changes without any figure changing: the software and the clock's offset.
Beside them are the days that are to be told once they are over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
import hashlib
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import (
    LOG,
    SHARED,
    SqliteFile,
    beside,
    damage_in,
    is_damage,
    keep_on_disk,
)
from ..contract.message import Footprint, as_object, canonical
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

_MOST: Final = 20_000
"""Periods: twice 400 days of hours."""

_INSERT_TOLD: Final = (
    "INSERT INTO told (start, duration, digest) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET digest = excluded.digest"
)


class Told:
    """The file of one id. Every method blocks, and raises MemberError if the disk fails."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it; a damaged one is begun anew, see `is_new`."""
        self.is_new = not path.exists()
        ways = partial(_prepare, path=path), partial(_explained, path)
        try:
            self._file = SqliteFile(path, *ways)
        except _DamagedError:
            self.is_new = True
            _delete(path)
            self._file = SqliteFile(path, *ways)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def base(self) -> int:
        """Return the revision with which a period begins that was never told."""
        rows = self._rows("SELECT revision FROM base")
        return int(rows[0][0]) if rows else 0

    def begin_at(self, revision: int) -> None:
        """Begin with this revision from now on, as if nothing had been told before."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM told")
            connection.execute("DELETE FROM base")
            connection.execute("INSERT INTO base (revision) VALUES (?)", (revision,))

    def has(self, footprint: Footprint) -> bool:
        """Return whether the same figures of this period were told last."""
        rows = self._rows(
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
        self._change(_INSERT_TOLD, rows)

    def due(self) -> list[tuple[int, int]]:
        """Return start and duration of the longer periods that are to be told, in order."""
        return self._rows("SELECT start, duration FROM due ORDER BY start, duration")

    def add_due(self, periods: Iterable[tuple[int, int]]) -> None:
        """Have longer periods told, once they are over."""
        self._change(
            "INSERT INTO due (start, duration) VALUES (?, ?) ON CONFLICT DO NOTHING", list(periods)
        )

    def drop_due(self, period: tuple[int, int]) -> None:
        """Take a period off that was told."""
        self._change("DELETE FROM due WHERE start = ? AND duration = ?", [period])

    def _rows(self, question: str, values: tuple[object, ...] = ()) -> list[tuple[int, int]]:
        """Return the answer to one question."""
        with self._file.reading() as connection:
            return connection.execute(question, values).fetchall()

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run one statement for each row, all or none; on the disk when it returns."""
        if not rows:
            return
        with self._file.writing() as connection:
            connection.executemany(statement, rows)


def figures_digest(footprint: Footprint) -> bytes:
    """Return the digest of what a footprint says of the home."""
    body = as_object(replace(footprint, revision=0, offset_ms=None, software="-"))
    for name in ("at", "boot", "seq"):
        del body[name]
    return hashlib.sha256(canonical(body)).digest()[:_BYTES]


class _DamagedError(MemberError):
    """The file has to be begun anew."""


def _prepare(connection: sqlite3.Connection, *, path: Path) -> None:
    """Check that the file is sound, make its tables, and drop what is long ago."""
    keep_on_disk(connection)
    if found := damage_in(connection):
        raise _DamagedError(f"{path} is damaged ({found})")
    connection.executescript(_TABLES)
    connection.execute(
        "DELETE FROM told WHERE start <"
        " (SELECT start FROM told ORDER BY start DESC LIMIT 1 OFFSET ?)",
        (_MOST,),
    )


def _explained(path: Path, err: Exception) -> MemberError:
    """Return our error for what SQLite or the disk complains about."""
    kind = _DamagedError if is_damage(err) else MemberError
    return kind(f"{path} cannot be used ({err})")


def _delete(path: Path) -> None:
    """Delete a damaged file with what lies beside it; raises MemberError."""
    try:
        for suffix in ("", LOG, SHARED):
            beside(path, suffix).unlink(missing_ok=True)
    except OSError as err:
        raise _explained(path, err) from err
