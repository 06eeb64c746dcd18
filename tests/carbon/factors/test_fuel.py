"""What amounts of gas, oil, wood, heat and water emit."""

from datetime import date
import math
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.amounts import (
    HeatingValue,
    Measure,
    UnknownUnitError,
)
from custom_components.carbon_meter.carbon.factors.factor import Carrier, Stage
from custom_components.carbon_meter.carbon.factors.fuel import (
    CannotConvertError,
    Counting,
    FuelProperties,
    emissions,
    find_fuel,
    fuel_query,
    main_stage,
)
from custom_components.carbon_meter.carbon.factors.library import load_library

from .tables import library, write

PACKAGED = load_library()
GROSS, NET = HeatingValue.GROSS, HeatingValue.NET
SUMMER = date(2025, 7, 1)
VOLUME, LITRES, MASS = (Counting(unit=unit) for unit in ("m³", "L", "kg"))
ENERGY_GROSS = Counting(unit="kWh", heating_value=GROSS)
ENERGY_NET = Counting(unit="kWh", heating_value=NET)


def grams(
    carrier: Carrier,
    zone: str,
    value: float,
    unit: str,
    heating_value: HeatingValue | None = None,
    stage: Stage | None = None,
) -> float | None:
    counting = Counting(unit=unit, heating_value=heating_value)
    found = find_fuel(PACKAGED, fuel_query(carrier, zone, stage), counting, SUMMER)
    return emissions(found.factor, value, counting) if found is not None else None


@pytest.mark.parametrize(
    ("carrier", "value", "unit", "heating_value", "expected"),
    [
        (Carrier.NATURAL_GAS, 1, "kWh", GROSS, 182.96),
        (Carrier.NATURAL_GAS, 1, "kWh", NET, 202.70),
        (Carrier.NATURAL_GAS, 1, "m³", None, 2066.72),
        (Carrier.NATURAL_GAS, 1, "GJ", GROSS, 182.96 / 0.0036),
        (Carrier.LPG, 1, "L", None, 1557.13),
        (Carrier.LPG, 1, "kg", None, 2939.36095),
        (Carrier.KEROSENE, 1000, "L", None, 2_540_160.0),
        (Carrier.HEATING_OIL, 1, "L", None, 2755.41),
        (Carrier.WOOD, 1, "t", None, 46_985.08),
        (Carrier.DISTRICT_HEAT, 1, "MWh", None, 175_290.0),
        (Carrier.WATER, 1, "m3", None, 191.3),
        (Carrier.WATER, 1000, "L", None, 191.3),
        (Carrier.WASTEWATER, 1, "m3", None, 170.88),
    ],
)
def test_the_united_kingdom_as_printed(
    carrier: Carrier,
    value: float,
    unit: str,
    heating_value: HeatingValue | None,
    expected: float,
) -> None:
    """DESNZ 2025, flat file: the row per the unit itself where there is one."""
    assert grams(carrier, "GB", value, unit, heating_value) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("carrier", "unit", "heating_value", "expected"),
    [
        (Carrier.NATURAL_GAS, "kWh", GROSS, 30.21),
        (Carrier.NATURAL_GAS, "m3", None, 336.6),
        (Carrier.KEROSENE, "L", None, 530.78),
        (Carrier.WOOD_PELLETS, "kg", None, 177.0),
    ],
)
def test_the_supply_of_fuel_is_a_stage_of_its_own(
    carrier: Carrier, unit: str, heating_value: HeatingValue | None, expected: float
) -> None:
    """DESNZ 2025, well-to-tank."""
    found = grams(carrier, "GB", 1, unit, heating_value, Stage.UPSTREAM)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_calorific_value_leads_from_volume_to_energy() -> None:
    """NGA 2026: 51.53 kg/GJ at 39.3 MJ/m³ is 2.025129 kg/m³, 60.6 at 25.7 is 1.55742 kg/L."""
    query = fuel_query(Carrier.NATURAL_GAS, "AU-VIC")
    found = find_fuel(PACKAGED, query, VOLUME, date(2026, 8, 1))
    assert found.passed == ("AU-VIC",)
    assert round(emissions(found.factor, 1, VOLUME), 6) == 2025.129
    query = fuel_query(Carrier.LPG, "AU")
    found = find_fuel(PACKAGED, query, LITRES, date(2026, 8, 1))
    assert round(emissions(found.factor, 1, LITRES), 6) == 1557.42


