"""Homes are spread over the hour, and wait longer the more often they fail."""

from collections import Counter
import random

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.community.member.schedule import (
    HOUR,
    BackOff,
    Pace,
    next_slot,
    offset_in_hour,
)

homes = st.from_regex(r"h[a-z2-7]{12}", fullmatch=True)
moments = st.floats(min_value=0, max_value=4e9)


@given(homes, st.integers(min_value=0, max_value=10**6))
def test_an_offset_is_within_the_hour_and_stays(home: str, hour: int) -> None:
    offset = offset_in_hour(home, hour)
    assert 300 <= offset < HOUR - 60
    assert offset == offset_in_hour(home, hour)


def test_ten_thousand_homes_are_spread_evenly() -> None:
    chance = random.Random(6)  # noqa: S311
    homes = [f"h{chance.getrandbits(60):x}" for _ in range(10_000)]
    minutes = Counter(offset_in_hour(home, 500_000) // 60 for home in homes)
    assert set(minutes) == set(range(5, 59))
    # 185 a minute on average: no minute has half as many again.
    assert max(minutes.values()) < 1.5 * 10_000 / 54
    assert min(minutes.values()) > 0.6 * 10_000 / 54


def test_a_home_moves_within_the_hour() -> None:
    assert len({offset_in_hour("home_17", hour) for hour in range(50)}) > 40


@given(homes, moments)
def test_every_hour_has_one_turn(home: str, now: float) -> None:
    slot = next_slot(home, now, Pace())
    assert now < slot <= now + 2 * HOUR
    assert next_slot(home, slot, Pace()) // HOUR == slot // HOUR + 1


@given(moments)
def test_without_spread_it_is_always_our_turn(now: float) -> None:
    assert next_slot("home_17", now, Pace(spread=0)) == now


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(min_value=0, max_value=2000)), max_size=60),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_waits_stay_below_a_bound_that_doubles(lasting: list[float], chance: float) -> None:
    pace = Pace()
    back_off = BackOff(pace, lambda: chance)
    bound = pace.backoff / 2
    for lasted in lasting:
        bound = pace.backoff if lasted >= pace.stable else min(pace.longest, 2 * bound)
        assert 0 <= back_off.failed(lasted) <= bound


def test_the_whole_range_up_to_the_bound_is_used() -> None:
    longest = BackOff(Pace(), lambda: 0.999999)
    waits = [longest.failed(0.0) for _ in range(20)]
    assert waits[0] == pytest.approx(10, abs=0.1)
    assert waits[3] == pytest.approx(80, abs=0.1)
    assert waits[-1] == pytest.approx(1800, abs=1)
    assert BackOff(Pace(), lambda: 0.0).failed(0.0) == 0


def test_a_short_connection_does_not_make_the_wait_short_again() -> None:
    back_off = BackOff(Pace(), lambda: 0.5)
    for _ in range(12):
        back_off.failed(0.0)
    assert back_off.failed(599.0) == 900
    assert back_off.failed(600.0) == 5
    assert back_off.failed(0.0) == 10


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_who_is_not_let_in_does_not_hammer(chance: float) -> None:
    assert 1800 <= BackOff(Pace(), lambda: chance).refused() <= HOUR
