"""Which factor holds from when to when, and what a new edition changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from .factor import EmissionFactor
from .library import FactorLibrary
from .selection import Query
from .zones import zone_and_around


@dataclass(frozen=True, kw_only=True)
class Span:
    """A run of days, from `start` up to, not including, `end`, with one factor."""

    start: date
    end: date
    factor: EmissionFactor | None
    """None where not even the world has a figure."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A run of days for which two editions have different figures."""

    start: date
    end: date
    before: EmissionFactor | None
    after: EmissionFactor | None


def spans(library: FactorLibrary, query: Query, start: date, end: date) -> list[Span]:
    """Return the factors from `start` up to `end`, one span for each run of days.

    Days are of the zone's own calendar.
    """
    found: list[Span] = []
    for begin, stop in _stretches(library, query, start, end):
        factor = library.best(query.zone, begin, query.sources, as_of=query.as_of)
        joins = bool(found) and found[-1].factor is factor
        first = found.pop().start if joins else begin
        found.append(Span(start=first, end=stop, factor=factor))
    return found


def changes(
    library: FactorLibrary, query: Query, start: date, end: date, before: date
) -> list[Change]:
    """Return the days to restate because of editions that came out after `before`.

    What was known on that day is compared with what `query` asks for; only days
    whose factor differs are returned.
    """
    found: list[Change] = []
    for begin, stop in _stretches(library, query, start, end):
        old = library.best(query.zone, begin, query.sources, as_of=before)
        new = library.best(query.zone, begin, query.sources, as_of=query.as_of)
        if old is new:
            continue
        last = found[-1] if found else None
        joins = last and last.end == begin and last.before is old and last.after is new
        first = found.pop().start if joins else begin
        found.append(Change(start=first, end=stop, before=old, after=new))
    return found


def _stretches(
    library: FactorLibrary, query: Query, start: date, end: date
) -> Iterator[tuple[date, date]]:
    """Yield the runs of days within which no factor can begin or end."""
    turns = {start, end}
    for factor in library.of_zones(zone_and_around(query.zone), query.sources):
        turns |= {turn for turn in (factor.valid_from, factor.valid_to) if turn is not None}
    turns |= {date(year, 1, 1) for year in range(start.year + 1, end.year + 1)}
    yield from pairwise(sorted(turn for turn in turns if start <= turn <= end))
