"""The ledgers of batteries as they are when an hour begins: where weighing can start again."""

from collections.abc import Mapping
import sqlite3
from typing import Any

from .codec import pack_states, unpack_states


def put(connection: sqlite3.Connection, hour: int, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the ledgers at the beginning of an hour."""
    connection.execute("INSERT OR REPLACE INTO battery VALUES (?, ?)", (hour, pack_states(states)))


def read(connection: sqlite3.Connection, hour: int) -> tuple[int, dict[str, Any]] | None:
    """Return the newest ledgers at or before an hour, with their hour.

    Those that can no longer be read are passed over: weighing starts again somewhat earlier.
    """
    for found, packed in connection.execute(
        "SELECT hour, states FROM battery WHERE hour <= ? ORDER BY hour DESC", (hour,)
    ):
        try:
            return found, unpack_states(packed)
        except ValueError:
            continue
    return None


def forget(connection: sqlite3.Connection, after: int) -> None:
    """Delete the ledgers of hours after a time."""
    connection.execute("DELETE FROM battery WHERE hour > ?", (after,))
