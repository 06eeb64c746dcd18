"""The statements of a full recomputation: from items and memberships alone to totals and cells.

Of the same kind as all others in `statements`: one text for every engine.
"""

# ruff: noqa: S608  # built from the names of this package, never from what anybody said

from typing import Final

from .schema import SUMS
from .statements import CELL_NAMES, ITEM_SUMS, NAMES, sum_of, sums_of_items

# Which flows there are, by which kinds of intensity.
_SERIES: Final = """INSERT INTO fresh_series (community, flow, kind)
SELECT DISTINCT community, flow, kind FROM items
WHERE community = ? AND counted = 1 AND place > 0"""

# Nested loops in the order of the groups: SQLite then sorts nothing. A home has one place on a
# day. What belongs to a day begins half of its length before it at the earliest, and a day has 25
# hours at most.
_DAY_TOTALS: Final = f"""INSERT INTO fresh_totals
  (community, grain, begin_at, home, place, flow, kind, {NAMES})
SELECT h.community, 'day', d.day_at, h.home, MIN(i.place), s.flow, s.kind, {ITEM_SUMS}
FROM homes h CROSS JOIN days d CROSS JOIN fresh_series s CROSS JOIN items i
WHERE h.community = ? AND d.day_at >= h.first_day AND d.day_at < h.last_day
  AND s.community = h.community AND i.community = h.community AND i.home = h.home
  AND i.start_at >= d.day_at - (SELECT COALESCE(MAX(duration), 86400) FROM lengths) / 2
  AND i.start_at < d.day_at + 90000 AND i.day_at = d.day_at
  AND i.flow = s.flow AND i.kind = s.kind AND i.counted = 1 AND i.place = h.place
GROUP BY h.community, h.home, h.first_day, d.day_at, s.flow, s.kind"""


def _longer_totals(grain: str) -> str:
    """Return the statement that adds days up to months or years."""
    return f"""INSERT INTO fresh_totals
  (community, grain, begin_at, home, place, flow, kind, {NAMES})
SELECT t.community, '{grain}', d.{grain}_at, t.home, t.place, t.flow, t.kind, {sum_of(SUMS, "t")}
FROM fresh_totals t JOIN days d ON d.day_at = t.begin_at
WHERE t.community = ? AND t.grain = 'day'
GROUP BY t.community, d.{grain}_at, t.home, t.place, t.flow, t.kind"""


def _cells_of_places(grain: str, places: str) -> str:
    """Return the statement that adds the sums of places up to cells, one for each scope."""
    return f"""INSERT INTO fresh_cells ({CELL_NAMES}, revision, changed_at)
SELECT p.community, '{grain}', g.begin_at, p.scope, p.name, g.flow, g.kind,
  {sum_of(("homes",), "g")}, {sum_of(SUMS, "g")}, MIN(g.lowest), MAX(g.highest), 0, 0
FROM ({places}) AS g JOIN places p ON p.community = ? AND p.place = g.place
GROUP BY p.community, g.begin_at, p.scope, p.name, g.flow, g.kind"""


_HOMES: Final = "CAST(COUNT(*) AS BIGINT) AS homes"
_EXTREMES: Final = "MIN(wh) AS lowest, MAX(wh) AS highest"

_ITEMS_OF_PLACES: Final = """FROM homes h CROSS JOIN items i
  WHERE h.community = ? AND h.place >= ? AND h.place < ?
    AND i.community = h.community AND i.home = h.home AND i.flow = ? AND i.kind = ?
    AND i.day_at >= h.first_day AND i.day_at < h.last_day
    AND i.counted = 1 AND i.place = h.place AND i.place > 0"""

