"""Which certificates an authority has made, and which of them hold no more.

Rows stand in the order of their random serial numbers, and what is deleted is overwritten: neither
a row nor its place tells when a certificate was made, or after which other.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager
import os
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import opened, transaction, version_of
from .errors import AuthorityError

_VERSION: Final = 1

_LONGEST: Final = 400 * 86400
"""Seconds for which a certificate holds of which only the serial number is known."""

_LARGEST: Final = 2**159 - 1
"""Of serial numbers: 20 octets, the first bit 0 (RFC 5280, 4.1.2.2)."""

_TABLES: Final = """
CREATE TABLE issued (
    serial TEXT PRIMARY KEY,
    authority TEXT NOT NULL,
    subject TEXT NOT NULL,
    ends INTEGER NOT NULL,
    revoked INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX by_subject ON issued (subject);
"""
"""`authority` is the identifier of its key, `revoked` the day since when it is, in seconds."""

_REVOKE_SUBJECT: Final = "UPDATE issued SET revoked = ? WHERE subject = ? AND revoked IS NULL"
_REVOKE_SERIAL: Final = "UPDATE issued SET revoked = ? WHERE serial = ? AND revoked IS NULL"


class Issued:
    """The file of all certificates that have not ended; every method raises AuthorityError."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it."""
        self._path = path
        with self._changing() as database:
            version = version_of(database)
            if version > _VERSION:
                raise AuthorityError(f"{path} is of a later version of Carbon Meter; update it")
            if not version:
                for statement in _TABLES.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {_VERSION}")

    def add(self, serial: int, authority: str, subject: str, ends: int) -> None:
        """Remember a certificate before it is given to anybody."""
        with self._changing() as database:
            database.execute(
                "INSERT INTO issued (serial, authority, subject, ends) VALUES (?, ?, ?, ?)",
                (f"{serial:040x}", authority, subject, ends),
            )

    def revoke(self, who: str | int, day: int, authority: str) -> int:
        """Let one certificate, or all of a subject, hold no more; return how many did.

        A serial number that is not known is one that the authority has signed elsewhere; what
        no certificate can have raises AuthorityError.
        """
        if isinstance(who, int) and not is_serial(who):
            raise AuthorityError(f"{who:x} is no serial number of a certificate")
        is_subject = isinstance(who, str)
        with self._changing() as database:
            if not is_subject:
                database.execute(
                    "INSERT INTO issued (serial, authority, subject, ends) VALUES (?, ?, '', ?)"
                    " ON CONFLICT DO NOTHING",
                    (f"{who:040x}", authority, day + _LONGEST),
                )
            done = database.execute(
                _REVOKE_SUBJECT if is_subject else _REVOKE_SERIAL,
                (day, who if is_subject else f"{who:040x}"),
            )
            return done.rowcount

    def revoked(self, authority: str, now: int) -> list[tuple[int, int]]:
        """Return the serial numbers that an authority has to name as revoked, each with the day.

        Those that have ended need no more be named, and are forgotten. What is none, and got
        into the file all the same, keeps nobody from the others.
        """
        with self._changing() as database:
            database.execute("DELETE FROM issued WHERE ends < ?", (now,))
            rows = database.execute(
                "SELECT serial, revoked FROM issued"
                " WHERE authority = ? AND revoked IS NOT NULL ORDER BY serial",
                (authority,),
            ).fetchall()
        return [(number, day) for serial, day in rows if is_serial(number := int(serial, 16))]

    @contextmanager
    def _changing(self) -> Generator[sqlite3.Connection]:
        """Give a transaction that is on the disk when the block ends."""
        try:
            if not self._path.exists():
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(opened(self._path, _prepare)) as database, transaction(database):
                yield database
        except (sqlite3.Error, OSError) as err:
            raise AuthorityError(f"{self._path} cannot be used ({err})") from err


def is_serial(number: int) -> bool:
    """Tell whether a certificate can have this serial number."""
    return 0 < number <= _LARGEST


def _prepare(connection: sqlite3.Connection) -> None:
    """Have what is deleted overwritten, and all of it on the disk."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON").fetchall()
