"""Power by the hour, as the record takes it."""

import json
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL
from custom_components.carbon_meter.carbon.power_hours import PowerHours

T = 1_790_002_800 // HOUR * HOUR


def stored(hours: PowerHours, **options) -> PowerHours:
    return PowerHours.from_dict(json.loads(json.dumps(hours.as_dict())), **options)


def test_an_hour_of_a_load_that_runs_for_a_quarter() -> None:
    hours = PowerHours()
    for second in range(0, HOUR + 1, 10):
        hours.observe(T + second, 2000.0 if second < 900 else 100.0)
    (row,) = hours.rows(T + HOUR)

    assert row.start == T
    assert row.mean == pytest.approx((2000 * 900 + 100 * 2700) / 3600)
    assert (row.minimum, row.maximum, row.coverage) == (100.0, 2000.0, 1.0)


def test_a_sample_at_the_end_of_an_hour_is_of_the_next() -> None:
    hours = PowerHours()
    hours.observe(T + HOUR - 10, 100.0)
    hours.observe(T + HOUR, 9000.0)
    hours.observe(T + HOUR + 10, 9000.0)

    assert hours.row(T).maximum == 100.0
    assert hours.row(T + HOUR).minimum == 9000.0


def test_an_hour_with_a_gap_says_how_much_of_it_is_known() -> None:
    hours = PowerHours(longest=30.0)
    for second in range(0, 900, 10):
        hours.observe(T + second, 400.0)
    hours.observe(T + 2700, 1000.0)
    for second in range(2700, HOUR + 10, 10):
        hours.observe(T + second, 1000.0)
    (row,) = hours.rows(T + HOUR)

    assert row.coverage == pytest.approx((890 + 30 + 900) / 3600)
    assert row.mean == pytest.approx((400 * 920 + 1000 * 900) / 1820)


@pytest.mark.parametrize("power", [None, math.nan, math.inf])
def test_a_power_that_is_not_known_is_not_made_up(power) -> None:
    hours = PowerHours()
    hours.observe(T, 400.0)
    hours.observe(T + 10, power)
    hours.observe(T + 20, 400.0)
    hours.observe(T + 30, 400.0)

    assert hours.row(T).coverage == pytest.approx(20 / 3600)
    assert hours.row(T).mean == 400.0


def test_an_hour_without_a_sample_has_no_row() -> None:
    hours = PowerHours()
    hours.observe(T, 400.0)
    hours.observe(T + 5 * HOUR, 400.0)
    hours.observe(T + 5 * HOUR + 10, 400.0)

    assert [row.start for row in hours.rows(T + 9 * HOUR)] == [T, T + 5 * HOUR]


def test_rows_are_written_once_and_again_when_they_change() -> None:
    hours = PowerHours()
    for second in range(0, 2 * HOUR + 10, 10):
        hours.observe(T + second, 400.0)
    rows = hours.rows(T + HOUR)
    hours.published(rows)
    assert hours.rows(T + HOUR) == []
    # The clock was set back into the hour: it is known anew, and absolute.
    hours.observe(T + 100, 1000.0)
    hours.observe(T + 110, 1000.0)
    (again,) = hours.rows(T + HOUR)
    assert (again.start, again.maximum) == (T, 1000.0)
    hours.published(rows)
    assert hours.rows(T + HOUR) == [again]
    hours.published([again])
    hours.publish_again()
    assert [row.start for row in hours.rows(T + 2 * HOUR)] == [T, T + HOUR]


def test_old_rows_are_let_go_once_they_are_written() -> None:
    hours = PowerHours()
    for hour in range(60):
        hours.observe(T + hour * HOUR, 100.0)
    assert len(hours.rows(math.inf)) == 59
    hours.published(hours.rows(math.inf))
    hours.observe(T + 60 * HOUR, 100.0)
    hours.observe(T + 61 * HOUR, 100.0)
    assert len(hours.as_dict()["slots"]) <= 50


def test_what_nobody_writes_does_not_grow_for_ever() -> None:
    fine = PowerHours(step=INTERVAL, longest=300.0)
    for slot in range(3000):
        fine.observe(T + slot * INTERVAL, 100.0)
    assert len(fine.rows(math.inf)) == 1000


powers = st.lists(
    st.tuples(st.integers(1, 2000), st.none() | st.floats(-1e5, 1e5), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(powers, st.sampled_from([HOUR, INTERVAL]))
def test_rows_hold_what_was_said_through_every_restart(history, step) -> None:
    longest = 600.0
    hours = PowerHours(step=step, longest=longest)
    now, energy, time = float(T), 0.0, 0.0
    for seconds, power, restart in history:
        hours.observe(now, power)
        if restart:
            hours = stored(hours, step=step, longest=longest)
        if power is not None:
            energy += power * min(seconds, longest)
            time += min(seconds, longest)
        now += seconds
    hours.observe(now, None)
    rows = hours.rows(math.inf)

    assert sum(row.coverage for row in rows) * step == pytest.approx(time)
    assert sum(row.mean * row.coverage for row in rows) * step == pytest.approx(
        energy, rel=1e-6, abs=1.0
    )
    for row in rows:
        assert row.minimum <= row.mean <= row.maximum
        assert row.start % step == 0
        assert 0 < row.coverage <= 1
