"""Weighing a whole site, beside figures worked out by hand and published ones."""

import math

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeters
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import SiteFactors, SiteSupply, by_hour
from tests.carbon.site.homes import HOME, SOLAR, cells, intervals_of, meter


def weighed(meters, imported, exported, grid, batteries=None, **factors):
    supply = SiteSupply(meters, SiteFactors(**{"solar": Schedule.constant(SOLAR)} | factors))
    ledgers = {name: cells() for name in supply.batteries} if batteries is None else batteries
    return supply.weigh(intervals_of(meters, imported, exported, grid), ledgers)


def test_a_battery_keeps_its_grams() -> None:
    """4 kWh of sun at 45 g, 2 kWh of the grid at 300 g, then 3 kWh to the home."""
    battery = cells()
    found = weighed(
        HOME,
        {"grid": [0.0, 2000.0, 0.0], "cells": [4000.0, 2000.0, 0.0]},
        {"pv": [4000.0, 0.0, 0.0], "cells": [0.0, 0.0, 3000.0]},
        [500.0, 300.0, 500.0],
        {"cells": battery},
    )

    site = found.of_site()
    assert site["consumption_carbon"][:3] == pytest.approx([0.0, 0.0, 432.133], abs=5e-4)
    assert battery.carbon == pytest.approx(347.867, abs=5e-4)
    assert battery.stored == pytest.approx(2542.105, abs=5e-4)
    assert found.of_meter("cells")["discharge_carbon"][2] == pytest.approx(432.133, abs=5e-4)
    assert site["carbon"].sum() == pytest.approx(600.0)
    assert site["generation_carbon"].sum() == pytest.approx(180.0)


def test_sun_behind_a_sub_meter_feeds_its_neighbours() -> None:
    """1 kW of the grid at 500 g, 4 kW of sun at 45 g in the barn, which sends 2 kW."""
    meters = SiteMeters(
        [
            meter("grid", Role.GRID),
            meter("barn", Role.SUBMETER),
            meter("pv", Role.SOLAR, "barn"),
            meter("house", Role.SUBMETER),
            meter("light", Role.SUBMETER, "barn"),
        ]
    )
    found = weighed(
        meters,
        {"grid": [1000.0], "house": [3000.0], "light": [2000.0]},
        {"barn": [2000.0], "pv": [4000.0]},
        [500.0],
    )

    assert found.carbon("house")[0] / 3.0 == pytest.approx(196.667, abs=5e-4)
    assert found.carbon("light")[0] / 2.0 == pytest.approx(45.0)
    assert found.of_site()["consumption_carbon"][0] == pytest.approx(680.0)


def test_a_home_with_sun_and_sub_meters_by_hand() -> None:
    """600 Wh at 400 g and 200 Wh at 45 g: 311.25 g/kWh for all that is used."""
    found = weighed(
        HOME,
        {"grid": [600.0], "kitchen": [500.0], "oven": [100.0]},
        {"pv": [200.0]},
        [400.0],
    )

    assert found.carbon("kitchen")[0] == pytest.approx(155.625)
    assert found.carbon("oven")[0] == pytest.approx(31.125)
    site = found.of_site()
    assert site["carbon"][0] == pytest.approx(240.0)
    assert site["consumption_carbon"][0] == pytest.approx(249.0)
    assert site["consumption"][0] == pytest.approx(800.0)
    kitchen = found.of_meter("kitchen")
    assert kitchen["known_as_measured"][0] == pytest.approx(375.0)
    assert kitchen["known_as_yearly_factor"][0] == pytest.approx(125.0)


def test_export_takes_the_mix_and_is_no_negative_carbon() -> None:
    """The battery gives 1 kWh of stored grid energy, the sun 1 kWh; half of it is exported."""
    battery = cells(charging=1.0, discharging=1.0)
    found = weighed(
        HOME,
        {"grid": [1000.0, 0.0], "cells": [1000.0, 0.0]},
        {"grid": [0.0, 1000.0], "cells": [0.0, 1000.0], "pv": [0.0, 1000.0]},
        [600.0, 200.0],
        {"cells": battery},
        solar=Schedule.constant(0.0),
    )

    site = found.of_site()
    assert site["export_carbon"][1] == pytest.approx(300.0)
    assert site["consumption_carbon"][1] == pytest.approx(300.0)
    assert site["carbon"][1] == 0.0
    assert site["avoided_export"][1] == pytest.approx(200.0)


def test_a_sub_meter_that_sends_without_a_known_source_sends_the_grids() -> None:
    meters = SiteMeters(
        [
            meter("grid", Role.GRID),
            meter("car", Role.SUBMETER),
            meter("plug", Role.SUBMETER, "car"),
        ]
    )
    found = weighed(
        meters,
        {"grid": [100.0, 100.0], "plug": [10.0, 10.0]},
        {"car": [400.0, 0.0]},
        [500.0, 300.0],
    )

    site = found.of_site()
    assert site["unmetered"][:2] == pytest.approx([400.0, 0.0])
    assert site["unmetered_carbon"][0] == pytest.approx(200.0)
    assert site["consumption"][:2] == pytest.approx([500.0, 100.0])
    assert found.carbon("plug")[:2] == pytest.approx([5.0, 3.0])


