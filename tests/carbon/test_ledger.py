"""The ledger: what is booked stays booked, once, in its hour, with its carbon."""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
import json
import math
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval
from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL, floor
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


def test_energy_lies_where_it_flowed() -> None:
    ledger = Ledger()
    ledger.book(imported(T + 240, T + 840, 100.0))  # 4 min to 14 min

    energies = {start - T: tally.import_energy for start, tally in ledger.intervals.items()}
    assert energies == pytest.approx({0: 10.0, 300: 50.0, 600: 40.0})
    assert ledger.hours[T].import_energy == pytest.approx(100.0)
    assert ledger.total.import_energy == pytest.approx(100.0)
    assert ledger.total.carbon == 0


def test_carbon_is_energy_times_intensity_segment_by_segment() -> None:
    ledger = Ledger()
    ledger.book(
        imported(T, T + 600, 1000.0),
        [
            weighed(T, T + 150, 400.0),
            weighed(T + 150, T + 300, 100.0, Grade.FORECAST),
            weighed(T + 300, T + 900, 50.0, Grade.YEARLY),
        ],
    )

    # 250 Wh at 400, 250 Wh at 100 and 500 Wh at 50 gCO2eq/kWh.
    assert ledger.total.carbon == pytest.approx(100 + 25 + 25)
    assert ledger.intervals[T].carbon == pytest.approx(125)
    assert ledger.total.by_grade == pytest.approx(
        {Grade.MEASURED: 250, Grade.FORECAST: 250, Grade.YEARLY: 500}
    )
    assert ledger.intervals[T].grade is Grade.FORECAST
    assert ledger.intervals[T + 300].grade is Grade.YEARLY


def test_where_no_intensity_is_known_energy_is_booked_without_carbon() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 300, 90.0), [weighed(T + 100, T + 200, 1000.0)])

    assert ledger.total.import_energy == pytest.approx(90.0)
    assert ledger.total.carbon == pytest.approx(30.0)
    assert ledger.total.by_grade == pytest.approx({Grade.MEASURED: 30.0})


def test_export_carries_no_carbon() -> None:
    ledger = Ledger()
    ledger.book(exported(T, T + 300, 500.0), [weighed(T, T + 300, 400.0)])

    assert ledger.total.export_energy == 500.0
    assert (ledger.total.import_energy, ledger.total.carbon) == (0.0, 0.0)
    assert ledger.total.by_grade == {}


def test_estimated_energy_is_marked_and_covered_time_is_counted() -> None:
    ledger = Ledger()
    ledger.book(imported(T, T + 1200, 400.0, estimated=True))
    ledger.cover(T - 600, T, estimated=False)
    ledger.cover(T, T + 1200, estimated=True)

    assert ledger.total.estimated_energy == pytest.approx(400.0)
    assert ledger.hours[T].estimated_time == 1200
    assert ledger.hours[T - HOUR].measured_time == 600
    assert ledger.hours[T - HOUR].estimated_time == 0


@pytest.mark.parametrize("energy", [-1.0, -1e-12, math.nan, math.inf, -math.inf])
def test_what_is_no_energy_cannot_be_booked(energy) -> None:
    with pytest.raises(ValueError, match="energy is at least 0 Wh"):
        imported(T, T + 10, energy)


@pytest.mark.parametrize("start", [T + 500, T + 500.5, T + 4000, T + 1e9])
def test_a_clock_that_was_set_back_books_at_the_end(start) -> None:
    ledger = Ledger()
    ledger.book(imported(start, T + 500, 100.0), [weighed(T, T + 1e10, 300.0)])
    ledger.cover(start, T + 500, estimated=True)

    assert ledger.intervals[T + 300].import_energy == 100.0
    assert ledger.total.carbon == pytest.approx(30.0)
    assert ledger.total.estimated_time == 0


def test_a_century_is_booked_in_the_last_year() -> None:
    """A clock that began in 1970 is not a gap of half a century."""
    ledger = Ledger()
    ledger.book(imported(0.0, T + 10, 1000.0), [weighed(0.0, T + 10, 100.0)])
    ledger.cover(0.0, T + 10, estimated=True)

    assert ledger.total.import_energy == pytest.approx(1000.0)
    assert ledger.total.carbon == pytest.approx(100.0)
    assert min(ledger.hours) >= T - 367 * DAY
    assert ledger.total.estimated_time == pytest.approx(366 * DAY)


times = st.floats(0, 3 * DAY)
lengths = st.one_of(st.floats(1e-3, 900), st.floats(1, 40 * HOUR))
energies = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
values = st.floats(0, 1500)