HOURS_OF_PLACES: Final = f"""INSERT INTO fresh_hours
  (community, flow, kind, place, begin_at, homes, {NAMES}, lowest, highest)
SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), place, begin_at,
  {sum_of(("homes",))}, {sum_of(SUMS)}, MIN(lowest), MAX(highest)
FROM (
  SELECT i.hour_at AS begin_at, i.place, {_HOMES}, {sums_of_items(3600)}, {_EXTREMES}
  {_ITEMS_OF_PLACES} AND i.duration = 3600
  GROUP BY i.hour_at, i.place
  UNION ALL
  SELECT begin_at, place, {_HOMES}, {sum_of(SUMS)}, {_EXTREMES}
  FROM (
    SELECT i.hour_at AS begin_at, i.place, i.home, {ITEM_SUMS}
    {_ITEMS_OF_PLACES} AND i.duration < 3600
      AND EXISTS (
        SELECT 1 FROM lengths l
        WHERE l.community = h.community AND l.home = h.home AND l.duration < 3600
      )
    GROUP BY i.hour_at, i.place, i.home
  ) AS quarters
  GROUP BY begin_at, place
) AS hours
GROUP BY place, begin_at"""
"""What the homes of places in [first, end) have in each hour of one flow and kind.

Parameters: community, flow, kind, then twice community, first, end, flow, kind. An hour has one
period of an hour from a home or several shorter ones, never both: only the latter have to be
added up by home first, and are looked for only where a home tells such.
"""

_HOUR_CELLS: Final = _cells_of_places(
    "hour",
    f"""
  SELECT begin_at, place, flow, kind, homes, {NAMES}, lowest, highest
  FROM fresh_hours WHERE community = ?
""",
)

# A home is in one place on a day.
_DAY_CELLS: Final = _cells_of_places(
    "day",
    f"""
  SELECT begin_at, place, flow, kind, {_HOMES}, {sum_of(SUMS)}, {_EXTREMES}
  FROM fresh_totals WHERE community = ? AND grain = 'day'
  GROUP BY begin_at, place, flow, kind
""",
)

# In a month or a year it can have been in several, of one scope as well.
_LONGER_CELLS: Final = f"""INSERT INTO fresh_cells ({CELL_NAMES}, revision, changed_at)
SELECT community, grain, begin_at, scope, name, flow, kind, CAST(COUNT(*) AS BIGINT),
  {sum_of(SUMS)}, MIN(wh), MAX(wh), 0, 0
FROM (
  SELECT t.community, t.grain, t.begin_at, p.scope, p.name, t.flow, t.kind, t.home,
    {sum_of(SUMS, "t")}
  FROM fresh_totals t JOIN places p ON p.community = t.community AND p.place = t.place
  WHERE t.community = ? AND t.grain IN ('month', 'year')
  GROUP BY t.community, t.grain, t.begin_at, p.scope, p.name, t.flow, t.kind, t.home
) AS homes_of_cells
GROUP BY community, grain, begin_at, scope, name, flow, kind"""

CLEAR_FRESH: Final = (
    "DELETE FROM fresh_series",
    "DELETE FROM fresh_totals",
    "DELETE FROM fresh_hours",
    "DELETE FROM fresh_cells",
)

FRESH_TOTALS: Final = (_SERIES, _DAY_TOTALS, _longer_totals("month"), _longer_totals("year"))
"""From items and memberships alone to all totals; every parameter is the community."""

FRESH_CELLS: Final = (_HOUR_CELLS, _DAY_CELLS, _LONGER_CELLS)
"""From those and the hours of all places to all cells; every parameter is the community."""

SERIES: Final = "SELECT flow, kind FROM fresh_series WHERE community = ? ORDER BY flow, kind"

PLACES_OF_HOMES: Final = """SELECT place, COUNT(*) FROM homes WHERE community = ? AND place > 0
GROUP BY place ORDER BY place"""

_TOTAL_NAMES: Final = f"community, grain, begin_at, home, place, flow, kind, {NAMES}"


def _difference(names: str, one: str, other: str, where: str = "") -> str:
    """Return the statement for the rows that one table has and the other has not."""
    return f"SELECT {names} FROM {one}{where} EXCEPT SELECT {names} FROM {other}"


WRONG_CELLS: Final = _difference(CELL_NAMES, "cells", "fresh_cells", " WHERE homes > 0")
RIGHT_CELLS: Final = _difference(CELL_NAMES, "fresh_cells", "cells")
WRONG_TOTALS: Final = _difference(_TOTAL_NAMES, "totals", "fresh_totals")
RIGHT_TOTALS: Final = _difference(_TOTAL_NAMES, "fresh_totals", "totals")

ALL_CELLS: Final = f"""SELECT {CELL_NAMES} FROM fresh_cells
ORDER BY community, grain, begin_at, scope, name, flow, kind"""
"""What a recomputation came to, for a digest; times and revisions of cells are no part of it."""
