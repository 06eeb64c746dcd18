"""The file of the books: a damaged one is moved aside and begun anew, also while it is in use."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import (
    empty_log,
    is_damage,
    keep_on_disk,
    moved_aside,
    new_tables,
    opened,
    transaction,
    version_of,
)
from .errors import StoreError

VERSION: Final = 1
"""Of the tables."""

_TABLES: Final = (
    """CREATE TABLE agreement (
  home TEXT PRIMARY KEY,
  topic TEXT NOT NULL,
  body BLOB NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE received (
  home TEXT,
  boot TEXT,
  upto INTEGER NOT NULL,
  also TEXT NOT NULL,
  highest INTEGER NOT NULL,
  digest TEXT NOT NULL,
  heard_at INTEGER NOT NULL,
  is_owed INTEGER NOT NULL,
  PRIMARY KEY (home, boot)
) WITHOUT ROWID""",
    "CREATE TABLE refused (code TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE asked (
  home TEXT PRIMARY KEY,
  due INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  missing INTEGER NOT NULL
) WITHOUT ROWID""",
    "CREATE TABLE leaving (home TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID",
)


class BooksFile:
    """One connection, one thread at a time; every method may raise StoreError."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it."""
        self._path = path
        self.damaged: Path | None = None
        """Where a damaged file was moved, None if it was sound."""

        self.is_begun_anew = False
        """Whether what was written before is not in the file: it broke while it was in use."""

        self._is_closed = False
        self._connection = self._open()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give the connection for questions."""
        with self._told():
            yield self._connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection within a transaction: all of it is kept, or nothing."""
        with self._told(), transaction(self._connection) as connection:
            yield connection

    def empty_log(self) -> None:
        """Leave nothing of what was deleted in the file's log."""
        with self.reading() as connection:
            empty_log(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._is_closed = True
        with self.reading() as connection:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        """Return the opened file; a damaged one is moved aside."""
        try:
            return opened(self._path, _prepare)
        except sqlite3.DatabaseError as err:
            if not is_damage(err):
                raise StoreError(f"{self._path}: {err}") from err
        return self._anew()

    def _anew(self) -> sqlite3.Connection:
        """Move a damaged file aside, and return the connection to a new one."""
        try:
            self.damaged = moved_aside(self._path)
            return opened(self._path, _prepare)
        except (sqlite3.Error, OSError) as err:
            raise StoreError(f"{self._path}: {err}") from err

    @contextmanager
    def _told(self) -> Generator[None]:
        """Turn errors of SQLite into ours; begin anew where the file is damaged."""
        try:
            yield
        except sqlite3.Error as err:
            if is_damage(err):
                self._connection.close()
                self._connection = self._anew()
                self.is_begun_anew = True
            elif isinstance(err, sqlite3.ProgrammingError) and not self._is_closed:
                # It could not be begun anew then.
                self._connection = self._open()
            raise StoreError(f"{self._path}: {err}") from err


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file; raises sqlite3.Error for what is something else."""
    version = version_of(connection)
    if version > VERSION:
        raise sqlite3.OperationalError(f"version {version} is newer than {VERSION}")
    keep_on_disk(connection, overwrites=True)
    if version < VERSION:
        with new_tables(connection, VERSION):
            for table in _TABLES:
                connection.execute(table)
