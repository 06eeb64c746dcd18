"""A transaction of an SQLite file: all of it is kept, or nothing."""

from collections.abc import Generator
from contextlib import contextmanager
import sqlite3


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
