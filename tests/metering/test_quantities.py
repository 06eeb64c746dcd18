"""Names, units and directions of what meters report."""

from fractions import Fraction

import pytest

from custom_components.carbon_meter.metering.quantities import QUANTITIES, mirrored, unit_factor


@pytest.mark.parametrize(
    ("unit", "key", "factor"),
    [
        ("W", "power", Fraction(1)),
        ("kW", "power", Fraction(1000)),
        ("MWh", "energy_import", Fraction(1_000_000)),
        ("kvarh", "reactive_energy_export", Fraction(1000)),
        ("kvar", "reactive_power_l2", Fraction(1000)),
        ("mA", "current_n", Fraction(1, 1000)),
        ("VA", "apparent_power", Fraction(1)),
        ("V", "voltage_l1_l2", Fraction(1)),
        ("", "power_factor", Fraction(1)),
        ("1", "power_factor", Fraction(1)),
        ("%", "power_factor_l3", Fraction(1, 100)),
        ("Hz", "frequency", Fraction(1)),
    ],
)
def test_units_are_converted_exactly(unit, key, factor) -> None:
    assert unit_factor(unit, QUANTITIES[key]) == factor


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("W", "energy_import"),
        ("Wh", "power"),
        ("VA", "current"),
        ("kV", "current"),
        ("", "voltage"),
        ("%", "power"),
        ("KW", "power"),
        ("GW", "power"),
        ("varh", "energy_import"),
        ("°", "power_factor"),
    ],
)
def test_a_unit_of_something_else_is_refused(unit, key) -> None:
    with pytest.raises(ValueError, match=f"the unit '{unit}' does not fit {key}"):
        unit_factor(unit, QUANTITIES[key])


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("energy_import", "energy_export"),
        ("energy_export_l2", "energy_import_l2"),
        ("reactive_energy_import", "reactive_energy_export"),
        ("energy_total", "energy_total"),
        ("power", "power"),
    ],
)
def test_the_counter_of_the_other_direction(key, other) -> None:
    assert mirrored(key) == other


def test_every_counter_has_its_mirror_and_only_what_flows_has_a_sign() -> None:
    for key, quantity in QUANTITIES.items():
        assert quantity.key == key
        assert mirrored(mirrored(key)) == key
        assert quantity.limit > 0
        if quantity.counter:
            assert mirrored(key) in QUANTITIES
            assert not quantity.signed
        if key.startswith(("voltage", "frequency")):
            assert not quantity.signed
