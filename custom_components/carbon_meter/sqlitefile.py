"""SQLite files: left alone when refused, changed all or nothing, set aside when damaged."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
import sqlite3
from threading import RLock
from typing import Final

WAIT: Final = 10.0
"""Seconds to wait for another program that looks into a file."""

_BRIEFLY: Final = 200
"""Milliseconds to wait for who reads an earlier state."""

LOG: Final = "-wal"
SHARED: Final = "-shm"
"""What SQLite keeps beside a file while it is open."""

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY: Final = 0xFF
"""The part of an SQLite error code that tells the kind; the rest tells the place."""

type Refusal = sqlite3.Error | OverflowError
"""What SQLite raises; an OverflowError is a number of more than 64 bits."""


class SqliteFile:
    """One file with one connection, which one thread at a time has."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[sqlite3.Connection], None],
        explain: Callable[[Refusal], Exception],
    ) -> None:
        """Open the file or begin it.

        `prepare` is given the new connection, to check whose file it is and to set it up;
        `explain` returns what is raised in the place of what SQLite raises.
        """
        self.path = path
        self._explain = explain
        self._lock = RLock()
        with self._explained():
            self._connection = opened(path, prepare)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give the connection for questions, and for changes that stand by themselves."""
        with self._lock, self._explained():
            yield self._connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Give the connection for changes: on the disk when the block ends, none after an error."""
        with self._lock, self._explained(), transaction(self._connection) as connection:
            yield connection

    def empty_log(self) -> None:
        """Bring the log into the file, and leave nothing in it of what was deleted."""
        with self.reading() as connection:
            empty_log(connection)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._explained():
            self._connection.close()

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Turn what SQLite raises into what the owner of the file does."""
        try:
            yield
        except (sqlite3.Error, OverflowError) as err:
            raise self._explain(err) from err


def opened(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Return a connection for any thread, without transactions of its own making.

    Raises sqlite3.Error, and what `prepare` raises; the file is then left as it was found.
    """
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        prepare(connection)
    except BaseException:
        # What is to be moved aside or belongs to others must not change now.
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """Make one transaction of a block, on the disk when it ends; an error takes it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has taken back some of its errors by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def new_tables(
    connection: sqlite3.Connection, version: int, application: int = 0
) -> Generator[None]:
    """Make one transaction of a block that makes tables, after which the file is of a version."""
    with transaction(connection):
        yield
        connection.execute(f"PRAGMA application_id = {application}")
        connection.execute(f"PRAGMA user_version = {version}")


def empty_log(connection: sqlite3.Connection) -> None:
    """Bring the log into the file, and leave nothing in it of what was deleted.

    Where somebody reads an earlier state, as while a backup is made, it stays for this time: a
    minute of backup must not keep everybody waiting.
    """
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {_BRIEFLY}")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait}")


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the tables, 0 of a file that has none."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application_of(connection: sqlite3.Connection) -> int:
    """Return which program the file says it belongs to, 0 if it says nothing."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether a file has no tables."""
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def other_identity(connection: sqlite3.Connection, identity: Mapping[str, str]) -> str | None:
    """Return in words where the table `identity` tells of something else, None where it agrees."""
    for name, value in connection.execute("SELECT name, value FROM identity").fetchall():
        if identity.get(name) != value:
            return f"its {name} is {value}, not {identity.get(name)}"
    return None


def damage_in(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with a file whose pages do not fit together, None if they do."""
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    return None if found == "ok" else found


def keep_on_disk(connection: sqlite3.Connection, *, overwrites: bool = False) -> None:
    """Have each change on the disk once it is made; `overwrites` what is deleted with zeros."""
    # Where two programs cannot share memory SQLite keeps its rollback journal: as safe.
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    if overwrites:
        connection.execute("PRAGMA secure_delete = ON").fetchall()


def kind_of(err: Exception) -> int | None:
    """Return the kind of an error as SQLite numbers it, None if SQLite has none for it."""
    code = getattr(err, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def is_damage(err: Exception) -> bool:
    """Return whether an error says that the file itself is broken."""
    return kind_of(err) in _DAMAGED


def beside(path: Path, suffix: str) -> Path:
    """Return the path of what lies beside a file."""
    return path.with_name(path.name + suffix)


def bytes_of(path: Path, *suffixes: str) -> int:
    """Return the bytes of what lies beside a file and can be seen; "" is the file itself."""
    total = 0
    for suffix in suffixes:
        with suppress(OSError):
            total += beside(path, suffix).stat().st_size
    return total


def moved_aside(path: Path) -> Path:
    """Rename a damaged file and its log, so that they can be looked at; return its new place.

    Raises OSError.
    """
    number = 1
    while (target := beside(path, f".damaged-{number}")).exists():
        number += 1
    # The log first: it must never meet a new file.
    for suffix in (LOG, ""):
        with suppress(FileNotFoundError):
            beside(path, suffix).rename(beside(target, suffix))
    beside(path, SHARED).unlink(missing_ok=True)
    return target
