"""The errors of forecasts, reckoned by hand."""

import json

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.error_track import ErrorTrack
from custom_components.carbon_meter.carbon.forecast.forecast import Forecast
from custom_components.carbon_meter.carbon.forecast.history import History
from tests.carbon.forecast.series import DAY, HOUR, START, history


def forecast(start: float, p50, *, step: int = HOUR, width: float = 5.0) -> Forecast:
    p50 = np.asarray(p50, dtype=float)
    first = int(start // step * step)
    return Forecast(made=start, start=first, step=step, p10=p50 - width, p50=p50, p90=p50 + width)


def scored(*forecasts: Forecast, truth: History, now: float | None = None) -> ErrorTrack:
    track = ErrorTrack()
    for each in forecasts:
        track.made(each)
    track.score(truth, truth.end if now is None else now)
    return track


def test_figures_are_those_of_the_hand() -> None:
    """Truth 100, 110, 120, 130; forecast 104 each; a day before 90 each.

    Errors 4, 6, 16, 26: 13 on average. Persistence 10, 20, 30, 40: 25. The band is 5 wide on
    each side: one of four is in it.
    """
    truth = history([*np.full(24, 90.0), 100, 110, 120, 130])
    error = scored(forecast(START + DAY, [104.0] * 4), truth=truth).error()

    assert error.hours == 4
    assert error.mae == pytest.approx(13)
    assert error.skill == pytest.approx(1 - 13 / 25)
    assert error.coverage == pytest.approx(0.25)


def test_each_day_of_the_horizon_has_its_own() -> None:
    """Persistence of the second day is the day before the forecast was made."""
    truth = history([*np.full(24, 90.0), *np.full(24, 100.0), *np.full(24, 130.0)])
    track = scored(forecast(START + DAY, [104.0] * 24 + [120.0] * 48), truth=truth)

    first, second = track.error(1), track.error(2)
    assert (first.hours, first.mae, first.skill) == (24, pytest.approx(4), pytest.approx(0.6))
    assert (second.hours, second.mae, second.skill) == (24, pytest.approx(10), pytest.approx(0.75))
    assert track.error(3) is None
    assert track.error().mae == pytest.approx(7)


def test_an_hour_is_scored_once_and_when_it_is_over() -> None:
    truth = history([*np.full(24, 90.0), 100, 100, 100])
    track = ErrorTrack()
    track.made(forecast(START + DAY, [104.0] * 24))

    for now in (0, 0.5, 1, 1.99, 2, 2, 3):
        track.score(truth, START + DAY + now * HOUR)
    assert track.error().hours == 3


def test_every_forecast_counts_but_only_the_latest_of_an_hour() -> None:
    truth = history([*np.full(24, 90.0), 100, 100])
    now = START + DAY
    track = scored(
        forecast(now, [150.0] * 4),
        forecast(now + 60, [101.0] * 4),
        forecast(now + HOUR, [103.0] * 4),
        truth=truth,
    )

    assert track.error().hours == 3
    assert track.error().mae == pytest.approx((1 + 1 + 3) / 3)


@pytest.mark.parametrize("step", [300, 1800])
def test_finer_steps_are_compared_by_the_hour(step) -> None:
    """Half of the steps 10 too high, half 10 too low: on average of the hour there is no error."""
    steps = np.resize([110.0, 90.0], 4 * HOUR // step)
    truth = history(np.full(30 * HOUR // step, 100.0), step=step)

    assert scored(forecast(START + DAY, steps, step=step), truth=truth).error().mae == 0


def test_an_hour_that_had_begun_is_left_out() -> None:
    truth = history(np.full(60, 100.0), step=1800)
    made = START + DAY + 1800
    track = scored(forecast(made, [777.0, 104, 104, 104], step=1800), truth=truth)

    assert (track.error().hours, track.error().mae) == (1, pytest.approx(4))


def test_where_persistence_is_not_known_there_is_no_skill() -> None:
    error = scored(forecast(START, [104.0] * 4), truth=history([100.0] * 4)).error()

    assert (error.mae, error.skill) == (pytest.approx(4), None)


def test_where_persistence_is_right_there_is_no_skill() -> None:
    error = scored(forecast(START + DAY, [104.0] * 4), truth=history([100.0] * 28)).error()

    assert error.skill is None


def test_an_exact_band_holds_an_exact_truth() -> None:
    narrow = forecast(START + DAY, [100.0000001] * 4, width=0)

    assert scored(narrow, truth=history([100.0] * 28)).error().coverage == 1


def test_a_truth_that_comes_late_is_waited_for_but_not_for_ever() -> None:
    track = ErrorTrack()
    track.made(forecast(START + DAY, [104.0] * 2))
    nothing = history([90.0] * 24)
    track.score(nothing, START + 2 * DAY)
    assert track.error() is None

    late = history([*np.full(24, 90.0), 100])
    track.score(late, START + 3 * DAY)
    assert track.error().hours == 1
    track.score(nothing, START + 6 * DAY)
    track.score(history([90.0] * 240), START + 10 * DAY)
    assert track.error().hours == 1
    assert track.as_dict()["pending"] == []


def test_thirty_days_count() -> None:
    values = np.full(40 * 24, 100.0)
    track = ErrorTrack()
    for day in range(1, 40):
        track.made(forecast(START + day * DAY, [100.0 + day] * 24))
        track.score(history(values[: (day + 1) * 24]), START + (day + 1) * DAY)

    error = track.error()
    # The last is scored on day 40; the thirty days before it are the days 10 to 39.
    assert error.hours == 30 * 24
    assert error.mae == pytest.approx(np.mean(np.arange(10, 40)))


def test_a_forecast_from_the_future_of_a_wrong_clock_is_dropped() -> None:
    track = ErrorTrack()
    track.made(forecast(START + 9 * 365 * DAY, [104.0] * 4))
    track.score(history([100.0] * 28), START + 28 * HOUR)

    assert track.as_dict()["pending"] == []


def test_it_survives_a_restart_in_the_middle() -> None:
    truth = history([*np.full(24, 90.0), 100, 110, 120, 130])
    through, broken = ErrorTrack(), ErrorTrack()
    for track in (through, broken):
        track.made(forecast(START + DAY, [104.0] * 4))
        track.score(truth, START + DAY + 2 * HOUR)
    broken = ErrorTrack.from_dict(json.loads(json.dumps(broken.as_dict(), allow_nan=False)))
    for track in (through, broken):
        track.score(truth, truth.end)

    assert broken.error() == through.error()
    assert through.error().hours == 4


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"pending": [[1, 2, [[1.0]]]], "sums": []},
        {"pending": [["a", "b", []]], "sums": []},
        {"pending": [], "sums": [[1, 2, [1, 2]]]},
        {"pending": None, "sums": None},
    ],
)
def test_a_file_that_is_garbage_is_refused(data) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        ErrorTrack.from_dict(data)


def test_it_stays_small() -> None:
    """A forecast every hour for ten days, at five minutes: three days of them are open."""
    truth = history(np.full(11 * 288, 100.0), step=300)
    track = ErrorTrack()
    for hour in range(240):
        track.made(forecast(START + hour * HOUR, np.full(864, 100.0), step=300))
        track.score(truth, START + hour * HOUR)

    assert len(track.as_dict()["pending"]) == 72
    assert len(json.dumps(track.as_dict())) < 200_000
