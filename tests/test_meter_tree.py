"""Which meter sits behind which, and what a tree of meters counts too much or not at all."""

from collections.abc import Mapping
from typing import Any

import pytest

from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest

SDM = "eastron_sdm120"


async def tree_of(
    site: SiteUnderTest, meters: Mapping[str, Mapping[str, Any]]
) -> dict[str, set[str]]:
    """Return which meters are behind which, of meters that are kept as given."""
    specs = [
        MeterSpec(profile=SDM, unit=number, name=name, serial=str(number))
        for number, name in enumerate(meters, start=1)
    ]
    await site.open(specs, meters=meters)
    titles = {
        key: meter.subentry.title.lower() for key, meter in site.entry.runtime_data.meters.items()
    }
    tree = site.entry.runtime_data.tree
    behind = {
        title: {titles[child] for child in tree.children(key)} for key, title in titles.items()
    }
    return {title: children for title, children in behind.items() if children}


async def test_meters_without_a_parent_are_behind_the_grid(site: SiteUnderTest) -> None:
    assert await tree_of(
        site, {"a": {"role": "submeter"}, "b": {"role": "grid"}, "c": {"role": "solar"}}
    ) == {"b": {"a", "c"}}


async def test_two_grid_connections_leave_it_open(site: SiteUnderTest) -> None:
    roles = {"a": {"role": "grid"}, "b": {"role": "grid"}, "c": {"role": "submeter"}}
    assert await tree_of(site, roles) == {}


async def test_parent_is_named_by_its_unique_id(site: SiteUnderTest) -> None:
    meters = {
        "a": {"role": "grid"},
        "b": {"role": "submeter"},
        "c": {"role": "submeter", "parent": "eastron:2"},
    }
    assert await tree_of(site, meters) == {"a": {"b"}, "b": {"c"}}


async def test_parent_is_named_by_its_id(site: SiteUnderTest) -> None:
    meters = {"a": {"role": "grid"}, "b": {"role": "submeter"}, "c": {"role": "submeter"}}
    await tree_of(site, meters)
    one = site.meter("c").subentry
    site.hass.config_entries.async_update_subentry(
        site.entry, one, data={**one.data, "parent": site.meter("b").subentry.subentry_id}
    )
    await site.settle()
    tree = site.entry.runtime_data.tree
    assert tree.children(site.meter("b").subentry.subentry_id) == (one.subentry_id,)
    assert tree.children(site.meter("a").subentry.subentry_id) == (
        site.meter("b").subentry.subentry_id,
    )


async def test_parent_that_is_not_there_is_none(site: SiteUnderTest) -> None:
    assert await tree_of(site, {"a": {"role": "grid"}, "b": {"parent": "gone"}}) == {}


@pytest.mark.parametrize(
    "meters",
    [
        {"a": {"parent": "eastron:1"}},
        {"a": {"parent": "eastron:2"}, "b": {"parent": "eastron:1"}},
        {
            "a": {"parent": "eastron:2"},
            "b": {"parent": "eastron:3"},
            "c": {"parent": "eastron:1"},
        },
        {"a": {"role": "grid", "parent": "eastron:2"}, "b": {"role": "submeter"}},
        {"a": {"role": "submeter"}, "b": {"role": "grid", "parent": "eastron:1"}},
    ],
    ids=["itself", "two", "three", "through the grid", "through the grid, backwards"],
)
async def test_circle_is_cut(site: SiteUnderTest, meters: Mapping[str, Mapping[str, Any]]) -> None:
    roles = {name: {"role": "submeter", **data} for name, data in meters.items()}
    behind = await tree_of(site, roles)
    parents = [child for children in behind.values() for child in children]
    assert len(parents) == len(set(parents)) == len(meters) - 1
    for start in meters:
        seen, place = set(), start
        while place is not None:
            assert place not in seen
            seen.add(place)
            place = next((up for up, children in behind.items() if place in children), None)


async def test_other_carriers_have_trees_of_their_own(site: SiteUnderTest) -> None:
    meters = {
        "a": {"role": "grid"},
        "b": {"role": "submeter", "carrier": "gas"},
        "c": {"role": "submeter", "carrier": "gas", "parent": "eastron:1"},
    }
    assert await tree_of(site, meters) == {}


HOME = (
    MeterSpec(profile=SDM, name="grid", unit=1, serial="1"),
    MeterSpec(profile=SDM, name="house", node="house", unit=2, serial="2"),
    MeterSpec(profile=SDM, name="pump", node="heat_pump", unit=3, serial="3"),
    MeterSpec(profile=SDM, name="car", node="ev", unit=4, serial="4"),
)
EVERY_FIVE = {"interval": 300}
SUBS = {name: {"role": "submeter", **EVERY_FIVE} for name in ("house", "pump", "car")}


