"""The published and recomputed numbers, through the report."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.contracts import Contract, ContractKind
from custom_components.carbon_meter.carbon.accounting.figures import Account, Label
from custom_components.carbon_meter.carbon.factors.factor import Carrier, Scope, Stage
from custom_components.carbon_meter.carbon.factors.gwp import AR5, co2_equivalent, load_gwp_sets
from custom_components.carbon_meter.carbon.report.series import CarrierSeries
from custom_components.carbon_meter.carbon.supply.allocation import Allocation, NodeEnergy, Sink
from custom_components.carbon_meter.carbon.supply.battery import Battery, Costing
from custom_components.carbon_meter.carbon.supply.mix import SupplyIntensity, SupplyMix
from tests.carbon.accounting.factor_rows import factor
from tests.carbon.report.sites import MARKET, always, report, series, terms

LOAD = [2000.0, 1000.0, 3000.0, 4000.0]
INTENSITY = [400.0, 300.0, 200.0, 500.0]
DELIVERED = [0.0, 2000.0, 4000.0, 1000.0]
GRID_FREE = [0.3, 0.4, 0.6, 0.2]

WIND = Contract(
    id="wind",
    kind=ContractKind.CERTIFICATE,
    intensity=0.0,
    market=MARKET,
    profile=DELIVERED,
    carbon_free=True,
)
RESIDUAL = Contract(id="residual", kind=ContractKind.RESIDUAL_MIX, intensity=600.0, market=MARKET)


def four_hours(**changes):
    site = series(LOAD, intensity=INTENSITY, carbon_free=GRID_FREE, **changes)
    return report(
        site, terms(contracts=[WIND, RESIDUAL], factors=always(factor(sum(INTENSITY) / 4)))
    )


def test_scope_2_in_four_ways() -> None:
    """LB 3700 g, flat-mean LB 3500 g, annual MB 1800 g, hourly MB 3000 g, matched 5 kWh."""
    told = four_hours()

    assert [figure.value for figure in told.scope2] == [3700.0, 3500.0, 3000.0, 1800.0]
    assert told.market_hourly.covered == 5000.0
    assert told.market_hourly.contracts[0].excess == 2000.0
    assert told.location_hourly.intensity == 370.0


def test_score_of_carbon_free_energy() -> None:
    """Contracted 0.50, CFE 0.62, volumetric 0.70."""
    score = four_hours().carbon_free.score

    assert score is not None
    assert [score.contracted, score.score, score.volumetric] == [0.5, 0.62, 0.7]
    assert score.excess == 2000.0


def test_losses_on_the_way() -> None:
    """0.5306 with 5 % lost: 0.558526, of it 0.027926 on the way."""
    told = report(series([1000.0]), terms(factors=always(factor(530.6)), loss_share=0.05))

    generation = told.stages[Stage.GENERATION].figure
    way = told.stages[Stage.TRANSMISSION_DISTRIBUTION].figure
    assert round((generation.value + way.value) / 1000, 6) == 0.558526
    assert round(way.value / 1000, 6) == 0.027926
    assert (generation.label.account, way.label.account) == (
        Account.LOCATION_BASED,
        Account.VALUE_CHAIN,
    )


def test_a_published_factor_of_losses_is_added_not_divided() -> None:
    """China 2023 footprint 0.6205: life cycle, so that upstream is within; 0.0327 on the way."""
    generation = factor(620.5, of_table={"scope": Scope.LIFE_CYCLE})
    losses = factor(32.7, stage=Stage.TRANSMISSION_DISTRIBUTION)
    told = report(
        series([1000.0]), terms(factors=always(generation), losses=always(losses), loss_share=0.05)
    )

    assert told.stages[Stage.GENERATION].figure.value == 620.5
    assert told.stages[Stage.TRANSMISSION_DISTRIBUTION].figure.value == 32.7
    assert told.stages[Stage.UPSTREAM].contained == 1000.0


def test_avoided_by_marginal_and_by_average_intensity() -> None:
    """Export moved from hours 3 and 4 into hours 1 and 2: 2400 g marginal, 630 g average."""
    known = {"intensity": [350.0, 340.0, 260.0, 220.0], "marginal": [700.0, 650.0, 300.0, 250.0]}
    early, late = (
        report(series(np.zeros(4), grid_export=export, **known))
        for export in ([3000.0, 3000.0, 0.0, 0.0], [0.0, 0.0, 3000.0, 3000.0])
    )

    assert early.avoided_marginal is not None
    assert late.avoided_marginal is not None
    difference = early.avoided_marginal.figure.value - late.avoided_marginal.figure.value
    assert difference == 2400.0
    assert round(early.avoided.figure.value - late.avoided.figure.value, 9) == 630.0


@pytest.mark.parametrize(
    ("costing", "grams", "per_kwh", "left"),
    [
        (Costing.WEIGHTED_AVERAGE, 432.133, 144.044, 347.867),
        (Costing.FIFO, 149.584, 49.861, 630.416),
    ],
)
def test_a_battery_of_solar_and_grid(costing, grams, per_kwh, left) -> None:
    """4 kWh at 45 and 2 kWh at 300 charged, 3 kWh given: only the import is scope 2."""
    battery = Battery(charging=0.95, discharging=0.95, costing=costing)
    energy = {
        "grid_import": np.array([0.0, 2000.0, 0.0]),
        "solar": np.array([4000.0, 0.0, 0.0]),
        "charge": np.array([4000.0, 2000.0, 0.0]),
        "discharge": np.array([0.0, 0.0, 3000.0]),
    }
    grid = np.array([500.0, 300.0, 500.0])
    weighed = SupplyMix([battery], how=Allocation.PROPORTIONAL).weigh(
        NodeEnergy(**energy),
        SupplyIntensity(grid=grid, solar=45.0),
        starts=np.arange(3) * 3600.0,
        seconds=3600.0,
    )
    imported = energy.pop("grid_import")
    told = report(
        series(imported, intensity=grid, consumption_carbon=weighed.to(Sink.HOME), **energy)
    )

    assert told.consumed is not None
    assert round(told.consumed.figure.value, 3) == grams
    assert round(told.consumed.intensity, 3) == per_kwh
    assert round(battery.carbon, 3) == left
    assert told.location_hourly.figure.value == 600.0


def test_gases_and_a_quota() -> None:
    """1000 CO2 + 2 CH4 + 0.1 N2O is 1082.5 (AR5); 1350 against 1200 kg at 60 a tonne is 9.00."""
    warming = co2_equivalent({"CO2": 1000.0, "CH4": 2.0, "N2O": 0.1}, load_gwp_sets()[AR5])
    burnt = CarrierSeries(
        label=Label(account=Account.DIRECT, stage=Stage.USE, carrier=Carrier.NATURAL_GAS),
        carbon=np.array([warming * 1000.0]),
        quantity=np.array([5e6]),
    )
    told = report(series([267_500.0], intensity=1000.0, carriers=[burnt])).as_dict()

    kg = {(row["account"], row["matching"]): row["kg_co2eq"] for row in told["totals"]}
    assert kg["direct", None] == 1082.5
    assert kg["location_based", "hourly"] == 267.5
    assert (kg["direct", None] + kg["location_based", "hourly"] - 1200.0) / 1000 * 60 == 9.0
