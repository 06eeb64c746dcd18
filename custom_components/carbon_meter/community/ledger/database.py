"""The SQLite file of a ledger: opened, checked, and changed in whole transactions only."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from threading import RLock

from .schema import TABLES, VERSION


class LedgerError(Exception):
    """The ledger's file cannot be read or written; the message says why."""


class Database:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        """Open the file or begin it; raises LedgerError for one that is of something else.

        `identity` is what the file is about, by name: it is kept in a new one and must be the
        same in one that is there.
        """
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
        if version > VERSION or (version == 0 and tables):
            raise LedgerError(f"{self._path} is no ledger of this version of Carbon Meter")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA cache_size = -65536")
        # What a home has withdrawn is overwritten with zeros, not only unlinked.
        run("PRAGMA secure_delete = ON")
        if version < VERSION:
            run("BEGIN IMMEDIATE")
            for table in TABLES:
                # Half the size; the other engines have no such thing.
                run(f"{table} WITHOUT ROWID")
            for item in identity.items():
                run("INSERT INTO identity VALUES (?, ?)", item)
            run(f"PRAGMA user_version = {VERSION}")
            run("COMMIT")
        for name, value in run("SELECT name, value FROM identity").fetchall():
            if identity.get(name) != value:
                raise LedgerError(f"{self._path}: its {name} is {value}, not {identity.get(name)}")

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection within a transaction: all of it is kept, or nothing."""
        with self._lock, _told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

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
        raise LedgerError(f"{path}: {err}") from err
