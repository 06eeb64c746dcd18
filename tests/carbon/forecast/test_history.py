"""The recorded intensity on its grid."""

import json
import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.history import KEPT, STEPS, History, step_of
from custom_components.carbon_meter.carbon.grade import Grade
from tests.carbon.forecast.series import HOUR, START, history, interval

NOW = START + 100 * HOUR
nan = math.nan


def told(*intervals, step: int = HOUR, now: float = NOW) -> History:
    recorded = History(step)
    recorded.append(intervals, now)
    return recorded


def test_intervals_become_cells() -> None:
    recorded = told(
        interval(START, START + HOUR, 100), interval(START + HOUR, START + 2 * HOUR, 50)
    )

    assert (recorded.start, recorded.end) == (START, START + 2 * HOUR)
    assert recorded.values.tolist() == [100, 50]
    assert recorded.days == pytest.approx(2 / 24)


def test_a_cell_is_the_mean_over_its_time() -> None:
    """45 minutes at 100 and 15 at 200 are 125 on average."""
    recorded = told(interval(START, START + 2700, 100), interval(START + 2700, START + HOUR, 200))

    assert recorded.values.tolist() == [125]


def test_a_cell_of_which_less_than_half_is_known_is_a_gap() -> None:
    recorded = told(
        interval(START, START + 1799, 100),
        interval(START + HOUR, START + HOUR + 1800, 70),
    )

    assert (recorded.start, recorded.values.tolist()) == (START + HOUR, [70])


def test_a_gap_is_not_a_number() -> None:
    recorded = told(
        interval(START, START + HOUR, 1), interval(START + 3 * HOUR, START + 4 * HOUR, 4)
    )

    np.testing.assert_array_equal(recorded.values, [1, nan, nan, 4])
    assert recorded.days == pytest.approx(2 / 24)


def test_revised_intensities_replace_and_telling_again_changes_nothing() -> None:
    recorded = told(interval(START, START + 3 * HOUR, 100))
    recorded.append([interval(START + HOUR, START + 2 * HOUR, 60)], NOW)
    recorded.append([interval(START + HOUR, START + 2 * HOUR, 60)], NOW)

    assert recorded.values.tolist() == [100, 60, 100]


def test_the_past_can_be_filled_in_later() -> None:
    recorded = told(interval(START + 5 * HOUR, START + 6 * HOUR, 100))
    recorded.append([interval(START, START + HOUR, 40)], NOW)

    np.testing.assert_array_equal(recorded.values, [40, nan, nan, nan, nan, 100])
    assert recorded.start == START


@pytest.mark.parametrize("grade", [Grade.FORECAST, Grade.TYPICAL, Grade.YEARLY])
def test_what_was_not_measured_is_not_learned_from(grade) -> None:
    assert told(interval(START, START + HOUR, 100, grade)).end == 0


def test_what_a_provider_estimated_is_learned_from() -> None:
    assert told(interval(START, START + HOUR, 100, Grade.ESTIMATED)).values.tolist() == [100]


@pytest.mark.parametrize(
    ("start", "end", "value"),
    [
        (START, START + HOUR, nan),
        (START, START + HOUR, -1.0),
        (START, START + HOUR, 5001.0),
        (START, START + HOUR, math.inf),
        (nan, START + HOUR, 100.0),
        (START, nan, 100.0),
        (START + HOUR, START, 100.0),
        (NOW, NOW + HOUR, 100.0),
    ],
)
def test_what_cannot_be_is_left_out(start, end, value) -> None:
    recorded = told(interval(start, end, value))

    assert (recorded.start, recorded.end, len(recorded.values)) == (0, 0, 0)


def test_the_future_of_a_wrong_clock_is_dropped() -> None:
    future = START + 10 * 366 * 86400
    recorded = told(interval(START, START + HOUR, 100))
    recorded.append([interval(future, future + HOUR, 500)], future + HOUR)
    assert recorded.values.tolist() == [500]

    recorded.append([interval(START, START + HOUR, 100)], NOW)
    assert recorded.values.tolist() == [500]
    recorded.append([interval(future + HOUR, future + 2 * HOUR, 300)], future + 2 * HOUR)
    assert recorded.values.tolist() == [500, 300]

    recorded = told(interval(START, START + 2 * HOUR, 100))
    recorded.append([interval(START + 50 * HOUR, START + 51 * HOUR, 500)], START + 51 * HOUR)
    recorded.append([interval(START + 2 * HOUR, START + 3 * HOUR, 90)], START + 3 * HOUR)
    assert recorded.values.tolist() == [100, 100, 90]