async def tree_after_a_day(site: SiteUnderTest, specs: Any, meters: Any, flows: Any) -> None:
    """Let constant powers flow through a home for a day and an hour."""
    await site.open(specs, watts=None, meters=meters)
    for node, watts in flows.items():
        site.home.force(node, watts)
    await site.advance(26 * 3600, step=300)


async def test_load_without_a_meter_of_its_own_is_shown(site: SiteUnderTest) -> None:
    flows = {"house": 1000.0, "heat_pump": 500.0, "ev": 0.0, "grid": 2000.0}
    await tree_after_a_day(site, HOME, {"grid": EVERY_FIVE, **SUBS}, flows)
    assert site.value("unmetered_share") == pytest.approx(25, abs=0.5)
    assert site.value("tree_error") == 0
    attributes = site.hass.states.get(site.entity_id("unmetered_share")).attributes
    assert attributes["supplied"] == pytest.approx(48, rel=0.01)
    assert attributes["drawn"] == pytest.approx(36, rel=0.01)
    assert attributes["missing"] == []


async def test_submeters_that_count_too_much_are_shown(site: SiteUnderTest) -> None:
    flows = {"house": 1500.0, "heat_pump": 1000.0, "ev": 500.0, "grid": 2000.0}
    await tree_after_a_day(site, HOME, {"grid": EVERY_FIVE, **SUBS}, flows)
    # Half as much again as came in, less what the classes of all four allow: 3.5 % of 5 kW.
    assert site.value("unmetered_share") == pytest.approx(-50, abs=0.5)
    assert site.value("tree_error") == pytest.approx(50 - 3.5 * 2.5, abs=0.5)


async def test_children_within_their_class_err_by_nothing(site: SiteUnderTest) -> None:
    flows = {"house": 1010.0, "heat_pump": 505.0, "ev": 505.0, "grid": 2000.0}
    await tree_after_a_day(site, HOME, {"grid": EVERY_FIVE, **SUBS}, flows)
    assert site.value("unmetered_share") == pytest.approx(-1, abs=0.2)
    assert site.value("tree_error") == 0


async def test_child_that_is_missing_is_named(site: SiteUnderTest) -> None:
    meters = {"grid": EVERY_FIVE, **SUBS, "car": {**SUBS["car"], "port": 9}}
    flows = {"house": 1000.0, "heat_pump": 500.0, "ev": 500.0, "grid": 2000.0}
    await tree_after_a_day(site, HOME, meters, flows)
    attributes = site.hass.states.get(site.entity_id("unmetered_share")).attributes
    assert attributes["missing"] == ["Car"]
    assert site.value("unmetered_share") == pytest.approx(25, abs=0.5)
    assert site.hass.states.get(site.entity_id("tree_error")).state == "unknown"


async def test_children_of_the_same_name_are_both_counted(site: SiteUnderTest) -> None:
    flows = {"house": 1000.0, "heat_pump": 1000.0, "ev": 0.0, "grid": 2000.0}
    await site.open(HOME, watts=None, meters={"grid": EVERY_FIVE, **SUBS})
    for name in ("pump", "car"):
        site.hass.config_entries.async_update_subentry(
            site.entry, site.meter(name).subentry, title="House"
        )
        await site.settle()
    for node, watts in flows.items():
        site.home.force(node, watts)
    await site.advance(26 * 3600, step=300)
    assert site.value("unmetered_share") == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("reversed_", [False, True])
async def test_generator_is_counted_either_way_round(site: SiteUnderTest, reversed_: bool) -> None:
    specs = [
        HOME[0],
        HOME[1],
        MeterSpec(profile=SDM, name="roof", node="solar", unit=3, serial="3", reversed=reversed_),
    ]
    meters = {
        "grid": EVERY_FIVE,
        "house": SUBS["house"],
        "roof": {"role": "solar", **EVERY_FIVE},
    }
    flows = {"house": 3000.0, "solar": -2000.0, "grid": 1000.0}
    await tree_after_a_day(site, specs, meters, flows)
    assert site.value("unmetered_share") == pytest.approx(0, abs=0.5)
    # It counts whether or not the generator's meter answers just now.
    roof = site.meter("roof").subentry
    await site.unload()
    site.hass.config_entries.async_update_subentry(site.entry, roof, data={**roof.data, "port": 9})
    await site.load()
    assert site.meter("roof").data is None
    assert site.value("unmetered_share") == pytest.approx(0, abs=0.5)


async def test_tree_knows_nothing_before_the_first_day(site: SiteUnderTest) -> None:
    await site.open(HOME, watts=None, meters={"grid": EVERY_FIVE, **SUBS})
    assert site.hass.states.get(site.entity_id("unmetered_share")).state == "unknown"
    await site.advance(3600, step=300)
    assert site.hass.states.get(site.entity_id("unmetered_share")).state == "unknown"
