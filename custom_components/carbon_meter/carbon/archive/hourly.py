"""Figures by owner and hour. A day (UTC) of one figure is one row; zeros are not kept.

Sums of 32 days lie beside them, made anew from the days whenever one of these changes: a total
has no drift.
"""

from collections.abc import Iterator, Mapping, Sequence
import math
import sqlite3
import struct
from typing import Final

import numpy as np

from ..intervals import HOUR
from . import names
from .rows import HourlySeries

_DAY: Final = 86400
"""Seconds."""

_HOURS: Final = _DAY // HOUR

_STRETCH: Final = 32
"""Days of one sum."""

_ROW: Final = struct.Struct(f"<{_HOURS}d")
"""The hours of a day as they are written."""

type _Points = Sequence[tuple[int, float]]
type _Rows = Mapping[str, Mapping[str, _Points]]
type _Days = dict[int, list[float]]
"""The hours of days, 24 numbers by number of the day since 1970."""


def put(connection: sqlite3.Connection, rows: _Rows, start: int, end: int) -> None:
    """Write figures of owners in place of all of their figures in [start, end).

    Raises ValueError for a figure that cannot be.
    """
    if start == end and not any(points for of in rows.values() for points in of.values()):
        return
    numbers = names.known(connection, "figure")
    for owner, figures in rows.items():
        days: dict[int, _Days] = {}
        for figure, points in figures.items():
            if figure not in numbers:
                numbers[figure] = names.number(connection, "figure", figure)
            days[numbers[figure]] = _by_day(f"{figure} of {owner}", points, start, end)
        _put_owner(connection, names.number(connection, "owner", owner), days, start, end)


def _put_owner(
    connection: sqlite3.Connection, owner: int, days: dict[int, _Days], start: int, end: int
) -> None:
    """Write the days of an owner by figure in place of all that it has in [start, end)."""
    for day, figure, kept in _kept_at_the_ends(connection, owner, start, end):
        hours = days.setdefault(figure, {}).setdefault(day, [0.0] * _HOURS)
        for place, value in kept:
            hours[place] = value
    first, last = start // _DAY, (end - 1) // _DAY
    connection.execute(
        "DELETE FROM hourly WHERE owner = ? AND day BETWEEN ? AND ?", (owner, first, last)
    )
    connection.executemany(
        "INSERT INTO hourly VALUES (?, ?, ?, ?, ?)",
        [
            (owner, day, figure, math.fsum(hours), _ROW.pack(*hours))
            for figure, of_figure in days.items()
            for day, hours in of_figure.items()
            if any(hours)
        ],
    )
    _sum_up(connection, owner, first, last)


