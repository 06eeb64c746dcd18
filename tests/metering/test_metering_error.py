"""A meter against the integral of its own power."""

import json
import math
import statistics

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.metering.metering_error import EnergyAudit
from custom_components.carbon_meter.metering.readings import Reading
from custom_components.carbon_meter.metering.rolling import DAY, HOUR
from tests.metering.flows import FlowMeter, Load, T


def constant(watts: float) -> Load:
    return Load([(0.0, watts)])


def test_before_any_reading_there_is_no_error() -> None:
    assert EnergyAudit(longest=25, max_power=1e5).own_error() is None


@pytest.mark.parametrize("watts", [1000.0, -1000.0])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.02])
def test_a_counter_with_a_wrong_scale(scale, watts) -> None:
    meter = FlowMeter(constant(watts), scale=scale)
    meter.poll(0, 2 * HOUR)
    error = meter.audit.own_error(HOUR)

    assert error.until == T + 2 * HOUR
    assert error.integrated == pytest.approx(watts)
    assert error.counted == pytest.approx(watts * scale, abs=0.02)
    assert error.error == pytest.approx(watts * (scale - 1), abs=0.02)
    assert error.percent == pytest.approx(math.copysign(100, watts) * (scale - 1), abs=0.01)
    assert 0 < error.percent_uncertainty < 0.1
    assert error.coverage == 1.0


def test_a_counter_that_stands_still_is_all_error() -> None:
    meter = FlowMeter(constant(1500.0))
    stuck = meter.reading(0).values["energy_import"]
    for second in range(0, 2 * HOUR, 10):
        reading = meter.reading(second)
        values = {**reading.values, "energy_import": stuck}
        meter.audit.observe(Reading(time=reading.time, values=values))
    error = meter.audit.own_error()

    assert error.percent == pytest.approx(-100.0)
    assert error.error == pytest.approx(-1500.0)


def test_energy_below_the_steps_of_the_counter_is_no_percentage() -> None:
    meter = FlowMeter(constant(300.0), spacing=60.0, step=1000.0)
    meter.poll(0, DAY + HOUR)
    hour, day = meter.audit.own_error(HOUR), meter.audit.own_error(DAY)

    assert hour.percent is None
    assert hour.uncertainty >= 1000.0
    assert day.percent == pytest.approx(0.0, abs=day.percent_uncertainty)
    assert 10 < day.percent_uncertainty < 25


