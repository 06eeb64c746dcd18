"""A full recomputation: in which order, and in which slices, everything is added up again."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from . import statements

_HOMES: Final = 50
"""Homes whose hours are sorted at once: a month of so many stays in a processor's cache."""

type Rows = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]
"""Answers a question, whatever the engine."""


def steps(community: str, rows: Rows) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the statements that fill the fresh tables, with their parameters.

    Run each before the next is asked for: what later ones do depends on what is there by then.
    """
    for statement in statements.CLEAR_FRESH:
        yield statement, ()
    for statement in statements.FRESH_TOTALS:
        yield statement, (community,) * statement.count("?")
    slices = list(_slices(rows(statements.PLACES_OF_HOMES, (community,))))
    for flow, kind in list(rows(statements.SERIES, (community,))):
        for first, end in slices:
            items = (community, first, end, flow, kind)
            yield statements.HOURS_OF_PLACES, (community, flow, kind, *items, *items)
    for statement in statements.FRESH_CELLS:
        yield statement, (community,) * statement.count("?")


def _slices(places: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, int]]:
    """Yield ranges of places that together have about as many homes; none is left out."""
    first, last, homes = 0, 0, 0
    for place, count in places:
        if not homes:
            first = place
        last = place
        homes += count
        if homes >= _HOMES:
            yield first, last + 1
            homes = 0
    if homes:
        yield first, last + 1
