"""A full recomputation: in which order, and in which slices, everything is added up again."""

from collections.abc import Callable, Iterable, Iterator
import sqlite3
from typing import Any, Final

from . import fresh, statements
from .schema import SUMS

_HOMES: Final = 50
"""Homes whose hours are sorted together: few sorted often is quicker than all sorted at once."""

type Rows = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]
"""Answers a SELECT with its parameters, whatever the engine."""


def steps(
    community: str, rows: Rows, *, homes: int = _HOMES
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the statements that fill the fresh tables, each with its parameters.

    Run each before asking for the next: some depend on what is there by then. The hours are
    added up for places with about so many `homes` at a time; what comes out is the same for any.
    """
    for statement in fresh.CLEAR_FRESH:
        yield statement, ()
    for statement in fresh.FRESH_TOTALS:
        yield statement, (community,) * statement.count("?")
    ranges = tuple(slices(rows(fresh.PLACES_OF_HOMES, (community,)), homes))
    for flow, kind in tuple(rows(fresh.SERIES, (community,))):
        for first, end in ranges:
            items = (community, first, end, flow, kind)
            yield fresh.HOURS_OF_PLACES, (community, flow, kind, *items, *items)
    for statement in fresh.FRESH_CELLS:
        yield statement, (community,) * statement.count("?")


def slices(places: Iterable[tuple[Any, ...]], homes: int) -> Iterator[tuple[int, int]]:
    """Yield ranges [first, end) of places, no longer than needed to have so many homes each.

    `places` are given in their order, each with its number of homes.
    """
    first, last, have = 0, 0, 0
    for place, count in places:
        if not have:
            first = place
        last = place
        have += count
        if have >= homes:
            yield first, last + 1
            have = 0
    if have:
        yield first, last + 1


def put_right(connection: sqlite3.Connection, at: int) -> int:
    """Put what was recomputed in place of what is wrong; return the number of wrong rows."""
    wrong = set()
    for row in connection.execute(fresh.WRONG_TOTALS).fetchall():
        connection.execute(statements.DROP_TOTAL, row[:7])
        wrong.add(row[:7])
    for row in connection.execute(fresh.RIGHT_TOTALS).fetchall():
        connection.execute(statements.PUT_TOTAL, row)
        wrong.add(row[:7])
    zeros = (0,) * (len(SUMS) + 3)
    right = {row[:7]: row[7:] for row in connection.execute(fresh.RIGHT_CELLS).fetchall()}
    for row in connection.execute(fresh.WRONG_CELLS).fetchall():
        right.setdefault(row[:7], zeros)
    for key, values in right.items():
        community, grain, begin, scope, name, flow, kind = key
        found = connection.execute(
            statements.CELL, (community, grain, scope, name, begin, flow, kind)
        ).fetchone()
        revision = 0 if found is None else found[-1] + 1
        connection.execute(statements.PUT_CELL, (*key, *values, revision, at))
    return len(wrong) + len(right)
