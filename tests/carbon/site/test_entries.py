"""What a ledger gives to a site's book: each hour that has changed, once, until it has arrived."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.reported import ReportedSource
from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.ledger import Ledger
from custom_components.carbon_meter.carbon.site.entries import grid_entry, take_entries
from tests.carbon.bookings import exported, imported, restarted, weighed
from tests.carbon.site.homes import DAY, SLOTS, T, place_in_grades


def test_an_hour_has_its_intervals_and_their_sums() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 600, 100.0), [weighed(T, T + 600, 400.0)])
    ledger.book(exported(T + 300, T + 900, 60.0))
    ledger.cover(T, T + 700, estimated=False)

    (entry,) = take_entries("m", ledger)
    assert (entry.meter, entry.hour, entry.measured) == ("m", T, 700.0)
    assert entry.total == pytest.approx([100.0, 60.0, 40.0])
    assert entry.fine is not None
    assert entry.fine.sum(axis=1) == pytest.approx(entry.total)
    assert entry.fine[1][:4] == pytest.approx([0.0, 30.0, 30.0, 0.0])
    # A hundred of three hundred seconds do not tell of an interval.
    assert entry.known.tolist() == [True, True] + [False] * 10


def test_what_was_taken_is_taken_once() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 2 * HOUR, 100.0))

    taken = take_entries("m", ledger)
    assert [entry.hour for entry in taken] == [T, T + HOUR]
    assert take_entries("m", ledger) == []
    ledger.book(imported(T + HOUR, T + HOUR + 60, 1.0))
    assert [entry.hour for entry in take_entries("m", ledger)] == [T + HOUR]


def test_what_has_not_arrived_is_taken_again() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 60, 100.0))
    hours = ledger.take_touched()
    ledger.touch(hours)

    assert [entry.hour for entry in take_entries("m", ledger)] == [T]


def test_after_a_restart_everything_open_is_told_again() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 3 * HOUR, 90.0))
    take_entries("m", ledger)
    again = restarted(ledger)
    assert again.take_touched() == set()
    again.publish_again()

    entries = take_entries("m", again)
    assert [entry.hour for entry in entries] == [T, T + HOUR, T + 2 * HOUR]
    assert sum(entry.total[0] for entry in entries) == pytest.approx(90.0)


def test_an_hour_of_long_ago_has_its_sums_only() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + HOUR, 50.0))
    ledger.cover(T, T + HOUR, estimated=False)
    ledger.book(imported(T + DAY + 10 * HOUR, T + DAY + 11 * HOUR, 50.0))

    assert not ledger.is_fine(T)
    assert ledger.is_fine(T + DAY + 10 * HOUR)
    old, new = take_entries("m", ledger)[0], take_entries("m", ledger)
    assert old.fine is None
    assert old.total[0] == pytest.approx(50.0)
    assert old.known.all()
    assert new == []


def test_folded_are_the_sums_that_cannot_change() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + HOUR, 50.0))
    ledger.book(imported(T + 4 * DAY, T + 4 * DAY + HOUR, 70.0))
    assert ledger.folded.import_energy == 0.0
    ledger.published(ledger.unpublished(T + 5 * DAY))

    assert ledger.folded.import_energy == pytest.approx(50.0)
    assert ledger.total.import_energy == pytest.approx(120.0)


def test_the_grids_hour_has_means_bounds_the_worst_grade_and_the_main_source() -> None:
    reported = ReportedSource("signal", "Signal", grade=Grade.MEASURED)
    reported.report(T, 100.0, "g/kWh")
    reported.report(T + 400.0, 400.0, "g/kWh")
    reported.lost(T + 750.0)

    entry = grid_entry(Ladder([reported, FixedSource(250.0)]), T)

    assert entry.value[:3] == pytest.approx([100.0, 300.0, (150 * 400 + 150 * 250) / 300])
    assert entry.low[:3].tolist() == [100.0, 100.0, 250.0]
    assert entry.high[:3].tolist() == [100.0, 400.0, 400.0]
    assert entry.source[:2] == ("signal", "signal")
    assert entry.grade[0] == place_in_grades(Grade.MEASURED)
    assert entry.grade[3] > entry.grade[0]
    assert entry.value[3:] == pytest.approx(np.full(SLOTS - 3, 250.0))


def test_where_no_source_knows_anything_nothing_is_told() -> None:
    entry = grid_entry(Ladder([ReportedSource("signal", "Signal")]), T)

    assert np.isnan(entry.value).all()
    assert set(entry.grade.tolist()) == {UNKNOWN_GRADE}
    assert set(entry.source) == {""}