def test_what_one_interval_sends_is_nothing_to_the_others() -> None:
    """A plug that counts more than the meter above it: weighed alike, whatever else flows."""
    meters = SiteMeters(
        [
            meter("grid", Role.GRID),
            meter("pv", Role.SOLAR),
            meter("car", Role.SUBMETER),
            meter("plug", Role.SUBMETER, "car"),
        ]
    )
    common = {"grid": [100.0, 300.0], "plug": [90.0, 200.0], "car": [0.0, 50.0]}
    alone = weighed(meters, common, {"pv": [0.0, 100.0]}, [500.0, 400.0])
    beside = weighed(meters, common, {"pv": [0.0, 100.0], "car": [60.0, 0.0]}, [500.0, 400.0])

    assert beside.carbon("plug")[1] == pytest.approx(alone.carbon("plug")[1], rel=1e-12)
    for name, values in alone.of_site().items():
        assert beside.of_site()[name][1] == pytest.approx(values[1], rel=1e-12), name


def test_where_everything_comes_from_the_grid_the_integral_stays_as_it_is() -> None:
    found = weighed(HOME, {"grid": [600.0], "kitchen": [333.3]}, {}, [123.4])
    found.intervals.grid_carbon[HOME.place["kitchen"], 0] = 47.11

    assert found.carbon("kitchen")[0] == 47.11


def test_without_a_connection_all_is_taken_to_be_the_grids() -> None:
    meters = SiteMeters([meter("a", Role.SUBMETER), meter("pv", Role.SOLAR)])
    found = weighed(meters, {"a": [100.0]}, {"pv": [50.0]}, [300.0])

    assert found.of_site() == {}
    assert found.carbon("a")[0] == pytest.approx(30.0)
    assert found.of_meter("pv")["generation_carbon"][0] == pytest.approx(2.25)


def test_a_generator_that_counts_what_it_makes_as_import() -> None:
    turned = SiteMeters([meter("grid", Role.GRID), meter("pv", Role.SOLAR, reversed=True)])
    found = weighed(turned, {"grid": [0.0], "pv": [500.0]}, {"grid": [200.0]}, [300.0])

    site = found.of_site()
    assert site["generation"][0] == 500.0
    assert site["consumption"][0] == pytest.approx(300.0)


def test_what_an_inverter_takes_at_night_is_used_too() -> None:
    found = weighed(HOME, {"grid": [100.0], "pv": [10.0]}, {}, [500.0])

    site = found.of_site()
    assert site["consumption"][0] == pytest.approx(100.0)
    assert site["consumption_carbon"][0] == pytest.approx(50.0)


def test_two_connections_with_their_own_meters_have_their_own_mix() -> None:
    meters = SiteMeters(
        [
            meter("east", Role.GRID),
            meter("west", Role.GRID),
            meter("a", Role.SUBMETER, "east"),
            meter("b", Role.SUBMETER, "west"),
            meter("pv", Role.SOLAR, "west"),
        ]
    )
    found = weighed(
        meters,
        {"east": [100.0], "west": [100.0], "a": [100.0], "b": [200.0]},
        {"pv": [100.0]},
        [400.0],
    )

    assert found.carbon("a")[0] == pytest.approx(40.0)
    assert found.carbon("b")[0] == pytest.approx(44.5)


def test_hours_are_the_sums_of_their_intervals() -> None:
    rng = np.random.default_rng(5)
    flows = {name: rng.uniform(0.0, 100.0, 24) for name in HOME.ids}
    found = weighed(
        HOME,
        flows,
        {name: flow * 0.3 for name, flow in flows.items()},
        rng.uniform(0, 900, 24),
        annual=Schedule.constant(400.0),
    )

    hours = found.hours_of_meters()
    for name in HOME.ids:
        by_interval = by_hour(found.of_meter(name))
        assert hours[name].keys() == by_interval.keys()
        for figure, values in by_interval.items():
            assert hours[name][figure] == pytest.approx(values, rel=1e-12), (name, figure)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize("kind", ["imported", "exported", "grid_carbon", "grid"])
def test_what_cannot_be_is_refused_before_the_battery_changes(kind, bad) -> None:
    intervals = intervals_of(HOME, {"grid": [5.0], "cells": [5.0]}, {}, [100.0])
    getattr(intervals, kind).flat[0] = bad
    battery = cells()
    with pytest.raises(ImpossibleAmountError, match=kind):
        SiteSupply(HOME, SiteFactors()).weigh(intervals, {"cells": battery})
    assert battery.stored == 0.0