def _by_day(place: str, points: _Points, start: int, end: int) -> _Days:
    """Return hours and values as days."""
    days: _Days = {}
    try:
        for hour, value in points:
            if hour % HOUR or not start <= hour < end:
                raise ValueError(f"{place}: not all times are hours of [{start}, {end})")
            if not math.isfinite(value):
                raise ValueError(f"{place}: not all numbers are finite")
            day, time = divmod(int(hour), _DAY)
            hours = days.get(day)
            if hours is None:
                hours = days[day] = [0.0] * _HOURS
            hours[time // HOUR] = value
    except (TypeError, OverflowError) as err:
        raise ValueError(f"{place}: not hours with numbers ({err})") from err
    return days


def _kept_at_the_ends(
    connection: sqlite3.Connection, owner: int, start: int, end: int
) -> Iterator[tuple[int, int, list[tuple[int, float]]]]:
    """Yield what the first and the last day hold outside [start, end): day, figure, hours."""
    for day in {edge // _DAY for edge in (start, end) if edge % _DAY}:
        places = [place for place in range(_HOURS) if not start <= day * _DAY + place * HOUR < end]
        for figure, packed in connection.execute(
            "SELECT figure, hours FROM hourly WHERE owner = ? AND day = ?", (owner, day)
        ):
            hours = _ROW.unpack(packed)
            yield day, figure, [(place, hours[place]) for place in places]


def _sum_up(connection: sqlite3.Connection, owner: int, first: int, last: int) -> None:
    """Make the sums of the stretches that hold days from first to last anew."""
    first, last = first // _STRETCH, last // _STRETCH
    connection.execute(
        "DELETE FROM stretch WHERE owner = ? AND stretch BETWEEN ? AND ?", (owner, first, last)
    )
    connection.execute(
        "INSERT INTO stretch SELECT owner, day / ?1, figure, SUM(total) FROM hourly "
        "WHERE owner = ?2 AND day BETWEEN ?3 AND ?4 GROUP BY day / ?1, figure",
        (_STRETCH, owner, first * _STRETCH, last * _STRETCH + _STRETCH - 1),
    )


def read(
    connection: sqlite3.Connection, owner: str, figures: Sequence[str], start: int, end: int
) -> HourlySeries:
    """Return figures of an owner in [start, end), both full hours."""
    known = names.known(connection, "figure")
    places = {known[figure]: at for at, figure in enumerate(figures) if figure in known}
    rows = connection.execute(
        "SELECT day, figure, hours FROM hourly WHERE owner = ? AND day BETWEEN ? AND ? "
        "ORDER BY day",
        (names.find(connection, "owner", owner), start // _DAY, (end - 1) // _DAY),
    )
    chosen = [row for row in rows if row[1] in places]
    days, at = np.unique(np.array([row[0] for row in chosen], dtype=np.int64), return_inverse=True)
    values = np.zeros((len(figures), len(days), _HOURS))
    for place, (_, figure, packed) in zip(at, chosen, strict=True):
        values[places[figure], place] = np.frombuffer(packed, dtype="<f8")
    flat = values.reshape(len(figures), len(days) * _HOURS)
    hours = (days[:, np.newaxis] * _DAY + np.arange(_HOURS) * HOUR).reshape(-1)
    wanted = (hours >= start) & (hours < end) & flat.any(axis=0)
    return HourlySeries(figures=tuple(figures), hours=hours[wanted], values=flat[:, wanted])


def owners(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of those who have figures or a base."""
    rows = connection.execute(
        "SELECT name FROM owner WHERE EXISTS (SELECT 1 FROM stretch WHERE owner = owner.id) "
        "OR EXISTS (SELECT 1 FROM base WHERE owner = owner.id) ORDER BY name"
    )
    return tuple(name for (name,) in rows)


def owners_of(connection: sqlite3.Connection, figure: str, start: int, end: int) -> set[str]:
    """Return who has a figure in the stretches of days that [start, end) touches."""
    width = _STRETCH * _DAY
    rows = connection.execute(
        "SELECT DISTINCT owner.name FROM stretch JOIN owner ON owner.id = stretch.owner "
        "WHERE figure = ? AND stretch BETWEEN ? AND ? AND total != 0",
        (names.find(connection, "figure", figure), start // width, (end - 1) // width),
    )
    return {name for (name,) in rows}


def drop(connection: sqlite3.Connection, owner: str) -> None:
    """Delete an owner with its figures and its base."""
    number = names.find(connection, "owner", owner)
    for table in ("hourly", "stretch", "base"):
        connection.execute(f"DELETE FROM {table} WHERE owner = ?", (number,))  # noqa: S608
    connection.execute("DELETE FROM owner WHERE id = ?", (number,))


def put_base(connection: sqlite3.Connection, owner: str, figure: str, value: float) -> None:
    """Write what a figure had come to before. Raises ValueError for what is not finite."""
    if not np.isfinite(value):
        raise ValueError(f"{figure} of {owner}: {value} is not finite")
    numbers = (
        names.number(connection, "owner", owner),
        names.number(connection, "figure", figure),
    )
    connection.execute("INSERT OR REPLACE INTO base VALUES (?, ?, ?)", (*numbers, float(value)))


def totals(connection: sqlite3.Connection, before: int | None) -> dict[str, dict[str, float]]:
    """Return base and sum by owner and figure, of all hours or of those before one."""
    result: dict[str, dict[str, float]] = {}
    owner_names = {number: name for name, number in names.known(connection, "owner").items()}
    figure_names = {number: name for name, number in names.known(connection, "figure").items()}
    for owner, figure, value in _parts(connection, before):
        of_owner = result.setdefault(owner_names[owner], {})
        of_owner[figure_names[figure]] = of_owner.get(figure_names[figure], 0.0) + value
    return result


def _parts(connection: sqlite3.Connection, before: int | None) -> Iterator[tuple[int, int, float]]:
    """Yield what totals are made of: owner, figure, value."""
    yield from connection.execute("SELECT owner, figure, value FROM base")
    if before is None:
        yield from connection.execute(
            "SELECT owner, figure, SUM(total) FROM stretch GROUP BY owner, figure"
        )
        return
    day, hours = before // _DAY, before % _DAY // HOUR
    stretch = day // _STRETCH
    yield from connection.execute(
        "SELECT owner, figure, SUM(total) FROM stretch WHERE stretch < ? GROUP BY owner, figure",
        (stretch,),
    )
    owner_numbers = names.known(connection, "owner").values()
    for owner in owner_numbers:
        yield from connection.execute(
            "SELECT owner, figure, SUM(total) FROM hourly "
            "WHERE owner = ? AND day >= ? AND day < ? GROUP BY figure",
            (owner, stretch * _STRETCH, day),
        )
        for figure, packed in connection.execute(
            "SELECT figure, hours FROM hourly WHERE owner = ? AND day = ?", (owner, day)
        ):
            yield owner, figure, math.fsum(_ROW.unpack(packed)[:hours])


def first_hour(connection: sqlite3.Connection) -> int | None:
    """Return the first hour in which any figure is not 0."""
    return _outermost(connection, "MIN", 0)


def last_hour(connection: sqlite3.Connection) -> int | None:
    """Return the last hour in which any figure is not 0."""
    return _outermost(connection, "MAX", -1)


def _outermost(connection: sqlite3.Connection, function: str, end: int) -> int | None:
    """Return the first or the last hour; one look into the key for each owner."""
    (day,) = connection.execute(
        f"SELECT {function}((SELECT {function}(day) FROM hourly WHERE owner = owner.id)) "  # noqa: S608
        "FROM owner"
    ).fetchone()
    if day is None:
        return None
    found: list[int] = []
    for owner in names.known(connection, "owner").values():
        for (packed,) in connection.execute(
            "SELECT hours FROM hourly WHERE owner = ? AND day = ?", (owner, day)
        ):
            found.append(int(np.flatnonzero(np.frombuffer(packed, dtype="<f8"))[end]))
    return int(day) * _DAY + (max(found) if end else min(found)) * HOUR