def test_a_counter_that_is_brought_up_to_date_seldom_is_not_taken_for_exact() -> None:
    """Once a minute, at 3 kW: steps of 50 Wh that no resolution shows."""
    meter = FlowMeter(constant(3000.0))
    for second in range(0, 2 * HOUR + 10, 10):
        late = meter.reading(second // 60 * 60).values
        values = {**meter.reading(second).values, "energy_import": late["energy_import"]}
        meter.audit.observe(Reading(time=T + second, values=values))
    error = meter.audit.own_error()

    assert abs(error.difference) <= error.uncertainty
    assert 50 <= error.uncertainty < 60


def test_an_hour_with_a_gap_has_no_error() -> None:
    meter = FlowMeter(constant(1000.0))
    meter.poll(0, 1800)
    meter.poll(2400, HOUR)
    error = meter.audit.own_error()

    assert error.coverage == pytest.approx(5 / 6)
    assert (error.error, error.percent, error.percent_uncertainty) == (None, None, None)
    assert error.counted == pytest.approx(1000 * 5 / 6, abs=0.05)
    assert error.integrated == pytest.approx(1000 * 5 / 6)


def test_at_rest_there_is_no_percentage() -> None:
    meter = FlowMeter(constant(0.0))
    meter.poll(0, HOUR)
    error = meter.audit.own_error()
    assert (error.error, error.percent) == (0.0, None)


def test_a_meter_without_an_export_counter_is_compared_by_its_import() -> None:
    meter = FlowMeter(Load([(0.0, 2000.0), (1800.0, -3000.0)]), export=False)
    meter.poll(0, HOUR)
    error = meter.audit.own_error()
    assert error.counted == pytest.approx(1000.0, abs=0.1)
    assert error.percent == pytest.approx(0.0, abs=error.percent_uncertainty)


@pytest.mark.parametrize("change", [-1_000_000.0, 1_000_000.0])
def test_a_reset_or_jump_of_a_counter_is_no_metering_error(change) -> None:
    meter = FlowMeter(constant(1000.0))
    meter.poll(0, 1800)
    for second in range(1810, HOUR + 10, 10):
        reading = meter.reading(second)
        values = {**reading.values, "energy_import": reading.values["energy_import"] + change}
        meter.audit.observe(Reading(time=reading.time, values=values))
    error = meter.audit.own_error()

    assert error.compared == HOUR - 10
    assert error.percent == pytest.approx(0.0, abs=0.01)


def test_a_clock_that_is_set_back_counts_nothing_twice() -> None:
    meter = FlowMeter(constant(1000.0))
    meter.poll(0, HOUR)
    reading = meter.reading(HOUR + 10)
    for second in range(0, HOUR + 10, 10):
        reading = meter.reading(HOUR + 10 + second)
        meter.audit.observe(Reading(time=T + 1200 + second, values=reading.values))
    error = meter.audit.own_error()

    assert error.until == T + 1200 + HOUR
    assert error.compared == pytest.approx(HOUR, abs=11)
    assert error.percent == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
@pytest.mark.parametrize("quantity", ["power", "energy_import", "energy_export"])
def test_values_that_are_missing_are_left_out(quantity, nothing) -> None:
    meter = FlowMeter(constant(1000.0))
    for second in range(0, HOUR + 10, 10):
        values = dict(meter.reading(second).values)
        if second == 1800:
            values[quantity] = nothing
            if nothing is None:
                del values[quantity]
        meter.audit.observe(Reading(time=T + second, values=values))
    error = meter.audit.own_error()
    assert error.compared >= HOUR - 20
    assert error.difference == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    ("spacing", "step"),
    [(1.0, 0.1), (10.0, 10.0), (60.0, 1.0), (300.0, 100.0), (900.0, 1.0), (900.0, 1000.0)],
)
def test_the_truth_lies_within_the_uncertainty(spacing, step) -> None:
    """A true meter on households whose energy is known to the last switch."""
    inside, windows = 0, 0
    for seed in range(4):
        meter = FlowMeter(Load.household(seed, DAY + 12 * HOUR), spacing=spacing, step=step)
        meter.poll(0, DAY)
        hours = 6 if spacing == 1.0 else 12
        for hour in range(hours):
            begin = DAY + hour * HOUR
            meter.poll(begin + spacing, begin + HOUR)
            for length in (HOUR, DAY):
                error = meter.audit.own_error(length)
                assert error.coverage > 0.99
                windows += 1
                inside += abs(error.difference) <= error.uncertainty
    assert inside / windows >= 0.95


def test_the_trapezoid_is_nearer_to_the_truth_than_the_held_value() -> None:
    """The oracle for the choice: exact energy of thirty households, samples a minute apart."""
    by_trapezoid, by_holding = [], []
    for seed in range(30):
        load = Load.household(seed, HOUR)
        samples = [load.power(60.0 * index) for index in range(61)]
        meter = FlowMeter(load, spacing=60.0)
        meter.poll(0, HOUR)
        true = load.energy(HOUR)[0]
        by_trapezoid.append(meter.audit.own_error().integrated - true)
        by_holding.append(sum(samples[:-1]) / 60 - true)
    assert statistics.fmean(map(abs, by_trapezoid)) < statistics.fmean(map(abs, by_holding))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(1, 2000), st.floats(-9000, 9000), st.booleans()),
        min_size=2,
        max_size=40,
    )
)
def test_a_restart_changes_nothing(history) -> None:
    plain = EnergyAudit(longest=900.0, max_power=20_000.0)
    restarted = EnergyAudit(longest=900.0, max_power=20_000.0)
    now, imported, exported = float(T), 5000.0, 100.0
    for seconds, watts, restart in history:
        now += seconds
        imported += max(0.0, watts) * seconds / 3600
        exported += max(0.0, -watts) * seconds / 3600
        reading = Reading(
            time=now,
            values={"power": watts, "energy_import": imported, "energy_export": exported},
        )
        plain.observe(reading)
        restarted.observe(reading)
        if restart:
            stored = json.loads(json.dumps(restarted.as_dict()))
            restarted = EnergyAudit.from_dict(stored, longest=900.0, max_power=20_000.0)
    for length in (HOUR, DAY):
        assert restarted.own_error(length) == plain.own_error(length)
        until = plain.last_complete(length)
        assert restarted.counted(until, length) == plain.counted(until, length)
