"""The ledger's hours in the record: finished, restated, in local days, under wrong clocks."""

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL, floor
from custom_components.carbon_meter.carbon.ledger import Ledger
from custom_components.carbon_meter.carbon.tally import Tally
from tests.carbon.bookings import (
    DAY,
    Recorder,
    T,
    assert_same,
    imported,
    publish,
    restarted,
    summed,
    weighed,
)


def test_only_finished_hours_are_published_and_only_once() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 2.5 * HOUR, 250.0))

    assert [row.start for row in ledger.unpublished(T + 3599)] == []
    rows = ledger.unpublished(T + 2.5 * HOUR)
    assert [(row.start - T, row.hour.import_energy) for row in rows] == [
        (0, pytest.approx(100.0)),
        (HOUR, pytest.approx(100.0)),
    ]
    assert rows[1].total.import_energy == pytest.approx(200.0)
    ledger.published(rows)
    assert ledger.unpublished(T + 2.5 * HOUR) == []
    assert [row.start for row in ledger.unpublished(T + 3 * HOUR)] == [T + 2 * HOUR]


def test_an_hour_that_is_late_restates_the_sums_after_it() -> None:
    ledger, recorder = Ledger(), Recorder()
    for hour in range(5):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 100.0))
    publish(ledger, T + 5 * HOUR, recorder)

    ledger.book(imported(T + HOUR, T + 2 * HOUR, 50.0))
    rows = publish(ledger, T + 5 * HOUR, recorder)

    assert [row.start for row in rows] == [T + hour * HOUR for hour in range(1, 5)]
    assert [row.total.import_energy for row in rows] == pytest.approx([250, 350, 450, 550])
    recorder.check()


def test_what_is_booked_while_rows_are_written_is_not_taken_for_written() -> None:
    ledger, recorder = Ledger(), Recorder()
    for hour in (0, 2, 3):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 100.0))
    rows = ledger.unpublished(T + 4 * HOUR)
    ledger.book(imported(T + HOUR, T + 2 * HOUR, 7.0))  # an hour that has no row yet
    recorder.write(rows)
    ledger.published(rows)

    again = publish(ledger, T + 4 * HOUR, recorder)
    assert [row.start for row in again] == [T + hour * HOUR for hour in (1, 2, 3)]
    recorder.check()

    rows = ledger.unpublished(T + 4 * HOUR)
    assert rows == []
    ledger.book(imported(T, T + HOUR, 5.0))
    rows = ledger.unpublished(T + 4 * HOUR)
    ledger.book(imported(T - HOUR, T, 3.0))  # before the first of the rows
    recorder.write(rows)
    ledger.published(rows)
    assert publish(ledger, T + 4 * HOUR, recorder)[0].start == T - HOUR
    recorder.check()
    assert recorder.rows[T + 3 * HOUR].total.import_energy == pytest.approx(315.0)


def test_an_hour_closes_after_two_days_and_what_comes_later_is_not_lost() -> None:
    ledger, recorder = Ledger(), Recorder()
    for hour in range(60):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 10.0))
    publish(ledger, T + 60 * HOUR, recorder)

    assert min(ledger.hours) == T + 12 * HOUR
    ledger.book(imported(T, T + HOUR, 1.0))
    rows = publish(ledger, T + 60 * HOUR, recorder)

    assert rows[0].start == T + 12 * HOUR
    assert recorder.rows[T + 59 * HOUR].total.import_energy == pytest.approx(601.0)
    recorder.check()
    assert_same(restarted(ledger).total, ledger.total)


def test_publishing_again_writes_the_same_rows() -> None:
    ledger, recorder = Ledger(), Recorder()
    for hour in range(60):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 10.0 + hour))
    publish(ledger, T + 60 * HOUR, recorder)
    before = dict(recorder.rows)

    again = restarted(ledger)
    again.publish_again()
    rows = publish(again, T + 60 * HOUR, recorder)

    assert len(rows) == 48
    assert recorder.rows == before


