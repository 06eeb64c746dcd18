"""Which periods of a home are missing, as a request for backfill tells them."""

from collections.abc import Iterable, Iterator
from itertools import chain
import sqlite3

from ..contract.message import DURATIONS
from . import statements


def gaps(
    connection: sqlite3.Connection,
    whose: tuple[str, str],
    spans: Iterable[tuple[int, int]],
    wanted: tuple[int, int],
    duration: int,
) -> list[tuple[int, int]]:
    """Return (start, how many) of the periods that nobody has told, in order.

    `whose` is community and home, `spans` when it is a member. A period counts that lies
    wholly in one span and in [begin, end) of `wanted`.
    """
    begin, end = wanted
    told = {
        length: {
            row[0]
            for row in connection.execute(
                statements.STARTS, (*whose, length, begin - begin % length, end)
            )
        }
        for length in DURATIONS
        if length >= duration
    }
    starts = chain.from_iterable(
        _starts(max(begin, first), min(end, last), duration) for first, last in spans
    )
    absent = (
        start
        for start in starts
        if not any(start - start % length in known for length, known in told.items())
    )
    return _runs(absent, duration)


def _starts(begin: int, end: int, duration: int) -> Iterator[int]:
    """Yield the starts of the periods that lie in [begin, end)."""
    first = -(-begin // duration) * duration
    yield from range(first, end - duration + 1, duration)


def _runs(starts: Iterable[int], duration: int) -> list[tuple[int, int]]:
    """Return the starts as runs of periods that follow each other."""
    runs: list[tuple[int, int]] = []
    for start in starts:
        if runs and runs[-1][0] + runs[-1][1] * duration == start:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((start, 1))
    return runs
