"""The regression: what it finds, and that unseen means unseen."""

from datetime import UTC

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.features import FIRST
from custom_components.carbon_meter.carbon.forecast.hours import Hours
from custom_components.carbon_meter.carbon.forecast.methods import HORIZON, yesterday
from custom_components.carbon_meter.carbon.forecast.regression import Regression
from tests.carbon.forecast.series import START, grid

HOURS = 24 * 150


def hours_of(values, known=None) -> Hours:
    all_known = np.ones(len(values), dtype=np.bool_)
    return Hours(start=START, values=values, known=all_known if known is None else known)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return grid(HOURS + 24 * 40, seed=3)


@pytest.fixture(scope="module")
def fitted(values) -> Regression:
    return Regression.fit(hours_of(values[:HOURS]), UTC)


def error(forecasts: np.ndarray, values: np.ndarray, first: int) -> float:
    rows = np.lib.stride_tricks.sliding_window_view(values[first + 1 :], 24)
    count = min(len(rows), len(forecasts))
    return float(np.abs(rows[:count] - forecasts[:count, :24]).mean())


def test_it_beats_persistence_on_days_it_has_not_seen(fitted, values) -> None:
    last = len(values) - HORIZON
    hours = hours_of(values)

    ours = error(fitted.forecast(hours, UTC, HOURS, last), values, HOURS)
    assert ours < 0.85 * error(yesterday(hours, HOURS, last), values, HOURS)


def test_what_it_says_of_unseen_days_is_as_good_as_it_will_be(fitted, values) -> None:
    assert fitted.unseen.shape == (HOURS - FIRST, HORIZON)
    unseen = error(fitted.unseen, values[:HOURS], FIRST)
    later = error(
        fitted.forecast(hours_of(values), UTC, HOURS, len(values) - HORIZON), values, HOURS
    )
    assert unseen == pytest.approx(later, rel=0.2)


def test_a_cleaner_grid_is_forecast_as_one_that_always_was(fitted, values) -> None:
    before = fitted.forecast(hours_of(values), UTC, HOURS, HOURS + 24)
    after = fitted.forecast(hours_of(values + 100.0), UTC, HOURS, HOURS + 24)

    np.testing.assert_allclose(after, before + 100.0, rtol=1e-9)


def test_it_does_not_look_ahead(fitted, values) -> None:
    changed = values.copy()
    changed[HOURS + 1 :] = 1234.0

    before = fitted.forecast(hours_of(values), UTC, HOURS, HOURS + 1)
    np.testing.assert_array_equal(fitted.forecast(hours_of(changed), UTC, HOURS, HOURS + 1), before)
    np.testing.assert_allclose(
        fitted.forecast(hours_of(values[: HOURS + 1]), UTC, HOURS, HOURS + 1), before
    )


def test_hours_that_were_filled_in_are_not_learned_from(values) -> None:
    """Filled with nonsense, which a fit must not see as something that came true."""
    known = np.ones(HOURS, dtype=np.bool_)
    known[500:520] = False
    spoiled = values[:HOURS].copy()
    spoiled[500:520] = 3000.0

    fitted = Regression.fit(hours_of(spoiled, known), UTC)
    assert error(fitted.unseen[1000:], values[:HOURS], FIRST + 1000) < 40


def test_the_latest_origins_can_be_kept_alone(fitted) -> None:
    kept = fitted.latest(10)

    np.testing.assert_array_equal(kept.unseen, fitted.unseen[-10:])
    assert kept.leads is fitted.leads
