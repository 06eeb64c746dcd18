"""The band holds what it promises."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.band import Band
from custom_components.carbon_meter.carbon.forecast.methods import HORIZON

DAYS = 200


def residuals(seed: int, days: int = DAYS) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.gamma(2.0, 1.0, (days * 24, HORIZON)) - 1, np.arange(days * 24) % 24


@pytest.mark.parametrize("days", [60, 200, 500])
def test_eight_of_ten_lie_in_it_and_one_on_each_side(days) -> None:
    band = Band.of(*residuals(1, days))
    unseen, hours = residuals(2)

    low, middle, high = band.around(np.full(unseen.shape, 500.0), np.ones(unseen.shape), hours)
    truth = 500 + unseen
    assert (truth < low).mean() == pytest.approx(0.1, abs=0.03)
    assert (truth < middle).mean() == pytest.approx(0.5, abs=0.03)
    assert (truth > high).mean() == pytest.approx(0.1, abs=0.03)


def test_few_days_make_it_wider() -> None:
    """Nine days: the next may lie beyond all of them with a chance of one in ten."""
    errors, hours = residuals(1, 9)
    low, _, high = Band.of(errors, hours).quantiles[:, 0, 0]

    of_midnight = errors[:, :6][(hours[:, None] + np.arange(6)) % 24 == 0]
    assert (low, high) == (of_midnight.min(), of_midnight.max())


def test_each_hour_of_the_day_has_its_own_width() -> None:
    errors, hours = residuals(3)
    noon = (hours[:, None] + np.arange(HORIZON)) % 24 == 12
    errors[noon] *= 10

    low, _, high = Band.of(errors, hours).quantiles
    widths = (high - low).mean(axis=0)
    assert widths[12] > 8 * np.delete(widths, 12).max()


def test_it_grows_with_the_error_to_expect() -> None:
    band = Band.of(*residuals(4))
    values, hours = np.full((1, HORIZON), 500.0), np.array([0])

    narrow = band.around(values, np.full((1, HORIZON), 1.0), hours) - 500
    wide = band.around(values, np.full((1, HORIZON), 7.0), hours) - 500
    np.testing.assert_allclose(wide, 7 * narrow)


def test_new_errors_weigh_more_than_old_ones() -> None:
    """Half a year ago errors were ten times as large; the band is nearer to what is now."""
    errors, hours = residuals(5, 360)
    errors[: 180 * 24] *= 10
    even = np.quantile(errors, 0.9)

    assert Band.of(errors, hours).quantiles[2].mean() < 0.8 * even


def test_without_errors_the_band_is_a_line() -> None:
    errors = np.full((100, HORIZON), np.nan)
    band = Band.of(errors, np.arange(100) % 24)

    assert band.around(np.full((1, HORIZON), 5.0), np.ones((1, HORIZON)), np.array([3])).max() == 5
    assert (band.quantiles == 0).all()


@given(st.integers(0, 50), st.integers(1, 300), st.floats(0, 1000), st.floats(0, 1000))
def test_quantiles_are_in_order_and_never_negative(seed, rows, value, error) -> None:
    random = np.random.default_rng(seed)
    errors = random.normal(random.normal(), 1, (rows, HORIZON))
    errors[random.random(errors.shape) < 0.3] = np.nan
    band = Band.of(errors, np.arange(rows) % 24)

    shape = (24, HORIZON)
    low, middle, high = band.around(np.full(shape, value), np.full(shape, error), np.arange(24))
    assert (low >= 0).all()
    assert (low <= middle).all()
    assert (middle <= high).all()
