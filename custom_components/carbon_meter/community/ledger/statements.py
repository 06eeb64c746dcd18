"""The statements over the ledger: plain SQL over integers, one text for every engine.

COUNT, SUM, MIN, MAX, GROUP BY and upsert, nothing else: SQLite, DuckDB and PostgreSQL then agree
to the last digit. A sum of BIGINTs is wider than one in DuckDB (HUGEINT) and PostgreSQL (NUMERIC),
so it is cast back: there, as in SQLite, a sum beyond 64 bits is an error, never a wrong number.
Parameters are question marks; `with_percent` gives the form that psycopg wants. Those of a full
recomputation are in `fresh`.
"""

# ruff: noqa: S608  # built from the names of this package, never from what anybody said

import re
from typing import Final

from .schema import SUMS

_VALUES: Final = re.compile(r"VALUES (\([?, ]+\))")


def with_percent(statement: str) -> str:
    """Return a statement with its parameters as psycopg writes them."""
    return statement.replace("?", "%s")


def of_rows(statement: str, rows: int) -> str:
    """Return an INSERT of one row as one of several: DuckDB takes hundreds of times as many.

    No two rows of one statement may have the same key.
    """
    head, values, rest = _VALUES.split(statement, maxsplit=1)
    return head + "VALUES " + ", ".join([values] * rows) + rest


def sum_of(columns: tuple[str, ...], table: str = "") -> str:
    """Return the sums of columns, each under its own name."""
    prefix = f"{table}." if table else ""
    return ", ".join(f"CAST(SUM({prefix}{name}) AS BIGINT) AS {name}" for name in columns)


NAMES: Final = ", ".join(SUMS)
CELL_NAMES: Final = (
    f"community, grain, begin_at, scope, name, flow, kind, homes, {NAMES}, lowest, highest"
)


def sums_of_items(duration: int | None = None) -> str:
    """Return an item's part in each sum, for one duration or for any.

    Quality 0 is measured, 1 and 2 are not, 3 (missing) never counts. No energy is negative.
    """
    covered, seconds = (
        ("SUM(coverage * duration)", "SUM(duration)")
        if duration is None
        else (f"SUM(coverage) * {duration}", f"COUNT(*) * {duration}")
    )
    measured = "CAST(SUM(CASE WHEN quality = 0 THEN wh ELSE 0 END) AS BIGINT)"
    return f"""CAST(COUNT(*) AS BIGINT) AS periods,
  CAST(SUM(wh) AS BIGINT) AS wh,
  CAST(SUM(mg) AS BIGINT) AS mg,
  CAST(SUM(carbon_free) AS BIGINT) AS carbon_free,
  CAST(SUM(known) AS BIGINT) AS known,
  {measured} AS measured,
  CAST(SUM(wh) AS BIGINT) - {measured} AS estimated,
  CAST({covered} AS BIGINT) AS covered,
  CAST({seconds} AS BIGINT) AS seconds,
  CAST(SUM(unsynced) AS BIGINT) AS unsynced"""


ITEM_SUMS: Final = sums_of_items()

PUT_ITEM: Final = """INSERT INTO items (community, home, start_at, duration, flow, kind, revision,
  hour_at, day_at, place, counted, quality, wh, mg, carbon_free, known, coverage, unsynced, factor)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (community, home, start_at, duration, flow) DO UPDATE SET
  kind = excluded.kind, revision = excluded.revision, hour_at = excluded.hour_at,
  day_at = excluded.day_at, place = excluded.place, counted = excluded.counted,
  quality = excluded.quality, wh = excluded.wh, mg = excluded.mg,
  carbon_free = excluded.carbon_free, known = excluded.known, coverage = excluded.coverage,
  unsynced = excluded.unsynced, factor = excluded.factor
WHERE excluded.revision > items.revision"""
"""The highest revision wins, in whatever order they come."""

DROP_OLDER_ITEMS: Final = """DELETE FROM items
WHERE community = ? AND home = ? AND start_at = ? AND duration = ? AND revision < ?"""
"""A flow that a later revision no longer has is gone."""

KEEP_FORMER: Final = """INSERT INTO former
  (community, home, start_at, duration, flow, revision, wh)
SELECT community, home, start_at, duration, flow, revision, wh FROM items
WHERE community = ? AND home = ? AND start_at = ? AND duration = ? AND revision < ?
ON CONFLICT (community, home, start_at, duration, flow, revision) DO NOTHING"""
"""What is about to be replaced or dropped: a revision of an item goes once only."""

