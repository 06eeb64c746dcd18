"""Units of carbon intensity."""

import math

import pytest

from custom_components.carbon_meter.carbon.units import (
    UnknownIntensityUnitError,
    to_grams_per_kwh,
)


@pytest.mark.parametrize(
    "unit",
    [
        "gCO2eq/kWh",
        "gCO2e/kWh",
        "gCO2/kWh",
        "gCO2-eq/kWh",
        "g/kWh",
        "g CO₂eq/kWh",
        "gCO₂e / kWh",
        " G/KWH ",
        "grams per kWh",
        "g_co2_per_kwh",
        "kg/MWh",
        "kgCO2e/MWh",
        "t/GWh",
        "tCO2eq/GWh",
    ],
)
def test_units_that_equal_grams_per_kwh(unit: str) -> None:
    assert to_grams_per_kwh(342.06, unit) == 342.06


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.5306, "kgCO2/kWh", 530.6),  # China 2023
        (0.177, "kg CO2e/kWh", 177.0),  # United Kingdom 2025
        (0.7117, "tCO2/MWh", 711.7),  # India 2024-25
        (0.66, "tonnes/MWh", 660.0),
        (50.0, "g/MJ", 180.0),
        (50.0, "kg/GJ", 180.0),
        (56_100.0, "kg/TJ", 201.96),  # natural gas, IPCC 2006
        (1.0, "lb/MWh", 0.45359237),
        (1.0, "lb/kWh", 453.59237),
    ],
)
def test_conversions(value: float, unit: str, expected: float) -> None:
    assert to_grams_per_kwh(value, unit) == expected


@pytest.mark.parametrize("unit", ["lb/MWh", "lbs/MWh", "lbCO2/MWh", "lbs_co2_per_mwh"])
@pytest.mark.parametrize(
    ("pounds", "grams"), [(429.983, 195.037), (599.170, 271.779), (770.884, 349.667)]
)
def test_pounds_of_egrid_2023(unit: str, pounds: float, grams: float) -> None:
    assert round(to_grams_per_kwh(pounds, unit), 3) == grams


@pytest.mark.parametrize("unit", ["g/kWh", "kg/kWh"])
def test_what_is_not_a_figure_stays_so(unit: str) -> None:
    assert math.isnan(to_grams_per_kwh(math.nan, unit))
    assert to_grams_per_kwh(-math.inf, unit) == -math.inf


@pytest.mark.parametrize(
    "unit",
    [
        "",
        "%",
        "kWh",
        "kg",
        "W",
        "g/kW",
        "mg/kWh",  # milligrams, or megagrams in the wrong case
        "ton/MWh",  # short, long or metric
        "gC/kWh",  # carbon is 12/44 of carbon dioxide
        "gCH4/kWh",
        "kWh/g",
        "EUR/kWh",
        "g/kWh/h",
        "kg g/kWh",
        "gper kWh",
    ],
)
def test_other_units_are_refused(unit: str) -> None:
    with pytest.raises(UnknownIntensityUnitError) as caught:
        to_grams_per_kwh(1.0, unit)
    assert caught.value.unit == unit
    assert repr(unit) in str(caught.value)
    assert "gCO2eq/kWh" in str(caught.value)