@st.composite
def stretches(draw):
    start = T + draw(times)
    return (start, start + draw(lengths), draw(energies))


@st.composite
def step_functions(draw):
    """Return intensities over two weeks with changes at any moment, and holes."""
    edges = sorted(draw(st.lists(st.floats(0, 6 * DAY), min_size=1, max_size=12, unique=True)))
    found, position = [], T - 3 * DAY
    for edge in [*edges, 20 * DAY]:
        value = draw(st.none() | values)
        if value is not None and T + edge > position:
            found.append(weighed(position, T + edge, value, draw(st.sampled_from([*Grade]))))
        position = T + edge
    return found


def exact_grams(bookings, intensities) -> Fraction:
    """Return the integral of power times intensity, in whole numbers' quotients."""
    grams = Fraction(0)
    for start, end, energy in bookings:
        begin, stop = Fraction(start), Fraction(end)
        power = Fraction(energy) / (stop - begin)
        for item in intensities:
            overlap = min(stop, Fraction(item.end)) - max(begin, Fraction(item.start))
            if overlap > 0:
                grams += power * overlap / 1000 * Fraction(item.value)
    return grams


@given(st.lists(stretches(), min_size=1, max_size=6), step_functions())
def test_grams_are_the_exact_integral(bookings, intensities) -> None:
    ledger = Ledger()
    for start, end, energy in bookings:
        ledger.book(imported(start, end, energy), intensities)

    grams = float(exact_grams(bookings, intensities))
    energy = sum(energy for *_, energy in bookings)
    # The clock itself has a grain of a quarter of a microsecond at this distance from 1970.
    grain = sum(5e-7 / (end - start) * energy * 1.5 for start, end, energy in bookings)
    assert ledger.total.carbon == pytest.approx(grams, rel=1e-6, abs=grain + 1e-9)
    assert ledger.total.import_energy == pytest.approx(energy, rel=1e-9, abs=1e-12)
    for part in (ledger.hours, ledger.intervals):
        assert all(tally.import_energy >= 0 for tally in part.values())
    assert summed(ledger.hours.values()).carbon == pytest.approx(ledger.total.carbon, rel=1e-9)
    weighed_energy = sum(ledger.total.by_grade.values())
    assert weighed_energy <= ledger.total.import_energy * (1 + 1e-9) + 1e-9


@st.composite
def histories(draw):
    """Return what happens to a ledger: bookings forwards, now and then from long before."""
    now, steps = float(T), []
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["step", "step", "step", "gap", "late", "publish", "restart"]))
        if kind == "step":
            start, now = now, now + draw(st.floats(1, 900))
            steps.append(("book", start, now, draw(energies)))
        elif kind == "gap":
            start, now = now, now + draw(st.floats(900, 60 * HOUR))
            steps.append(("book", start, now, draw(energies)))
        elif kind == "late":
            steps.append(("book", now - draw(st.floats(1, 4 * DAY)), now, draw(energies)))
        else:
            steps.append((kind, now, now, 0.0))
    return steps


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


@settings(max_examples=120)
@given(histories(), step_functions())
def test_nothing_is_lost_and_nothing_counted_twice(history, intensities) -> None:
    ledger, recorder, booked = Ledger(), Recorder(), 0.0
    for kind, start, now, energy in history:
        if kind == "book":
            ledger.book(imported(start, now, energy), intensities)
            booked += energy
        elif kind == "restart":
            before = ledger
            ledger = restarted(ledger)
            assert ledger.as_dict() == before.as_dict()
            ledger.publish_again()
        else:
            rows = ledger.unpublished(now)
            recorder.write(rows)
            ledger.published(rows)
            assert ledger.unpublished(now) == []
            if recorder.rows:
                last = recorder.rows[max(recorder.rows)]
                still = summed(t for start, t in ledger.hours.items() if start + HOUR > now)
                still.add(last.total)
                assert_same(still, ledger.total)
    end = history[-1][2] + 2 * HOUR
    rows = ledger.unpublished(end)
    recorder.write(rows)
    ledger.published(rows)

    assert ledger.total.import_energy == pytest.approx(booked, rel=1e-9, abs=1e-9)
    if recorder.rows:
        assert_same(recorder.rows[max(recorder.rows)].total, ledger.total)
    if not any(kind == "book" and now - start > 47 * HOUR for kind, start, now, _ in history):
        recorder.check()


def publish(ledger: Ledger, until: float, recorder: Recorder) -> list[HourRow]:
    rows = ledger.unpublished(until)
    recorder.write(rows)
    ledger.published(rows)
    return rows


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
