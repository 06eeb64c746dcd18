"""The hours that a forecast looks back on."""

from math import nan

from hypothesis import given, strategies as st
import numpy as np

from custom_components.carbon_meter.carbon.forecast.hours import Hours
from tests.carbon.forecast.series import HOUR, START, grid, history


def hours_of(values) -> Hours:
    recorded = history(values)
    return Hours.until(recorded, recorded.end)


def test_what_is_known_stays() -> None:
    values = grid(500)
    hours = hours_of(values)

    np.testing.assert_array_equal(hours.values, values)
    assert hours.known.all()
    assert hours.moments.tolist()[:2] == [START, START + HOUR]


def test_a_single_hour_far_off_is_a_gap() -> None:
    values = grid(500)
    spoiled = values.copy()
    spoiled[200], spoiled[300] = 4000.0, 3000.0
    hours = hours_of(spoiled)

    assert np.flatnonzero(~hours.known).tolist() == [200, 300]
    assert abs(hours.values - values).max() < 30


def test_a_new_level_is_no_spike() -> None:
    values = grid(500)
    values[250:] += 2000

    assert hours_of(values).known.all()


def test_an_hour_that_differs_a_little_in_a_constant_series_is_no_spike() -> None:
    values = np.full(500, 100.0)
    values[250] = 140.0

    assert hours_of(values).known.all()


def test_short_gaps_are_bridged_by_a_line() -> None:
    hours = hours_of([10, 20, nan, nan, 50, 60])

    assert hours.values.tolist() == [10, 20, 30, 40, 50, 60]
    assert hours.known.tolist() == [True, True, False, False, True, True]


def test_long_gaps_are_filled_with_the_days_before() -> None:
    values = np.tile(np.arange(24.0), 10)
    values[240 - 50 : 240 - 2] = nan
    hours = hours_of(values)

    np.testing.assert_allclose(hours.values, np.tile(np.arange(24.0), 10))


def test_a_gap_before_a_day_has_passed_keeps_the_value_before() -> None:
    assert hours_of([10, nan, nan, nan, nan, 50]).values.tolist() == [10] * 5 + [50]


def test_the_end_may_lie_behind_what_is_known() -> None:
    recorded = history(np.tile(np.arange(24.0), 3))
    hours = Hours.until(recorded, recorded.end + 2 * HOUR)

    assert hours.values[-3:].tolist() == [23, 0, 1]
    assert hours.known[-3:].tolist() == [True, False, False]


def test_nothing_known_is_no_hour() -> None:
    assert len(hours_of([]).values) == 0
    assert len(Hours.until(history([1, 2]), START).values) == 0


def test_the_latest_hours() -> None:
    hours = hours_of(np.arange(10.0)).latest(3)

    assert (hours.start, hours.values.tolist()) == (START + 7 * HOUR, [7, 8, 9])
    assert len(hours.latest(100).values) == 3


@given(st.lists(st.one_of(st.just(nan), st.floats(0, 5000)), max_size=300))
def test_nothing_is_left_open_and_nothing_known_is_changed(values) -> None:
    hours = hours_of(values)

    assert np.isfinite(hours.values).all()
    recorded = history(values)
    np.testing.assert_array_equal(hours.values[hours.known], recorded.values[hours.known])
