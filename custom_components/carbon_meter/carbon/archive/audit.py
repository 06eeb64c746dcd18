"""The audit trail: which figures changed after they were told, when and why. It only grows."""

import json
import sqlite3

from .codec import to_json
from .rows import AuditEntry


def add(connection: sqlite3.Connection, entry: AuditEntry) -> int:
    """Append an entry; return its id."""
    cursor = connection.execute(
        "INSERT INTO audit (moment, reason, detail, beginning, ending, owners, figures_before, "
        "figures_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.when,
            entry.reason,
            entry.detail,
            entry.start,
            entry.end,
            to_json(list(entry.owners)),
            to_json(dict(entry.before)),
            to_json(dict(entry.after)),
        ),
    )
    return int(cursor.lastrowid or 0)


def read(connection: sqlite3.Connection, limit: int, before_id: int | None) -> list[AuditEntry]:
    """Return the newest entries with an id below one, the newest first."""
    rows = connection.execute(
        "SELECT id, moment, reason, detail, beginning, ending, owners, figures_before, "
        "figures_after FROM audit WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2",
        (before_id, max(limit, 0)),
    )
    return [
        AuditEntry(
            id=row[0],
            when=row[1],
            reason=row[2],
            detail=row[3],
            start=row[4],
            end=row[5],
            owners=tuple(json.loads(row[6])),
            before=json.loads(row[7]),
            after=json.loads(row[8]),
        )
        for row in rows
    ]