FORMER: Final = """SELECT wh FROM items
WHERE community = ? AND home = ? AND start_at = ? AND duration = ? AND flow = ? AND revision = ?
UNION ALL
SELECT wh FROM former
WHERE community = ? AND home = ? AND start_at = ? AND duration = ? AND flow = ? AND revision = ?"""
"""What a revision has told, whether or not it still counts."""

SHADOW_ITEMS: Final = """UPDATE items SET counted = 0
WHERE community = ? AND home = ? AND start_at >= ? AND start_at < ? AND duration < ?"""

PUT_REVISION: Final = """INSERT INTO revisions
  (community, home, start_at, duration, revision, digest, received_at, produced_ms, method,
  software, level, final)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_OF_PERIOD: Final = """FROM revisions
WHERE community = ? AND home = ? AND start_at = ? AND duration = ?"""

DIGEST: Final = f"SELECT digest {_OF_PERIOD} AND revision = ?"

HIGHEST: Final = f"SELECT MAX(revision) {_OF_PERIOD}"

COUNT_REVISIONS: Final = f"SELECT COUNT(*) FROM (SELECT revision {_OF_PERIOD} LIMIT ?) AS told"
"""Of a period, no more than asked for: a file of before the bound may hold any number."""

LATEST: Final = "SELECT MAX(start_at) FROM revisions WHERE community = ? AND home = ?"

PUT_UNBOOKED: Final = """INSERT INTO unbooked
  (community, home, day_at, start_at, duration, received_at)
VALUES (?, ?, ?, ?, ?, ?)"""

UNBOOKED_DAYS: Final = """SELECT home, day_at, MAX(received_at) FROM unbooked WHERE community = ?
GROUP BY home, day_at ORDER BY home, day_at LIMIT ?"""

COUNT_UNBOOKED: Final = """SELECT COUNT(*) FROM (
  SELECT home FROM unbooked WHERE community = ? GROUP BY home, day_at
) AS days"""

QUARANTINE_UNBOOKED: Final = """INSERT INTO quarantine
  (community, home, start_at, duration, revision, digest, received_at, body)
SELECT r.community, r.home, r.start_at, r.duration, r.revision, r.digest, r.received_at, '{}'
FROM unbooked u JOIN revisions r ON r.community = u.community AND r.home = u.home
  AND r.start_at = u.start_at AND r.duration = u.duration
