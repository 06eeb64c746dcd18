"""The supply mix of a node: grid, solar and batteries, interval after interval."""

import csv
import gzip
import json
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.supply.allocation import (
    Allocation,
    NodeEnergy,
    Sink,
    Source,
)
from custom_components.carbon_meter.carbon.supply.battery import Battery, Costing, Portion
from custom_components.carbon_meter.carbon.supply.mix import SupplyIntensity, SupplyMix

HOUR = 3600.0
HOMES = Path(__file__).parents[4] / "shared" / "data" / "load" / "citylearn"


def battery(**changes) -> Battery:
    return Battery(**{"charging": 0.95, "discharging": 0.95, **changes})


def starts(count: int) -> np.ndarray:
    return np.arange(count) * HOUR


@pytest.mark.parametrize("how", Allocation)
def test_a_day_of_charging_and_discharging(how) -> None:
    """Oracle: 4 kWh of solar at 45, 2 kWh of grid at 300, then 3 kWh out: 432.133 g."""
    mix = SupplyMix([battery()], how=how)

    weighed = mix.weigh(
        NodeEnergy(
            grid_import=[0.0, 2000.0, 0.0],
            solar=[4000.0, 0.0, 0.0],
            charge=[4000.0, 2000.0, 0.0],
            discharge=[0.0, 0.0, 3000.0],
        ),
        SupplyIntensity(grid=[500.0, 300.0, 500.0], solar=45.0),
        starts=starts(3),
        seconds=HOUR,
    )

    assert [round(value, 3) for value in weighed.to(Sink.HOME)] == [0.0, 0.0, 432.133]
    assert round(float(weighed.mix_of(Sink.HOME)[2]), 3) == 144.044
    assert np.isnan(weighed.mix_of(Sink.HOME)[0])
    assert round(mix.batteries[0].stored / 1000, 6) == 2.542105
    assert round(mix.batteries[0].carbon, 3) == 347.867


def test_a_battery_is_charged_with_the_mix_of_its_interval() -> None:
    mix = SupplyMix([battery(charging=1.0, discharging=1.0)], how=Allocation.PROPORTIONAL)

    weighed = mix.weigh(
        NodeEnergy(grid_import=1000.0, solar=3000.0, charge=2000.0),
        SupplyIntensity(grid=400.0, solar=0.0),
        starts=[0.0],
        seconds=HOUR,
    )

    assert mix.batteries[0].carbon == pytest.approx(200.0)
    assert weighed.to(Sink.CHARGE).tolist() == [pytest.approx(200.0)]
    assert weighed.shares_of(Sink.HOME)[0].tolist() == pytest.approx([0.25, 0.75, 0.0, 0.0])


def test_what_the_battery_exports_takes_its_grams_along() -> None:
    """They are the export's, not the home's; and no export is negative."""
    own = battery(charging=1.0, discharging=1.0)
    own.charge([Portion(energy=4000.0, carbon=1600.0, grade=Grade.MEASURED)])

    weighed = SupplyMix([own], how=Allocation.SELF_CONSUMPTION_FIRST).weigh(
        NodeEnergy(discharge=3000.0, grid_export=1000.0),
        SupplyIntensity(grid=500.0, solar=0.0),
        starts=[0.0],
        seconds=HOUR,
    )

    assert weighed.to(Sink.EXPORT).tolist() == [pytest.approx(400.0)]
    assert weighed.to(Sink.HOME).tolist() == [pytest.approx(800.0)]
    assert own.carbon == pytest.approx(400.0)


def test_what_passes_through_a_battery_in_one_interval_has_not_been_inside() -> None:
    own = battery(charging=1.0, discharging=1.0)
    own.charge([Portion(energy=1000.0, carbon=100.0, grade=Grade.MEASURED)])

    weighed = SupplyMix([own], how=Allocation.SELF_CONSUMPTION_FIRST).weigh(
        NodeEnergy(grid_import=1000.0, charge=1000.0, discharge=1000.0),
        SupplyIntensity(grid=700.0, solar=0.0),
        starts=[0.0],
        seconds=HOUR,
    )

    assert weighed.intensity[0, Source.BATTERY] == pytest.approx(100.0)
    assert weighed.to(Sink.HOME).tolist() == [pytest.approx(100.0)]
    assert own.carbon == pytest.approx(700.0)


def test_two_batteries_keep_their_own_carbon() -> None:
    mix = SupplyMix(
        [battery(charging=1.0, discharging=1.0), battery(charging=1.0, discharging=1.0)],
        how=Allocation.PROPORTIONAL,
    )

    weighed = mix.weigh(
        NodeEnergy(
            grid_import=[1000.0, 1000.0, 0.0],
            charge=[[1000.0, 0.0], [0.0, 1000.0], [0.0, 0.0]],
            discharge=[[0.0, 0.0], [0.0, 0.0], [1000.0, 500.0]],
        ),
        SupplyIntensity(grid=[100.0, 700.0, 0.0], solar=0.0),
        starts=starts(3),
        seconds=HOUR,
    )

    assert weighed.intensity[2, Source.BATTERY] == pytest.approx((100.0 + 350.0) / 1.5)
    assert [own.carbon for own in mix.batteries] == [0.0, pytest.approx(350.0)]


