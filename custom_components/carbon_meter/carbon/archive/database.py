"""The file of the archive: opened, moved aside when damaged, written all or nothing."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
import sqlite3
import threading
from typing import Final

from ...sqlitefile import (
    LOG,
    SHARED,
    application_of,
    beside,
    bytes_of,
    damage_in,
    is_empty,
    moved_aside,
    opened,
    version_of,
)
from . import schema
from .errors import ArchiveError, DamagedArchiveError, explained, explanation

_CHECKPOINT: Final = 1000
"""Pages in the log after which SQLite brings them into the file; its own default."""

_LOG_LIMIT: Final = 4 * 1024 * 1024
"""Bytes to which the log shrinks once it is in the file."""

_SUSPECT: Final = ".suspect"
"""Marks beside the file that damage was met: the next opening looks at all of it."""

_EMPTY_LOG: Final = 0


class Database:
    """One connection for all threads, one of which has it at a time."""

    def __init__(self, path: Path, *, held: bool) -> None:
        """Open the file or begin it; see `Archive`."""
        self.path = path
        self.damaged: Path | None = None
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._connection = self._opened(held=held)
        except DamagedArchiveError:
            self.damaged = _set_aside(path)
            self._connection = self._opened(held=held)

    def close(self) -> None:
        """Close the file; what was stored is in it, or in its log while it is held."""
        with self._lock, explained(self.path):
            self._connection.close()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give the connection for questions."""
        with self._lock, self._watched():
            yield self._connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection for changes: kept when the block ends, none of them after an error.

        A block within another can fail by itself; what it did ends with the outer one.
        """
        with self._lock, self._watched():
            connection = self._connection
            if self._depth and not connection.in_transaction:
                raise ArchiveError(
                    f"{self.path}: an error before has taken back all of this transaction"
                )
            name = f"level_{self._depth}"
            connection.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield connection
                connection.execute(f"RELEASE {name}" if self._depth > 1 else "COMMIT")
            except BaseException:
                self._undo(name)
                raise
            finally:
                self._depth -= 1

    def give_back(self) -> None:
        """Give pages that are empty now back to the disk."""
        with self.reading() as connection:
            connection.execute("PRAGMA incremental_vacuum").fetchall()

    def size(self) -> int:
        """Return the bytes of the file and of what lies beside it."""
        return bytes_of(self.path, "", LOG, SHARED)

    def hold(self) -> None:
        """Bring the log into the file, then leave the file alone."""
        with self.reading() as connection:
            _hold(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def release(self) -> None:
        """Let SQLite bring the log into the file again."""
        with self.reading() as connection:
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, False)
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _watched(self) -> Generator[None]:
        """Explain what SQLite complains about; remember damage for the next opening."""
        try:
            yield
        except sqlite3.Error as err:
            error = explanation(self.path, err)
            if isinstance(error, DamagedArchiveError):
                with suppress(OSError):
                    beside(self.path, _SUSPECT).touch()
            raise error from err

    def _undo(self, name: str) -> None:
        """Take back the innermost block, unless SQLite has taken back everything by itself."""
        if not self._connection.in_transaction:
            return
        if self._depth > 1:
            self._connection.execute(f"ROLLBACK TO {name}")
            self._connection.execute(f"RELEASE {name}")
        else:
            self._connection.execute("ROLLBACK")

    def _opened(self, *, held: bool) -> sqlite3.Connection:
        """Return a connection to a sound file with the tables of this version."""
        # A log that was not brought into the file: whoever wrote it came to no good end.
        doubtful = beside(self.path, _SUSPECT).exists() or bytes_of(self.path, LOG) > _EMPTY_LOG
        with explained(self.path):
            connection = opened(self.path, partial(self._prepare, held=held, doubtful=doubtful))
        with suppress(OSError):
            beside(self.path, _SUSPECT).unlink(missing_ok=True)
        return connection

    def _prepare(self, connection: sqlite3.Connection, *, held: bool, doubtful: bool) -> None:
        """Check whose file it is and whether it is sound, and set the connection up."""
        if held:
            _hold(connection)
        if is_empty(connection):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        elif application_of(connection) != schema.APPLICATION:
            raise ArchiveError(
                f"{self.path} belongs to another program; move it elsewhere, then reload the site"
            )
        elif version_of(connection) > schema.VERSION:
            raise ArchiveError(
                f"{self.path} was written by a newer version of Carbon Meter; update Carbon Meter, "
                "or restore the file of a backup of before"
            )
        elif doubtful and (found := damage_in(connection)):
            raise DamagedArchiveError(f"{self.path} is damaged ({found})")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise ArchiveError(
                f"{self.path} lies where two programs cannot share memory (mode {mode!r}); move "
                "Home Assistant's configuration to a local disk"
            )
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}").fetchall()
        schema.bring_up_to_date(connection)


def _hold(connection: sqlite3.Connection) -> None:
    """Let the log grow: SQLite no longer brings it into the file by itself, nor on closing."""
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()


def _set_aside(path: Path) -> Path:
    """Move a damaged file aside; return its new place."""
    try:
        target = moved_aside(path)
        beside(path, _SUSPECT).unlink(missing_ok=True)
    except OSError as err:
        raise ArchiveError(
            f"{path} is damaged and cannot be moved aside ({err}); delete it, then reload the site"
        ) from err
    return target
