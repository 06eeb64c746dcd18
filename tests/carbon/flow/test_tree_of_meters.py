"""Sub-meters are weighed with the mix at their own place in the tree."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.network import NetworkError
from custom_components.carbon_meter.carbon.flow.tree import MeterTree, TreeMeter

HOUSE = MeterTree(
    [
        TreeMeter(id="main"),
        TreeMeter(id="ground", parent="main"),
        TreeMeter(id="roof", parent="main"),
        TreeMeter(id="pv", parent="roof", source="solar"),
        TreeMeter(id="car", parent="roof"),
    ]
)
COUNTED = {"main": 1000.0, "ground": 3000.0, "roof": 0.0, "car": 2000.0}


def test_solar_behind_a_sub_meter_feeds_its_neighbours_first() -> None:
    """Oracle, three-phase feeder: 1 kWh at 500, PV 4 at 45 behind N2, load 2 -> 196.667 and 45."""
    flow = HOUSE.trace(
        down=COUNTED, up={"roof": 2000.0, "pv": 4000.0}, intensity={"main": 500.0, "pv": 45.0}
    )

    assert round(float(flow.intensity("main")), 3) == 196.667
    assert round(float(flow.intensity("ground")), 3) == 196.667
    assert float(flow.intensity("car")) == 45.0
    assert float(flow.intensity("pv")) == 45.0
    assert flow.down_carbon("car") == pytest.approx(90.0)
    assert flow.down_carbon("ground") == pytest.approx(590.0)
    assert flow.down_carbon("main") == pytest.approx(500.0)
    assert flow.up_carbon("pv") == pytest.approx(180.0)
    assert flow.up_carbon("roof") == pytest.approx(90.0)
    assert flow.up_carbon("main") == 0.0
    assert flow.load("ground") == pytest.approx(3000.0)
    assert flow.load("roof") == pytest.approx(0.0)
    shares = flow.shares("ground")
    assert shares["grid"] == pytest.approx(1.0 / 3.0)
    assert shares["solar"] == pytest.approx(2.0 / 3.0)
    assert flow.shares("car")["solar"] == 1.0


def test_export_carries_the_mix_of_its_node_and_import_stays_gross() -> None:
    flow = HOUSE.trace(
        down={**COUNTED, "main": 1500.0},
        up={"main": 500.0, "roof": 2000.0, "pv": 4000.0},
        intensity={"main": 500.0, "pv": 45.0},
    )

    mix = (1.5 * 500.0 + 2.0 * 45.0) / 3.5
    assert flow.up_carbon("main") == pytest.approx(0.5 * mix)
    assert flow.down_carbon("main") == 750.0
    assert flow.load_carbon("ground") == pytest.approx(3.0 * mix)


def test_a_battery_takes_the_mix_of_its_node_and_gives_its_own() -> None:
    """While it charges and discharges in one interval, nothing passes through it unseen."""
    tree = MeterTree([TreeMeter(id="main"), TreeMeter(id="cells", parent="main", source="battery")])

    flow = tree.trace(
        down={"main": 1000.0, "cells": 400.0},
        up={"cells": 1000.0},
        intensity={"main": 500.0, "cells": 100.0},
    )

    assert flow.intensity("main") == pytest.approx(300.0)
    assert flow.intensity("cells") == pytest.approx(300.0)
    assert flow.down_carbon("cells") == pytest.approx(120.0)
    assert flow.up_carbon("cells") == pytest.approx(100.0)
    assert flow.load("main") == pytest.approx(1600.0)


def test_losses_behind_a_meter_are_carried_by_what_flows() -> None:
    """A long cable to the barn loses 10 %: its load carries what was sent for it."""
    tree = MeterTree([TreeMeter(id="main"), TreeMeter(id="barn", parent="main", loss=0.1)])

    flow = tree.trace(down={"main": 1000.0, "barn": 1000.0}, up={}, intensity={"main": 500.0})

    assert flow.load("barn") == pytest.approx(900.0)
    assert flow.load_carbon("barn") == pytest.approx(450.0)
    assert flow.loss_carbon == pytest.approx(50.0)
    assert flow.down_carbon("barn") == pytest.approx(500.0)


def test_what_comes_up_was_more_before_the_losses() -> None:
    tree = MeterTree(
        [
            TreeMeter(id="main"),
            TreeMeter(id="barn", parent="main", loss=0.2),
            TreeMeter(id="pv", parent="barn", source="solar"),
        ]
    )

    flow = tree.trace(
        down={"main": 0.0, "barn": 0.0}, up={"barn": 800.0, "pv": 1000.0}, intensity={"pv": 50.0}
    )

    assert flow.load("main") == pytest.approx(800.0)
    assert flow.load("barn") == pytest.approx(0.0, abs=1e-9)
    assert flow.up_carbon("barn") == pytest.approx(40.0)
    assert flow.load_carbon("main") == pytest.approx(40.0)
    assert flow.loss_carbon == pytest.approx(10.0)


def test_sub_meters_that_count_more_than_comes_in_are_told() -> None:
    tree = MeterTree([TreeMeter(id="main"), TreeMeter(id="heater", parent="main")])
    figures = {"down": {"main": 900.0, "heater": 1000.0}, "up": {}, "intensity": {"main": 400.0}}

    plain = tree.trace(**figures)
    stood_in = tree.trace(**figures, unmetered=600.0)

    assert plain.residual("main") == pytest.approx(-100.0)
    assert plain.down_carbon("heater") == pytest.approx(400.0)
    assert stood_in.residual("main") == pytest.approx(-100.0)
    assert stood_in.down_carbon("heater") == pytest.approx(420.0)
    assert stood_in.shares("heater")["unmetered"] == pytest.approx(0.1)


def test_a_place_that_nothing_feeds_has_no_mix() -> None:
    flow = HOUSE.trace(
        down={**dict.fromkeys(COUNTED, 0.0), "car": 10.0}, up={}, intensity={"main": 500.0}
    )

    assert np.isnan(flow.intensity("car"))
    assert np.isnan(flow.down_carbon("car"))
    assert flow.down_carbon("ground") == 0.0
    assert flow.residual("roof") == pytest.approx(-10.0)


def test_intervals_are_weighed_each_by_itself() -> None:
    flow = HOUSE.trace(
        down={**COUNTED, "main": [1000.0, 5000.0], "roof": [0.0, 2000.0]},
        up={"roof": [2000.0, 0.0], "pv": [4000.0, 0.0]},
        intensity={"main": [500.0, 300.0], "pv": 45.0},
    )

    assert flow.intensity("ground") == pytest.approx([590.0 / 3.0, 300.0])
    assert flow.intensity("car") == pytest.approx([45.0, 300.0])


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ({"down": {"main": 1.0}}, "down of ground: it is missing"),
        ({"down": {**COUNTED, "car": -1.0}}, "down of car"),
        ({"up": {"pv": float("nan")}}, "up of pv"),
        ({"intensity": {"main": 1.0}, "up": {"pv": 1.0}}, "intensity of pv: it is missing"),
        ({"intensity": {"pv": 1.0}}, "intensity of main: it is missing"),
        ({"down": {**COUNTED, "car": [1.0, 2.0]}, "up": {"pv": [1.0, 2.0, 3.0]}}, "do not fit"),
        ({"unmetered": -5.0}, "unmetered"),
    ],
)
def test_figures_that_are_missing_or_cannot_be_are_named(figures, named) -> None:
    fitting = {"down": COUNTED, "up": {}, "intensity": {"main": 500.0, "pv": 45.0}}

    with pytest.raises(ImpossibleAmountError, match=named):
        HOUSE.trace(**{**fitting, **figures})


@pytest.mark.parametrize(
    ("meters", "named"),
    [
        ([TreeMeter(id="a"), TreeMeter(id="a")], "named twice: a"),
        ([TreeMeter(id="a", parent="b")], "'b', which is unknown"),
        ([TreeMeter(id="a", parent="b"), TreeMeter(id="b", parent="a")], "hangs on itself"),
        ([TreeMeter(id="a", parent="a")], "hangs on itself"),
        ([TreeMeter(id="a", source="solar")], "has no meter above it"),
        ([TreeMeter(id="a", loss=0.1)], "it has no loss"),
        (
            [TreeMeter(id="a"), TreeMeter(id="b", parent="a", loss=1.0)],
            "1.0 of the energy cannot be lost",
        ),
        ([TreeMeter(id="a"), TreeMeter(id="a/taken", parent="a")], "no node can be called"),
        (
            [
                TreeMeter(id="a"),
                TreeMeter(id="pv", parent="a", source="solar"),
                TreeMeter(id="b", parent="pv"),
            ],
            "'pv', which is a source",
        ),
    ],
)
def test_trees_that_cannot_be_are_refused(meters, named) -> None:
    with pytest.raises(NetworkError, match=named):
        MeterTree(meters)


def test_a_meter_that_is_not_in_the_tree_has_no_place() -> None:
    with pytest.raises(NetworkError, match="no meter 'attic'"):
        HOUSE.feeding("attic")


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(0, 5))
def test_what_goes_in_at_roots_and_sources_stays_or_leaves(seed, inner, sources) -> None:
    """Random trees with losses, both directions and sub-meters that count too much."""
    rng = np.random.default_rng(seed)
    meters = [TreeMeter(id="0")]
    for number in range(1, inner):
        parent = str(rng.integers(0, number))
        meters.append(TreeMeter(id=str(number), parent=parent, loss=float(rng.uniform(0, 0.3))))
    for number in range(sources):
        parent = str(rng.integers(0, inner))
        meters.append(TreeMeter(id=f"s{number}", parent=parent, source="solar"))
    tree = MeterTree(meters)
    down = {meter.id: rng.uniform(0.0, 1e4, 4) for meter in meters}
    up = {meter.id: rng.uniform(0.0, 2e3, 4) for meter in meters}
    factors = {meter.id: rng.uniform(0.0, 900.0, 4) for meter in meters}

    flow = tree.trace(down=down, up=up, intensity=factors, unmetered=500.0)

    given_out = sum(flow.load_carbon(str(number)) for number in range(inner))
    given_out += flow.up_carbon("0") + flow.loss_carbon
    given_out += sum((flow.down_carbon(f"s{number}") for number in range(sources)), np.zeros(4))
    made_up = sum(-flow.residual(str(number)) for number in range(inner)) * 0.5
    brought = flow.down_carbon("0") + made_up
    brought += sum((flow.up_carbon(f"s{number}") for number in range(sources)), np.zeros(4))
    assert given_out == pytest.approx(brought, rel=1e-9)
