"""The tables of the archive, and the way from older versions of them."""

from collections.abc import Callable, Mapping
import sqlite3
from typing import Final

from ...sqlitefile import new_tables, version_of

APPLICATION: Final = 0x434D4152
"""In the head of the file: "CMAR", so that no other program's file is taken for an archive."""

VERSION: Final = 1
"""In the head of the file too; a change of the tables raises it and adds to MIGRATIONS."""

_TABLES: Final = (
    # The hour is the second half of the key: a month of one meter lies together.
    """CREATE TABLE meter (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        thin_from INTEGER
    ) STRICT""",
    """CREATE TABLE energy (
        meter INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        known INTEGER NOT NULL,
        imported BLOB NOT NULL,
        exported BLOB NOT NULL,
        grid_carbon BLOB NOT NULL,
        PRIMARY KEY (meter, hour)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE grid (
        series INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        value BLOB NOT NULL,
        grade BLOB NOT NULL,
        source BLOB NOT NULL,
        PRIMARY KEY (series, hour)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE plan (hour INTEGER PRIMARY KEY, plan TEXT NOT NULL) STRICT",
    "CREATE TABLE battery (hour INTEGER PRIMARY KEY, states BLOB NOT NULL) STRICT",
    "CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE figure (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE hourly (
        owner INTEGER NOT NULL,
        day INTEGER NOT NULL,
        figure INTEGER NOT NULL,
        total REAL NOT NULL,
        hours BLOB NOT NULL,
        PRIMARY KEY (owner, day, figure)
    ) STRICT, WITHOUT ROWID""",
    # Sums of 32 days each: the total of years is asked at every start.
    """CREATE TABLE stretch (
        owner INTEGER NOT NULL,
        stretch INTEGER NOT NULL,
        figure INTEGER NOT NULL,
        total REAL NOT NULL,
        PRIMARY KEY (owner, stretch, figure)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE base (
        owner INTEGER NOT NULL,
        figure INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (owner, figure)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        moment REAL NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        beginning INTEGER NOT NULL,
        ending INTEGER NOT NULL,
        owners TEXT NOT NULL,
        figures_before TEXT NOT NULL,
        figures_after TEXT NOT NULL
    ) STRICT""",
    """CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is only appended to'); END""",
    """CREATE TRIGGER audit_stays BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is only appended to'); END""",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)

MIGRATIONS: Final[Mapping[int, Callable[[sqlite3.Connection], None]]] = {}
"""By version: what makes of its tables those of the next version."""


def bring_up_to_date(
    connection: sqlite3.Connection,
    migrations: Mapping[int, Callable[[sqlite3.Connection], None]] = MIGRATIONS,
    newest: int = VERSION,
) -> None:
    """Make the tables of the newest version: all of them at once or nothing."""
    present = version_of(connection)
    if present == newest:
        return
    with new_tables(connection, newest, APPLICATION):
        if present == 0:
            for statement in _TABLES:
                connection.execute(statement)
        else:
            for step in range(present, newest):
                migrations[step](connection)
