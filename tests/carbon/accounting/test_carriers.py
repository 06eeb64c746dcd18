"""Gas, heat, water and fuels."""

from datetime import date

import pytest

from custom_components.carbon_meter.carbon.accounting.carriers import (
    CarrierMismatchError,
    account_of,
    weigh_carrier,
)
from custom_components.carbon_meter.carbon.accounting.figures import Account, total
from custom_components.carbon_meter.carbon.factors.amounts import HeatingValue, Measure
from custom_components.carbon_meter.carbon.factors.factor import Carrier, Stage
from custom_components.carbon_meter.carbon.factors.fuel import (
    CannotConvertError,
    Counting,
    FuelProperties,
    find_fuel,
    fuel_query,
)
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from tests.carbon.accounting.factor_rows import factor

KWH = Counting(unit="kWh")
KG = Counting(unit="kg")


def test_gas_by_volume_with_the_bills_calorific_value() -> None:
    """120 m³ * 1.02264 * 40 MJ/m³ / 3.6 = 1364 kWh, as British gas bills reckon."""
    gas = factor(
        183.0,
        Carrier.NATURAL_GAS,
        stage=Stage.USE,
        of_table={"heating_value": HeatingValue.GROSS},
    )
    bill = FuelProperties(calorific_value=40.0 / 3.6, heating_value=HeatingValue.GROSS)
    counting = Counting(unit="m³", fuel=bill)

    (figure,) = weigh_carrier(120.0 * 1.02264, counting, [gas])

    assert round(figure.value / 183.0) == 1364
    assert figure.value == pytest.approx(120 * 1.02264 * 40 / 3.6 * 183)
    assert (figure.label.account, figure.label.stage) == (Account.DIRECT, Stage.USE)
    assert figure.label.carrier == "natural_gas"


def test_use_upstream_and_biogenic_carbon_stay_apart() -> None:
    rows = {"measure": Measure.MASS}
    figures = weigh_carrier(
        100.0,
        KG,
        [
            factor(60.0, Carrier.WOOD, stage=Stage.USE, **rows),
            factor(30.0, Carrier.WOOD, stage=Stage.UPSTREAM, **rows),
            factor(1600.0, Carrier.WOOD, stage=Stage.USE, of_table={"biogenic": True}, **rows),
        ],
    )

    assert {figure.label.account: figure.value for figure in figures} == {
        Account.DIRECT: 6000.0,
        Account.VALUE_CHAIN: 3000.0,
        Account.BIOGENIC: 160_000.0,
    }
    with pytest.raises(TypeError):
        total(figures)


@pytest.mark.parametrize(
    ("carrier", "stage", "account"),
    [
        (Carrier.NATURAL_GAS, Stage.USE, Account.DIRECT),
        (Carrier.HEATING_OIL, Stage.USE, Account.DIRECT),
        (Carrier.HEATING_OIL, Stage.UPSTREAM, Account.VALUE_CHAIN),
        (Carrier.DISTRICT_HEAT, Stage.GENERATION, Account.LOCATION_BASED),
        (Carrier.DISTRICT_HEAT, Stage.TRANSMISSION_DISTRIBUTION, Account.VALUE_CHAIN),
        (Carrier.DISTRICT_COOLING, Stage.GENERATION, Account.LOCATION_BASED),
        (Carrier.ELECTRICITY, Stage.GENERATION, Account.LOCATION_BASED),
        (Carrier.ELECTRICITY, Stage.UPSTREAM_AND_LOSSES, Account.VALUE_CHAIN),
        (Carrier.WATER, Stage.GENERATION, Account.VALUE_CHAIN),
        (Carrier.WASTEWATER, Stage.GENERATION, Account.VALUE_CHAIN),
    ],
)
def test_each_stage_of_each_carrier_has_its_account(carrier, stage, account) -> None:
    assert account_of(factor(1.0, carrier, stage=stage)) is account


def test_a_packaged_factor_weighs_water() -> None:
    """From the library to the figure: British water, 10 m³."""
    counting = Counting(unit="m³")
    found = find_fuel(
        load_library(), fuel_query(Carrier.WATER, "GB"), counting, when=date(2025, 6, 1)
    )

    assert found is not None
    (figure,) = weigh_carrier(10.0, counting, [found.factor])
    assert figure.value == pytest.approx(10.0 * found.factor.value)
    assert figure.label.account is Account.VALUE_CHAIN


def test_factors_that_do_not_belong_together_are_refused() -> None:
    heat = factor(150.0, Carrier.DISTRICT_HEAT)
    with pytest.raises(CarrierMismatchError, match="two factors"):
        weigh_carrier(1.0, KWH, [heat, heat])
    with pytest.raises(CarrierMismatchError, match="another carrier"):
        weigh_carrier(1.0, KWH, [heat, factor(1.0, Carrier.DISTRICT_COOLING)])
    with pytest.raises(CannotConvertError):
        weigh_carrier(1.0, KG, [heat])


@pytest.mark.parametrize("value", [-1.0, float("nan"), None])
def test_impossible_quantities_are_refused(value) -> None:
    with pytest.raises(ImpossibleAmountError, match="quantity"):
        weigh_carrier(value, KWH, [])
