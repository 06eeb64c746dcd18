"""The intensity of the grid by hour.

It is never thinned: a source mostly tells hours or quarters, which take little, and a mean over
intervals of different grades would have none.
"""

from collections.abc import Iterable, Mapping
import sqlite3
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..grade import BEST_FIRST
from ..intervals import HOUR
from . import names
from .codec import pack, unpack
from .rows import SLOTS, UNKNOWN_GRADE, GridHour, GridSeries, Series, check_hour

_SERIES: Final[Mapping[Series, int]] = {"average": 0, "marginal": 1}
"""How a series is written."""

_NUMBER: Final = "<u4"
"""How the number of a source is written, twelve of them; 0 is none."""


def put(connection: sqlite3.Connection, rows: Iterable[GridHour], series: Series) -> None:
    """Write hours. Raises ValueError for an hour that cannot be."""
    numbers = names.known(connection, "source") | {"": 0}
    of_series = _SERIES[series]
    written: list[tuple[int, int, bytes, bytes, bytes]] = []
    for row in rows:
        check_hour(row.hour)
        value, grade = _checked(row)
        for source in row.source:
            if source not in numbers:
                numbers[source] = names.number(connection, "source", source)
        sources = np.array([numbers[source] for source in row.source], dtype=_NUMBER)
        written.append(
            (
                of_series,
                row.hour,
                pack(value),
                _short(grade.tobytes(), 1),
                _short(sources.tobytes(), 4),
            )
        )
    connection.executemany("INSERT OR REPLACE INTO grid VALUES (?, ?, ?, ?, ?)", written)


def _checked(row: GridHour) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return values and grades of an hour."""
    place = f"the grid at {row.hour}"
    try:
        value = np.array(row.value, dtype=np.float64)
        grade = np.array(row.grade, dtype=np.uint8)
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{place}: not {SLOTS} entries each ({err})") from err
    if not value.shape == grade.shape == (SLOTS,) or len(row.source) != SLOTS:
        raise ValueError(f"{place}: not {SLOTS} entries each")
    if np.isinf(value).any():
        raise ValueError(f"{place}: not all values are finite or NaN")
    if ((grade >= len(BEST_FIRST)) & (grade != UNKNOWN_GRADE)).any():
        raise ValueError(f"{place}: not all grades are indices of grades")
    return value, grade


def read(connection: sqlite3.Connection, start: int, end: int, series: Series) -> GridSeries:
    """Return the intensity in [start, end), both full hours."""
    hours = (end - start) // HOUR
    value = np.full((hours, SLOTS), np.nan)
    grade = np.full((hours, SLOTS), UNKNOWN_GRADE, dtype=np.uint8)
    source = np.full((hours, SLOTS), "", dtype=np.object_)
    rows = connection.execute(
        "SELECT hour, value, grade, source FROM grid "
        "WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour",
        (_SERIES[series], start, end),
    ).fetchall()
    if rows:
        moments, values, grades, sources = zip(*rows, strict=True)
        at = (np.array(moments) - start) // HOUR
        value[at] = unpack(values)
        grade[at] = _long(grades, "u1")
        texts = {found: name for name, found in names.known(connection, "source").items()}
        by_number = np.full(max(texts, default=0) + 1, "", dtype=np.object_)
        for found, name in texts.items():
            by_number[found] = name
        source[at] = by_number[_long(sources, _NUMBER)]
    return GridSeries(
        start=start,
        end=end,
        value=value.reshape(-1),
        grade=grade.reshape(-1),
        source=source.reshape(-1),
    )


def _short(whole: bytes, width: int) -> bytes:
    """Return twelve entries as one if they are all alike."""
    first = whole[:width]
    return first if first * SLOTS == whole else whole


def _long(packed: Iterable[bytes], kind: str) -> NDArray[np.uint32]:
    """Return [N, SLOTS] from what `_short` gave."""
    width = np.dtype(kind).itemsize
    joined = b"".join(entry * SLOTS if len(entry) == width else entry for entry in packed)
    return np.frombuffer(joined, dtype=kind).reshape(-1, SLOTS)
