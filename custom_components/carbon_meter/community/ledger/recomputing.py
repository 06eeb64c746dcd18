"""A full recomputation: in which order, and in which slices, everything is added up again."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
import sqlite3
from typing import Any, Final

from . import fresh, statements
from .schema import SUMS

_HOMES: Final = 50
"""Homes that are sorted together: few sorted often is quicker than all sorted at once."""

_ROWS: Final = 4096
"""Hours of places that are handed over at a time: so many are in memory, however long the past."""

type Step = tuple[str, tuple[Any, ...]]
"""A statement and its parameters."""

type Rows = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]
"""Answers a SELECT with its parameters, whatever the engine."""


def steps(community: str, rows: Rows, *, homes: int = _HOMES) -> Iterator[Step]:
    """Yield the statements that fill the fresh tables, each with its parameters.

    Run each before asking for the next: some depend on what is there by then. Homes are added up
    by places with about so many `homes` at a time; what comes out is the same for any.
    """
    for statement in fresh.CLEAR_FRESH:
        yield statement, ()
    for first, end in tuple(slices(rows(fresh.PLACES_OF_HOMES, (community,)), homes)):
        items = (community, first, end)
        yield fresh.DAYS_OF_PLACES, (community, *items)
        yield fresh.KEEP_HOURS_OF_PLACES, (community, *items, *items)
    yield from _sums_of_sums(community)


def fill(writer: sqlite3.Connection, reader: sqlite3.Connection, community: str) -> None:
    """Fill the fresh tables of SQLite as `steps` does, with days and hours side by side.

    `reader` is another connection to the same file, which finds there what counts; SQLite lets
    another thread work while it does.
    """
    for statement in fresh.CLEAR_FRESH:
        writer.execute(statement)
    parts = tuple(slices(writer.execute(fresh.PLACES_OF_HOMES, (community,)), _HOMES))
    hours = _hours(reader, community, parts)

    def some() -> list[tuple[Any, ...]]:
        return list(islice(hours, _ROWS))

    with ThreadPoolExecutor(1, "carbon_meter recomputation") as pool:
        coming = pool.submit(some)
        for first, end in parts:
            writer.execute(fresh.DAYS_OF_PLACES, (community, community, first, end))
            while coming.done() and (rows := coming.result()):
                coming = pool.submit(some)
                writer.executemany(fresh.PUT_HOURS, rows)
        while rows := coming.result():
            coming = pool.submit(some)
            writer.executemany(fresh.PUT_HOURS, rows)
    for statement, parameters in _sums_of_sums(community):
        writer.execute(statement, parameters)


def _hours(
    reader: sqlite3.Connection, community: str, parts: Iterable[tuple[int, int]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the hours of all places."""
    for places in parts:
        items = (community, *places)
        yield from reader.execute(fresh.HOURS_OF_PLACES, (community, *items, *items))


def _sums_of_sums(community: str) -> Iterator[Step]:
    """Yield what follows from the days of homes and the hours of places."""
    for statement in (*fresh.FRESH_TOTALS, *fresh.FRESH_CELLS):
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
