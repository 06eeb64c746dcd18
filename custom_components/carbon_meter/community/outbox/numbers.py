"""The numbers under which footprints go out, and what an ack of them lets go."""

import sqlite3
from typing import Final

from ..contract.answers import Ack
from ..contract.message import Footprint
from .keeping import Place, State, drop_content

_PATIENCE: Final = 3600
"""Seconds without an ack after which a footprint goes out again; twice as many each time."""

_LONGEST_PATIENCE: Final = 86400

_DOUBLINGS: Final = 5
"""After these the longest patience is reached anyway."""

type Run = tuple[int, int, int, bytes | None]
"""The number of a run, its last and its highest acknowledged `seq`, and the digest of that."""


def numbered(database: sqlite3.Connection, place: Place, footprint: Footprint, boot: str) -> int:
    """Return the `seq` under which a footprint goes out, the last one if it never went out."""
    database.execute(
        "INSERT INTO run (sender, boot) VALUES (?, ?) ON CONFLICT DO NOTHING", (place.sender, boot)
    )
    run = database.execute("SELECT id FROM run WHERE boot = ?", (boot,)).fetchone()[0]
    carried = database.execute(
        "SELECT seq FROM sending WHERE sender = ? AND start = ? AND duration = ?"
        " AND run = ? AND revision = ? AND NOT is_out",
        (*place, run, footprint.revision),
    ).fetchone()
    if carried is not None:
        return int(carried[0])
    database.execute("DELETE FROM sending WHERE sender = ? AND start = ? AND duration = ?", place)
    seq: int = database.execute(
        "UPDATE run SET last = last + 1 WHERE id = ? RETURNING last", (run,)
    ).fetchall()[0][0]
    database.execute(
        "INSERT INTO sending (run, seq, sender, start, duration, revision, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, seq, *place, footprint.revision, bytes.fromhex(footprint.digest)),
    )
    return seq


def mark_out(database: sqlite3.Connection, footprint: Footprint, now: int) -> None:
    """Take note that the broker has a footprint under its number."""
    rows = database.execute(
        "UPDATE sending SET is_out = 1 WHERE run = (SELECT id FROM run WHERE boot = ?) AND seq = ?"
        " RETURNING sender, start, duration, revision",
        (footprint.boot, footprint.seq),
    ).fetchall()
    for row in rows:
        database.execute(
            "UPDATE footprint SET state = ?, tries = tries + 1, sent_at = ?,"
            " due = ? + MIN(? << MIN(tries, ?), ?)"
            " WHERE sender = ? AND start = ? AND duration = ? AND revision = ?"
            " AND state IN (?, ?)",
            (
                State.OUT,
                now,
                now,
                _PATIENCE,
                _DOUBLINGS,
                _LONGEST_PATIENCE,
                *row,
                State.WAITING,
                State.OUT,
            ),
        )


def spend(database: sqlite3.Connection, footprint: Footprint) -> None:
    """Have a footprint go out under another number the next time, without waiting for an ack."""
    database.execute(
        "UPDATE sending SET is_out = 1 WHERE run = (SELECT id FROM run WHERE boot = ?) AND seq = ?",
        (footprint.boot, footprint.seq),
    )


def fits(database: sqlite3.Connection, run: Run, ack: Ack) -> bool:
    """Return whether an ack is about what was sent, as its digest shows."""
    number, last, highest, digest = run
    if ack.highest > last:
        return False
    if ack.highest == highest and digest is not None:
        return digest.hex() == ack.digest
    row = database.execute(
        "SELECT digest FROM sending WHERE run = ? AND seq = ?", (number, ack.highest)
    ).fetchone()
    return row is not None and row[0].hex() == ack.digest


def let_go(database: sqlite3.Connection, run: int, ack: Ack) -> int:
    """Let go of what an ack covers; return how many there were."""
    count = 0
    rows = database.execute(
        "SELECT seq, sender, start, duration, revision FROM sending WHERE run = ? AND seq <= ?",
        (run, ack.highest),
    ).fetchall()
    for seq, *place, revision in rows:
        if not ack.covers(seq):
            continue
        held = database.execute(
            "SELECT COUNT(*) FROM footprint WHERE sender = ? AND start = ? AND duration = ?"
            " AND revision = ? AND state < 3",
            (*place, revision),
        ).fetchone()[0]
        if held:
            drop_content(database, Place(*place), State.ACKNOWLEDGED)
            count += 1
        database.execute("DELETE FROM sending WHERE run = ? AND seq = ?", (run, seq))
    database.execute(
        "UPDATE run SET highest = ?, digest = ? WHERE id = ? AND highest <= ?",
        (ack.highest, bytes.fromhex(ack.digest), run, ack.highest),
    )
    return count
