"""Bookings, and a record of hours, for the tests of the ledger."""

from itertools import pairwise
import json

import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval
from custom_components.carbon_meter.carbon.intervals import HOUR, floor
from custom_components.carbon_meter.carbon.ledger import Booking, Direction, HourRow, Ledger
from custom_components.carbon_meter.carbon.tally import Tally

T = floor(1_790_000_000, HOUR)
DAY = 24 * HOUR


def imported(start: float, end: float, energy: float, *, estimated: bool = False) -> Booking:
    return Booking(
        direction=Direction.IMPORT, start=start, end=end, energy=energy, estimated=estimated
    )


def exported(start: float, end: float, energy: float) -> Booking:
    return Booking(direction=Direction.EXPORT, start=start, end=end, energy=energy)


def weighed(start: float, end: float, value: float, grade: Grade = Grade.MEASURED):
    return IntensityInterval(start=start, end=end, value=value, grade=grade, source="test")


def restarted(ledger: Ledger) -> Ledger:
    return Ledger.from_dict(json.loads(json.dumps(ledger.as_dict())))


def summed(tallies) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def assert_same(first: Tally, second: Tally, rel: float = 1e-9) -> None:
    for name in ("import_energy", "export_energy", "carbon", "estimated_energy"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), rel=rel, abs=1e-6), name
    for name in ("measured_time", "estimated_time"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), rel=rel, abs=1e-3), name
    assert first.by_grade == pytest.approx(second.by_grade, rel=rel, abs=1e-6)


class Recorder:
    """The record, keyed by the start of the hour as Home Assistant's statistics are."""

    def __init__(self) -> None:
        self.rows: dict[int, HourRow] = {}

    def write(self, rows: list[HourRow]) -> None:
        self.rows |= {row.start: row for row in rows}

    def check(self) -> None:
        """Sums never fall, and rise by what the hour holds."""
        ordered = [self.rows[start] for start in sorted(self.rows)]
        for before, after in pairwise(ordered):
            rise = after.total.import_energy - before.total.import_energy
            assert rise == pytest.approx(after.hour.import_energy, rel=1e-9, abs=1e-5)
            grams = after.total.carbon - before.total.carbon
            assert grams == pytest.approx(after.hour.carbon, rel=1e-9, abs=1e-5)
        if ordered:
            assert_same(ordered[0].hour, ordered[0].total)


def publish(ledger: Ledger, until: float, recorder: Recorder) -> list[HourRow]:
    rows = ledger.unpublished(until)
    recorder.write(rows)
    ledger.published(rows)
    return rows
