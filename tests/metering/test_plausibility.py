"""Which values can come from an electricity meter in service."""

import pytest

from custom_components.carbon_meter.metering.plausibility import (
    is_frequency,
    is_nominal_voltage,
    is_plausible,
    weigh,
)


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
        (wye(231.0, power=54.0), 3),  # a B21: the other phases are not available
        (wye(231.0, power=54.0, power_l1=54.0), 3),
        ({"voltage": 230.0, "power": 900.0}, 3),  # a PRO1
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
        (wye(230.0, power=900.0, power_l1=20.0), 3),
        (wye(230.0, 5.0, 1150.0), 3),
        (wye(230.0, 230.0, 230.0, current_l1=1, current_l2=1, current_l3=1, power=5e3), 3),
        ({"voltage_l1_l2": 400.0}, 1),
    ],
)
def test_what_gives_no_picture(values, phases) -> None:
    assert not is_plausible(values, phases)


@pytest.mark.parametrize(
    ("hertz", "expected"), [(45, True), (50.02, True), (65, True), (44.9, False), (400, False)]
)
def test_frequencies_that_networks_are_run_at(hertz, expected) -> None:
    assert is_frequency(hertz) is expected


CONSISTENT = wye(229.0, 231.0, 233.0, frequency=50.0, voltage=231.0) | {
    "voltage_l1_l2": 398.4,
    "voltage_l2_l3": 401.8,
    "voltage_l3_l1": 400.1,
    "power": 2700.0,
    "reactive_power": 300.0,
    **{f"power_l{phase}": 900.0 for phase in (1, 2, 3)},
    **{f"reactive_power_l{phase}": 100.0 for phase in (1, 2, 3)},
    **{f"current_l{phase}": 3.93 for phase in (1, 2, 3)},
    **{f"apparent_power_l{phase}": 905.5 for phase in (1, 2, 3)},
    **{f"power_factor_l{phase}": 0.994 for phase in (1, 2, 3)},
}


def test_everything_speaks_for_a_consistent_picture() -> None:
    evidence = weigh(CONSISTENT)

    assert evidence.contradicting == 0
    assert evidence.speaking > 15


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency": 5.0},
        {"frequency": 500.0},
        {"voltage_l2": 23.1},
        {"voltage_l3": 330.0},
        {"voltage_l1_l2": 230.0},
        {"voltage_l2_l3": 4000.0},
        {"voltage": 115.0},
        {"power": 900.0},
        {"power": 2_700_000.0},
        {"power_l1": 9000.0},
        {"power_l2": 0.9},
        {"reactive_power": 0.3},
        {"current_l2": 0.0393},
        {"apparent_power_l3": 90.5},
        {"power_factor_l1": 0.1},
    ],
)
def test_what_does_not_fit_contradicts(wrong) -> None:
    assert weigh(CONSISTENT | wrong).contradicting > 0


@pytest.mark.parametrize("factor", [10, 100, 1000, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("key", ["power_l1", "current_l2", "apparent_power_l3", "frequency"])
def test_a_power_of_ten_too_much_or_too_little_does_not_pass(key, factor) -> None:
    assert weigh(CONSISTENT | {key: CONSISTENT[key] * factor}).contradicting > 0


def test_what_is_not_known_says_nothing() -> None:
    assert weigh({}).speaking == weigh({}).contradicting == 0
    dead = wye(0.0, 0.0, 0.0, power=0.0, power_l1=0.0, power_factor_l1=0.0, voltage=0.0)
    assert weigh(dead).contradicting == 0


def test_export_and_idle_fit_as_well() -> None:
    signed = ("power", "reactive_power", "power_factor")
    turned = {key: -value if key.startswith(signed) else value for key, value in CONSISTENT.items()}
    idle = {
        key: 0.0 if key.startswith((*signed, "current", "app")) else value
        for key, value in CONSISTENT.items()
    }

    assert weigh(turned).contradicting == weigh(idle).contradicting == 0


def test_a_high_leg_delta_is_a_network() -> None:
    assert weigh(wye(120.0, 208.0, 120.0)).contradicting == 0
    assert weigh(wye(120.0, 160.0, 120.0)).contradicting > 0
