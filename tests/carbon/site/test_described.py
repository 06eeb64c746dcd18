"""Sites whose meters are no tree: meshed networks, losses, phases with meters of their own."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.metered import (
    MeteredBranch,
    MeteredLoad,
    MeteredNetwork,
    MeteredSource,
)
from custom_components.carbon_meter.carbon.flow.network import NetworkError
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, Restated
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeters
from custom_components.carbon_meter.carbon.site.network import (
    network_as_dict,
    network_from_dict,
    with_ids,
)
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import SiteFactors, SiteSupply
from tests.carbon.site.homes import (
    HOME,
    SLOTS,
    T,
    Truth,
    cells,
    energy_imbalance,
    enter,
    figures,
    imbalance,
    intervals_of,
    meter,
    plan_of,
    random_home,
)

MESH = SiteMeters(
    [
        meter("g1", Role.GRID),
        meter("g2", Role.SOLAR),
        *(
            meter(name, Role.SUBMETER)
            for name in ("f12", "f13", "f23", "e12", "e13", "e23", "l2", "l3")
        ),
    ]
)


def mesh(*, both_ends: bool) -> MeteredNetwork:
    """Return three buses: 1 feeds 2 and 3, 2 feeds 3."""
    return MeteredNetwork(
        sources=[
            MeteredSource(node="1", meter="g1", source="grid"),
            MeteredSource(node="2", meter="g2", source="sun"),
        ],
        branches=[
            MeteredBranch(
                start=way[0],
                end=way[1],
                meter=f"f{way}",
                end_meter=f"e{way}" if both_ends else None,
            )
            for way in ("12", "13", "23")
        ],
        loads=[MeteredLoad(node="2", meter="l2"), MeteredLoad(node="3", meter="l3")],
    )


def weighed(network, imported):
    free = SiteFactors(solar=Schedule.constant(0.0))
    told = {name: [value] for name, value in imported.items()}
    return SiteSupply(MESH, free, network).weigh(
        intervals_of(MESH, told, {"g2": [60.0]}, [800.0]), {}
    )


FLOWS = {"g1": 100.0, "f12": 30.0, "f13": 70.0, "f23": 40.0}


def test_each_meter_takes_the_mix_of_its_own_bus() -> None:
    """800, 266.667 and 606.061 g; 13 333.3 and 66 666.7 of 80 000."""
    found = weighed(mesh(both_ends=False), FLOWS | {"l2": 50.0, "l3": 110.0})

    assert found.carbon("l2")[0] * 1000.0 == pytest.approx(13_333.3, abs=0.05)
    assert found.carbon("l3")[0] * 1000.0 == pytest.approx(66_666.7, abs=0.05)
    assert found.carbon("l2")[0] / 0.05 == pytest.approx(266.667, abs=5e-4)
    assert found.carbon("l3")[0] / 0.11 == pytest.approx(606.061, abs=5e-4)
    site = found.of_site()
    assert site["consumption_carbon"][0] == pytest.approx(80.0)
    assert site["consumption"][0] == pytest.approx(160.0)


def test_losses_are_the_sites_own() -> None:
    """Loads 77 841.79 and losses 2158.21 of 80 000."""
    ends = {"e12": 29.5, "e13": 68.0, "e23": 39.4}
    found = weighed(mesh(both_ends=True), FLOWS | ends | {"l2": 49.5, "l3": 107.4})

    loads = (found.carbon("l2")[0] + found.carbon("l3")[0]) * 1000.0
    assert loads == pytest.approx(77_841.79, abs=5e-3)
    assert found.carbon("l2")[0] / 0.0495 == pytest.approx(263.687, abs=5e-4)
    assert found.carbon("l3")[0] / 0.1074 == pytest.approx(603.252, abs=5e-4)
    site = found.of_site()
    assert site["consumption_carbon"][0] * 1000.0 == pytest.approx(80_000.0)
    assert site["consumption_carbon"][0] * 1000.0 - loads == pytest.approx(2158.21, abs=5e-3)


def test_phases_have_meters_of_their_own() -> None:
    """On L1 the sun sends 2 of its 4 kWh on; L2 has the grid alone."""
    meters = SiteMeters(
        [
            meter("tx_l1", Role.GRID),
            meter("tx_l2", Role.GRID),
            meter("pv_l1", Role.SOLAR),
            *(meter(name, Role.SUBMETER) for name in ("line_l1", "house_l1", "house_l2")),
        ]
    )
    network = MeteredNetwork(
        sources=[
            MeteredSource(node="n1 L1", meter="tx_l1", source="grid"),
            MeteredSource(node="n1 L2", meter="tx_l2", source="grid"),
            MeteredSource(node="n2 L1", meter="pv_l1", source="solar"),
        ],
        branches=[MeteredBranch(start="n2 L1", end="n1 L1", meter="line_l1")],
        loads=[
            MeteredLoad(node="n1 L1", meter="house_l1"),
            MeteredLoad(node="n1 L2", meter="house_l2"),
        ],
    )
    found = SiteSupply(meters, SiteFactors(solar=Schedule.constant(45.0)), network).weigh(
        intervals_of(
            meters,
            {
                "tx_l1": [1000.0],
                "tx_l2": [3000.0],
                "line_l1": [2000.0],
                "house_l1": [3000.0],
                "house_l2": [3000.0],
            },
            {"pv_l1": [4000.0]},
            [500.0],
        ),
        {},
    )

    assert found.carbon("house_l1")[0] / 3.0 == pytest.approx(196.667, abs=5e-4)
    assert found.carbon("line_l1")[0] / 2.0 == pytest.approx(45.0)
    assert found.carbon("house_l2")[0] / 3.0 == pytest.approx(500.0)


def as_network() -> MeteredNetwork:
    """Return the home that is a tree as a description."""
    return MeteredNetwork(
        sources=[
            MeteredSource(node="main", meter="grid", source="grid"),
            MeteredSource(node="main", meter="pv", source="solar"),
            MeteredSource(node="main", meter="cells", source="battery"),
        ],
        branches=[MeteredBranch(start="main", end="kitchen", meter="kitchen")],
    )


def test_a_tree_that_is_described_has_the_figures_of_the_tree(new_book) -> None:
    truth = random_home(21, 30)
    described = new_book(plan_of(network=as_network()))
    done = enter(described, truth)
    found = figures(described)
    tree = new_book()
    tree.weigh_again(
        T, int(truth.end), now=truth.end, why=Restated(reason="tree"), with_present_plan=True
    )

    assert imbalance(done.totals, done.batteries.values()) < 1e-9
    assert energy_imbalance(done.totals) < 1e-9
    for key, value in figures(tree).items():
        assert found[key] == pytest.approx(value, rel=1e-9, abs=1e-9), key


def test_a_network_is_kept_with_the_hours_that_it_held_for(new_book) -> None:
    lossy = MeteredNetwork(
        sources=[
            MeteredSource(node="a", meter="grid", source="grid"),
            MeteredSource(node="b", meter="pv", source="solar"),
            MeteredSource(node="b", meter="cells", source="battery"),
        ],
        branches=[MeteredBranch(start="a", end="b", meter="kitchen", loss=0.05)],
    )
    truth = random_home(22, 10)
    enter(new_book(plan_of(network=lossy)), truth)
    book = new_book()
    told = figures(book)
    book.enter([], [], now=truth.end + 2 * 3600.0)
    done = book.weigh_again(T, T + 5 * 3600, now=truth.end + 2 * 3600.0, why=Restated(reason="x"))

    assert done.audit is None
    assert figures(book) == pytest.approx(told, rel=1e-9)


def test_a_network_names_its_meters_by_the_sites_ids() -> None:
    network = mesh(both_ends=True)
    ids = {name: f"id {name}" for name in MESH.ids}
    renamed = with_ids(network, ids)

    assert [one.meter for one in renamed.sources] == ["id g1", "id g2"]
    assert renamed.branches[0].end_meter == "id e12"
    assert network_as_dict(network_from_dict(network_as_dict(network))) == network_as_dict(network)


def test_phases_of_one_meter_are_refused() -> None:
    network = MeteredNetwork(
        sources=[MeteredSource(node="n", meter="grid", source="grid")], phases=["L1", "L2"]
    )
    with pytest.raises(NetworkError, match="phase"):
        plan_of(network=network)


def test_a_network_of_other_meters_is_refused() -> None:
    with pytest.raises(NetworkError, match="no meter"):
        plan_of(network=mesh(both_ends=False))


def test_a_meter_that_a_network_does_not_name_takes_what_is_above_it() -> None:
    found = SiteSupply(HOME, SiteFactors(solar=Schedule.constant(45.0)), as_network()).weigh(
        intervals_of(
            HOME, {"grid": [100.0], "kitchen": [150.0], "oven": [50.0]}, {"pv": [100.0]}, [500.0]
        ),
        {"cells": cells()},
    )

    assert found.carbon("oven")[0] == pytest.approx(50.0 * 0.2725)
    assert found.of_site()["consumption"][0] == pytest.approx(200.0)


def test_a_meshed_home_is_kept_by_the_book(new_book) -> None:
    flat = {
        name: np.array([np.full(SLOTS, value), np.zeros(SLOTS)])
        for name, value in (FLOWS | {"l2": 50.0, "l3": 110.0}).items()
    }
    flat["g2"] = np.array([np.zeros(SLOTS), np.full(SLOTS, 60.0)])
    book = new_book(
        plan_of(
            MESH,
            network=mesh(both_ends=False),
            factors=SiteFactors(solar=Schedule.constant(0.0)),
        )
    )
    done = enter(book, Truth(flows=flat, grid=np.full(SLOTS, 800.0)))

    assert done.totals["l3"]["carbon"] == pytest.approx(12 * 66.6667, rel=1e-5)
    assert done.totals[SITE_OWNER]["consumption_carbon"] == pytest.approx(960.0)
