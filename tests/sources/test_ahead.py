"""A source's own forecast and ours in one."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.forecast import Forecast
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval
from custom_components.carbon_meter.sources.ahead import put_together

T = 1_790_020_800.0
HOUR = 3600.0


def told(start: float, end: float, value: float, grade: Grade = Grade.FORECAST):
    return IntensityInterval(start=start, end=end, value=value, grade=grade, source="s")


def ours(step: int = 3600, made: float = T, hours: int = 72) -> Forecast:
    count = hours * 3600 // step
    middle = np.full(count, 200.0)
    start = int(made // step) * step
    return Forecast(made=made, start=start, step=step, p10=middle - 50, p50=middle, p90=middle + 80)


def test_source_counts_as_far_as_it_reaches() -> None:
    found = put_together([told(T, T + 24 * HOUR, 100)], ours(), 3600, T + 60)
    assert (found.start, found.step, len(found.p50)) == (T, 3600, 72)
    assert set(found.p50[:24]) == {100}
    assert set(found.p50[24:]) == {200}
    # The band keeps its width around the better middle.
    assert (found.p10[0], found.p90[0]) == (50, 180)
    assert (found.p10[30], found.p90[30]) == (150, 280)


def test_band_never_goes_below_zero() -> None:
    found = put_together([told(T, T + HOUR, 10)], ours(), 3600, T)
    assert found.p10[0] == 0


def test_without_a_forecast_of_ours_nobody_knows_how_certain_it_is() -> None:
    found = put_together([told(T, T + 24 * HOUR, 100)], None, 1800, T)
    assert (found.step, len(found.p50)) == (1800, 48)
    assert (found.p10 == found.p50).all()
    assert (found.p90 == found.p50).all()


def test_it_ends_where_nobody_knows_more() -> None:
    found = put_together(
        [told(T, T + 2 * HOUR, 1), told(T + 3 * HOUR, T + 9 * HOUR, 1)], None, 3600, T
    )
    assert found.end == T + 2 * HOUR
    assert put_together([], None, 3600, T) is None
    assert put_together([told(T + HOUR, T + 9 * HOUR, 1)], None, 3600, T) is None


def test_value_that_stays_is_no_forecast() -> None:
    measured = told(T - HOUR, T + 3 * HOUR, 100, Grade.MEASURED)
    found = put_together([measured], ours(), 3600, T + 60)
    assert found.p50[0] == 100
    assert set(found.p50[1:]) == {200}


@pytest.mark.parametrize("grade", [Grade.TYPICAL, Grade.YEARLY])
def test_what_is_no_word_of_a_source_does_not_count(grade: Grade) -> None:
    assert put_together([told(T, T + 72 * HOUR, 1, grade)], None, 3600, T) is None


def test_older_forecast_of_ours_is_taken_from_now_on() -> None:
    found = put_together([], ours(made=T - 5 * HOUR), 3600, T)
    assert (found.start, len(found.p50)) == (T, 67)


@given(
    st.lists(st.tuples(st.integers(-10, 80), st.integers(1, 30), st.floats(0, 5000)), max_size=8),
    st.sampled_from([300, 900, 1800, 3600]),
    st.floats(0, 7200),
    st.booleans(),
)
def test_rows_are_in_order_and_never_negative(rows, step, late, has_ours) -> None:
    intervals, position = [], -1e9
    for begin, length, value in sorted(rows):
        start = max(position, T + begin * HOUR)
        end = T + (begin + length) * HOUR
        if start < end:
            intervals.append(told(start, end, value))
            position = end
    found = put_together(intervals, ours(step) if has_ours else None, step, T + late)
    if found is None:
        assert not has_ours
        return
    assert found.start <= T + late < found.start + step
    assert len(found.p50) * step <= 72 * HOUR
    assert (found.p10 >= 0).all()
    assert (found.p10 <= found.p50 + 1e-9).all()
    assert (found.p50 <= found.p90 + 1e-9).all()
    highest = max([value for _, _, value in rows], default=0.0)
    assert (found.p50 <= max(highest, 200.0) + 1e-6).all()


def test_steps_are_means_by_time() -> None:
    rows = [told(T, T + 900, 100), told(T + 900, T + 2700, 400), told(T + 3600, T + 6000, 50)]
    found = put_together(rows, None, 3600, T)
    # 15 minutes of 100 and 30 of 400, the rest of the hour is not known.
    assert found.p50[:2] == pytest.approx([300, 50])
