"""What goes into a site's book: hours of meters out of their ledgers, hours of the grid."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..archive.rows import UNKNOWN_GRADE
from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST, Grade
from ..intensity.ladder import Ladder
from ..intervals import HOUR, INTERVAL
from ..ledger import Ledger
from ..tally import Tally
from .weighed import PER_HOUR

_NOTHING = Tally()


@dataclass(frozen=True, kw_only=True)
class HourEntry:
    """One hour of one meter as its ledger has it now: energy in Wh, carbon in g, time in s.

    The carbon is what the import would carry if all of it came from the grid, as its intensity
    was known when it was booked.
    """

    meter: str
    hour: int
    total: FloatArray
    """[import, export, carbon] of the hour."""

    fine: FloatArray | None
    """[3, 12] the same by five minutes; None where the ledger does not know them any more."""

    known: NDArray[np.bool_]
    """[12] whether readings account for most of each five minutes."""

    measured: float
    """Seconds that readings account for."""


def take_entries(meter: str, ledger: Ledger) -> list[HourEntry]:
    """Return the hours that have changed since they were taken last."""
    return [_entry(meter, ledger, hour) for hour in sorted(ledger.take_touched())]


def _entry(meter: str, ledger: Ledger, hour: int) -> HourEntry:
    tally = ledger.hours.get(hour, _NOTHING)
    fine = None
    known = np.full(PER_HOUR, tally.measured_time >= HOUR / 2)
    if ledger.is_fine(hour):
        slots = [
            ledger.intervals.get(hour + place * INTERVAL, _NOTHING) for place in range(PER_HOUR)
        ]
        fine = np.array([_sums(slot) for slot in slots]).T
        known = np.array([slot.measured_time >= INTERVAL / 2 for slot in slots])
    return HourEntry(
        meter=meter,
        hour=hour,
        total=np.array(_sums(tally)),
        fine=fine,
        known=known,
        measured=tally.measured_time,
    )


def _sums(tally: Tally) -> list[float]:
    return [tally.import_energy, tally.export_energy, tally.carbon]


@dataclass(frozen=True, kw_only=True)
class GridEntry:
    """What is known of the grid's intensity in one hour, by five minutes, in gCO2eq/kWh."""

    hour: int
    value: FloatArray
    """[12] means by time, NaN where nothing is known."""

    low: FloatArray
    high: FloatArray
    grade: NDArray[np.uint8]
    """[12] places in `BEST_FIRST` of the worst grade in the interval, UNKNOWN_GRADE for none."""

    source: tuple[str, ...]
    """[12] what told most of the interval."""


def grid_entry(ladder: Ladder, hour: int) -> GridEntry:
    """Return what a ladder knows of an hour."""
    value, low, high = (np.full(PER_HOUR, np.nan) for _ in range(3))
    grade = np.full(PER_HOUR, UNKNOWN_GRADE, dtype=np.uint8)
    source = [""] * PER_HOUR
    known = ladder.intervals(hour, hour + HOUR)
    first = 0
    for slot in range(PER_HOUR):
        begin, end = hour + slot * INTERVAL, hour + (slot + 1) * INTERVAL
        while first < len(known) and known[first].end <= begin:
            first += 1
        weighted = covered = longest = 0.0
        for interval in known[first:]:
            if interval.start >= end:
                break
            seconds = min(end, interval.end) - max(begin, interval.start)
            weighted += seconds * interval.value
            covered += seconds
            low[slot] = np.fmin(low[slot], interval.value)
            high[slot] = np.fmax(high[slot], interval.value)
            place = BEST_FIRST.index(interval.grade)
            grade[slot] = place if grade[slot] == UNKNOWN_GRADE else max(int(grade[slot]), place)
            if seconds > longest:
                longest, source[slot] = seconds, interval.source
        if covered:
            value[slot] = weighted / covered
            if low[slot] == high[slot]:
                value[slot] = low[slot]
    return GridEntry(hour=hour, value=value, low=low, high=high, grade=grade, source=tuple(source))


def grid_hour(hour: int, told: Iterable[tuple[float, Grade, str]]) -> GridEntry:
    """Return an hour out of twelve means, their grades and sources."""
    rows = list(told)
    value = np.array([row[0] for row in rows])
    return GridEntry(
        hour=hour,
        value=value,
        low=value,
        high=value,
        grade=np.array([BEST_FIRST.index(row[1]) for row in rows], dtype=np.uint8),
        source=tuple(row[2] for row in rows),
    )
