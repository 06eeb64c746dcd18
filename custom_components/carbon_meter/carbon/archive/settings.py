"""Small things under a key."""

import json
import sqlite3
from typing import Any

from .codec import to_json


def put(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Write a value as JSON."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, to_json(value)))


def get(connection: sqlite3.Connection, key: str) -> Any:
    """Return a value, None if there is none."""
    row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    return None if row is None else json.loads(row[0])
