"""Energies of meters by five minutes, and by quarters of an hour once they are old."""

from collections.abc import Iterable, Sequence
import sqlite3
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..intervals import HOUR, floor
from . import names
from .codec import pack, pack_flags, unpack, unpack_flags
from .rows import SLOTS, EnergySeries, MeterHour, check_hour

type Piece = tuple[int, int, int]
"""Hours of one meter: its number, start and end."""

type _Row = tuple[int, int, int, bytes, bytes, bytes]

_QUARTER: Final = 3
"""Intervals; every time zone is a multiple of a quarter of an hour from UTC."""

_PIECE: Final = 31 * 86400
"""Seconds of one meter that are thinned while others wait: some milliseconds."""


def put(connection: sqlite3.Connection, rows: Iterable[MeterHour]) -> None:
    """Write hours of meters. Raises ValueError for an hour that cannot be."""
    numbers = names.known(connection, "meter")
    earliest: dict[int, int] = {}

    def written() -> Iterable[_Row]:
        for row in rows:
            check_hour(row.hour)
            meter = numbers.get(row.meter)
            if meter is None:
                meter = numbers[row.meter] = names.number(connection, "meter", row.meter)
            earliest[meter] = min(row.hour, earliest.get(meter, row.hour))
            imported, exported, grid_carbon = _checked(row)
            known = np.asarray(row.known, dtype=np.bool_)
            yield (
                meter,
                row.hour,
                pack_flags(known),
                pack(imported),
                pack(exported),
                pack(grid_carbon),
            )

    _write(connection, list(written()))
    connection.executemany(
        "UPDATE meter SET thin_from = MIN(COALESCE(thin_from, ?1), ?1) WHERE id = ?2",
        [(hour, meter) for meter, hour in earliest.items()],
    )


def _checked(row: MeterHour) -> NDArray[np.float64]:
    """Return the numbers of an hour as [3, SLOTS]."""
    place = f"{row.meter} at {row.hour}"
    try:
        values = np.array((row.imported, row.exported, row.grid_carbon), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{place}: not {SLOTS} numbers each ({err})") from err
    if values.shape != (3, SLOTS) or len(row.known) != SLOTS:
        raise ValueError(f"{place}: not {SLOTS} numbers each")
    if not np.isfinite(values).all():
        raise ValueError(f"{place}: not all numbers are finite")
    return values


def _write(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    connection.executemany("INSERT OR REPLACE INTO energy VALUES (?, ?, ?, ?, ?, ?)", rows)


def _rows(connection: sqlite3.Connection, meter: int, start: int, end: int) -> list[_Row]:
    return connection.execute(
        "SELECT * FROM energy WHERE meter = ? AND hour >= ? AND hour < ? ORDER BY hour",
        (meter, start, end),
    ).fetchall()


def read(
    connection: sqlite3.Connection, meters: Sequence[str], start: int, end: int
) -> EnergySeries:
    """Return the energies of meters in [start, end), both full hours."""
    hours = (end - start) // HOUR
    values = np.zeros((3, len(meters), hours, SLOTS))
    known = np.zeros((len(meters), hours, SLOTS), dtype=np.bool_)
    for place, name in enumerate(meters):
        meter = names.find(connection, "meter", name)
        rows = [] if meter is None else _rows(connection, meter, start, end)
        if not rows:
            continue
        _, moments, flags, *packed = zip(*rows, strict=True)
        at = (np.array(moments) - start) // HOUR
        known[place, at] = unpack_flags(flags)
        for kind, blobs in enumerate(packed):
            values[kind, place, at] = unpack(blobs)
    imported, exported, grid_carbon = values.reshape(3, len(meters), hours * SLOTS)
    return EnergySeries(
        meters=tuple(meters),
        start=start,
        end=end,
        imported=imported,
        exported=exported,
        grid_carbon=grid_carbon,
        known=known.reshape(len(meters), hours * SLOTS),
    )


def drop(connection: sqlite3.Connection, name: str) -> None:
    """Delete a meter with all its hours."""
    meter = names.find(connection, "meter", name)
    connection.execute("DELETE FROM energy WHERE meter = ?", (meter,))
    connection.execute("DELETE FROM meter WHERE id = ?", (meter,))


def first_hour(connection: sqlite3.Connection) -> int | None:
    """Return the first hour of any meter."""
    return _outermost(connection, "MIN")


def last_hour(connection: sqlite3.Connection) -> int | None:
    """Return the last hour of any meter."""
    return _outermost(connection, "MAX")


def _outermost(connection: sqlite3.Connection, function: str) -> int | None:
    """Return the first or the last hour; one look into the key for each meter."""
    row = connection.execute(
        f"SELECT {function}((SELECT {function}(hour) FROM energy WHERE meter = meter.id)) "  # noqa: S608
        "FROM meter"
    ).fetchone()
    return None if row[0] is None else int(row[0])


def whole_hours(moment: float) -> int:
    """Return the start of the hour of a moment."""
    return floor(moment, HOUR)


def untrimmed(connection: sqlite3.Connection, before: int) -> list[Piece]:
    """Return the stretches before a time in which hours may be finer than quarters."""
    pieces: list[Piece] = []
    for meter, start in connection.execute(
        "SELECT id, thin_from FROM meter WHERE thin_from < ?", (before,)
    ):
        pieces.extend(
            (meter, position, min(position + _PIECE, before))
            for position in range(start, before, _PIECE)
        )
    return pieces


def thin(connection: sqlite3.Connection, piece: Piece) -> None:
    """Spread the energies of hours evenly over their quarters; every sum stays."""
    meter, start, end = piece
    rows = _rows(connection, meter, start, end)
    if rows:
        _, hours, flags, *packed = zip(*rows, strict=True)
        known = unpack_flags(flags)
        spread = [_spread(unpack(blobs), known) for blobs in packed]
        # Rows that only shrink leave their pages half empty; those written anew lie close.
        connection.execute(
            "DELETE FROM energy WHERE meter = ? AND hour >= ? AND hour < ?", (meter, start, end)
        )
        _write(
            connection,
            [
                (meter, hours[at], flags[at], *(pack(kind[at]) for kind in spread))
                for at in range(len(rows))
            ],
        )
    connection.execute(
        "UPDATE meter SET thin_from = ? WHERE id = ? AND thin_from >= ?", (end, meter, start)
    )


def _spread(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return [N, SLOTS] evened out within quarters.

    A quarter that is known in part stays as it is: what is known must not reach into what is not.
    """
    quarters = values.reshape(-1, SLOTS // _QUARTER, _QUARTER)
    parts = known.reshape(quarters.shape)
    settled = (parts != parts[..., :1]).any(axis=-1) | (quarters == quarters[..., :1]).all(axis=-1)
    mean = quarters.sum(axis=-1, keepdims=True) / _QUARTER
    return np.where(settled[..., np.newaxis], quarters, mean).reshape(values.shape)
