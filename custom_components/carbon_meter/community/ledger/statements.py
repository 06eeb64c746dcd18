"""Every statement over the ledger: plain SQL over integers, one text for every engine.

COUNT, SUM, MIN, MAX, GROUP BY and upsert, nothing else: SQLite, DuckDB and PostgreSQL then agree
to the last digit. A sum of BIGINTs is wider than one in DuckDB (HUGEINT) and PostgreSQL (NUMERIC),
so it is cast back: there, as in SQLite, a sum beyond 64 bits is an error, never a wrong number.
Parameters are question marks; `with_percent` gives the form that psycopg wants.
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


def _sum(columns: tuple[str, ...], table: str = "") -> str:
    """Return the sums of columns, each under its own name."""
    prefix = f"{table}." if table else ""
    return ", ".join(f"CAST(SUM({prefix}{name}) AS BIGINT) AS {name}" for name in columns)


_NAMES: Final = ", ".join(SUMS)
_CELL_NAMES: Final = (
    f"community, grain, begin_at, scope, name, flow, kind, homes, {_NAMES}, lowest, highest"
)

# An item's part in each sum. Quality 0 is measured, 1 and 2 are not, 3 (missing) never counts.
_ITEM_SUMS: Final = """CAST(COUNT(*) AS BIGINT) AS periods,
  CAST(SUM(wh) AS BIGINT) AS wh,
  CAST(SUM(mg) AS BIGINT) AS mg,
  CAST(SUM(carbon_free) AS BIGINT) AS carbon_free,
  CAST(SUM(known) AS BIGINT) AS known,
  CAST(SUM(CASE WHEN quality = 0 THEN wh ELSE 0 END) AS BIGINT) AS measured,
  CAST(SUM(CASE WHEN quality = 0 THEN 0 ELSE wh END) AS BIGINT) AS estimated,
  CAST(SUM(coverage * duration) AS BIGINT) AS covered,
  CAST(SUM(duration) AS BIGINT) AS seconds,
  CAST(SUM(unsynced) AS BIGINT) AS unsynced"""

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

SHADOW_ITEMS: Final = """UPDATE items SET counted = 0
WHERE community = ? AND home = ? AND start_at >= ? AND start_at < ? AND duration < ?"""

PUT_REVISION: Final = """INSERT INTO revisions
  (community, home, start_at, duration, revision, digest, received_at, produced_ms, method,
  software, level, final)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

REVISIONS_OF: Final = """SELECT revision, digest FROM revisions
WHERE community = ? AND home = ? AND start_at = ? AND duration = ?"""

PUT_QUARANTINE: Final = """INSERT INTO quarantine
  (community, home, start_at, duration, revision, digest, received_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (community, home, start_at, duration, revision) DO NOTHING"""

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
  (community, grain, begin_at, home, place, flow, kind, {_NAMES})
VALUES (?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in SUMS)})
ON CONFLICT (community, grain, begin_at, home, place, flow, kind) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in SUMS)}"""

DROP_TOTAL: Final = """DELETE FROM totals WHERE community = ? AND grain = ? AND begin_at = ?
  AND home = ? AND place = ? AND flow = ? AND kind = ?"""

_CELL_VALUES: Final = ("homes", *SUMS, "lowest", "highest", "revision", "changed_at")

PUT_CELL: Final = f"""INSERT INTO cells ({_CELL_NAMES}, revision, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in _CELL_VALUES)})
ON CONFLICT (community, grain, scope, name, begin_at, flow, kind) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in _CELL_VALUES)}"""

CELL: Final = f"""SELECT homes, {_NAMES}, lowest, highest, revision FROM cells
WHERE community = ? AND grain = ? AND scope = ? AND name = ? AND begin_at = ?
  AND flow = ? AND kind = ?"""

CELLS: Final = f"""SELECT begin_at, flow, kind, homes, {_NAMES}, lowest, highest, revision,
  changed_at FROM cells
WHERE community = ? AND grain = ? AND scope = ? AND name = ? AND begin_at >= ? AND begin_at < ?
  AND homes > 0
ORDER BY begin_at, flow, kind"""

HOME_DAY: Final = f"""SELECT hour_at, place, flow, kind, {_ITEM_SUMS} FROM items
WHERE community = ? AND home = ? AND start_at >= ? AND start_at < ? AND day_at = ?
  AND counted = 1 AND place > 0
