"""The ledger of one meter: intervals of energy in, graded grams out.

Carbon of an interval = integral of power times intensity. Power is taken as
constant between two readings, intensity as constant between two of its changes,
so that the sum over both is the exact integral:

    carbon [g] = sum over segments of energy [Wh] / 1000 * intensity [gCO2eq/kWh]

(GHG Protocol Scope 2 Guidance, location-based method, activity data times emission
factor, applied per segment of time.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
import math
from typing import Any, Final, Self

from .intensity.source import IntensityInterval
from .intervals import HOUR, INTERVAL, floor, pieces
from .tally import Tally

_FINE: Final = 26 * HOUR
"""Seconds for which five-minute intervals are kept: the longest local day and an hour."""

_OPEN: Final = 48 * HOUR
"""Seconds for which a published hour can still change."""

LONGEST: Final = 366 * 24 * HOUR
"""Seconds; what is longer is a clock that was wrong, not a gap."""


class Direction(StrEnum):
    """Which way energy flows, seen from the site."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """Energy in Wh that flowed evenly over [start, end), seconds since 1970 UTC.

    A stretch that ends before it starts (a clock that was set back) is booked at its
    end. `estimated` marks energy whose distribution over the stretch is not known.
    Raises ValueError for energy that is negative or not finite.
    """

    direction: Direction
    start: float
    end: float
    energy: float
    estimated: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be booked."""
        if not 0 <= self.energy < math.inf:
            raise ValueError(f"energy is at least 0 Wh, not {self.energy}")

    def until(self, moment: float) -> float:
        """Return the energy in Wh up to a moment; differences of it add up to the whole."""
        if moment >= self.end:
            return self.energy
        return self.energy * (moment - self.start) / (self.end - self.start)


@dataclass(frozen=True, kw_only=True, slots=True)
class HourRow:
    """One hour of the record: what it holds and the sums up to its end."""

    start: int
    hour: Tally
    total: Tally


