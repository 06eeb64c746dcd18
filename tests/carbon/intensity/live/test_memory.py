"""What is remembered: measurements over forecasts, the newest word within each."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.memory import Memory
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval

T = 1_790_020_800.0
DAY = 86400.0


def some(start: float, count: int, value: float, grade: Grade) -> list[IntensityInterval]:
    return [
        IntensityInterval(
            start=T + start + index * 900,
            end=T + start + (index + 1) * 900,
            value=value,
            grade=grade,
            source="test",
        )
        for index in range(count)
    ]


def told(memory: Memory, start: float, end: float) -> list[tuple[float, float, float]]:
    return [
        (each.start - T, each.end - T, each.value) for each in memory.intervals(T + start, T + end)
    ]


def test_the_newest_forecast_counts_until_it_is_measured() -> None:
    memory = Memory()
    memory.take(some(0, 4, 100, Grade.FORECAST), T)
    memory.take(some(900, 4, 200, Grade.FORECAST), T + 600)
    memory.take(some(0, 2, 50, Grade.MEASURED), T + 2000)
    # A forecast of what was measured is not asked any more.
    memory.take(some(0, 3, 300, Grade.FORECAST), T + 2100)

    assert told(memory, -900, 9000) == [
        (0, 900, 50),
        (900, 1800, 50),
        (1800, 2700, 300),
        (2700, 3600, 200),
        (3600, 4500, 200),
    ]
    assert memory.last is not None
    assert memory.last.end == T + 1800


def test_an_estimate_is_replaced_by_a_measurement_and_the_other_way_round() -> None:
    memory = Memory()
    for value, grade in ((1, Grade.ESTIMATED), (2, Grade.MEASURED), (3, Grade.ESTIMATED)):
        memory.take(some(0, 1, value, grade), T)
        (interval,) = memory.intervals(T, T + 900)
        assert (interval.value, interval.grade) == (value, grade)


def test_two_weeks_are_remembered_and_two_days_stored() -> None:
    memory = Memory()
    for day in range(40):
        memory.take(some(day * DAY, 96, day, Grade.MEASURED), T + (day + 1) * DAY)
        memory.take(some((day + 1) * DAY, 96, day, Grade.FORECAST), T + (day + 1) * DAY)
    now = T + 40 * DAY

    first = memory.intervals(0, now)[0]
    assert first.start == now - 14 * DAY
    stored = memory.as_dict(now)
    assert len(stored["intervals"]) == 3 * 96
    assert len(json.dumps(stored)) < 30_000


def test_a_forecast_of_years_is_cut() -> None:
    memory = Memory()
    memory.take(some(300 * DAY, 5, 1, Grade.FORECAST), T)
    assert told(memory, 0, 400 * DAY) == []


def test_what_was_stored_counts_less_than_what_was_told_since() -> None:
    before = Memory()
    before.take(some(0, 2, 1, Grade.MEASURED), T + 1800)
    before.take(some(1800, 2, 2, Grade.FORECAST), T + 1800)
    after = Memory()
    after.take(some(900, 2, 9, Grade.MEASURED), T + 3000)
    after.restore(json.loads(json.dumps(before.as_dict(T + 1800))), T + 3000)

    assert told(after, 0, 9000) == [(0, 900, 1), (900, 1800, 9), (1800, 2700, 9), (2700, 3600, 2)]


@pytest.mark.parametrize(
    "data",
    [{}, {"intervals": [[1]]}, {"intervals": [[T, T, 5, "guess", "x"]]}, {"intervals": 5}],
)
def test_a_broken_file_is_told(data) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Memory().restore(data, T)


words = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(1, 8), st.sampled_from([Grade.MEASURED, Grade.FORECAST])
    ),
    max_size=12,
)


@given(words)
def test_every_moment_has_the_last_word_of_the_better_layer(said) -> None:
    memory = Memory()
    for index, (start, count, grade) in enumerate(said):
        memory.take(some(start * 900, count, index, grade), T)
    for slot in range(30):
        here = told(memory, slot * 900, (slot + 1) * 900)
        words_here = [
            (grade is Grade.MEASURED, index)
            for index, (start, count, grade) in enumerate(said)
            if start <= slot < start + count
        ]
        assert [value for _, _, value in here] == [index for _, index in sorted(words_here)[-1:]]