def power_at(local: datetime) -> float:
    return 200.0 + 10 * local.hour + local.minute + 3 * local.day


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25), (2026, 12, 31)])
def test_hours_add_up_to_local_days_months_and_years(day) -> None:
    """Also on the days of Berlin that have 23 and 25 hours."""
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(*day, tzinfo=zone) - timedelta(days=1)
    last = datetime(*day, tzinfo=zone) + timedelta(days=2)
    ledger, recorder = Ledger(), Recorder()
    expected: dict[str, dict[tuple[int, ...], float]] = {
        "day": defaultdict(float),
        "month": defaultdict(float),
        "year": defaultdict(float),
    }
    moment = first.timestamp()
    while moment < last.timestamp():
        local = datetime.fromtimestamp(moment, zone)
        energy = power_at(local) * 420 / 3600
        ledger.book(imported(moment, moment + 420, energy), [weighed(moment, moment + 420, 300.0)])
        for offset in range(0, 420, 60):  # whole minutes: no day begins within one
            minute = datetime.fromtimestamp(moment + offset, zone)
            for size, key in (
                ("day", minute.date().timetuple()[:3]),
                ("month", minute.timetuple()[:2]),
                ("year", minute.timetuple()[:1]),
            ):
                expected[size][key] += energy / 7
        moment += 420
        if int(moment) % 7200 < 420:
            publish(ledger, moment, recorder)
    publish(ledger, moment + HOUR, recorder)
    recorder.check()

    found: dict[str, dict[tuple[int, ...], float]] = {size: defaultdict(float) for size in expected}
    for row in recorder.rows.values():
        local = datetime.fromtimestamp(row.start, zone)
        found["day"][local.date().timetuple()[:3]] += row.hour.import_energy
        found["month"][local.timetuple()[:2]] += row.hour.import_energy
        found["year"][local.timetuple()[:1]] += row.hour.import_energy
    for size, sums in expected.items():
        assert found[size] == pytest.approx(sums, rel=1e-9)
    total = sum(row.hour.carbon for row in recorder.rows.values())
    assert total == pytest.approx(sum(expected["year"].values()) * 0.3, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Asia/Kolkata", (2026, 3, 29), 24),  # its days begin at half past
        ("Asia/Kathmandu", (2026, 3, 29), 24),  # and these at a quarter to
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
    ],
)
def test_intervals_add_up_to_the_local_day(name, day, hours) -> None:
    zone = ZoneInfo(name)
    midnight = datetime(*day, tzinfo=zone).timestamp()
    end = (datetime(*day, tzinfo=zone) + timedelta(days=1)).timestamp()  # as the wall clock counts
    assert end - midnight == hours * HOUR
    ledger = Ledger()
    moment = midnight - 30 * HOUR
    while moment < end:
        before = moment < midnight
        ledger.book(imported(moment, moment + 100, 3.0 if before else 5.0))
        ledger.cover(moment, moment + 100, estimated=False)
        moment += 100

    today = ledger.since(midnight)
    assert today.import_energy == pytest.approx(5.0 * hours * 36)
    assert today.measured_time == pytest.approx(hours * HOUR)
    by_day = [t for start, t in ledger.intervals.items() if midnight <= start < end]
    assert summed(by_day).import_energy == pytest.approx(5.0 * hours * 36)
    assert max(ledger.intervals) - min(ledger.intervals) <= 26 * HOUR


def test_the_sums_since_any_moment_lose_nothing_of_whole_hours() -> None:
    ledger = Ledger()
    for step in range(40 * 12 + 7):  # the oldest hour of fine intervals is not whole
        ledger.book(imported(T + step * INTERVAL, T + (step + 1) * INTERVAL, 1.0))
    assert min(ledger.intervals) % HOUR

    for hours in range(41):
        assert ledger.since(T + hours * HOUR).import_energy == pytest.approx(12 * (40 - hours) + 7)
    assert ledger.since(T + 39 * HOUR + 600).import_energy == pytest.approx(17)
    assert Ledger().since(T) == Tally()


def test_a_clock_that_was_wrong_by_years_does_not_stop_the_record() -> None:
    """Set forward for a while with everything published there, then right again."""
    ledger, recorder = Ledger(), Recorder()
    ledger.book(imported(T, T + HOUR, 100.0))
    publish(ledger, T + HOUR, recorder)
    wrong = T + 4 * 365 * DAY
    ledger.book(imported(T + HOUR, wrong + HOUR, 50.0, estimated=True))
    publish(ledger, wrong + HOUR, recorder)
    present = T + 2 * HOUR
    ledger.book(imported(wrong + HOUR, present, 5.0, estimated=True))
    for step in range(1, 31):
        start = present + (step - 1) * 600
        ledger.book(imported(start, start + 600, 10.0))
        ledger.cover(start, start + 600, estimated=False)
        ledger = restarted(ledger) if step % 13 == 0 else ledger

    assert ledger.total.import_energy == pytest.approx(455.0)
    assert ledger.intervals[floor(present + 17_000)].import_energy == pytest.approx(5.0)
    rows = publish(ledger, present + 5 * HOUR, recorder)
    assert rows[-1].start == present + 4 * HOUR
    assert rows[-1].total.import_energy == pytest.approx(455.0)
    assert rows[-1].hour.import_energy == pytest.approx(60.0)


def test_a_clock_that_lost_its_time_at_a_start_costs_no_open_hour() -> None:
    """In 1970 for some minutes, until the time came from the network."""
    ledger, recorder = Ledger(), Recorder()
    for hour in range(60):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 100.0))
    publish(ledger, T + 60 * HOUR, recorder)
    now = T + 60 * HOUR
    ledger.book(imported(now, 1000.0, 1.0, estimated=True))
    for step in range(5):
        ledger.book(imported(1000.0 + 60 * step, 1060.0 + 60 * step, 1.0))
    before = dict(ledger.hours)
    ledger.book(imported(1300.0, now + 600, 1.0, estimated=True))
    ledger.book(imported(now + 600, now + HOUR, 80.0))
    publish(ledger, now + HOUR, recorder)

    assert ledger.total.import_energy == pytest.approx(6087.0)
    assert set(before) <= set(recorder.rows)
    assert recorder.rows[now].total.import_energy == pytest.approx(6087.0)
    assert recorder.rows[now].hour.import_energy == pytest.approx(80.0, abs=0.1)
    recorder.check()


def test_an_hour_s_wrong_clock_is_forgotten_as_soon_as_time_has_caught_up() -> None:
    """Set forward by five hours and back: what was booked ahead is published when it is due."""
    ledger, recorder = Ledger(), Recorder()
    ledger.book(imported(T, T + HOUR, 100.0))
    ledger.book(imported(T + HOUR, T + 6 * HOUR, 10.0, estimated=True))
    publish(ledger, T + 6 * HOUR, recorder)
    ledger.book(imported(T + 6 * HOUR, T + HOUR, 0.0))
    for hour in range(1, 8):
        ledger.book(imported(T + hour * HOUR, T + (hour + 1) * HOUR, 100.0))
        publish(ledger, T + (hour + 1) * HOUR, recorder)

    assert recorder.rows[T + 7 * HOUR].total.import_energy == pytest.approx(810.0)
    recorder.check()