WHERE u.community = ? AND u.home = ? AND u.day_at = ?
ON CONFLICT (community, home, start_at, duration, revision) DO NOTHING"""

UNCOUNT_UNBOOKED: Final = """UPDATE items SET counted = 0
WHERE community = ? AND home = ? AND day_at = ? AND EXISTS (
  SELECT 1 FROM unbooked u
  WHERE u.community = items.community AND u.home = items.home AND u.day_at = items.day_at
    AND u.start_at = items.start_at AND u.duration = items.duration
)"""

DROP_UNBOOKED: Final = "DELETE FROM unbooked WHERE community = ? AND home = ? AND day_at = ?"

PUT_QUARANTINE: Final = """INSERT INTO quarantine
  (community, home, start_at, duration, revision, digest, received_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (community, home, start_at, duration, revision) DO NOTHING"""

COUNT_QUARANTINE: Final = """SELECT COUNT(*) FROM (
  SELECT home FROM quarantine WHERE community = ? AND home = ? LIMIT ?
) AS apart"""

FACTOR: Final = """SELECT factor FROM factors
WHERE source = ? AND zone = ? AND kind = ? AND version = ? AND resolution = ?"""

HIGHEST_FACTOR: Final = "SELECT MAX(factor) FROM factors"

PUT_FACTOR: Final = """INSERT INTO factors (factor, source, zone, kind, version, resolution)
VALUES (?, ?, ?, ?, ?, ?)"""

DROP_UNUSED: Final = """DELETE FROM factors WHERE factor = ?
  AND NOT EXISTS (SELECT 1 FROM used_factors u WHERE u.factor = ?)"""
"""An intensity that nobody has named any more."""

USED: Final = "SELECT factor FROM used_factors WHERE community = ? AND home = ?"

COUNT_USED: Final = "SELECT COUNT(*) FROM used_factors WHERE community = ? AND home = ?"

HAS_USED: Final = f"{USED} AND factor = ?"

PUT_USED: Final = "INSERT INTO used_factors (community, home, factor) VALUES (?, ?, ?)"

FORGET_USED: Final = "DELETE FROM used_factors WHERE community = ? AND home = ?"

PUT_LENGTH: Final = """INSERT INTO lengths (community, home, duration) VALUES (?, ?, ?)
ON CONFLICT (community, home, duration) DO NOTHING"""

PUT_DAY: Final = """INSERT INTO days (day_at, month_at, year_at) VALUES (?, ?, ?)
ON CONFLICT (day_at) DO NOTHING"""

PUT_PLACE: Final = "INSERT INTO places (community, place, scope, name) VALUES (?, ?, ?, ?)"

PUT_HOME: Final = """INSERT INTO homes (community, home, first_day, last_day, place)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (community, home, first_day) DO UPDATE SET
  last_day = excluded.last_day, place = excluded.place"""

PUT_TOTAL: Final = f"""INSERT INTO totals
  (community, grain, begin_at, home, place, flow, kind, {NAMES})
VALUES (?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in SUMS)})
ON CONFLICT (community, grain, begin_at, home, place, flow, kind) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in SUMS)}"""

DROP_TOTAL: Final = """DELETE FROM totals WHERE community = ? AND grain = ? AND begin_at = ?
  AND home = ? AND place = ? AND flow = ? AND kind = ?"""

_CELL_VALUES: Final = ("homes", *SUMS, "lowest", "highest", "revision", "changed_at")

PUT_CELL: Final = f"""INSERT INTO cells ({CELL_NAMES}, revision, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in _CELL_VALUES)})
ON CONFLICT (community, grain, scope, name, begin_at, flow, kind) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in _CELL_VALUES)}"""

CELL: Final = f"""SELECT homes, {NAMES}, lowest, highest, revision FROM cells
WHERE community = ? AND grain = ? AND scope = ? AND name = ? AND begin_at = ?
  AND flow = ? AND kind = ?"""

CELLS: Final = f"""SELECT begin_at, flow, kind, homes, {NAMES}, lowest, highest, revision,
  changed_at FROM cells
WHERE community = ? AND grain = ? AND scope = ? AND name = ? AND begin_at >= ? AND begin_at < ?
  AND homes > 0
ORDER BY begin_at, flow, kind"""

HOME_DAY: Final = f"""SELECT hour_at, place, flow, kind, {ITEM_SUMS} FROM items
WHERE community = ? AND home = ? AND start_at >= ? AND start_at < ? AND day_at = ?
  AND counted = 1 AND place > 0
GROUP BY hour_at, place, flow, kind"""
"""What one home has in one local day, by hour."""

HOME_DAY_BOOKED: Final = f"""SELECT hour_at, place, flow, kind, {ITEM_SUMS} FROM items
WHERE community = ? AND home = ? AND start_at >= ? AND start_at < ? AND day_at = ?
  AND counted = 1 AND place > 0
  AND NOT EXISTS (
    SELECT 1 FROM unbooked u
    WHERE u.community = items.community AND u.home = items.home AND u.day_at = items.day_at
      AND u.start_at = items.start_at AND u.duration = items.duration
  )
GROUP BY hour_at, place, flow, kind"""
"""What of it is in totals and cells."""

HOME_TOTALS: Final = f"""SELECT place, flow, kind, {NAMES} FROM totals
WHERE community = ? AND grain = ? AND begin_at = ? AND home = ?"""

_PLACES_OF_SCOPE: Final = "SELECT place FROM places WHERE community = ? AND scope = ? AND name = ?"

_OF_PERIOD_BY_HOME: Final = f"""FROM totals
WHERE community = ? AND grain = ? AND begin_at = ? AND flow = ? AND kind = ?
  AND place IN ({_PLACES_OF_SCOPE})
