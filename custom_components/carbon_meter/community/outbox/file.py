"""The file of the outbox: every change is on the disk before it counts, or has not happened."""

from functools import partial
from pathlib import Path
import sqlite3
from typing import Final

from ...sqlitefile import (
    LOG,
    Refusal,
    SqliteFile,
    application_of,
    bytes_of,
    damage_in,
    is_damage,
    is_empty,
    keep_on_disk,
    moved_aside,
    new_tables,
    version_of,
)
from . import schema
from .errors import DamagedOutboxError, OutboxError

_LOG_LIMIT: Final = 1024 * 1024
"""Bytes to which the log shrinks once it is in the file."""


class OutboxFile(SqliteFile):
    """One connection for all threads, one of which has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file or begin it; a damaged one is moved aside, see `damaged`."""
        self.damaged: Path | None = None
        ways = partial(_prepare, path=path), partial(_explained, path)
        try:
            super().__init__(path, *ways)
        except DamagedOutboxError:
            self.damaged = _set_aside(path)
            super().__init__(path, *ways)

    def give_back(self) -> None:
        """Give pages that are empty now back to the disk."""
        with self.reading() as connection:
            connection.execute("PRAGMA incremental_vacuum").fetchall()
        self.empty_log()

    def size(self) -> int:
        """Return the bytes of the file and of its log."""
        return bytes_of(self.path, "", LOG)


def _prepare(connection: sqlite3.Connection, *, path: Path) -> None:
    """Check whose file it is and whether it is sound, and set the connection up."""
    is_new = is_empty(connection)
    if is_new:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    elif application_of(connection) != schema.APPLICATION:
        raise OutboxError(f"{path} belongs to another program; move it elsewhere")
    elif version_of(connection) != schema.VERSION:
        raise OutboxError(f"{path} is of another version of Carbon Meter; update it")
    elif found := damage_in(connection):
        raise DamagedOutboxError(f"{path} is damaged ({found})")
    keep_on_disk(connection)
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}").fetchall()
    if is_new:
        with new_tables(connection, schema.VERSION, schema.APPLICATION):
            for table in schema.TABLES.split(";"):
                connection.execute(table)


def _explained(path: Path, err: Refusal) -> OutboxError:
    """Return our error for what SQLite complains about."""
    kind = DamagedOutboxError if is_damage(err) else OutboxError
    return kind(f"{path} cannot be used ({err})")


def _set_aside(path: Path) -> Path:
    """Move a damaged file aside; return its new place."""
    try:
        return moved_aside(path)
    except OSError as err:
        raise OutboxError(
            f"{path} is damaged and cannot be moved aside ({err}); delete it"
        ) from err