def test_what_left_without_coming_is_taken_for_grid_energy_and_told() -> None:
    weighed = SupplyMix(how=Allocation.PROPORTIONAL).weigh(
        NodeEnergy(solar=1000.0, grid_export=1500.0),
        SupplyIntensity(grid=600.0, solar=0.0),
        starts=[0.0],
        seconds=HOUR,
    )

    assert weighed.residual.tolist() == [pytest.approx(-500.0)]
    assert weighed.to(Sink.EXPORT).tolist() == [pytest.approx(300.0)]
    assert weighed.by_grade(Sink.EXPORT)[Grade.ESTIMATED].tolist() == [pytest.approx(500.0)]


def test_each_kilowatt_hour_keeps_its_grade_through_the_battery() -> None:
    mix = SupplyMix([battery(charging=1.0, discharging=1.0)], how=Allocation.PROPORTIONAL)

    weighed = mix.weigh(
        NodeEnergy(
            grid_import=[1000.0, 1000.0, 500.0],
            solar=[1000.0, 0.0, 0.0],
            charge=[2000.0, 1000.0, 0.0],
            discharge=[0.0, 0.0, 1500.0],
        ),
        SupplyIntensity(
            grid=[400.0, 300.0, 200.0],
            solar=40.0,
            grid_grade=[Grade.MEASURED, Grade.FORECAST, Grade.TYPICAL],
            solar_grade=Grade.YEARLY,
        ),
        starts=starts(3),
        seconds=HOUR,
    )

    graded = {grade: wh[2] for grade, wh in weighed.by_grade(Sink.HOME).items() if wh[2]}
    assert graded == {
        Grade.MEASURED: pytest.approx(500.0),
        Grade.YEARLY: pytest.approx(500.0),
        Grade.FORECAST: pytest.approx(500.0),
        Grade.TYPICAL: pytest.approx(500.0),
    }


def test_an_unknown_content_has_the_grids_intensity_and_a_poorer_grade() -> None:
    weighed = SupplyMix([battery()], how=Allocation.PROPORTIONAL).weigh(
        NodeEnergy(discharge=1000.0),
        SupplyIntensity(grid=350.0, solar=0.0),
        starts=[0.0],
        seconds=HOUR,
    )

    assert weighed.unbacked.tolist() == [1000.0]
    assert weighed.to(Sink.HOME).tolist() == [pytest.approx(350.0)]
    assert weighed.by_grade(Sink.HOME)[Grade.ESTIMATED].tolist() == [pytest.approx(1000.0)]


@pytest.mark.parametrize(
    ("energy", "intensity"),
    [
        ({"grid_import": -1.0}, {}),
        ({"charge": [1.0, float("nan")]}, {}),
        ({"discharge": [[1.0, 2.0], [1.0, 2.0]]}, {}),
        ({"solar": [1.0, 2.0, 3.0]}, {}),
        ({}, {"grid": -1.0}),
        ({}, {"grid": [1.0, 2.0, 3.0]}),
        ({}, {"solar": float("inf")}),
        ({}, {"grid_grade": [Grade.MEASURED]}),
    ],
)
def test_what_cannot_be_is_refused_before_the_battery_is_touched(energy, intensity) -> None:
    own = battery()
    own.charge([Portion(energy=1000.0, carbon=100.0, grade=Grade.MEASURED)])
    before = json.dumps(own.as_dict())
    fitting = {"grid_import": 1000.0, "charge": [500.0, 0.0], "discharge": [0.0, 100.0]}

    with pytest.raises(ImpossibleAmountError):
        SupplyMix([own], how=Allocation.PROPORTIONAL).weigh(
            NodeEnergy(**{**fitting, **energy}),
            SupplyIntensity(**{"grid": 400.0, "solar": 0.0, **intensity}),
            starts=[0.0, HOUR],
            seconds=HOUR,
        )

    assert json.dumps(own.as_dict()) == before


def test_a_site_without_a_battery_cannot_discharge_one() -> None:
    with pytest.raises(ImpossibleAmountError, match="no battery"):
        SupplyMix(how=Allocation.PROPORTIONAL).weigh(
            NodeEnergy(discharge=1.0),
            SupplyIntensity(grid=400.0, solar=0.0),
            starts=[0.0],
            seconds=HOUR,
        )
    with pytest.raises(ImpossibleAmountError, match="each of 2 batteries"):
        SupplyMix([battery(), battery()], how=Allocation.PROPORTIONAL).weigh(
            NodeEnergy(discharge=1.0),
            SupplyIntensity(grid=400.0, solar=0.0),
            starts=[0.0],
            seconds=HOUR,
        )


