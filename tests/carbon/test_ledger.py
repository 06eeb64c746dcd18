"""The ledger: what is booked stays booked, once, in its hour, with its carbon."""

from fractions import Fraction
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.ledger import Ledger
from tests.carbon.bookings import (
    DAY,
    Recorder,
    T,
    assert_same,
    exported,
    imported,
    restarted,
    summed,
    weighed,
)


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