GROUP BY hour_at, place, flow, kind"""
"""What one home has in one local day, by hour."""

HOME_TOTALS: Final = f"""SELECT place, flow, kind, {_NAMES} FROM totals
WHERE community = ? AND grain = ? AND begin_at = ? AND home = ?"""

HOMES_OF_PERIOD: Final = f"""SELECT t.home, {_sum(SUMS, "t")}
FROM totals t JOIN places p ON p.community = t.community AND p.place = t.place
WHERE t.community = ? AND t.grain = ? AND t.begin_at = ? AND t.flow = ? AND t.kind = ?
  AND p.scope = ? AND p.name = ?
GROUP BY t.home ORDER BY t.home"""
"""The totals of each home of a scope in a day, month or year."""

HOMES_OF_HOUR: Final = f"""SELECT i.home, {_ITEM_SUMS}
FROM homes h
JOIN places p ON p.community = h.community AND p.place = h.place
JOIN items i ON i.community = h.community AND i.home = h.home
WHERE h.community = ? AND p.scope = ? AND p.name = ? AND h.first_day <= ? AND h.last_day > ?
  AND i.start_at >= ? AND i.start_at < ? AND i.hour_at = ? AND i.flow = ? AND i.kind = ?
  AND i.counted = 1
GROUP BY i.home ORDER BY i.home"""
"""The same in an hour."""

EXTREMES_OF_PERIOD: Final = f"SELECT MIN(wh), MAX(wh) FROM ({HOMES_OF_PERIOD}) AS homes_of_cell"
EXTREMES_OF_HOUR: Final = f"SELECT MIN(wh), MAX(wh) FROM ({HOMES_OF_HOUR}) AS homes_of_cell"

CONTRIBUTIONS: Final = """SELECT i.home, i.start_at, i.duration, i.revision, i.hour_at, i.day_at,
  i.place, i.wh, i.quality, i.factor, r.level
FROM homes h
JOIN items i ON i.community = h.community AND i.home = h.home
JOIN revisions r ON r.community = i.community AND r.home = i.home AND r.start_at = i.start_at
  AND r.duration = i.duration AND r.revision = i.revision
WHERE h.community = ? AND h.first_day <= i.day_at AND h.last_day > i.day_at
  AND i.start_at >= ? AND i.start_at < ? AND i.day_at >= ? AND i.day_at < ?
  AND i.flow = ? AND i.kind = ? AND i.counted = 1 AND i.place > 0
ORDER BY i.home, i.start_at, i.duration"""

EXPECTED: Final = """SELECT COUNT(*) FROM (
  SELECT h.home FROM homes h
  JOIN places p ON p.community = h.community AND p.place = h.place
  WHERE h.community = ? AND p.scope = ? AND p.name = ? AND h.first_day < ? AND h.last_day > ?
  GROUP BY h.home
) AS members"""

STARTS: Final = """SELECT start_at FROM revisions
WHERE community = ? AND home = ? AND duration = ? AND start_at >= ? AND start_at < ?
GROUP BY start_at ORDER BY start_at"""

HOME_DAYS: Final = """SELECT day_at FROM items WHERE community = ? AND home = ? AND day_at >= ?
GROUP BY day_at"""

PLACE_ITEMS: Final = """UPDATE items SET place = ?
WHERE community = ? AND home = ? AND day_at >= ?"""

FORGET_HOME: Final = tuple(
    f"DELETE FROM {table} WHERE community = ? AND home = ?"
    for table in ("items", "revisions", "quarantine", "lengths", "homes")
)

_DAY_TOTALS: Final = f"""INSERT INTO fresh_totals
  (community, grain, begin_at, home, place, flow, kind, {_NAMES})
SELECT community, 'day', day_at, home, place, flow, kind, {_ITEM_SUMS}
FROM items WHERE counted = 1 AND place > 0
GROUP BY community, home, day_at, place, flow, kind"""


def _longer_totals(grain: str) -> str:
    """Return the statement that adds days up to months or years."""
    return f"""INSERT INTO fresh_totals
  (community, grain, begin_at, home, place, flow, kind, {_NAMES})
