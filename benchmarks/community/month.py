"""A month of ten thousand homes in the ledger, made by the engine itself in a minute.

One flow per home and hour: a message with three has three times as many rows. What the hub would
have taken one by one is written in bulk; totals and cells are then what a full recomputation makes
of it, which is the invariant that the tests hold the ledger to.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Final

from benchmarks.community import village
from custom_components.carbon_meter.community.ledger import statements
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.ledger.membership import FOREVER

HOMES: Final = 10_000
DAYS: Final = 30

_LISTS: Final = """
CREATE TEMP TABLE who (home TEXT PRIMARY KEY, number BIGINT, place BIGINT) WITHOUT ROWID;
CREATE TEMP TABLE slots (start BIGINT PRIMARY KEY, day BIGINT) WITHOUT ROWID;
"""

_REVISIONS: Final = """INSERT INTO revisions
  (community, home, start_at, duration, revision, digest, received_at, produced_ms, method,
  software, level, final)
SELECT ?, home, start, 3600, 0, printf('%032x%032x', start, number), start + 3700,
  (start + 3605) * 1000, 'location@1', 'carbon_meter bench', 'pseudonym', 0
FROM who CROSS JOIN slots WHERE (number * 31 + start / 3600) % 100 > 0"""
"""One period of a hundred is missing."""

_ITEMS: Final = """INSERT INTO items (community, home, start_at, duration, flow, kind, revision,
  hour_at, day_at, place, counted, quality, wh, mg, carbon_free, known, coverage, unsynced, factor)
SELECT community, home, start_at, 3600, 'grid_import', 'average', 0, start_at, s.day, w.place, 1,
  0, wh, wh * 312, wh / 2, wh, 10000, 0, 1
FROM (
  SELECT r.community, r.home, r.start_at,
    (7919 * CAST(substr(r.home, 2) AS INTEGER) + r.start_at / 60 * 131) % 1500 AS wh
  FROM revisions r
) AS told
JOIN who w USING (home) JOIN slots s ON s.start = told.start_at
ORDER BY 1, 2, 3"""


def first_day(now: float, days: int = DAYS) -> date:
    """Return the local day with which a month begins that is over now."""
    return village.last_midnight(now) - timedelta(days=days - 1)


def fill(path: Path, homes: int, begin: date, days: int) -> int:
    """Make a ledger of so many homes and local days; return how many items it holds."""
    ledger = Ledger(path, community=village.COMMUNITY, zone=village.ZONE)
    ledger.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("BEGIN")
    _enrol(connection, homes, begin)
    connection.execute("COMMIT")
    connection.executescript(_LISTS)
    connection.execute(
        "INSERT INTO who SELECT home, CAST(substr(home, 2) AS INTEGER), place FROM homes"
    )
    connection.execute("BEGIN")
    _list_hours(connection, begin, days)
    connection.execute("INSERT INTO factors VALUES (1, 'bench-grid', 'DE', 'average', '1', 3600)")
    connection.execute("INSERT INTO lengths SELECT ?, home, 3600 FROM who", (village.COMMUNITY,))
    connection.execute(_REVISIONS, (village.COMMUNITY,))
    connection.execute(_ITEMS)
    connection.execute("COMMIT")
    (count,) = connection.execute("SELECT COUNT(*) FROM items").fetchone()
    connection.close()
    ledger = Ledger(path, community=village.COMMUNITY, zone=village.ZONE)
    ledger.recompute()
    ledger.close()
    return int(count)


def _enrol(connection: sqlite3.Connection, homes: int, begin: date) -> None:
    """Make members: a place for each feeder and group together."""
    first = int(datetime(begin.year, begin.month, begin.day, tzinfo=village.ZONE).timestamp())
    places: dict[tuple[str, str], int] = {}
    for number in range(homes):
        where = (village.feeder(number), village.group(number))
        if where not in places:
            places[where] = len(places) + 1
            for scope, name in (
                ("community", village.COMMUNITY),
                ("feeder", where[0]),
                ("group", where[1]),
            ):
                connection.execute(
                    statements.PUT_PLACE, (village.COMMUNITY, places[where], scope, name)
                )
        connection.execute(
            statements.PUT_HOME,
            (village.COMMUNITY, village.name(number), first, FOREVER, places[where]),
        )


def _list_hours(connection: sqlite3.Connection, begin: date, days: int) -> None:
    """List the hours with the local day that each belongs to."""
    for place in range(days):
        day = begin + timedelta(days=place)
        first = _midnight(day)
        for start in range(first, _midnight(day + timedelta(days=1)), village.HOUR):
            connection.execute("INSERT INTO slots VALUES (?, ?)", (start, first))
        connection.execute(
            statements.PUT_DAY,
            (first, _midnight(day.replace(day=1)), _midnight(day.replace(month=1, day=1))),
        )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=village.ZONE).timestamp())
