"""What lies between two writings is neither lost nor made up."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.sampling import INSTANTANEOUS, Sampler

T = 1_790_000_000.0


def test_a_short_load_is_in_the_mean_and_in_the_maximum() -> None:
    sampler = Sampler(["power"])
    for second in range(10):
        sampler.observe(T + second, {"power": 3000.0 if second in (4, 5) else 200.0})
    summary = sampler.take(T + 10)

    assert summary is not None
    assert (summary.start, summary.end) == (T, T + 10)
    power = summary.quantities["power"]
    assert power.mean == pytest.approx(760.0)
    assert (power.minimum, power.maximum, power.samples) == (200.0, 3000.0, 10)
    assert power.covered == 10.0


def test_unequal_spacing_is_weighted_by_time() -> None:
    sampler = Sampler(["power"])
    sampler.observe(T, {"power": 100.0})
    sampler.observe(T + 9, {"power": 1100.0})

    assert sampler.take(T + 10).quantities["power"].mean == pytest.approx(200.0)


def test_what_stands_goes_over_into_the_next_window() -> None:
    sampler = Sampler(["power"])
    sampler.observe(T, {"power": 500.0})
    sampler.take(T + 10)
    power = sampler.take(T + 20).quantities["power"]

    assert (power.mean, power.minimum, power.maximum) == (500.0, 500.0, 500.0)
    assert (power.samples, power.covered) == (0, 10.0)


def test_nothing_stands_longer_than_allowed() -> None:
    sampler = Sampler(["power"], longest=30.0)
    sampler.observe(T, {"power": 100.0})
    sampler.observe(T + 600, {"power": 900.0})
    power = sampler.take(T + 630).quantities["power"]
    assert (power.mean, power.covered) == (pytest.approx(500.0), 60.0)
    assert sampler.take(T + 700).quantities["power"].covered == 0.0
    assert "power" not in sampler.take(T + 710).quantities


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_becomes_unknown_no_longer_stands(value) -> None:
    sampler = Sampler(["power", "voltage"])
    sampler.observe(T, {"power": 100.0, "voltage": 230.0})
    values = {"voltage": 232.0} if value is None else {"voltage": 232.0, "power": value}
    sampler.observe(T + 4, values)
    quantities = sampler.take(T + 10).quantities

    assert (quantities["power"].mean, quantities["power"].covered) == (100.0, 4.0)
    assert quantities["voltage"].mean == pytest.approx((230 * 4 + 232 * 6) / 10)


def test_before_the_first_sample_there_is_nothing_to_take() -> None:
    assert Sampler().take(T) is None


def test_a_sample_at_the_moment_of_taking_counts_with_its_size() -> None:
    sampler = Sampler(["power"])
    sampler.observe(T, {"power": 700.0})
    power = sampler.take(T).quantities["power"]

    assert (power.mean, power.samples, power.covered) == (700.0, 1, 0.0)


@pytest.mark.parametrize("shift", [-86400.0, -3.0, 86400.0])
def test_a_clock_that_is_set_weighs_nothing_with_time_that_was_not(shift) -> None:
    sampler = Sampler(["power"], longest=5.0)
    for second in range(10):
        sampler.observe(T + second, {"power": 100.0})
    for second in range(10, 20):
        sampler.observe(T + shift + second, {"power": 300.0})
    summary = sampler.take(T + shift + 20)

    power = summary.quantities["power"]
    assert summary.start <= summary.end
    assert 18.0 <= power.covered <= 25.0
    assert 180.0 <= power.mean <= 220.0
    assert power.samples == 20


def test_counters_are_not_averaged() -> None:
    assert "power" in INSTANTANEOUS
    assert not any(key.startswith("energy") for key in INSTANTANEOUS)


values = st.none() | st.floats(-1e6, 1e6)
history = st.lists(st.tuples(st.integers(1, 80), values, st.booleans()), min_size=1, max_size=30)


@given(history)
def test_windows_add_up_to_the_whole_whenever_they_are_taken(history) -> None:
    """Against the integral of the held values, second by second."""
    longest = 30
    sampler = Sampler(["power"], longest=float(longest))
    now, weighted, covered, samples = T, 0.0, 0.0, 0
    expected = time = 0.0

    def account_for(summary) -> None:
        nonlocal weighted, covered, samples
        if (power := summary.quantities.get("power")) is not None:
            weighted += power.mean * power.covered
            covered += power.covered
            samples += power.samples
            margin = 1e-9 * max(1.0, abs(power.minimum), abs(power.maximum))
            assert power.minimum - margin <= power.mean <= power.maximum + margin

    for seconds, value, take in history:
        sampler.observe(now, {} if value is None else {"power": value})
        for second in range(seconds):
            if take and second == seconds // 2:
                account_for(sampler.take(now + second))
            if value is not None and second < longest:
                expected += value
                time += 1
        now += seconds
    account_for(sampler.take(now))

    assert covered == pytest.approx(time)
    assert weighted == pytest.approx(expected, rel=1e-6, abs=1e-3)
    assert samples == sum(value is not None for _, value, _ in history)