def test_the_density_leads_from_mass_to_volume() -> None:
    """DESNZ prints LPG per tonne and per litre: 529.749 kg/m³ brings the one to the other."""
    query = fuel_query(Carrier.LPG, "GB")
    found = find_fuel(PACKAGED, query, LITRES, date(2026, 7, 1))
    assert found.factor.source.id == "uk_desnz_2026"
    assert found.factor.measure is Measure.MASS
    assert emissions(found.factor, 1, LITRES) == pytest.approx(1557.13, abs=0.01)


def test_the_world_has_defaults_per_net_energy() -> None:
    """IPCC 2006: 56100 kg/TJ net, a tenth less net than gross, 48 MJ/kg net."""
    query = fuel_query(Carrier.NATURAL_GAS, "BR")
    found = find_fuel(PACKAGED, query, ENERGY_GROSS, SUMMER)
    assert (found.factor.zone, found.passed) == ("001", ("BR",))
    assert emissions(found.factor, 1, ENERGY_NET) == 201.96
    assert emissions(found.factor, 1, ENERGY_GROSS) == pytest.approx(181.764)
    assert emissions(found.factor, 1, MASS) == pytest.approx(56.1 * 48, rel=1e-12)
    with pytest.raises(CannotConvertError, match="gross or net"):
        emissions(found.factor, 1, Counting(unit="kWh"))
    with pytest.raises(CannotConvertError, match="density"):
        emissions(found.factor, 1, VOLUME)
    assert find_fuel(PACKAGED, query, VOLUME, SUMMER) is None


def test_what_the_bill_says_of_the_gas_comes_first() -> None:
    """A meter in m³ where no table has a calorific value: the bill has one."""
    bill = FuelProperties(
        calorific_value=11.2, per=Measure.VOLUME, heating_value=GROSS, net_per_gross=0.903
    )
    counting = Counting(unit="m3", fuel=bill)
    query = fuel_query(Carrier.NATURAL_GAS, "DE")
    assert find_fuel(PACKAGED, query, VOLUME, SUMMER) is None
    found = find_fuel(PACKAGED, query, counting, SUMMER)
    expected = 100 * 11.2 * 0.903 * 201.96
    assert emissions(found.factor, 100, counting) == pytest.approx(expected, rel=1e-12)


def test_a_fuel_in_kwh_has_to_say_gross_or_net() -> None:
    query = fuel_query(Carrier.NATURAL_GAS, "GB")
    assert find_fuel(PACKAGED, query, Counting(unit="kWh"), SUMMER) is None
    assert find_fuel(PACKAGED, query, ENERGY_GROSS, SUMMER) is not None


def test_carbon_of_plants_is_told_apart() -> None:
    found = find_fuel(PACKAGED, fuel_query(Carrier.WOOD, "GB"), MASS, SUMMER)
    assert not found.factor.source.biogenic
    assert find_fuel(PACKAGED, fuel_query(Carrier.WOOD, "BR"), MASS, SUMMER) is None


def test_a_carrier_without_a_table_has_no_figure() -> None:
    cooling = fuel_query(Carrier.DISTRICT_COOLING, "GB")
    assert find_fuel(PACKAGED, cooling, Counting(unit="kWh"), SUMMER) is None


