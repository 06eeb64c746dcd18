"""The forecaster on the whole: its ladder, what it does with bad histories, and its promises."""

from datetime import UTC
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.forecaster import (
    LATEST,
    REFIT,
    REFIT_YOUNG,
    Forecaster,
    Rung,
)
from custom_components.carbon_meter.carbon.forecast.history import STEPS, History
from custom_components.carbon_meter.carbon.forecast.hours import Hours
from tests.carbon.forecast.series import DAY, HOUR, START, grid, history


def forecast_of(recorded: History, now: float | None = None, hours: int = 72):
    now = recorded.end if now is None else now
    forecaster = Forecaster()
    forecaster.fit(recorded, now)
    return forecaster.predict(recorded, now, hours)


@pytest.mark.parametrize(
    ("hours", "rung"),
    [
        (0, None),
        (24, None),
        (47, None),
        (48, Rung.WEEK_MEAN),
        (14 * 24 - 1, Rung.WEEK_MEAN),
        (14 * 24, Rung.PROFILE),
        (60 * 24 - 1, Rung.PROFILE),
        (60 * 24, Rung.REGRESSION),
    ],
)
def test_the_ladder_of_history(hours, rung) -> None:
    recorded = history(grid(hours))
    forecaster = Forecaster()
    assert forecaster.rung is None
    assert forecaster.is_due(recorded, recorded.end) is (rung is not None)

    forecaster.fit(recorded, recorded.end)
    assert forecaster.rung is rung
    assert (forecaster.predict(recorded, recorded.end) is None) is (rung is None)


def test_the_first_rung_is_the_mean_of_each_hour_over_a_week() -> None:
    values = np.tile(np.arange(24.0) * 10, 10) + np.repeat(np.arange(10.0), 24)
    forecast = forecast_of(history(values))

    # The mean of days 3 to 9 is 6, four less than what the next day would be; it is off by as
    # much every day, which the middle takes into account.
    np.testing.assert_allclose(forecast.p50[:24], np.arange(24.0) * 10 + 10, atol=1)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("hours", [1, 24, 72])
