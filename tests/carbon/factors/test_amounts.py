"""Units of energy, fuel and water."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.amounts import (
    Measure,
    UnknownUnitError,
    to_amount,
    to_grams_per_measure,
    to_kwh_per,
)
from custom_components.carbon_meter.carbon.units import (
    UnknownIntensityUnitError,
    to_grams_per_kwh,
)


@pytest.mark.parametrize(
    ("value", "unit", "measure", "expected"),
    [
        (1, "kWh", Measure.ENERGY, 1.0),
        (1500, "Wh", Measure.ENERGY, 1.5),
        (3.6, "MJ", Measure.ENERGY, 1.0),
        (0.036, "GJ", Measure.ENERGY, 10.0),
        (2, "MWh", Measure.ENERGY, 2000.0),
        (7, "m³", Measure.VOLUME, 7.0),
        (7, "m3", Measure.VOLUME, 7.0),
        (250, "L", Measure.VOLUME, 0.25),
        (1, "kL", Measure.VOLUME, 1.0),
        (1, "ft³", Measure.VOLUME, 0.028316846592),
        (1, "CCF", Measure.VOLUME, 2.8316846592),
        (1, "gal", Measure.VOLUME, 0.003785411784),
        (2.5, "t", Measure.MASS, 2500.0),
        (500, "g", Measure.MASS, 0.5),
        (1, "lb", Measure.MASS, 0.45359237),
    ],
)
def test_amounts(value: float, unit: str, measure: Measure, expected: float) -> None:
    """Foot and pound of 1959, the gallon of 231 cubic inches."""
    amount = to_amount(value, unit)
    assert (amount.value, amount.measure) == (expected, measure)


@pytest.mark.parametrize("unit", ["", "kW", "bar", "m2", "gCO2/kWh", "therm", "kWh/m3"])
def test_what_is_no_unit_of_an_amount(unit: str) -> None:
    with pytest.raises(UnknownUnitError) as caught:
        to_amount(1, unit)
    assert caught.value.unit == unit


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("unit", ["kWh", "L"])
def test_what_is_not_finite_is_no_amount(value: float, unit: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        to_amount(value, unit)


@pytest.mark.parametrize(
    ("value", "unit", "expected", "measure"),
    [
        (0.18296, "kgCO2eq/kWh", 182.96, Measure.ENERGY),
        (56100, "kgCO2/TJ", 201.96, Measure.ENERGY),
        (2.06672, "kgCO2e/m3", 2066.72, Measure.VOLUME),
        (2.54016, "kg CO2e per litre", 2_540_160.0, Measure.VOLUME),
        (2.54016, "kg/L", 2_540_160.0, Measure.VOLUME),
        (46.98508, "kgCO2eq/t", 46.98508, Measure.MASS),
        (2939.36095, "kg CO₂e / tonne", 2939.36095, Measure.MASS),
        (1, "lbCO2/gal", 119826.42731689663, Measure.VOLUME),
    ],
)
def test_carbon_per_measure(value: float, unit: str, expected: float, measure: Measure) -> None:
    assert to_grams_per_measure(value, unit) == (expected, measure)


@pytest.mark.parametrize("unit", ["kg/km", "%", "kgC/t", "m3", "g/person"])
def test_what_is_no_unit_of_carbon(unit: str) -> None:
    with pytest.raises(UnknownIntensityUnitError):
        to_grams_per_measure(1, unit)


@given(st.floats(0, 1e6), st.sampled_from(["g/kWh", "kg/MWh", "lb/MWh", "g/MJ", "t/GJ"]))
def test_carbon_per_energy_is_what_it_is_elsewhere(value: float, unit: str) -> None:
    assert to_grams_per_measure(value, unit) == (to_grams_per_kwh(value, unit), Measure.ENERGY)


@pytest.mark.parametrize(
    ("value", "unit", "expected", "measure"),
    [
        (39.3, "MJ/m3", 39.3 / 3.6, Measure.VOLUME),
        (48.0, "MJ/kg", 48 / 3.6, Measure.MASS),
        (25.7, "GJ/kL", 25_700 / 3.6, Measure.VOLUME),
        (10.8, "kWh/l", 10_800.0, Measure.VOLUME),
    ],
)
def test_calorific_values(value: float, unit: str, expected: float, measure: Measure) -> None:
    found, per = to_kwh_per(value, unit)
    assert per is measure
    assert found == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("unit", ["MJ", "m3/MJ", "MJ/MJ", "kg/m3", ""])
def test_what_is_no_calorific_value(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        to_kwh_per(1, unit)
