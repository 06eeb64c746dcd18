"""What a meter sees of a flow fits together."""

import cmath
import math

import pytest

from custom_components.carbon_meter.metering.plausibility import is_plausible
from hardware.virtual import Supply, Wiring
from hardware.virtual.integral import Flow

FLOWS = [
    Flow(active=(1200.0, -800.0, 3500.0), reactive=(100.0, 30.0, -500.0)),
    Flow(active=(0.0, 0.0, 0.0), reactive=(0.0, 0.0, 0.0)),
    Flow(active=(-3000.0, -3000.0, -2900.0), reactive=(-60.0, -60.0, -58.0)),
]


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("at", [0.0, 1_784_000_000.0, 1_790_123_456.7])
def test_every_phase_and_the_sum_are_consistent(flow: Flow, at: float) -> None:
    values = Supply(seed=4).quantities(flow, Wiring.WYE, at)
    through = 0.0
    for number, line in enumerate(("l1", "l2", "l3")):
        volts, amperes = values[f"voltage_{line}"], values[f"current_{line}"]
        factor = values[f"power_factor_{line}"]
        assert values[f"power_{line}"] == flow.active[number]
        assert volts * amperes * factor == pytest.approx(flow.active[number])
        assert volts * amperes == pytest.approx(values[f"apparent_power_{line}"])
        assert values[f"apparent_power_{line}"] ** 2 == pytest.approx(
            flow.active[number] ** 2 + flow.reactive[number] ** 2
        )
        through += volts * amperes * factor
        assert 210 < volts < 250
    assert values["power"] == pytest.approx(sum(flow.active))
    assert values["power"] == pytest.approx(through)
    assert values["power"] == pytest.approx(values["apparent_power"] * values["power_factor"])
    assert abs(values["power_factor"]) <= 1
    assert 49.9 < values["frequency"] < 50.1
    assert is_plausible(values, 3)


def test_a_balanced_load_has_no_neutral_current() -> None:
    flow = Flow(active=(1000.0,) * 3, reactive=(200.0,) * 3)
    values = Supply(unrest=0).quantities(flow, Wiring.WYE, 0.0)
    assert values["current_n"] == pytest.approx(0, abs=1e-9)
    assert values["voltage_ll"] == pytest.approx(math.sqrt(3) * values["voltage"])


def test_the_neutral_carries_what_the_phases_do_not_share() -> None:
    flow = Flow(active=(2300.0, 0.0, 0.0), reactive=(0.0, 0.0, 0.0))
    values = Supply(unrest=0, impedance=0).quantities(flow, Wiring.WYE, 0.0)
    assert values["current_n"] == pytest.approx(10)
    both = Flow(active=(2300.0, 2300.0, 0.0), reactive=(0.0, 0.0, 0.0))
    values = Supply(unrest=0, impedance=0).quantities(both, Wiring.WYE, 0.0)
    expected = abs(10 + 10 * cmath.rect(1, 2 * math.pi / 3))
    assert values["current_n"] == pytest.approx(expected)


def test_an_inductive_current_lags() -> None:
    flow = Flow(active=(2300.0, 0.0, 0.0), reactive=(0.0, 2300.0, 0.0))
    values = Supply(unrest=0, impedance=0).quantities(flow, Wiring.WYE, 0.0)
    lagging = cmath.rect(10, math.radians(-120 - 90))
    assert values["current_n"] == pytest.approx(abs(10 + lagging))


def test_a_single_phase_meter_knows_one_line() -> None:
    flow = Flow(active=(460.0, 0.0, 0.0), reactive=(0.0, 0.0, 0.0))
    values = Supply(unrest=0, impedance=0).quantities(flow, Wiring.SINGLE, 0.0)
    assert (values["voltage"], values["current"], values["power"]) == (230, 2, 460)
    assert not any("l2" in key or "l3" in key for key in values)
    assert is_plausible(values, 1)


def test_a_split_phase_meter_has_twice_the_voltage_between_its_lines() -> None:
    flow = Flow(active=(1200.0, 600.0, 0.0), reactive=(0.0, 0.0, 0.0))
    values = Supply(nominal=120, hertz=60, unrest=0, impedance=0).quantities(
        flow, Wiring.SPLIT, 0.0
    )
    assert values["voltage_l1_l2"] == pytest.approx(240)
    assert values["current_n"] == pytest.approx(5)
    assert values["frequency"] == 60
    assert "voltage_l3" not in values
    assert "voltage_l2_l3" not in values


def test_a_meter_without_a_neutral_knows_no_voltage_against_it() -> None:
    values = Supply().quantities(FLOWS[0], Wiring.DELTA, 0.0)
    assert "voltage_l1" not in values
    assert "voltage" not in values
    assert values["voltage_l1_l2"] > 380


def test_load_pulls_the_voltage_down_and_the_sun_lifts_it() -> None:
    supply = Supply(unrest=0)
    assert supply.voltage(0, 5000, 0) < supply.voltage(0, 0, 0) < supply.voltage(0, -5000, 0)
    assert supply.voltage(0, 1e9, 0) == pytest.approx(207)


def test_the_grid_is_never_quite_still_but_repeats() -> None:
    supply = Supply(seed=1)
    moments = [1_784_000_000.0 + second for second in range(60)]
    volts = [supply.voltage(0, 0, at) for at in moments]
    assert len(set(volts)) == 60
    assert volts == [supply.voltage(0, 0, at) for at in moments]
    assert supply.voltage(1, 0, moments[0]) != volts[0]