GROUP BY home"""

HOMES_OF_PERIOD: Final = f"SELECT home, {sum_of(SUMS)}\n{_OF_PERIOD_BY_HOME} ORDER BY home"
"""The totals of each home of a scope in a day, month or year."""

# Of a CROSS JOIN SQLite takes the first table first. From items it would read all there are.
_OF_HOUR_BY_HOME: Final = f"""FROM homes h CROSS JOIN items i
WHERE h.community = ? AND h.first_day <= ? AND h.last_day > ? AND h.place IN ({_PLACES_OF_SCOPE})
  AND i.community = h.community AND i.home = h.home
  AND i.start_at >= ? AND i.start_at < ? AND i.hour_at = ? AND i.flow = ? AND i.kind = ?
  AND i.counted = 1
  AND NOT EXISTS (
    SELECT 1 FROM unbooked u
    WHERE u.community = i.community AND u.home = i.home AND u.day_at = i.day_at
      AND u.start_at = i.start_at AND u.duration = i.duration
  )
GROUP BY h.home"""

HOMES_OF_HOUR: Final = f"SELECT h.home, {ITEM_SUMS}\n{_OF_HOUR_BY_HOME} ORDER BY h.home"
"""The same in an hour, as far as it is in the cell."""

_EXTREMES: Final = f"SELECT MIN(wh), MAX(wh) FROM (SELECT {sum_of(('wh',))}\n%s) AS homes_of_cell"

EXTREMES_OF_PERIOD: Final = _EXTREMES % _OF_PERIOD_BY_HOME
EXTREMES_OF_HOUR: Final = _EXTREMES % _OF_HOUR_BY_HOME

# Level and quality in one column: whether it is estimated times 2, and whether it is clear.
_PARTS: Final = """SELECT i.home, i.start_at, i.duration, i.revision, i.hour_at, i.day_at, i.place,
  i.wh, i.mg, i.carbon_free, i.known, i.coverage,
  CASE WHEN i.quality = 0 THEN 0 ELSE 2 END + {clear}, i.factor
FROM homes h CROSS JOIN items i{revisions}
WHERE h.community = ? AND i.community = h.community AND i.home = h.home
  AND h.first_day <= i.day_at AND h.last_day > i.day_at
  AND i.start_at >= ? AND i.start_at < ? AND i.flow = ? AND i.kind = ?
  AND i.counted = 1 AND i.place > 0"""

_CLEAR: Final = "CASE WHEN r.level = 'clear' THEN 1 ELSE 0 END"
_REVISIONS: Final = """
JOIN revisions r ON r.community = i.community AND r.home = i.home AND r.start_at = i.start_at
  AND r.duration = i.duration AND r.revision = i.revision"""

PARTS: Final = _PARTS.format(clear="0", revisions="")
PARTS_WITH_LEVEL: Final = _PARTS.format(clear=_CLEAR, revisions=_REVISIONS)

PART: Final = f"""SELECT i.place, i.wh, i.coverage,
  CASE WHEN i.quality = 0 THEN 0 ELSE 1 END, {_CLEAR}
FROM items i{_REVISIONS}
WHERE i.community = ? AND i.home = ? AND i.start_at = ? AND i.duration = ? AND i.flow = ?
  AND i.kind = ? AND i.revision = ? AND i.counted = 1 AND i.place > 0"""

TOTALS_OF_PERIOD: Final = """SELECT home, place, wh FROM totals
WHERE community = ? AND grain = ? AND begin_at = ? AND flow = ? AND kind = ?"""

STANDING: Final = """SELECT begin_at, flow, kind, CAST(SUM(revision + 1) AS BIGINT),
  MAX(changed_at), MAX(homes) FROM cells
WHERE community = ? AND grain = ? AND begin_at >= ?
GROUP BY begin_at, flow, kind"""
"""How often and when any cell of a time, flow and kind has changed, and of how many homes it is."""

PUT_PUBLISHED: Final = """INSERT INTO published (community, times) VALUES (?, ?)
ON CONFLICT (community) DO UPDATE SET times = excluded.times"""

PUBLISHED: Final = "SELECT times FROM published WHERE community = ?"

STARTS: Final = """SELECT start_at FROM revisions
WHERE community = ? AND home = ? AND duration = ? AND start_at >= ? AND start_at < ?
GROUP BY start_at ORDER BY start_at"""

HOME_DAYS: Final = """SELECT day_at FROM items WHERE community = ? AND home = ? AND day_at >= ?
GROUP BY day_at"""

PLACE_ITEMS: Final = """UPDATE items SET place = ?
WHERE community = ? AND home = ? AND day_at >= ?"""

FORGET_HOME: Final = tuple(
    f"DELETE FROM {table} WHERE community = ? AND home = ?"
    for table in ("items", "former", "revisions", "quarantine", "unbooked", "lengths", "homes")
)
