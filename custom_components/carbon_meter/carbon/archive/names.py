"""Names that are written once and meant by a number."""

import sqlite3
from typing import Literal

type Kind = Literal["meter", "owner", "figure", "source"]
"""The tables of names."""


def known(connection: sqlite3.Connection, kind: Kind) -> dict[str, int]:
    """Return the numbers of all names of a kind."""
    return dict(connection.execute(f"SELECT name, id FROM {kind}"))  # noqa: S608


def find(connection: sqlite3.Connection, kind: Kind, name: str) -> int | None:
    """Return the number of a name, None if it was never written."""
    row = connection.execute(f"SELECT id FROM {kind} WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return None if row is None else int(row[0])


def number(connection: sqlite3.Connection, kind: Kind, name: str) -> int:
    """Return the number of a name, a new one if it was never written."""
    found = find(connection, kind, name)
    if found is not None:
        return found
    cursor = connection.execute(f"INSERT INTO {kind} (name) VALUES (?)", (name,))  # noqa: S608
    return int(cursor.lastrowid or 0)
