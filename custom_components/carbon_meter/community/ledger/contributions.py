"""Who has told what: the parts of which cells are made, for deciding what may be published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import sqlite3
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..contract.message import Flow, Kind
from . import statements
from .calendar import HOUR

type Whole = NDArray[np.int64]

_CHUNK: Final = 8192
"""Rows that are held as Python's numbers at a time: arrays take a tenth of that."""

_LONGEST_HALF: Final = 43200
"""Half of the longest period: how far before its local day a period can begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contributions:
    """One row for each period of each home: arrays of one length."""

    names: tuple[str, ...]
    """The homes."""

    home: Whole
    """Where the home stands among the names."""

    start: Whole
    duration: Whole
    revision: Whole
    hour: Whole
    """When the hour begins in which it lies, -1 for a period of a day."""

    day: Whole
    """When its local day begins."""

    place: Whole
    wh: Whole
    mg: Whole
    carbon_free: Whole
    known: Whole
    """Wh of which the carbon-free part is known."""

    coverage: Whole
    """Parts of 10000."""

    is_estimated: NDArray[np.bool_]
    """Estimated or substituted."""

    factor: Whole
    """A number for the carbon intensity that weighed it."""

    is_clear: NDArray[np.bool_]
    """Told by a home that shows itself; looked at only where it was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeTotals:
    """What homes have in a day, month or year, by the places they were in: arrays of one length."""

    names: tuple[str, ...]
    home: Whole
    place: Whole
    wh: Whole


def gather(
    connection: sqlite3.Connection,
    community: str,
    span: tuple[int, int],
    series: tuple[Flow, Kind],
    *,
    with_level: bool,
) -> Contributions:
    """Return the parts of a flow that lie in [begin, end) of `span`, by home and time.

    A period of a day is looked for only in spans of more than an hour.
    """
    begin, end = span
    names: dict[str, int] = {}
    lead = _LONGEST_HALF if end - begin > HOUR else 0
    rows = connection.execute(
        statements.PARTS_WITH_LEVEL if with_level else statements.PARTS,
        (community, begin - lead, end, *series),
    )
    columns = _columns(rows, names, 14)
    middle = middles(columns[1], columns[2])
    here = (middle >= begin) & (middle < end)
    if not here.all():
        columns = [column[here] for column in columns]
    return Contributions(
        names=tuple(names),
        home=columns[0],
        start=columns[1],
        duration=columns[2],
        revision=columns[3],
        hour=columns[4],
        day=columns[5],
        place=columns[6],
        wh=columns[7],
        mg=columns[8],
        carbon_free=columns[9],
        known=columns[10],
        coverage=columns[11],
        is_estimated=columns[12] // 2 > 0,
        is_clear=columns[12] % 2 > 0,
        factor=columns[13],
    )


def gather_totals(
    connection: sqlite3.Connection,
    community: str,
    period: tuple[str, int],
    series: tuple[Flow, Kind],
) -> HomeTotals:
    """Return the energy of all homes in a day, month or year: `period` is grain and begin."""
    names: dict[str, int] = {}
    rows = connection.execute(statements.TOTALS_OF_PERIOD, (community, *period, *series))
    columns = _columns(rows, names, 3)
    return HomeTotals(names=tuple(names), home=columns[0], place=columns[1], wh=columns[2])


def look_up(
    connection: sqlite3.Connection,
    community: str,
    parts: Iterable[tuple[str, int, int, int]],
    series: tuple[Flow, Kind],
) -> Iterator[tuple[int, ...] | None]:
    """Yield of each part its place, Wh, coverage, whether estimated, whether clear.

    A part is home, start, duration and revision; None for one that no longer counts.
    """
    flow, kind = series
    for home, start, duration, revision in parts:
        yield connection.execute(
            statements.PART, (community, home, start, duration, flow, kind, revision)
        ).fetchone()


def told_energy(
    connection: sqlite3.Connection,
    community: str,
    parts: Iterable[tuple[str, int, int, int]],
    flow: Flow,
) -> Iterator[int | None]:
    """Yield the Wh of each part, whether or not it still counts.

    None of one that nobody knows any more.
    """
    for home, start, duration, revision in parts:
        which = (community, home, start, duration, flow, revision)
        row = connection.execute(statements.FORMER, (*which, *which)).fetchone()
        yield None if row is None else int(row[0])


def middles(start: Whole, duration: Whole) -> Whole:
    """Return the moments by which periods belong to a local day, as `Calendar.day` has them."""
    is_short = duration < HOUR
    middle: Whole = np.where(is_short, start - start % HOUR + HOUR // 2, start + duration // 2)
    return middle


def _columns(rows: sqlite3.Cursor, names: dict[str, int], many: int) -> list[Whole]:
    """Return rows as columns; the first, the home's name, as its place among the names."""
    pieces: list[list[Whole]] = [[np.empty(0, dtype=np.int64)] for _ in range(many)]
    while chunk := rows.fetchmany(_CHUNK):
        numbers = np.array([_numbered(row, names) for row in chunk], dtype=np.int64)
        for column, piece in zip(pieces, numbers.T, strict=True):
            column.append(piece.copy())
    columns = []
    while pieces:
        # One after the other: both forms of all of them would take twice the memory.
        columns.append(np.concatenate(pieces.pop(0)))
    return columns


def _numbered(row: tuple[Any, ...], names: dict[str, int]) -> tuple[int, ...]:
    return (names.setdefault(row[0], len(names)), *row[1:])
