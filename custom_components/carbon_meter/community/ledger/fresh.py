"""The statements of a full recomputation: from items and memberships alone to totals and cells.

Of the same kind as all others in `statements`: one text for every engine.
"""

# ruff: noqa: S608  # built from the names of this package, never from what anybody said

from typing import Final

from .schema import SUMS
from .statements import CELL_NAMES, ITEM_SUMS, NAMES, sum_of, sums_of_items


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
    AND i.community = h.community AND i.home = h.home
    AND i.day_at >= h.first_day AND i.day_at < h.last_day
    AND i.counted = 1 AND i.place = h.place AND i.place > 0"""

# A home is in one place on a day.
DAYS_OF_PLACES: Final = f"""INSERT INTO fresh_totals
  (community, grain, begin_at, home, place, flow, kind, {NAMES})
SELECT CAST(? AS TEXT), 'day', i.day_at, i.home, MIN(i.place), i.flow, i.kind, {ITEM_SUMS}
{_ITEMS_OF_PLACES}
GROUP BY i.home, i.day_at, i.flow, i.kind"""
"""What each home of places in [first, end) has in each day.

Parameters: community, then community, first, end.
"""

HOURS_OF_PLACES: Final = f"""SELECT CAST(? AS TEXT), place, begin_at, flow, kind,
  {sum_of(("homes",))}, {sum_of(SUMS)}, MIN(lowest), MAX(highest)
FROM (
  SELECT i.hour_at AS begin_at, i.place, i.flow, i.kind, {_HOMES}, {sums_of_items(3600)},
    {_EXTREMES}
  {_ITEMS_OF_PLACES} AND i.duration = 3600
  GROUP BY i.hour_at, i.place, i.flow, i.kind
  UNION ALL
  SELECT begin_at, place, flow, kind, {_HOMES}, {sum_of(SUMS)}, {_EXTREMES}
  FROM (
    SELECT i.hour_at AS begin_at, i.place, i.flow, i.kind, i.home, {ITEM_SUMS}
    {_ITEMS_OF_PLACES} AND i.duration < 3600
      AND EXISTS (
        SELECT 1 FROM lengths l
        WHERE l.community = h.community AND l.home = h.home AND l.duration < 3600
      )
    GROUP BY i.hour_at, i.place, i.flow, i.kind, i.home
  ) AS quarters
  GROUP BY begin_at, place, flow, kind
) AS hours
GROUP BY place, begin_at, flow, kind"""
"""What the homes of places in [first, end) have in each hour.

Parameters: community, then twice community, first, end. An hour has one period of an hour from a
home or several shorter ones, never both: only the latter have to be added up by home first, and
are looked for only where a home tells such.
"""

_FRESH_HOURS: Final = f"""INSERT INTO fresh_hours
  (community, place, begin_at, flow, kind, homes, {NAMES}, lowest, highest)"""

KEEP_HOURS_OF_PLACES: Final = f"{_FRESH_HOURS}\n{HOURS_OF_PLACES}"
PUT_HOURS: Final = f"{_FRESH_HOURS} VALUES ({', '.join('?' * (len(SUMS) + 8))})"
"""The same rows, where another connection has worked them out."""

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
    "DELETE FROM fresh_totals",
    "DELETE FROM fresh_hours",
    "DELETE FROM fresh_cells",
)

FRESH_TOTALS: Final = (_longer_totals("month"), _longer_totals("year"))
"""From the days of homes to their months and years; every parameter is the community."""

FRESH_CELLS: Final = (_HOUR_CELLS, _DAY_CELLS, _LONGER_CELLS)
"""From those and the hours of all places to all cells; every parameter is the community."""

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
