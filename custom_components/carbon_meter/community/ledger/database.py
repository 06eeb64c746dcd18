"""The SQLite file of a ledger: opened, checked, and changed in whole transactions only."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import (
    Refusal,
    SqliteFile,
    is_empty,
    keep_on_disk,
    new_tables,
    opened,
    other_identity,
    version_of,
)
from .schema import TABLES, VERSION

_CACHE: Final = 16384
"""KiB of the file held in memory."""

_SORTING: Final = 8192
"""The same while rows are sorted."""

_BESIDE: Final = 4096
"""The same of a second connection, which reads everything once."""


class LedgerError(Exception):
    """The ledger's file cannot be read or written; the message says why."""


class TooLargeError(LedgerError):
    """Amounts that were told add up to more than 64 bits; the file is sound."""


class Database(SqliteFile):
    """One connection, used by one thread at a time; every method raises LedgerError."""

    def __init__(  # noqa: PLR0913  # what makes a file
        self,
        path: Path,
        identity: Mapping[str, str],
        *,
        tables: Sequence[str] = TABLES,
        outdated: Sequence[str] = (),
        more: Sequence[str] = (),
        version: int = VERSION,
    ) -> None:
        """Open the file or begin it; raises LedgerError for one that is of something else.

        `identity` is what the file is about, by name: it is kept in a new one and must be the
        same in one that is there. Where tables are to be made, `outdated` are the statements that
        come before, `more` those that follow.
        """
        # Half the size; the other engines have no such thing.
        made = (*outdated, *(f"{table} WITHOUT ROWID" for table in tables), *more)
        super().__init__(
            path,
            partial(_begin, path=path, identity=identity, made=made, newest=version),
            partial(_told, path),
        )

    @contextmanager
    def beside(self) -> Generator[sqlite3.Connection]:
        """Give a second connection, for another thread to read what was kept before.

        Where SQLite has no log one that reads would keep the other from writing: there it is
        the same one, and one thread waits for the other.
        """
        with self.reading() as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                yield connection
                return
            with closing(opened(self.path, _only_read)) as other:
                yield other

    @contextmanager
    def sorting(self) -> Generator[sqlite3.Connection]:
        """Give the connection within a transaction that sorts millions of rows, in little memory.

        Each thread that sorts takes as much as the cache may.
        """
        with self.writing() as connection:
            connection.execute(f"PRAGMA cache_size = -{_SORTING}")
            try:
                yield connection
            finally:
                connection.execute(f"PRAGMA cache_size = -{_CACHE}")


def _only_read(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_BESIDE}")


def _begin(
    connection: sqlite3.Connection,
    *,
    path: Path,
    identity: Mapping[str, str],
    made: Sequence[str],
    newest: int,
) -> None:
    """Make the tables of a new file, refuse those of another version."""
    version = version_of(connection)
    if version > newest or (version == 0 and not is_empty(connection)):
        raise LedgerError(f"{path} is no ledger of this version of Carbon Meter")
    # What a home has withdrawn is overwritten.
    keep_on_disk(connection, overwrites=True)
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    # A full recomputation sorts millions of rows: another thread may help where there is one.
    connection.execute("PRAGMA threads = 2")
    if version < newest:
        with new_tables(connection, newest):
            for statement in made:
                connection.execute(statement)
            # A file of an earlier version has one.
            connection.executemany(
                "INSERT INTO identity VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                list(identity.items()),
            )
    if wrong := other_identity(connection, identity):
        raise LedgerError(f"{path}: {wrong}")


def _told(path: Path, err: Refusal) -> LedgerError:
    """Return our error for one of SQLite, or for a sum beyond its 64 bits."""
    is_sum = isinstance(err, OverflowError) or "integer overflow" in str(err)
    return (TooLargeError if is_sum else LedgerError)(f"{path}: {err}")
