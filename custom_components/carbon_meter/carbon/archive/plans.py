"""What the site was made of, by the hour from which each plan held."""

import sqlite3


def put(connection: sqlite3.Connection, hour: int, plan: str) -> None:
    """Write what holds from an hour on."""
    connection.execute("INSERT OR REPLACE INTO plan VALUES (?, ?)", (hour, plan))


def read(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """Return all plans with their hours, in order."""
    return connection.execute("SELECT hour, plan FROM plan ORDER BY hour").fetchall()


def forget(connection: sqlite3.Connection, start: int, end: int | None) -> None:
    """Delete the plans that begin in [start, end), without an end all later ones."""
    connection.execute(
        "DELETE FROM plan WHERE hour >= ?1 AND (?2 IS NULL OR hour < ?2)", (start, end)
    )
