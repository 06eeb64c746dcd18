"""What a load has really taken, from what is seen of it now and then.

What is seen holds until something else is. A gap of more than ten minutes is not filled with what
nobody saw: only where the load ran before and after it, and the gap is not too long, it is taken
to have run through it, at the lesser of both powers.
"""

from collections.abc import Mapping
import math
from typing import Any, Final

from ..plan import Piece, joined
from .held import number
from .job import Seen

GAP: Final = 600.0
"""Seconds for which what is seen holds by itself."""

_BRIDGED: Final = 3 * 3600.0
"""Seconds of the longest gap through which a load is taken to have run."""

_MOST: Final = 240
_PAIRS: Final = 60
"""Pieces that are kept, and pairs of them that are put together when there are more."""

POSSIBLE: Final = 1e6
"""W beyond which a reading is a mistake."""


def measured_power(seen: Seen) -> float | None:
    """Return the W that a load is measured to take, None where that is not known."""
    power = seen.power
    if power is None or not math.isfinite(power) or abs(power) > POSSIBLE:
        return None
    return power


def power_of(seen: Seen, usual: float) -> float | None:
    """Return the W that a load takes by what is seen, None where nothing is.

    `usual` is what it takes while it runs, for a load of which only that is seen.
    """
    power = measured_power(seen)
    if power is not None or seen.is_on is None:
        return power
    return usual if seen.is_on else 0.0


def held(seconds: float, before: float, after: float) -> float:
    """Return the power in W that was taken between two readings that lie so many seconds apart."""
    if seconds <= GAP:
        return before
    if seconds > _BRIDGED or before * after <= 0.0:
        return 0.0
    return min(before, after, key=abs)


class Course:
    """The power of a load over time, as pieces: their energy is what the load took.

    Its length is bounded: pieces are put together where that moves the least energy in time, and
    their energy stays what it is. Where the clock goes back it goes on from there.
    """

    def __init__(self) -> None:
        """Start without a reading."""
        self._pieces: list[Piece] = []
        self._last: tuple[float, float] | None = None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return what was taken, in the order of time."""
        return joined(self._pieces)

    @property
    def energy(self) -> float:
        """Return the Wh that were taken."""
        return sum(piece.energy for piece in self._pieces)

    def see(self, moment: float, power: float | None) -> float:
        """Take the power in W at a moment, None where it is not known; return the Wh it adds."""
        if power is None:
            return 0.0
        last, self._last = self._last, (moment, power)
        if last is None or moment <= last[0]:
            return 0.0
        piece = Piece(last[0], moment, held(moment - last[0], last[1], power))
        if piece.power:
            self._append(piece)
        return piece.energy

    def take(self, until: float = math.inf) -> tuple[Piece, ...]:
        """Return what was taken until a moment, and keep only what was taken after it."""
        before, after = [], []
        for piece in self._pieces:
            before.append(Piece(piece.start, min(piece.end, until), piece.power))
            after.append(Piece(max(piece.start, until), piece.end, piece.power))
        self._pieces = list(joined(after))
        return joined(before)

    def _append(self, piece: Piece) -> None:
        """Add a piece, with the one before it where that is of the same power."""
        before = self._pieces[-1] if self._pieces else None
        if before is not None and before.end == piece.start and before.power == piece.power:
            self._pieces[-1] = Piece(before.start, piece.end, piece.power)
            return
        self._pieces.append(piece)
        if len(self._pieces) > _MOST:
            self._shorten()

    def _shorten(self) -> None:
        """Put those neighbours together that differ by the least energy."""
        rows, merged = self._pieces, set[int]()
        for place in sorted(range(len(rows) - 1), key=lambda at: _moved(rows[at], rows[at + 1])):
            if len(merged) == _PAIRS:
                break
            if not merged & {place - 1, place, place + 1}:
                merged.add(place)
        self._pieces = [
            _together(row, rows[place + 1]) if place in merged else row
            for place, row in enumerate(rows)
            if place - 1 not in merged
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "pieces": rows_of(self._pieces),
            "last": None if self._last is None else list(self._last),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        pieces = pieces_of_rows(data["pieces"])
        last = data["last"]
        if last is not None:
            moment, power = last
            last = (number(moment), number(power))
        self._pieces, self._last = list(pieces), last


def rows_of(pieces: list[Piece] | tuple[Piece, ...]) -> list[list[float]]:
    """Return pieces as rows of start, end and power."""
    return [[piece.start, piece.end, piece.power] for piece in pieces]


def pieces_of_rows(rows: Any) -> tuple[Piece, ...]:
    """Return the pieces of rows; raises ValueError or TypeError for what are none."""
    found = tuple(Piece(*(number(value) for value in row)) for row in rows)
    if any(piece.end <= piece.start for piece in found):
        raise ValueError("a piece ends before it begins")
    return found


class Finished:
    """The runs that are finished and not told yet."""

    def __init__(self) -> None:
        """Start without any."""
        self._runs: list[tuple[Piece, ...]] = []

    def put(self, pieces: tuple[Piece, ...]) -> None:
        """Add a run, if it took anything."""
        if any(piece.energy for piece in pieces):
            self._runs.append(pieces)

    def take(self) -> tuple[Piece, ...] | None:
        """Return the oldest run, once; None where there is none."""
        return self._runs.pop(0) if self._runs else None

    def as_list(self) -> list[list[list[float]]]:
        """Return what must survive a restart."""
        return [rows_of(pieces) for pieces in self._runs]

    def restore(self, rows: Any) -> None:
        """Take what `as_list` gave; raises ValueError or TypeError for anything else."""
        self._runs = [pieces_of_rows(each) for each in rows]


def _together(one: Piece, other: Piece) -> Piece:
    """Return a piece with the energy of two, over the time of both."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    return Piece(start, end, (one.energy + other.energy) / (end - start) * 3600.0)


def _moved(one: Piece, other: Piece) -> float:
    """Return the Wh that change their time when two pieces are put together."""
    mean = _together(one, other).power
    return sum(abs(mean - piece.power) * (piece.end - piece.start) for piece in (one, other))