energies = st.one_of(st.just(0.0), st.floats(1.0, 5000.0))
intervals = st.lists(
    st.tuples(*[energies] * 5, st.floats(0.0, 1200.0), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=150)
@given(intervals, st.sampled_from(Allocation), st.sampled_from(Costing), st.floats(0.0, 100.0))
def test_grams_in_are_grams_out_over_gaps_and_restarts(drawn, how, costing, solar) -> None:
    """One interval at a time, Home Assistant restarting in between."""
    parameters = {"charging": 0.9, "discharging": 0.93, "costing": costing, "standby": 3.0}
    own = Battery(**parameters)
    brought = went = 0.0
    for number, (grid, pv, charge, discharge, export, intensity, restart) in enumerate(drawn):
        if restart:
            own = Battery(**parameters).restore(json.loads(json.dumps(own.as_dict())))
        weighed = SupplyMix([own], how=how).weigh(
            NodeEnergy(
                grid_import=grid,
                solar=pv,
                charge=charge,
                discharge=discharge,
                grid_export=export,
            ),
            SupplyIntensity(grid=intensity, solar=solar),
            starts=[number * HOUR],
            seconds=HOUR,
        )
        carbon = weighed.carbon[0]
        assert (carbon >= 0.0).all()
        brought += carbon[[Source.GRID, Source.SOLAR, Source.UNMETERED]].sum()
        went += carbon[:, [Sink.HOME, Sink.EXPORT, Sink.UNMETERED]].sum()
        went += weighed.written_off.sum()

    brought += own.totals.opening_carbon
    assert went + own.carbon == pytest.approx(brought, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(intervals, st.sampled_from(Allocation), st.sampled_from(Costing))
def test_many_intervals_at_once_are_the_same_as_one_by_one(drawn, how, costing) -> None:
    parameters = {"charging": 0.9, "discharging": 0.93, "costing": costing, "standby": 3.0}
    columns = np.array([interval[:6] for interval in drawn]).T
    names = ("grid_import", "solar", "charge", "discharge", "grid_export")
    at_once, one_by_one = Battery(**parameters), Battery(**parameters)
    together = SupplyMix([at_once], how=how).weigh(
        NodeEnergy(**dict(zip(names, columns[:5], strict=True))),
        SupplyIntensity(grid=columns[5], solar=30.0),
        starts=starts(len(drawn)),
        seconds=HOUR,
    )
    for step, interval in enumerate(drawn):
        alone = SupplyMix([one_by_one], how=how).weigh(
            NodeEnergy(**dict(zip(names, interval[:5], strict=True))),
            SupplyIntensity(grid=interval[5], solar=30.0),
            starts=[step * HOUR],
            seconds=HOUR,
        )
        assert np.array_equal(alone.carbon[0], together.carbon[step])

    assert at_once.as_dict() == one_by_one.as_dict()


def homes() -> list[Path]:
    return sorted(HOMES.glob("Building_*.csv.gz"))


@pytest.mark.skipif(not homes(), reason="the data of real homes are not here")
@pytest.mark.parametrize("how", Allocation)
def test_a_real_home_over_a_year(how) -> None:
    """A year of a Californian home with 4 kW of solar, and a battery that is charged by it."""
    with gzip.open(HOMES / "Building_1.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    with gzip.open(HOMES / "carbon_intensity.csv.gz", "rt") as file:
        grid = np.array([float(row["carbon_intensity"]) * 1000.0 for row in csv.DictReader(file)])
    load = np.array([float(row["non_shiftable_load"]) for row in rows]) * 1000.0
    solar = np.array([float(row["solar_generation"]) for row in rows]) * 4.0
    charge, discharge = np.zeros_like(load), np.zeros_like(load)
    stored = 0.0
    for hour, left in enumerate(solar - load):
        if left > 0.0:
            charge[hour] = max(0.0, min(left, 5000.0, (6400.0 - stored) / 0.95))
            stored += charge[hour] * 0.95
        else:
            discharge[hour] = max(0.0, min(-left, 5000.0, stored * 0.95))
            stored -= discharge[hour] / 0.95
    net = load + charge - solar - discharge
    own = battery(capacity=6400.0)

    weighed = SupplyMix([own], how=how).weigh(
        NodeEnergy(
            grid_import=np.maximum(net, 0.0),
            solar=solar,
            charge=charge,
            discharge=discharge,
            grid_export=np.maximum(-net, 0.0),
            home=load,
        ),
        SupplyIntensity(grid=grid, solar=41.0),
        starts=starts(len(load)),
        seconds=HOUR,
    )

    assert np.abs(weighed.residual).max() < 1e-6
    assert weighed.unbacked.sum() == pytest.approx(0.0, abs=1e-3)
    imported = (np.maximum(net, 0.0) * grid).sum() / 1000.0
    made = solar.sum() * 41.0 / 1000.0
    went = weighed.to(Sink.HOME).sum() + weighed.to(Sink.EXPORT).sum() + own.carbon
    assert went == pytest.approx(imported + made, rel=1e-9)
    assert weighed.energy[:, :, Sink.HOME].sum() == pytest.approx(load.sum(), rel=1e-9)
    # Stored sun is dearer than fresh sun by exactly the losses, and never as dear as the grid.
    given = weighed.energy[:, Source.BATTERY].sum(axis=-1) > 1.0
    assert weighed.intensity[given, Source.BATTERY] == pytest.approx(41.0 / 0.95**2, rel=1e-6)
