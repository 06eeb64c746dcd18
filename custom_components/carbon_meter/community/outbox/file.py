"""The file of the outbox: every change is on the disk before it counts, or has not happened."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
import sqlite3
import threading
from typing import Final

from ..transaction import transaction
from . import schema
from .errors import DamagedOutboxError, OutboxError

_WAIT: Final = 10.0
"""Seconds to wait for another program that looks into the file."""

_LOG_LIMIT: Final = 1024 * 1024
"""Bytes to which the log shrinks once it is in the file."""

_LOG: Final = "-wal"
_SHARED: Final = "-shm"
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY: Final = 0xFF
"""The part of an SQLite error code that tells the kind; the rest tells the place."""


class OutboxFile:
    """One connection for all threads, one of which has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it; a damaged one is moved aside, see `damaged`."""
        self.path = path
        self.damaged: Path | None = None
        self._lock = threading.Lock()
        try:
            self._connection = self._opened()
        except DamagedOutboxError:
            self.damaged = self._moved_aside()
            self._connection = self._opened()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give the connection for questions."""
        with self._lock, self._explained():
            yield self._connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection for changes: on the disk when the block ends, none after an error."""
        with self._lock, self._explained(), transaction(self._connection) as connection:
            yield connection

    def give_back(self) -> None:
        """Give pages that are empty now back to the disk."""
        with self.reading() as connection:
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def size(self) -> int:
        """Return the bytes of the file and of its log."""
        total = 0
        for suffix in ("", _LOG):
            with suppress(FileNotFoundError):
                total += self._beside(suffix).stat().st_size
        return total

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Turn what SQLite complains about into an OutboxError."""
        try:
            yield
        except sqlite3.Error as err:
            code = getattr(err, "sqlite_errorcode", None)
            damaged = code is not None and code & _PRIMARY in _DAMAGED
            kind = DamagedOutboxError if damaged else OutboxError
            raise kind(f"{self.path} cannot be used ({err})") from err

    def _opened(self) -> sqlite3.Connection:
        """Return a connection to a sound file with the tables of this version."""
        with self._explained():
            connection = sqlite3.connect(
                self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check whose file it is and whether it is sound, and set the connection up."""
        if not connection.execute("PRAGMA schema_version").fetchone()[0]:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        elif connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION:
            raise OutboxError(f"{self.path} belongs to another program; move it elsewhere")
        elif connection.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
            raise OutboxError(f"{self.path} is of another version of Carbon Meter; update it")
        elif (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise DamagedOutboxError(f"{self.path} is damaged ({found})")
        # Where two programs cannot share memory SQLite keeps its rollback journal: as safe.
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}").fetchall()
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            connection.executescript(
                f"BEGIN IMMEDIATE; {schema.TABLES}"
                f"PRAGMA application_id = {schema.APPLICATION};"
                f"PRAGMA user_version = {schema.VERSION}; COMMIT;"
            )

    def _moved_aside(self) -> Path:
        """Rename a damaged file and its log, so that they can be looked at; return its place."""
        number = 1
        while (target := self._beside(f".damaged-{number}")).exists():
            number += 1
        try:
            # The log first: it must never meet a new file.
            with suppress(FileNotFoundError):
                self._beside(_LOG).rename(target.with_name(target.name + _LOG))
            self._beside("").rename(target)
            self._beside(_SHARED).unlink(missing_ok=True)
        except OSError as err:
            raise OutboxError(
                f"{self.path} is damaged and cannot be moved aside ({err}); delete it"
            ) from err
        return target

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)