def test_a_forecast_is_on_the_step_of_the_source(step, hours) -> None:
    recorded = history(np.repeat(grid(20 * 24), HOUR // step), step=step)
    forecast = forecast_of(recorded, hours=hours)

    assert (forecast.start, forecast.step) == (recorded.end, step)
    assert forecast.end == recorded.end + hours * HOUR
    assert len(forecast.p10) == len(forecast.p50) == len(forecast.p90) == hours * HOUR // step


def test_it_begins_with_the_step_that_is_running() -> None:
    recorded = history(np.repeat(grid(20 * 24), 12), step=300)
    forecast = forecast_of(recorded, recorded.end + 1000.0)

    assert forecast.start == recorded.end + 900
    assert forecast.made == recorded.end + 1000.0
    assert len(forecast.p50) == 72 * 12


def test_in_the_middle_of_an_hour_nothing_that_is_known_is_lost() -> None:
    """At 12:30 the half hour since 12:00 counts: it was much cleaner, and so will be the next."""
    values = np.repeat(grid(30 * 24, noise=4.0), 2)
    values[-2:] -= 150
    at_full, at_half = history(values[:-1], step=1800), history(values, step=1800)

    before = forecast_of(at_full.resampled(1800)).p50[1]
    assert forecast_of(at_half).p50[0] < before - 20


@pytest.mark.parametrize("hours", [0, -1, 73])
def test_other_horizons_are_refused(hours) -> None:
    with pytest.raises(ValueError, match="a forecast is for 1 to 72 hours"):
        Forecaster().predict(History(), 0.0, hours)


def test_without_a_fit_there_is_none() -> None:
    recorded = history(grid(500))

    assert Forecaster().predict(recorded, recorded.end) is None
    with pytest.raises(ValueError, match="nothing is fitted"):
        Forecaster().quantiles(Hours.until(recorded, recorded.end), 400, 401)


def test_a_history_that_ended_some_time_ago_says_something_one_of_long_ago_nothing() -> None:
    recorded = history(grid(70 * 24))
    forecaster = Forecaster()
    forecaster.fit(recorded, recorded.end)

    late = forecaster.predict(recorded, recorded.end + LATEST)
    assert late.start == recorded.end + LATEST
    assert len(late.p50) == 72
    first = forecaster.predict(recorded, recorded.end)
    np.testing.assert_allclose(late.p50[:24], first.p50[48:])
    np.testing.assert_allclose(late.p50[24:48], first.p50[48:])
    assert forecaster.predict(recorded, recorded.end + LATEST + HOUR) is None


def test_a_time_before_the_history_has_no_forecast() -> None:
    recorded = history(grid(70 * 24))
    forecaster = Forecaster()
    forecaster.fit(recorded, recorded.end)

    assert forecaster.predict(recorded, START - DAY) is None
    forecaster.fit(recorded, START - DAY)
    assert forecaster.rung is None


@pytest.mark.parametrize("days", [5, 30, 100])
@pytest.mark.parametrize("value", [0.0, 0.1, 480.0])
def test_a_constant_grid_is_forecast_exactly(days, value) -> None:
    forecast = forecast_of(history(np.full(days * 24, value)))

    for row in (forecast.p10, forecast.p50, forecast.p90):
        np.testing.assert_allclose(row, value, atol=0.05)


@pytest.mark.parametrize("days", [30, 100])
def test_days_that_are_all_alike_are_forecast_exactly(days) -> None:
    """A provider that estimates by a typical day: persistence is right, and so are we."""
    day = 300 + 100 * np.sin(np.arange(24.0))
    forecast = forecast_of(history(np.tile(day, days)))

    np.testing.assert_allclose(forecast.p50, np.tile(day, 3), atol=0.1)


@pytest.mark.parametrize("days", [30, 100])
def test_a_new_level_is_taken_up_within_days(days) -> None:
    """The grid loses 200 g at once; six days later the forecast is there."""
    values = grid(days * 24, level=500)
    values[-6 * 24 :] -= 200
    forecast = forecast_of(history(values))

    after = values[-6 * 24 :].mean()
    assert abs(forecast.p50.mean() - after) < 60


@pytest.mark.parametrize("days", [10, 40, 100])
def test_gaps_do_not_keep_it_from_forecasting(days) -> None:
    values = grid(days * 24, seed=7)
    truth = values.copy()
    random = np.random.default_rng(8)
    values[random.random(len(values)) < 0.05] = np.nan
    middle = len(values) // 2
    values[middle : middle + 30] = np.nan
    values[-1] = truth[-1]
    spoiled, whole = forecast_of(history(values)), forecast_of(history(truth))

    assert abs(spoiled.p50 - whole.p50).mean() < 25


def test_a_wild_value_does_not_matter() -> None:
    values = grid(70 * 24, seed=7)
    spoiled = values.copy()
    spoiled[-10] = 4900.0

    with_it, without = forecast_of(history(spoiled)), forecast_of(history(values))
    assert abs(with_it.p50 - without.p50).max() < 15


def test_it_is_fitted_again_when_it_is_time() -> None:
    recorded = history(grid(70 * 24))
    forecaster = Forecaster()
    forecaster.fit(recorded, recorded.end)

    assert not forecaster.is_due(recorded, recorded.end + REFIT - 1)
    assert forecaster.is_due(recorded, recorded.end + REFIT)
    # The clock was set back: what was fitted is of an unknown age.
    assert forecaster.is_due(recorded, recorded.end - 1)
    assert forecaster.is_due(recorded.resampled(1800), recorded.end)
    assert forecaster.is_due(history(grid(50 * 24)), recorded.end)
    assert forecaster.is_due(History(), recorded.end)

    young = history(grid(30 * 24))
    forecaster.fit(young, young.end)
    assert not forecaster.is_due(young, young.end + REFIT_YOUNG - 1)
    assert forecaster.is_due(young, young.end + REFIT_YOUNG)
    assert forecaster.is_due(recorded, young.end)


def test_a_source_with_a_new_step_goes_on() -> None:
    values = grid(70 * 24)
    hourly = history(values)
    forecaster = Forecaster()
    forecaster.fit(hourly, hourly.end)
    finer = hourly.resampled(900)

    forecast = forecaster.predict(finer, finer.end)
    assert (forecast.step, len(forecast.p50)) == (900, 72 * 4)
    before = forecaster.predict(hourly, hourly.end)
    np.testing.assert_allclose(forecast.p50.reshape(72, 4).mean(axis=1), before.p50, atol=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_days_on_which_the_clocks_change_have_a_forecast_like_others(zone) -> None:
    """From the Friday before 2023-10-29 on; the history is that of an hour's grid in UTC."""
    end = 1_698_451_200
    values = grid(100 * 24, noise=2.0)
    recorded = history(values[: 97 * 24], start=end - 97 * DAY)
    forecaster = Forecaster(ZoneInfo(zone))
    forecaster.fit(recorded, end)
    forecast = forecaster.predict(recorded, end)

    assert len(forecast.p50) == 72
    course = values[93 * 24 : 97 * 24].reshape(4, 24).mean(axis=0)
    shape = forecast.p50.reshape(3, 24).mean(axis=0)
    assert np.corrcoef(course, shape)[0, 1] > 0.9


def test_many_origins_at_once_are_as_one_by_one() -> None:
    values = grid(80 * 24, seed=9)
    recorded = history(values[: 70 * 24])
    forecaster = Forecaster()
    forecaster.fit(recorded, recorded.end)
    whole = history(values)
    together = forecaster.quantiles(Hours.until(whole, whole.end), 70 * 24, 80 * 24)

    for origin in (70 * 24, 70 * 24 + 5, 80 * 24 - 1):
        now = START + (origin + 1) * HOUR
        alone = forecaster.predict(history(values[: origin + 1]), now)
        row = together[:, origin - 70 * 24]
        np.testing.assert_allclose(np.stack([alone.p10, alone.p50, alone.p90]), row, rtol=1e-6)


@pytest.mark.parametrize("days", [10, 30, 90])
def test_no_forecast_knows_what_comes(days) -> None:
    values = grid((days + 5) * 24)
    now = START + days * DAY
    changed = values.copy()
    changed[days * 24 :] = 1.0

    first, second = forecast_of(history(values), now), forecast_of(history(changed), now)
    np.testing.assert_array_equal(first.p50, second.p50)
    np.testing.assert_array_equal(first.p90, second.p90)


@pytest.mark.parametrize("days", [45, 200])
def test_the_band_holds_and_the_middle_beats_persistence(days) -> None:
    values = grid((days + 60) * 24, seed=11)
    recorded = history(values[: days * 24])
    forecaster = Forecaster()
    forecaster.fit(recorded, recorded.end)
    whole = history(values)
    first, last = days * 24 - 1, (days + 57) * 24
    low, middle, high = forecaster.quantiles(Hours.until(whole, whole.end), first, last)

    windows = np.lib.stride_tricks.sliding_window_view(values, 72)
    truth = windows[first + 1 : last + 1]
    yesterday = windows[first - 23 : last - 23]
    assert 0.75 <= ((low <= truth) & (truth <= high)).mean() <= 0.93
    day = slice(0, 24)
    ours = abs(middle - truth)[:, day].mean()
    assert ours < 0.9 * abs(yesterday - truth)[:, day].mean()


series = st.lists(
    st.one_of(st.just(float("nan")), st.floats(0, 5000)), min_size=24, max_size=24 * 5
)


@settings(max_examples=60)
@given(series, st.sampled_from([1, 4, 20]), st.sampled_from([300, 1800, 3600]), st.integers(0, 40))
def test_whatever_was_recorded_quantiles_are_in_order_and_possible(
    cells, times, step, later
) -> None:
    """Any history, even of noise: three rows in order, finite and not negative, or none."""
    recorded = history(np.tile(cells, times), step=step)
    forecast = forecast_of(recorded, recorded.end + later * 1800.0)
    if forecast is None:
        return
    for row in (forecast.p10, forecast.p50, forecast.p90):
        assert np.isfinite(row).all()
        assert (row >= 0).all()
    assert (forecast.p10 <= forecast.p50).all()
    assert (forecast.p50 <= forecast.p90).all()


def test_weekdays_are_those_of_the_zone() -> None:
    """In Auckland the weekend begins half a day before that of UTC."""
    hours = 200 * 24
    moments = START + HOUR * np.arange(hours)
    weekend = (moments + 13 * HOUR) // DAY % 7
    values = np.where(np.isin((weekend + 3) % 7, (5, 6)), 100.0, 300.0)
    values += np.random.default_rng(3).normal(0, 5, hours)
    here, there = Forecaster(ZoneInfo("Etc/GMT-13")), Forecaster(UTC)
    recorded = history(values[: 190 * 24])
    whole = history(values)
    errors = []
    for forecaster in (here, there):
        forecaster.fit(recorded, recorded.end)
        quantiles = forecaster.quantiles(Hours.until(whole, whole.end), 190 * 24 - 1, 197 * 24 - 1)
        truth = np.lib.stride_tricks.sliding_window_view(values[190 * 24 :], 72)[: 7 * 24]
        errors.append(abs(quantiles[1] - truth).mean())
    assert errors[0] < errors[1]
