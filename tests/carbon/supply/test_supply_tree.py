"""Supply mix over a tree of meters, with batteries anywhere in it."""

import json

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.network import NetworkError
from custom_components.carbon_meter.carbon.flow.tree import TreeMeter
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.supply.allocation import Allocation, NodeEnergy, Sink
from custom_components.carbon_meter.carbon.supply.battery import Battery
from custom_components.carbon_meter.carbon.supply.mix import SupplyIntensity, SupplyMix
from custom_components.carbon_meter.carbon.supply.tree import TreeIntensity, TreeSupply

HOUR = 3600.0
METERS = (
    TreeMeter(id="main"),
    TreeMeter(id="barn", parent="main"),
    TreeMeter(id="pv", parent="barn", source="solar"),
    TreeMeter(id="cells", parent="barn", source="battery"),
    TreeMeter(id="house", parent="main"),
)


def battery() -> Battery:
    return Battery(charging=0.95, discharging=0.95)


def test_a_battery_in_the_barn_takes_the_barns_sun_and_feeds_the_barn_first() -> None:
    supply = TreeSupply(METERS, {"cells": battery()})

    weighed = supply.weigh(
        down={
            "main": [2000.0, 1000.0],
            "barn": [0.0, 0.0],
            "house": [2000.0, 2000.0],
            "cells": [4000.0, 0.0],
        },
        up={"main": [0.0, 0.0], "barn": [0.0, 1000.0], "pv": [4000.0, 0.0], "cells": [0.0, 2000.0]},
        intensity=TreeIntensity(grid=[500.0, 400.0], sources={"pv": 45.0}),
        starts=[0.0, HOUR],
        seconds=HOUR,
    )

    stored_sun = 45.0 / 0.95**2
    assert supply.batteries["cells"].totals.charged_carbon == pytest.approx(180.0)
    assert weighed.flow.intensity("house").tolist() == [
        pytest.approx(500.0),
        pytest.approx((400.0 + stored_sun) / 2.0),
    ]
    assert weighed.flow.intensity("barn")[1] == pytest.approx(stored_sun)
    assert weighed.flow.load_carbon("barn")[1] == pytest.approx(stored_sun)
    assert weighed.unbacked["cells"].tolist() == [0.0, 0.0]
    graded = {grade: wh[1] for grade, wh in weighed.by_grade("house").items() if wh[1]}
    assert graded == {Grade.MEASURED: pytest.approx(1000.0), Grade.YEARLY: pytest.approx(1000.0)}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_with_everything_at_one_node_it_is_the_proportional_mix(seed, count) -> None:
    """Two ways to the same figures: the tree's equations and the node's allocation."""
    rng = np.random.default_rng(seed)
    grid, solar, charge, discharge = rng.uniform(0.0, 5000.0, (4, count)) * (
        rng.random((4, count)) < 0.7
    )
    export = rng.uniform(0.0, 1.0, count) * (grid + solar + discharge) * 0.5
    charge = np.minimum(charge, (grid + solar + discharge - export) * 0.9)
    factor = rng.uniform(0.0, 900.0, count)
    times = np.arange(count) * HOUR
    in_tree, at_node = battery(), battery()
    meters = [METERS[0], *(TreeMeter(id=m.id, parent="main", source=m.source) for m in METERS[2:4])]

    tree = TreeSupply(meters, {"cells": in_tree}).weigh(
        down={"main": grid, "cells": charge},
        up={"main": export, "pv": solar, "cells": discharge},
        intensity=TreeIntensity(grid=factor, sources={"pv": 45.0}),
        starts=times,
        seconds=HOUR,
    )
    node = SupplyMix([at_node], how=Allocation.PROPORTIONAL).weigh(
        NodeEnergy(
            grid_import=grid,
            solar=solar,
            charge=charge,
            discharge=discharge,
            grid_export=export,
        ),
        SupplyIntensity(grid=factor, solar=45.0),
        starts=times,
        seconds=HOUR,
    )

    assert tree.flow.load_carbon("main") == pytest.approx(node.to(Sink.HOME), rel=1e-9, abs=1e-9)
    assert tree.flow.up_carbon("main") == pytest.approx(node.to(Sink.EXPORT), rel=1e-9, abs=1e-9)
    assert in_tree.carbon == pytest.approx(at_node.carbon, rel=1e-9, abs=1e-9)
    assert in_tree.stored == pytest.approx(at_node.stored, rel=1e-9, abs=1e-9)


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_every_gram_of_a_site_is_somewhere(seed, count) -> None:
    """Two batteries, meters that do not agree, a restart in the middle."""
    rng = np.random.default_rng(seed)
    meters = (*METERS, TreeMeter(id="car", parent="house", source="battery"))
    ledgers = {"cells": battery(), "car": battery()}
    down = {meter.id: rng.uniform(0.0, 5000.0, (2, count)) for meter in meters}
    up = {meter.id: rng.uniform(0.0, 2000.0, (2, count)) for meter in meters}
    factor = rng.uniform(0.0, 900.0, (2, count))
    brought = went = 0.0
    for part in range(2):
        ledgers = {
            name: battery().restore(json.loads(json.dumps(ledger.as_dict())))
            for name, ledger in ledgers.items()
        }
        flow = (
            TreeSupply(meters, ledgers)
            .weigh(
                down={name: figures[part] for name, figures in down.items()},
                up={name: figures[part] for name, figures in up.items()},
                intensity=TreeIntensity(grid=factor[part], sources={"pv": 45.0}),
                starts=np.arange(count) * HOUR,
                seconds=HOUR,
            )
            .flow
        )
        made_up = sum(-flow.residual(name) for name in ("main", "barn", "house"))
        brought += (flow.down_carbon("main") + flow.up_carbon("pv")).sum()
        brought += (made_up * factor[part]).sum() / 1000.0
        went += sum(flow.load_carbon(name).sum() for name in ("main", "barn", "house"))
        went += (flow.up_carbon("main") + flow.down_carbon("pv")).sum()

    opening = sum(ledger.totals.opening_carbon for ledger in ledgers.values())
    kept = sum(ledger.carbon for ledger in ledgers.values())
    assert went + kept == pytest.approx(brought + opening, rel=1e-9)


def test_batteries_and_sources_need_a_meter_and_an_intensity() -> None:
    with pytest.raises(NetworkError, match="battery 'house' has no meter"):
        TreeSupply(METERS, {"house": battery()})
    own = battery()
    supply = TreeSupply(METERS, {"cells": own})
    figures = {
        "down": dict.fromkeys(("main", "barn", "house", "cells"), 100.0),
        "up": {"pv": 100.0},
        "starts": [0.0],
        "seconds": HOUR,
    }
    with pytest.raises(NetworkError, match="source 'pv' has no intensity"):
        supply.weigh(**figures, intensity=TreeIntensity(grid=500.0, sources={}))
    for bad in ({"grid": -1.0, "sources": {"pv": 1.0}}, {"grid": 1.0, "sources": {"pv": None}}):
        with pytest.raises(ImpossibleAmountError):
            supply.weigh(**figures, intensity=TreeIntensity(**bad))
    with pytest.raises(ImpossibleAmountError, match="barn"):
        supply.weigh(
            **{**figures, "down": {**figures["down"], "barn": [1.0, 2.0]}},
            intensity=TreeIntensity(grid=1.0, sources={"pv": 1.0}),
        )

    assert own.totals.charged == 0.0
