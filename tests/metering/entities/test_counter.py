"""Counters of other integrations: cycles, both ways, silence."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.entities.counter import AdoptedCounter

START = 1_800_000_000.0

steps = st.lists(st.floats(0, 5000, allow_nan=False), max_size=30)


def test_a_report_is_news_and_its_repetition_is_not() -> None:
    counter = AdoptedCounter()
    assert counter.observe(START, START, 100.0, cycle=None)
    assert not counter.observe(START + 10, START, 100.0, cycle=None)
    assert counter.observe(START + 20, START + 20, 100.0, cycle=None)
    assert counter.forwards == 100.0


@given(st.lists(steps, min_size=1, max_size=8))
def test_nothing_is_lost_when_a_cycle_begins_anew(cycles) -> None:
    counter = AdoptedCounter()
    now, counted = START, 0.0
    for number, cycle in enumerate(cycles):
        value = 0.0
        for step in cycle:
            now += 60
            value += step
            counted += step
            counter.observe(now, now, value, cycle=f"day {number}")
            counter = AdoptedCounter.from_dict(counter.as_dict())
    assert counter.forwards == pytest.approx(counted)


@given(st.lists(st.floats(-900, 900, allow_nan=False), max_size=50))
def test_a_net_counter_becomes_two_that_only_grow(changes) -> None:
    counter = AdoptedCounter(net=True)
    now, value = START, 50_000.0
    counter.observe(now, now, value, cycle=None)
    before = counter.forwards, counter.backwards
    for change in changes:
        now += 60
        value += change
        counter.observe(now, now, value, cycle=None)
        after = counter.forwards, counter.backwards
        assert after[0] >= before[0]
        assert after[1] >= before[1]
        before = after
        counter = AdoptedCounter.from_dict(counter.as_dict(), net=True)
    # What is below the rounding of the value itself is not counted.
    assert counter.forwards - counter.backwards == pytest.approx(value)
    fallen = sum(-change for change in changes if change < 0)
    assert counter.backwards == pytest.approx(fallen, abs=1e-6)


def test_a_net_counter_that_is_reset_gives_nothing_back() -> None:
    counter = AdoptedCounter(net=True)
    counter.observe(START, START, 20_000.0, cycle=None)
    counter.observe(START + 60, START + 60, 30.0, cycle=None)
    assert counter.backwards == 0.0
    assert counter.forwards == 20_030.0


def test_a_net_counter_below_zero() -> None:
    counter = AdoptedCounter(net=True)
    counter.observe(START, START, -500.0, cycle=None)
    counter.observe(START + 60, START + 60, -700.0, cycle=None)
    assert (counter.forwards, counter.backwards) == (0.0, 700.0)


def test_a_missing_report_of_a_punctual_counter_means_no_change() -> None:
    counter = AdoptedCounter()
    for number in range(20):
        moment = START + 30 * number
        assert counter.observe(moment, moment, float(number), cycle=None)
    last = START + 30 * 19
    news = [
        after
        for after in range(10, 400, 10)
        if counter.observe(last + after, last, 19.0, cycle=None)
    ]
    # Two and a half usual times, then once a minute.
    assert news == list(range(80, 400, 60))


def test_a_counter_that_is_never_punctual_is_given_an_hour() -> None:
    counter = AdoptedCounter()
    counter.observe(START, START, 5.0, cycle=None)
    assert not counter.observe(START + 3900, START, 5.0, cycle=None)
    assert counter.observe(START + 3910, START, 5.0, cycle=None)


def test_a_coarse_counter_is_news_when_it_moves() -> None:
    counter = AdoptedCounter()
    assert counter.observe(START, START, 10_000.0, cycle=None, coarse=True)
    for later in range(10, 100_000, 5000):
        moment = START + later
        assert not counter.observe(moment, moment, 10_000.0, cycle=None, coarse=True)
        assert not counter.observe(moment + 100, moment, 10_000.0, cycle=None, coarse=True)
    moment = START + 100_000
    assert counter.observe(moment, moment, 20_000.0, cycle=None, coarse=True)
