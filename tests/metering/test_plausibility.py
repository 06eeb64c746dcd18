"""Which values can come from an electricity meter in service."""

import pytest

from custom_components.carbon_meter.metering.plausibility import is_nominal_voltage, is_plausible


@pytest.mark.parametrize("volts", [100, 110, 115, 120, 127, 200, 220, 230, 240, 277, 400, 480, 690])
def test_voltages_that_networks_are_run_at(volts) -> None:
    assert is_nominal_voltage(volts)
    assert is_nominal_voltage(volts * 1.05)
    assert is_nominal_voltage(volts * 0.95)


@pytest.mark.parametrize("volts", [None, 0.0, 5.0, 50.0, 170.0, 560.0, 1000.0, -230.0, 1e30])
def test_voltages_that_they_are_not(volts) -> None:
    assert not is_nominal_voltage(volts)


def wye(*volts: float, **more: float) -> dict[str, float]:
    return {f"voltage_l{index}": value for index, value in enumerate(volts, 1)} | more


@pytest.mark.parametrize(
    ("values", "phases"),
    [
        ({"voltage": 231.0}, 1),
        ({"voltage": 231.0, "frequency": 49.9, "power": 1150.0, "current": 5.0}, 1),
        ({"voltage": 231.0, "power": -1150.0, "current": 5.0}, 1),
        ({"voltage": 231.0, "power": 15.0, "current": 0.0}, 1),  # below what it can resolve
        (wye(230.0, 231.0, 229.0), 3),
        (wye(123.0, 122.9, 0.2), 3),  # two phases of a Veris E51C2 are wired
        (wye(236.5, voltage=236.5), 3),  # a PM3200 that knows one phase only
        # An SDM72 with one phase wired.
        (wye(234.7, 0.0, 0.0, power_l1=11.02, power_l2=0.0, power_l3=0.0, power=11.02), 3),
        (wye(0.0, 234.7, 0.0, power_l2=-800.0, power=-801.0), 3),
        ({"voltage_l1_l2": 400.0, "voltage": 400.0}, 3),  # delta
        (wye(0.0, 0.0, 0.0, voltage_l1_l2=400.0), 3),
        # The current of the third phase is not known: the power cannot be judged.
        (wye(230.0, 230.0, 230.0, current_l1=1.0, current_l2=1.0, power=5000.0), 3),
        # 4 A on each of two phases, nothing on the dead one.
        (wye(120.0, 120.0, 0.0, current_l1=4.0, current_l2=4.0, power=950.0), 3),
    ],
)
def test_a_consistent_picture(values, phases) -> None:
    assert is_plausible(values, phases)


@pytest.mark.parametrize(
    ("values", "phases"),
    [
        ({}, 1),
        ({}, 3),
        ({"power": 500.0, "frequency": 50.0}, 1),  # no voltage, nothing shown
        ({"voltage": 0.0, "frequency": 0.0}, 1),
        ({"voltage": 231.0, "frequency": 0.0}, 1),
        ({"voltage": 231.0, "frequency": 400.0}, 1),
        ({"voltage": 231.0, "power": 5000.0, "current": 5.0}, 1),
        # A single-phase meter that fills its holes with zeros.
        (wye(230.0, 0.0, 0.0, power=0.0, power_l1=1150.0), 3),
        (wye(230.0, 0.0, 0.0, power=0.0, power_l1=4.4), 3),
        (wye(230.0, 0.0, 0.0, power=0.0, power_l1=0.0), 3),
        (wye(230.0, 0.0, 0.0, voltage=230.0), 3),
        (wye(230.0, 3.0, 0.0, power=500.0, power_l1=500.0), 3),
        (wye(230.0), 3),
        (wye(230.0, 5.0, 1150.0), 3),
        (wye(230.0, 230.0, 230.0, current_l1=1, current_l2=1, current_l3=1, power=5e3), 3),
        ({"voltage_l1_l2": 400.0}, 1),
    ],
)
def test_what_gives_no_picture(values, phases) -> None:
    assert not is_plausible(values, phases)
