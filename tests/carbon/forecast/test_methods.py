"""The simple methods, and that none of them looks ahead."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.hours import Hours
from custom_components.carbon_meter.carbon.forecast.methods import (
    HORIZON,
    profile,
    same_hour_before,
    trailing_mean,
    week_mean,
    yesterday,
)
from tests.carbon.forecast.series import START, grid

METHODS = [yesterday, week_mean, profile]


def hours_of(values) -> Hours:
    known = np.ones(len(values), dtype=np.bool_)
    return Hours(start=START, values=np.asarray(values, dtype=float), known=known)


def test_yesterday_is_persistence() -> None:
    values = np.arange(100.0)
    (row,) = yesterday(hours_of(values), 59, 60)

    assert row.tolist() == [*values[36:60]] * 3


def test_the_mean_of_a_week() -> None:
    values = np.arange(400.0)
    (row,) = week_mean(hours_of(values), 299, 300)

    assert row[0] == np.mean([values[300 - 24 * day] for day in range(1, 8)])
    assert row[23] == np.mean([values[323 - 24 * day] for day in range(1, 8)])
    assert row[24:48].tolist() == row[:24].tolist()


def test_what_is_unusual_fades() -> None:
    """Usual is 100 all the time; the last hour has 136, its week 36/168 more on average."""
    values = np.full(1000, 100.0)
    values[-1] = 136.0
    (row,) = profile(hours_of(values), 999, 1000)
    mean = 36 / 168

    assert row[0] == pytest.approx(100 + mean + (36 - mean) * np.exp(-1 / 36))
    # 36 hours later, when the same hour comes for the second time, 1/e is left of it.
    assert row[35] == pytest.approx(100 + mean + (36 - mean) / np.e)


@pytest.mark.parametrize("method", METHODS)
def test_a_daily_course_without_noise_is_forecast_exactly(method) -> None:
    values = np.tile(np.arange(24.0) ** 2, 60)
    row = method(hours_of(values[: 24 * 50 + 7]), 24 * 50 + 6, 24 * 50 + 7)[0]

    np.testing.assert_allclose(row, values[24 * 50 + 7 : 24 * 50 + 7 + HORIZON], atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(st.integers(30, 900), st.integers(0, 5))
def test_no_method_looks_ahead(method, origin, seed) -> None:
    values = grid(1000, seed=seed)
    changed = values.copy()
    changed[origin + 1 :] = 4321.0

    before = method(hours_of(values), origin, origin + 1)
    np.testing.assert_array_equal(method(hours_of(changed), origin, origin + 1), before)
    # Nor does it matter what else is asked for, or whether more is known.
    np.testing.assert_allclose(method(hours_of(values), 25, 1000)[origin - 25], before[0])
    cut = hours_of(values[: origin + 1])
    np.testing.assert_allclose(method(cut, origin, origin + 1), before)


def test_means() -> None:
    assert trailing_mean(np.array([1.0, 2, 3, 4]), 2).tolist() == [1, 1.5, 2.5, 3.5]
    same = same_hour_before(np.array([1.0, 2, 3, 4, 5]), 2, ahead=1, apart=2)
    assert same.tolist() == [1, 1, 1, 2, 2, 3]