def test_where_a_carrier_emits() -> None:
    assert main_stage(Carrier.NATURAL_GAS) is Stage.USE
    assert main_stage(Carrier.DISTRICT_HEAT) is Stage.GENERATION
    assert main_stage(Carrier.WATER) is Stage.GENERATION


@pytest.mark.parametrize("unit", ["bar", "", "kW"])
def test_a_unit_that_is_none(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        find_fuel(PACKAGED, fuel_query(Carrier.WATER, "GB"), Counting(unit=unit))


def test_an_amount_that_is_not_finite() -> None:
    found = find_fuel(PACKAGED, fuel_query(Carrier.WATER, "GB"), VOLUME, SUMMER)
    with pytest.raises(ValueError, match="not an amount"):
        emissions(found.factor, math.nan, VOLUME)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("carrier: natural_gas, stage: use, value: 200", "heating_value is missing"),
        ("carrier: lpg, value: 3000, unit: g/kg, calorific_value: 46 MJ/kg", "heating_value"),
        ("carrier: lpg, value: 200, heating_value: gross, calorific_value: 46", "not a calorific"),
        ("carrier: lpg, value: 200, heating_value: gross, calorific_value: 46 m/s", "not a unit"),
        ("carrier: lpg, value: 200, heating_value: gross, calorific_value: 0 MJ/kg", "0 cannot be"),
        ("carrier: lpg, value: 200, heating_value: high", "heating_value: expected HeatingValue"),
        ("carrier: lpg, value: 6000, unit: g/kg", "is more than any supply emits"),
        ("carrier: lpg, value: 200, heating_value: net, net_per_gross: 1.1", "more than the whole"),
        ("carrier: lpg, value: 200, heating_value: net, density: -1", "-1 is negative"),
        ("carrier: water, value: 6000, unit: kg/m3", "is more than any supply emits"),
        ("value: 20, low: 21", "does not lie between low and high"),
        ("technology: fusion, value: 20", "technology: expected Technology"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path, "own", f"  - {{zone: DE, year: 2024, {row}}}\n")
    (problem,) = load_library([tmp_path]).problems
    assert (problem.file, problem.line) == (str(path), 8)
    assert message in problem.message


@given(
    st.floats(0.001, 1e6),
    st.floats(5, 20),
    st.floats(0.5, 1000),
    st.floats(0.8, 1),
    st.sampled_from([GROSS, NET]),
)
def test_the_way_there_does_not_matter(
    mass: float, calorific: float, density: float, ratio: float, basis: HeatingValue
) -> None:
    """The same gas by mass, by volume and by energy emits the same."""
    found = find_fuel(PACKAGED, fuel_query(Carrier.NATURAL_GAS, "BR"), ENERGY_NET, SUMMER)
    gas = FuelProperties(
        calorific_value=calorific,
        per=Measure.MASS,
        heating_value=basis,
        density=density,
        net_per_gross=ratio,
    )
    by_mass, by_volume, by_energy = (
        emissions(found.factor, value, Counting(unit=unit, heating_value=basis, fuel=gas))
        for value, unit in ((mass, "kg"), (mass / density, "m3"), (mass * calorific, "kWh"))
    )
    assert by_volume == pytest.approx(by_mass, rel=1e-9)
    assert by_energy == pytest.approx(by_mass, rel=1e-9)


def test_of_two_tables_the_nearest_zone_wins(tmp_path: Path) -> None:
    loaded = library(
        tmp_path,
        '  - {zone: "001", year: 2024, value: 2000, unit: g/m3}\n'
        "  - {zone: DE, year: 2024, value: 200, heating_value: net, calorific_value: 36 MJ/m3}\n",
        carrier="natural_gas",
        stage="use",
    )
    query = fuel_query(Carrier.NATURAL_GAS, "DE")
    assert find_fuel(loaded, query, VOLUME).factor.value == 200
    assert find_fuel(loaded, query, ENERGY_NET).factor.value == 200
    assert find_fuel(loaded, query, ENERGY_GROSS) is None
