"""Weights by what each method deserved."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.methods import HORIZON
from custom_components.carbon_meter.carbon.forecast.mixing import MEMORY, mix

ORIGINS = 1000


def rows(value: float | np.ndarray) -> np.ndarray:
    return np.ones((ORIGINS, HORIZON)) * value


def test_the_better_method_decides() -> None:
    """Off by 1 and by 4: eight powers make the worse one weigh less than 1/10000."""
    mixed = mix([rows(101.0), rows(96.0)], np.full(ORIGINS, 100.0))

    assert mixed.values[-1] == pytest.approx(101, abs=1e-3)
    assert mixed.error[-1] == pytest.approx(1.01, abs=1e-3)


def test_equals_weigh_the_same() -> None:
    mixed = mix([rows(110.0), rows(90.0)], np.full(ORIGINS, 100.0))

    assert mixed.values[-1] == pytest.approx(100)


def test_each_quarter_of_a_day_of_lead_has_weights_of_its_own() -> None:
    leads = np.arange(HORIZON) < 6
    first, second = np.where(leads, 101.0, 110.0), np.where(leads, 110.0, 101.0)
    mixed = mix([rows(first), rows(second)], np.full(ORIGINS, 100.0))

    assert mixed.values[-1] == pytest.approx(101, abs=1e-3)


def test_before_anything_is_known_all_weigh_the_same_and_no_error_is_told() -> None:
    mixed = mix([rows(101.0), rows(90.0)], np.full(ORIGINS, 100.0))

    assert mixed.values[0] == pytest.approx(95.5)
    assert np.isnan(mixed.error[0]).all()
    assert np.isnan(mix([rows(1.0)], np.full(ORIGINS, np.nan)).error).all()


def test_only_the_last_weeks_count() -> None:
    """The first was right until hour 100, and wrong after: four weeks later that is forgotten."""
    truth = np.where(np.arange(ORIGINS) < 100, 100.0, 200.0)
    mixed = mix([rows(101.0), rows(196.0)], truth)

    assert mixed.values[90] == pytest.approx(101, abs=0.1)
    assert mixed.values[100 + MEMORY + HORIZON] == pytest.approx(196, abs=0.1)
    assert mixed.error[100 + MEMORY + HORIZON] == pytest.approx(4.01, abs=0.01)


def test_no_origin_knows_what_came_after_it() -> None:
    random = np.random.default_rng(4)
    forecasts = [random.normal(100, 10, (ORIGINS, HORIZON)) for _ in range(3)]
    truth = random.normal(100, 10, ORIGINS)
    changed = truth.copy()
    # The truth of place k came in the hour after origin k.
    changed[500:] = 9999.0

    before, after = mix(forecasts, truth), mix(forecasts, changed)
    np.testing.assert_array_equal(before.values[:501], after.values[:501])
    np.testing.assert_array_equal(before.error[:501], after.error[:501])
    assert (before.values[501] != after.values[501]).any()


def test_hours_that_are_not_known_count_for_nobody() -> None:
    truth = np.full(ORIGINS, 100.0)
    truth[::2] = np.nan

    assert mix([rows(101.0), rows(90.0)], truth).values[-1] == pytest.approx(101, abs=1e-3)


def test_the_same_forecast_twice_is_that_forecast() -> None:
    random = np.random.default_rng(5)
    forecast = random.normal(100, 10, (ORIGINS, HORIZON))

    mixed = mix([forecast, forecast], random.normal(100, 10, ORIGINS))
    np.testing.assert_allclose(mixed.values, forecast)
