"""The benchmark's figures, reckoned by hand."""

import numpy as np
import pytest

from benchmarks.forecast.scoring import Plan, coverage, mean_error, savings

TRUTH = np.full((2, 24), 100.0)
TRUTH[:, 10:13] = 40.0
TRUTH[:, 20:23] = 160.0
BOTH = np.array([0, 1])


def test_a_perfect_forecast_keeps_all() -> None:
    found = savings(TRUTH, TRUTH, BOTH)

    assert (found[Plan.DAY].oracle, found[Plan.DAY].kept) == (pytest.approx(120 / 160), 1)
    assert found[Plan.RANGE] == found[Plan.DAY]
    assert (found[Plan.AT_ONCE].oracle, found[Plan.AT_ONCE].kept) == (pytest.approx(0.6), 1)


def test_a_flat_forecast_runs_at_once() -> None:
    found = savings(np.zeros((2, 24)), TRUTH, BOTH)

    assert found[Plan.AT_ONCE].kept == 0
    assert found[Plan.RANGE].kept == pytest.approx(0.5)


def test_a_forecast_an_hour_late_keeps_two_thirds() -> None:
    found = savings(np.roll(TRUTH, 1, axis=1), TRUTH, BOTH)

    assert found[Plan.AT_ONCE].kept == pytest.approx(2 / 3)
    assert found[Plan.RANGE].kept == pytest.approx((160 - 60) / 120)


def test_a_plan_for_the_day_is_made_at_midnight_only() -> None:
    forecast = TRUTH.copy()
    forecast[1] = 0.0
    found = savings(forecast, TRUTH, np.array([0]))

    assert found[Plan.DAY].kept == 1
    assert found[Plan.RANGE].kept == pytest.approx(0.75)


def test_errors_and_coverage() -> None:
    assert mean_error(TRUTH + 3, TRUTH) == pytest.approx(3)
    assert coverage(TRUTH - 1, TRUTH + 1, TRUTH) == 1
    assert coverage(TRUTH + 1, TRUTH + 2, TRUTH) == 0
