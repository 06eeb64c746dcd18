"""Footprints in the file: the newest revision of each period, within the bound."""

from enum import IntEnum
import sqlite3
from typing import NamedTuple

from ..contract.message import Footprint
from ..contract.refusal import Code, RefusedError
from ..contract.revisions import Standing, standing
from ..contract.writing import write
from .body import packed


class State(IntEnum):
    """Where a footprint is on its way."""

    WAITING = 0
    OUT = 1
    REFUSED = 2
    ACKNOWLEDGED = 3
    """From here on its content is gone."""

    WANTED = 4
    """It was let go, but the hub asks for it: it has to be put again."""

    GIVEN_UP = 5


class Place(NamedTuple):
    """The key of a row: the number of the sender, start and duration in seconds."""

    sender: int
    start: int
    duration: int


def sender_of(database: sqlite3.Connection, community: str, home: str) -> int:
    """Return the number under which a home of a community is kept."""
    names = (community, home)
    database.execute(
        "INSERT INTO sender (community, home) VALUES (?, ?) ON CONFLICT DO NOTHING", names
    )
    number: int = database.execute(
        "SELECT id FROM sender WHERE community = ? AND home = ?", names
    ).fetchone()[0]
    return number


def keep(database: sqlite3.Connection, footprint: Footprint) -> Standing:
    """Store a footprint if it is newer than what is held, or the same that was let go.

    Raises RefusedError for what a hub would refuse, or another content of the same revision.
    """
    _, payload = write(footprint)
    sender = sender_of(database, footprint.community, footprint.home)
    place = Place(sender, footprint.start, footprint.duration)
    held = database.execute(
        "SELECT revision, digest, state FROM footprint"
        " WHERE sender = ? AND start = ? AND duration = ?",
        place,
    ).fetchone()
    digest = footprint.digest
    if held is None:
        if _is_forgotten(database, place):
            _count_dropped(database)
            return Standing.OLDER
        result = Standing.NEWER
    else:
        result = standing(footprint.revision, digest, held[0], held[1].hex())
        if result is Standing.CONFLICT:
            raise RefusedError(
                Code.CONFLICT,
                "CM-26",
                f"revision {footprint.revision} of {footprint.start} has another content already",
            )
        again = result is Standing.SAME and held[2] in {State.WANTED, State.GIVEN_UP}
        if result is not Standing.NEWER and not again:
            return result
    database.execute(
        "INSERT INTO footprint (sender, start, duration, revision, digest, state)"
        " VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET revision = excluded.revision, digest = excluded.digest,"
        " state = excluded.state, tries = 0, sent_at = NULL, due = NULL",
        (*place, footprint.revision, bytes.fromhex(digest), State.WAITING),
    )
    database.execute(
        "INSERT INTO content (sender, start, duration, body) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET body = excluded.body",
        (*place, packed(payload)),
    )
    return result


def keep_bound(database: sqlite3.Connection, most: int) -> None:
    """Give up what is beyond the bound: first what is refused, then the earliest periods.

    As many again are remembered by their revision alone.
    """
    held = database.execute("SELECT COUNT(*) FROM footprint WHERE state < 3").fetchone()[0]
    for row in database.execute(
        "SELECT sender, start, duration FROM footprint WHERE state < 3"
        " ORDER BY state <> ?, start, duration, sender LIMIT ?",
        (State.REFUSED, max(0, held - most)),
    ).fetchall():
        give_up(database, Place(*row))
    empty = database.execute("SELECT COUNT(*) FROM footprint WHERE state >= 3").fetchone()[0]
    for row in database.execute(
        "SELECT sender, start, duration FROM footprint WHERE state >= 3"
        " ORDER BY start, duration, sender LIMIT ?",
        (max(0, empty - most),),
    ).fetchall():
        _forget(database, Place(*row))


def give_up(database: sqlite3.Connection, place: Place) -> None:
    """Let go of the content of a footprint that the hub does not have, and count it."""
    withhold(database, place)
    _count_dropped(database)


def withhold(database: sqlite3.Connection, place: Place) -> None:
    """Let go of the content of a footprint, and of the number under which it went out."""
    drop_content(database, place, State.GIVEN_UP)
    database.execute("DELETE FROM sending WHERE sender = ? AND start = ? AND duration = ?", place)


def drop_content(database: sqlite3.Connection, place: Place, state: State) -> None:
    """Remember a footprint by its revision alone, in the state that this leaves it in."""
    database.execute(
        "UPDATE footprint SET state = ?, sent_at = NULL, due = NULL"
        " WHERE sender = ? AND start = ? AND duration = ?",
        (state, *place),
    )
    database.execute("DELETE FROM content WHERE sender = ? AND start = ? AND duration = ?", place)


def _forget(database: sqlite3.Connection, place: Place) -> None:
    """Forget a period; it is not taken any more, as its revisions are no longer known."""
    database.execute("DELETE FROM footprint WHERE sender = ? AND start = ? AND duration = ?", place)
    database.execute(
        "INSERT INTO horizon (sender, start, duration) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET start = MAX(start, excluded.start)",
        place,
    )


def _is_forgotten(database: sqlite3.Connection, place: Place) -> bool:
    """Return whether a period lies where revisions have been forgotten."""
    row = database.execute(
        "SELECT start FROM horizon WHERE sender = ? AND duration = ?",
        (place.sender, place.duration),
    ).fetchone()
    return row is not None and place.start <= row[0]


def _count_dropped(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO counter (name, value) VALUES ('dropped', 1)"
        " ON CONFLICT DO UPDATE SET value = value + 1"
    )
