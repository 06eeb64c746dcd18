"""Intervals of intensity as they survive a restart."""

from collections.abc import Iterable
from typing import Any

from ..grade import Grade
from .source import IntensityInterval


def rows_of(intervals: Iterable[IntensityInterval]) -> list[list[Any]]:
    """Return intervals as JSON can hold them."""
    return [[each.start, each.end, each.value, each.grade.value, each.source] for each in intervals]


def intervals_of(rows: Any) -> list[IntensityInterval]:
    """Return what `rows_of` was given; raises TypeError or ValueError for anything else."""
    return [
        IntensityInterval(
            start=float(start),
            end=float(end),
            value=float(value),
            grade=Grade(grade),
            source=str(source),
        )
        for start, end, value, grade, source in rows
    ]