def test_it_is_bounded() -> None:
    """Two years at five minutes, and one day more: what is older is let go."""
    cells = KEPT // 300
    recorded = history(np.full(cells + 288, 100.0), step=300)
    assert (len(recorded.values), recorded.start) == (cells, START + 86400)

    recorded.append([interval(recorded.end, recorded.end + 300, 50)], recorded.end + 300)
    assert len(recorded.values) == cells
    assert recorded.values.nbytes < 2_000_000

    recorded.append([interval(0, 300, 50)], recorded.end)
    assert len(recorded.values) == cells


values = st.lists(st.one_of(st.just(nan), st.floats(0, 5000)), max_size=60)


@given(values, st.sampled_from(STEPS), st.integers(0, 400_000))
def test_it_survives_a_restart_to_a_tenth_of_a_gram(cells, step, place) -> None:
    recorded = history(cells, step=step, start=place * step)

    stored = json.loads(json.dumps(recorded.as_dict(), allow_nan=False))
    again = History.from_dict(stored)

    assert (again.step, again.start, again.end) == (step, recorded.start, recorded.end)
    np.testing.assert_allclose(again.values, recorded.values, atol=0.0501)


def test_two_years_at_five_minutes_are_a_small_file() -> None:
    rng = np.random.default_rng(1)
    recorded = history(rng.normal(300, 80, KEPT // 300).clip(0), step=300)

    assert len(json.dumps(recorded.as_dict())) < 600_000


@pytest.mark.parametrize(
    "change",
    [
        {"cells": "AAAA"},
        {"cells": "no base64"},
        {"cells": 5},
        {"step": 7},
        {"start": START + 1},
        {"start": "then"},
    ],
)
def test_a_file_that_is_garbage_is_refused(change) -> None:
    with pytest.raises((ValueError, TypeError)):
        History.from_dict(history([1, 2, 3]).as_dict() | change)


def test_a_truncated_file_is_refused_or_shorter() -> None:
    stored = history(np.arange(500.0)).as_dict()
    stored["cells"] = stored["cells"][: len(stored["cells"]) // 8 * 4]

    assert len(History.from_dict(stored).values) < 500


@pytest.mark.parametrize("step", [0, -300, 301, 7200])
def test_a_step_that_does_not_divide_an_hour_is_refused(step) -> None:
    with pytest.raises(ValueError, match="a history has steps of"):
        History(step)


def test_hours_may_end_anywhere_on_the_grid() -> None:
    recorded = history(np.arange(1.0, 7.0), step=1800)

    start, hours = recorded.hours_until(START + 3 * HOUR)
    assert (start, hours.tolist()) == (START, [1.5, 3.5, 5.5])
    start, hours = recorded.hours_until(START + 5 * 1800)
    assert (start, hours.tolist()) == (START - 1800, [1, 2.5, 4.5])
    start, hours = recorded.hours_until(START + 4 * HOUR)
    np.testing.assert_array_equal(hours, [1.5, 3.5, 5.5, nan])
    assert len(recorded.hours_until(START - HOUR)[1]) == 0


def test_a_source_that_becomes_finer_or_coarser_keeps_its_history() -> None:
    fine = history([100, 200, 300, nan, nan, 500], step=1800).resampled(600)
    assert (fine.step, fine.start, fine.end) == (600, START, START + 3 * HOUR)
    np.testing.assert_array_equal(fine.values[:6], [100] * 3 + [200] * 3)

    coarse = history([100, 200, 300, nan, nan, nan, 500, 600], step=1800).resampled(3600)
    np.testing.assert_array_equal(coarse.values, [150, 300, nan, 550])

    odd = history([30, 60], step=1200, start=START + 1200).resampled(1800)
    assert (odd.start, odd.values.tolist()) == (START + 1800, [50])


@given(values, st.sampled_from(STEPS), st.sampled_from(STEPS), st.integers(0, 50))
def test_another_grid_stays_within_what_was_known(cells, before, after, place) -> None:
    recorded = history(cells, step=before, start=before * place)
    again = recorded.resampled(after)

    known = again.values[np.isfinite(again.values)]
    assert again.start % after == 0
    if len(known):
        assert np.nanmin(recorded.values) - 1e-9 <= known.min()
        assert known.max() <= np.nanmax(recorded.values) + 1e-9


def test_the_step_is_that_of_most_intervals() -> None:
    half_hours = [interval(START + 1800 * i, START + 1800 * (i + 1), 1) for i in range(3)]

    assert step_of([*half_hours, interval(0, 3600, 1), interval(0, 17, 1)]) == 1800
    assert step_of([interval(0, 17, 1)]) == HOUR
    assert step_of([]) == HOUR
