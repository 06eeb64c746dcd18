"""The SQLite file of a ledger: opened, checked, and changed in whole transactions only."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from threading import RLock
from typing import Final

from ..transaction import transaction
from .schema import TABLES, VERSION

_CACHE: Final = 65536
"""KiB of the file held in memory."""

_SORTING: Final = 16384
"""The same while rows are sorted."""


class LedgerError(Exception):
    """The ledger's file cannot be read or written; the message says why."""


class TooLargeError(LedgerError):
    """Amounts that were told add up to more than 64 bits; the file is sound."""


class Database:
    """One connection, used by one thread at a time."""

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, str],
        *,
        tables: Sequence[str] = TABLES,
        version: int = VERSION,
    ) -> None:
        """Open the file or begin it; raises LedgerError for one that is of something else.

        `identity` is what the file is about, by name: it is kept in a new one and must be the
        same in one that is there.
        """
        self._tables = tables
        self._version = version
        self._lock = RLock()
        with _told(path):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._path = path
        try:
            with _told(path):
                self._begin(identity)
        except LedgerError:
            self._connection.close()
            raise

    def _begin(self, identity: Mapping[str, str]) -> None:
        """Make the tables of a new file, refuse those of another version."""
        run = self._connection.execute
        (version,) = run("PRAGMA user_version").fetchone()
        (tables,) = run("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if version > self._version or (version == 0 and tables):
            raise LedgerError(f"{self._path} is no ledger of this version of Carbon Meter")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run(f"PRAGMA cache_size = -{_CACHE}")
        # A full recomputation sorts millions of rows: another thread may help where there is one.
        run("PRAGMA threads = 2")
        # What a home has withdrawn is overwritten with zeros, not only unlinked.
        run("PRAGMA secure_delete = ON")
        if version < self._version:
            run("BEGIN IMMEDIATE")
            for table in self._tables:
                # Half the size; the other engines have no such thing.
                run(f"{table} WITHOUT ROWID")
            for item in identity.items():
                # A file of an earlier version has one, and lacks nothing but tables.
                run("INSERT INTO identity VALUES (?, ?) ON CONFLICT (name) DO NOTHING", item)
            run(f"PRAGMA user_version = {self._version}")
            run("COMMIT")
        for name, value in run("SELECT name, value FROM identity").fetchall():
            if identity.get(name) != value:
                raise LedgerError(f"{self._path}: its {name} is {value}, not {identity.get(name)}")

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection within a transaction: all of it is kept, or nothing."""
        with self._lock, _told(self._path), transaction(self._connection) as connection:
            yield connection

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

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give the connection to read with."""
        with self._lock, _told(self._path):
            yield self._connection

    def overwrite(self) -> None:
        """Leave nothing of what was deleted in the file and its log."""
        with self._lock, _told(self._path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, _told(self._path):
            self._connection.close()


@contextmanager
def _told(path: Path) -> Generator[None]:
    """Turn errors of SQLite, and numbers beyond its 64 bits, into ours."""
    try:
        yield
    except (sqlite3.Error, OverflowError) as err:
        is_sum = isinstance(err, OverflowError) or "integer overflow" in str(err)
        raise (TooLargeError if is_sum else LedgerError)(f"{path}: {err}") from err