SELECT t.community, '{grain}', d.{grain}_at, t.home, t.place, t.flow, t.kind, {_sum(SUMS, "t")}
FROM fresh_totals t JOIN days d ON d.day_at = t.begin_at
WHERE t.grain = 'day'
GROUP BY t.community, d.{grain}_at, t.home, t.place, t.flow, t.kind"""


# An hour has one period of an hour from a home or several shorter ones, never both: only the
# latter have to be added up by home first. A place is in one cell of each of its scopes.
_HOUR_CELLS: Final = f"""INSERT INTO fresh_cells ({_CELL_NAMES}, revision, changed_at)
SELECT g.community, 'hour', g.hour_at, p.scope, p.name, g.flow, g.kind, {_sum(("homes",), "g")},
  {_sum(SUMS, "g")}, MIN(g.lowest), MAX(g.highest), 0, 0
FROM (
  SELECT community, hour_at, place, flow, kind, CAST(COUNT(*) AS BIGINT) AS homes, {_ITEM_SUMS},
    MIN(wh) AS lowest, MAX(wh) AS highest
  FROM items WHERE counted = 1 AND place > 0 AND duration = 3600
  GROUP BY community, hour_at, place, flow, kind
  UNION ALL
  SELECT community, hour_at, place, flow, kind, CAST(COUNT(*) AS BIGINT) AS homes, {_sum(SUMS)},
    MIN(wh) AS lowest, MAX(wh) AS highest
  FROM (
    SELECT community, hour_at, place, flow, kind, home, {_ITEM_SUMS}
    FROM items WHERE counted = 1 AND place > 0 AND duration < 3600
    GROUP BY community, hour_at, place, flow, kind, home
  ) AS quarters
  GROUP BY community, hour_at, place, flow, kind
) AS g JOIN places p ON p.community = g.community AND p.place = g.place
GROUP BY g.community, g.hour_at, p.scope, p.name, g.flow, g.kind"""

_LONGER_CELLS: Final = f"""INSERT INTO fresh_cells ({_CELL_NAMES}, revision, changed_at)
SELECT community, grain, begin_at, scope, name, flow, kind, CAST(COUNT(*) AS BIGINT),
  {_sum(SUMS)}, MIN(wh), MAX(wh), 0, 0
FROM (
  SELECT t.community, t.grain, t.begin_at, p.scope, p.name, t.flow, t.kind, t.home,
    {_sum(SUMS, "t")}
  FROM fresh_totals t JOIN places p ON p.community = t.community AND p.place = t.place
  GROUP BY t.community, t.grain, t.begin_at, p.scope, p.name, t.flow, t.kind, t.home
) AS homes_of_cells
GROUP BY community, grain, begin_at, scope, name, flow, kind"""

CLEAR_FRESH: Final = ("DELETE FROM fresh_totals", "DELETE FROM fresh_cells")

RECOMPUTE: Final = (
    *CLEAR_FRESH,
    _DAY_TOTALS,
    _longer_totals("month"),
    _longer_totals("year"),
    _HOUR_CELLS,
    _LONGER_CELLS,
)
"""From the items alone to all totals and cells, in this order."""

_TOTAL_NAMES: Final = f"community, grain, begin_at, home, place, flow, kind, {_NAMES}"


def _difference(names: str, one: str, other: str, where: str = "") -> str:
    """Return the statement for the rows that one table has and the other has not."""
    return f"SELECT {names} FROM {one}{where} EXCEPT SELECT {names} FROM {other}"


WRONG_CELLS: Final = _difference(_CELL_NAMES, "cells", "fresh_cells", " WHERE homes > 0")
RIGHT_CELLS: Final = _difference(_CELL_NAMES, "fresh_cells", "cells")
WRONG_TOTALS: Final = _difference(_TOTAL_NAMES, "totals", "fresh_totals")
RIGHT_TOTALS: Final = _difference(_TOTAL_NAMES, "fresh_totals", "totals")

ALL_CELLS: Final = f"""SELECT {_CELL_NAMES} FROM fresh_cells
ORDER BY community, grain, begin_at, scope, name, flow, kind"""
"""What a recomputation came to, for a digest; times and revisions of cells are no part of it."""
