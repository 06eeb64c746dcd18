"""What a state says, whatever it says."""

import math
from typing import Any

from homeassistant.core import State
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.adoption.states import (
    ImpossibleStateError,
    cycle_of,
    fits,
    is_coarse,
    runs_both_ways,
    value_of,
)
from custom_components.carbon_meter.metering.quantities import QUANTITIES


def state(value: object, unit: str | None, **attributes: Any) -> State:
    if unit is not None:
        attributes["unit_of_measurement"] = unit
    return State("sensor.other", str(value), attributes)


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "expected"),
    [
        (1.5, "Wh", "energy_import", 1.5),
        (1.5, "kWh", "energy_import", 1500),
        (1.5, "MWh", "energy_export", 1.5e6),
        (0.002, "GWh", "energy_import", 2e6),
        (3.6, "MJ", "energy_import", 1000),
        (3.6, "GJ", "energy_import", 1e6),
        (860.42065, "kcal", "energy_import", 1000),
        (1, "m³", "volume", 1000),
        (1, "CCF", "volume", 2831.6846592),
        (10, "ft³", "volume", 283.16846592),
        (1, "gal", "volume", 3.785411784),
        (7, "L", "volume", 7),
        (-2.5, "kW", "power", -2500),
        (0.003, "MW", "power", 3000),
        (229_500, "mV", "voltage", 229.5),
        (1500, "mA", "current_l1", 1.5),
        (50.01, "Hz", "frequency", 50.01),
        (95, "%", "power_factor", 0.95),
        (0.95, None, "power_factor", 0.95),
    ],
)
def test_every_unit_of_a_quantity(value, unit, quantity, expected) -> None:
    assert value_of(state(value, unit), quantity) == pytest.approx(expected)


@pytest.mark.parametrize("nothing", [None, state("unavailable", "kWh"), state("unknown", "kWh")])
def test_nothing_known(nothing) -> None:
    assert value_of(nothing, "energy_import") is None


@pytest.mark.parametrize(
    ("value", "unit", "quantity"),
    [
        ("", "kWh", "energy_import"),
        ("on", "W", "power"),
        ("nan", "W", "power"),
        ("-inf", "W", "power"),
        (1, "kWh", "power"),
        (1, None, "energy_import"),
        (1, "m³/h", "volume"),
        (-1, "kWh", "energy_import"),
        (1e18, "kWh", "energy_import"),
        (1e12, "kW", "power"),
    ],
)
def test_what_is_no_value(value, unit, quantity) -> None:
    with pytest.raises(ImpossibleStateError):
        value_of(state(value, unit), quantity)


@given(
    st.one_of(st.text(max_size=30), st.floats().map(str), st.integers().map(str)),
    st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["kWh", "W", "m³", "%", "GJ"])),
    st.sampled_from(sorted(QUANTITIES)),
)
def test_anything_is_a_value_within_bounds_or_refused(value, unit, quantity) -> None:
    said = state(value, unit)
    try:
        found = value_of(said, quantity)
    except ImpossibleStateError:
        return
    if found is not None:
        assert math.isfinite(found)
        assert abs(found) <= QUANTITIES[quantity].limit
        assert fits(said, quantity)
    is_coarse(said, quantity)


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "coarse"),
    [
        ("12345", "kWh", "energy_import", False),
        ("12.34", "MWh", "energy_import", True),
        ("12.345", "MWh", "energy_import", False),
        ("12.3", "GJ", "energy_import", True),
        ("12.345", "GJ", "energy_import", False),
        ("12", "CCF", "volume", True),
        ("12", "m³", "volume", False),
        ("1.2e3", "MWh", "energy_import", False),
    ],
)
def test_counters_that_show_few_digits(value, unit, quantity, coarse) -> None:
    assert is_coarse(state(value, unit), quantity) is coarse


def test_a_unit_that_is_no_text() -> None:
    with pytest.raises(ImpossibleStateError):
        value_of(State("sensor.other", "1", {"unit_of_measurement": 7}), "power")


@pytest.mark.parametrize(
    ("reset", "cycle"),
    [
        ("2027-01-15T00:00:00+00:00", "2027-01-15T00:00:00+00:00"),
        ("yesterday", None),
        (7, None),
        (None, None),
    ],
)
def test_cycle(reset, cycle) -> None:
    assert cycle_of(state(1, "kWh", last_reset=reset)) == cycle


def test_only_a_total_without_a_reset_runs_both_ways() -> None:
    assert runs_both_ways(state(1, "kWh", state_class="total"))
    assert not runs_both_ways(state(1, "kWh", state_class="total", last_reset="2027-01-15"))
    assert not runs_both_ways(state(1, "kWh", state_class="total_increasing"))