class Ledger:
    """Energy and carbon of one meter, in five-minute intervals, hours and in total.

    Nothing is lost: what is booked is in the totals, always. Nothing is counted
    twice: an hour is published with its absolute sums, so that doing it again
    changes nothing.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.total = Tally()
        self._folded = Tally()
        self._intervals: dict[int, Tally] = {}
        self._hours: dict[int, Tally] = {}
        self._newest = 0
        self._back_since: float | None = None
        self._first_open = 0
        self._unpublished: int | None = None
        self._touched: set[int] = set()

    def continue_from(self, through: int, total: Tally) -> None:
        """Go on from what the record holds up to the end of an hour; for an empty ledger."""
        self._folded = _copy(total)
        self.total = _copy(total)
        self._first_open = through

    @property
    def intervals(self) -> Mapping[int, Tally]:
        """Return the five-minute intervals of the last day by their start."""
        return self._intervals

    @property
    def hours(self) -> Mapping[int, Tally]:
        """Return the hours that can still change, by their start."""
        return self._hours

    def book(self, booking: Booking, intensities: Sequence[IntensityInterval] = ()) -> None:
        """Book energy.

        `intensities` are in order and weigh an import where they reach; give none for
        energy that has no carbon of its own here.
        """
        if booking.end - booking.start > LONGEST:
            booking = replace(booking, start=booking.end - LONGEST)
        for slot, part in self._parts(booking, intensities):
            self._put(slot, part)
        self._follow(booking.end)

    def cover(self, start: float, end: float, *, estimated: bool) -> None:
        """Take note that [start, end) is accounted for, by readings or by a gap's estimate."""
        start = max(start, end - LONGEST)
        for slot_start, begin, stop in self._grid(start, end):
            part = Tally()
            if estimated:
                part.estimated_time = stop - begin
            else:
                part.measured_time = stop - begin
            self._put(slot_start, part)
        self._follow(end)

    def _grid(self, start: float, end: float) -> Iterator[tuple[int, float, float]]:
        """Yield pieces of a stretch: hours where it is old, five minutes in the last day."""
        fine = max(start, float(floor(end, HOUR) - _FINE))
        yield from pieces(start, fine, HOUR)
        yield from pieces(fine, end, INTERVAL)

    def _parts(
        self, booking: Booking, intensities: Sequence[IntensityInterval]
    ) -> Iterator[tuple[int, Tally]]:
        """Yield what goes into each piece of the grid."""
        segments = intensities if booking.direction is Direction.IMPORT else ()
        if booking.end <= booking.start:
            part = _unweighed(booking, booking.energy)
            if segments:
                last = segments[-1]
                part.weigh(booking.energy, booking.energy / 1000 * last.value, last.grade)
            yield floor(booking.end), part
            return
        before = 0.0
        position = 0
        for slot, begin, stop in self._grid(booking.start, booking.end):
            after = booking.until(stop)
            part = _unweighed(booking, after - before)
            before = after
            while position < len(segments) and segments[position].end <= begin:
                position += 1
            for index in range(position, len(segments)):
                segment = segments[index]
                if segment.start >= stop:
                    break
                weighed = booking.until(min(stop, segment.end)) - booking.until(
                    max(begin, segment.start)
                )
                part.weigh(weighed, weighed / 1000 * segment.value, segment.grade)
            yield slot, part

    def _put(self, slot: int, part: Tally) -> None:
        """Add a part to its interval, its hour and the totals."""
        self.total.add(part)
        hour = max(floor(slot, HOUR), self._first_open)
        self._hours.setdefault(hour, Tally()).add(part)
        self._touched.add(hour)
        self._unpublished = hour if self._unpublished is None else min(self._unpublished, hour)
        if slot > self._newest - _FINE:
            self._intervals.setdefault(slot, Tally()).add(part)
        if slot > self._newest:
            self._newest = slot
            for old in [start for start in self._intervals if start <= slot - _FINE]:
                del self._intervals[old]

    def _follow(self, now: float) -> None:
        """Believe a clock that was set far back once it has stayed there for an hour."""
        if now >= self._newest - _OPEN:
            self._back_since = None
        elif self._back_since is None or now < self._back_since:
            self._back_since = now
        elif now - self._back_since >= HOUR:
            self._back_since = None
            self._return_to(floor(now))

    def _return_to(self, newest: int) -> None:
        """Take what was booked at times that have not come yet for booked now."""
        present = floor(newest, HOUR)
        here = self._hours.setdefault(present, Tally())
        for start in [start for start in self._hours if start > present]:
            here.add(self._hours.pop(start))
            self._touched.add(start)
        self._touched.add(present)
        for start in [start for start in self._intervals if start > newest]:
            del self._intervals[start]
        self._newest = newest
        self._first_open = min(self._first_open, present)
        self._unpublished = min(present, self._unpublished or present)

    def unpublished(self, until: float) -> list[HourRow]:
        """Return the rows that the record lacks or has wrong: hours that ended by `until`."""
        if self._unpublished is None:
            return []
        rows: list[HourRow] = []
        running = _copy(self._folded)
        for start in sorted(self._hours):
            if start + HOUR > until:
                break
            running.add(self._hours[start])
            if start >= self._unpublished:
                rows.append(
                    HourRow(start=start, hour=_copy(self._hours[start]), total=_copy(running))
                )
        return rows

    def published(self, rows: Sequence[HourRow]) -> None:
        """Take note that rows are in the record; hours that are old enough are closed."""
        if not rows:
            return
        first, through = rows[0].start, rows[-1].start + HOUR
        written = {row.start: row.hour for row in rows}
        # What was booked while the rows were on their way is not in them.
        lacking = [
            start
            for start, tally in self._hours.items()
            if start >= through or (start >= first and written.get(start) != tally)
        ]
        if self._unpublished is not None and self._unpublished < first:
            lacking.append(self._unpublished)
        self._unpublished = min(lacking, default=None)
        closed = min([through - _OPEN, *lacking])
        for start in sorted(start for start in self._hours if start < closed):
            self._folded.add(self._hours.pop(start))
            self._first_open = start + HOUR

    def publish_again(self) -> None:
        """Take every open hour for unpublished: whether the record kept it is not known."""
        self._unpublished = min(self._hours, default=None)
        self._touched.update(self._hours)

    @property
    def first_open(self) -> int:
        """Return the first hour that can still change, 0 while none is closed."""
        return self._first_open

    @property
    def folded(self) -> Tally:
        """Return the sums of the hours that cannot change any more."""
        return self._folded

    def is_fine(self, hour: int) -> bool:
        """Return whether all five-minute intervals of an hour are still known."""
        return hour > self._newest - _FINE

    def take_touched(self) -> set[int]:
        """Return the starts of the hours that have changed since this was called last."""
        touched, self._touched = self._touched, set()
        return touched

    def touch(self, hours: Iterable[int]) -> None:
        """Take hours for changed: what was taken has not arrived."""
        self._touched.update(hours)

    def since(self, start: float) -> Tally:
        """Return the sums from a moment on, to the precision of the intervals that are kept."""
        result = Tally()
        fine_from = start
        first_fine = min(self._intervals, default=math.inf)
        for begin, tally in self._hours.items():
            if start <= begin < first_fine:
                result.add(tally)
                fine_from = max(fine_from, begin + HOUR)
        for begin, tally in self._intervals.items():
            if begin >= fine_from:
                result.add(tally)
        return result

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "total": self.total.as_list(),
            "folded": self._folded.as_list(),
            "hours": {str(start): tally.as_list() for start, tally in self._hours.items()},
            "intervals": {str(start): tally.as_list() for start, tally in self._intervals.items()},
            "first_open": self._first_open,
            "unpublished": self._unpublished,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the ledger as it was stored."""
        ledger = cls()
        ledger.total = Tally.from_list(data["total"])
        ledger._folded = Tally.from_list(data["folded"])
        ledger._hours = {int(key): Tally.from_list(row) for key, row in data["hours"].items()}
        ledger._intervals = {
            int(key): Tally.from_list(row) for key, row in data["intervals"].items()
        }
        ledger._newest = max(ledger._intervals, default=0)
        ledger._first_open = data["first_open"]
        ledger._unpublished = data["unpublished"]
        return ledger


def _unweighed(booking: Booking, energy: float) -> Tally:
    """Return a part of a booking before its carbon is known."""
    part = Tally()
    if booking.direction is Direction.IMPORT:
        part.import_energy = energy
    else:
        part.export_energy = energy
    if booking.estimated:
        part.estimated_energy = energy
    return part


def _copy(tally: Tally) -> Tally:
    copy = Tally()
    copy.add(tally)
    return copy
