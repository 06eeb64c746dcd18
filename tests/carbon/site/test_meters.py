"""Where each meter of a site hangs, whatever the user says."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.site.meters import SITE, Role, SiteMeter, SiteMeters
from tests.carbon.site.homes import HOME, meter


def test_what_has_no_parent_sits_behind_the_only_connection() -> None:
    assert HOME.roots == ("grid",)
    assert [HOME.feeder(name) for name in HOME.ids] == [None, "grid", "grid", "grid", "kitchen"]
    assert HOME.sources == ("pv", "cells")
    assert HOME.mixing == ("grid",)
    assert HOME.behind("kitchen") == ["oven"]


def test_without_a_connection_nobody_knows_what_feeds_the_site() -> None:
    meters = SiteMeters([meter("a", Role.SUBMETER), meter("pv", Role.SOLAR, "a")])

    assert meters.roots == meters.grids == meters.sources == ()
    assert meters.root("a") is None


def test_connections_with_their_own_meters_stay_apart() -> None:
    meters = SiteMeters(
        [
            meter("east", Role.GRID),
            meter("west", Role.GRID),
            meter("a", Role.SUBMETER, "east"),
            meter("pv", Role.SOLAR, "west"),
        ]
    )

    assert meters.roots == ("east", "west")
    assert meters.root("a") == "east"
    assert meters.root("pv") == "west"


def test_connections_are_one_node_once_something_sits_behind_none_in_particular() -> None:
    meters = SiteMeters(
        [
            meter("east", Role.GRID),
            meter("west", Role.GRID),
            meter("a", Role.SUBMETER, "east"),
            meter("b", Role.SUBMETER),
        ]
    )

    assert meters.roots == (SITE,)
    assert {meters.feeder(name) for name in ("east", "west", "a")} == {SITE}
    # Which of the two feeds it nobody knows.
    assert meters.feeder("b") == SITE
    assert meters.tree(meters.inner([]))[0].id == SITE


def test_a_generator_has_nothing_behind_it() -> None:
    meters = SiteMeters(
        [
            meter("grid", Role.GRID),
            meter("barn", Role.SUBMETER),
            meter("pv", Role.SOLAR, "barn"),
            meter("cells", Role.BATTERY, "pv"),
            meter("light", Role.SUBMETER, "cells"),
        ]
    )

    assert [meters.feeder(name) for name in ("cells", "light")] == ["barn", "barn"]
    assert meters.mixing == ("grid", "barn")


def test_a_grid_meter_behind_another_one_is_a_sub_meter() -> None:
    meters = SiteMeters([meter("grid", Role.GRID), meter("flat", Role.GRID, "grid")])

    assert meters.grids == ("grid",)
    assert meters.role("flat") is Role.SUBMETER
    assert meters.with_role(Role.SUBMETER) == ("flat",)


@pytest.mark.parametrize("parent", ["nowhere", "a"])
def test_a_parent_that_cannot_be_is_none(parent) -> None:
    meters = SiteMeters([meter("grid", Role.GRID), meter("a", Role.SUBMETER, parent)])

    assert meters.feeder("a") == "grid"


def test_of_meters_in_a_circle_one_has_no_parent() -> None:
    circle = [meter("a", Role.SUBMETER, "b"), meter("b", Role.SUBMETER, "a")]
    meters = SiteMeters([meter("grid", Role.GRID), *circle])

    assert (meters.feeder("a"), meters.feeder("b")) == ("grid", "a")
    other = SiteMeters([*reversed(circle), meter("grid", Role.GRID)])
    assert (other.feeder("a"), other.feeder("b")) == ("grid", "a")


def test_connections_in_a_circle_are_one_connection() -> None:
    meters = SiteMeters([meter("x", Role.GRID, "y"), meter("y", Role.GRID, "x")])

    assert meters.roots == ("x",)
    assert meters.role("y") is Role.SUBMETER


def test_a_meter_that_is_named_twice_is_there_once() -> None:
    meters = SiteMeters([meter("grid", Role.GRID), meter("a", Role.SOLAR), meter("a", Role.SOLAR)])

    assert meters.sources == ("a",)
    assert len(meters.meters) == 2


names = st.sampled_from("abcdefgh")


@given(
    st.dictionaries(
        names, st.tuples(st.sampled_from(Role), st.none() | names | st.just("?")), max_size=8
    ),
    st.sets(names),
)
def test_every_meter_comes_from_a_root_or_from_nobody_knows_where(told, sending) -> None:
    meters = SiteMeters(
        SiteMeter(id=name, role=role, parent=parent) for name, (role, parent) in told.items()
    )
    inner = meters.inner(sending & told.keys())

    for name in meters.ids:
        way = list(meters.upwards(name))
        assert len(set(way)) == len(way)
        assert meters.root(name) is None or way[-1] == meters.root(name)
        if len(meters.roots) == 1:
            assert meters.root(name) == meters.roots[0]
        above = meters.place_of(name, inner)
        assert above is None or above in inner
    assert set(meters.roots) <= set(inner) or not meters.roots
    tree = meters.tree(inner)
    assert {one.id for one in tree if one.parent is None} <= set(meters.roots)
