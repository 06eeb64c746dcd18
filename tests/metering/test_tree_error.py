"""A parent against the meters behind it: what is unmetered, and what is impossible."""

import pytest

from custom_components.carbon_meter.metering.metering_error import EnergyAudit
from custom_components.carbon_meter.metering.rolling import DAY, HOUR
from custom_components.carbon_meter.metering.tree_error import Child, tree_error
from tests.metering.flows import FlowMeter, Load, T


def polled(watts: float, *, until: float = 2 * HOUR, **options) -> EnergyAudit:
    meter = FlowMeter(Load([(0.0, watts)]), **options)
    meter.poll(0, until)
    return meter.audit


def test_a_load_without_a_meter_is_no_error() -> None:
    error = tree_error(
        polled(2000.0), {"a": Child(audit=polled(700.0)), "b": Child(audit=polled(300.0))}
    )

    assert error.until == T + 2 * HOUR
    assert error.parent == error.supplied == pytest.approx(2000.0, abs=0.1)
    assert error.unmetered == error.residual == pytest.approx(1000.0, abs=0.1)
    assert error.residual_percent == pytest.approx(50.0, abs=0.1)
    assert (error.impossible, error.impossible_percent, error.missing) == (0.0, 0.0, ())


def test_children_that_count_more_than_their_parent_are() -> None:
    children = {"a": Child(audit=polled(900.0)), "b": Child(audit=polled(500.0))}
    error = tree_error(polled(1000.0), children)

    # 3.5 % of 2400 Wh may be the meters' own.
    assert error.residual == pytest.approx(-400.0, abs=0.1)
    assert error.unmetered == 0.0
    assert error.impossible == pytest.approx(400 - 84, abs=0.5)
    assert error.impossible_percent == pytest.approx(31.6, abs=0.1)


def test_what_the_class_of_the_meters_allows_is_not_impossible() -> None:
    error = tree_error(polled(1000.0), {"a": Child(audit=polled(1060.0))})
    assert error.residual < 0
    assert error.impossible == 0.0


def test_solar_feeds_the_node_and_a_battery_does_both() -> None:
    """A house exports 1000 W of 4000 W, charges with 1500 W and uses 1500 W."""
    children = {
        "solar": Child(audit=polled(4000.0), feeds=True),
        "battery": Child(audit=polled(1500.0)),
        "heat pump": Child(audit=polled(1200.0)),
    }
    error = tree_error(polled(-1000.0), children)
    assert error.parent == pytest.approx(-1000.0, abs=0.1)
    assert error.supplied == pytest.approx(3000.0, abs=0.1)
    assert error.residual == pytest.approx(300.0, abs=0.2)
    assert error.residual_percent == pytest.approx(10.0, abs=0.1)
    children["battery"] = Child(audit=polled(-1500.0))
    assert tree_error(polled(-4000.0), children).residual == pytest.approx(300.0, abs=0.2)


def test_a_child_with_a_gap_is_left_out_and_named() -> None:
    gappy = FlowMeter(Load([(0.0, 900.0)]))
    gappy.poll(0, 4000)
    gappy.poll(5000, 2 * HOUR)
    silent = polled(900.0, until=3000)
    children = {
        "good": Child(audit=polled(600.0)),
        "gappy": Child(audit=gappy.audit),
        "silent": Child(audit=silent),
        "new": Child(audit=EnergyAudit(longest=25, max_power=1e5)),
    }
    error = tree_error(polled(2000.0), children)

    assert error.missing == ("gappy", "silent", "new")
    assert error.residual == pytest.approx(1400.0, abs=0.1)
    assert error.impossible is None


def test_a_parent_with_a_gap_has_no_error() -> None:
    parent = FlowMeter(Load([(0.0, 900.0)]))
    parent.poll(0, 4000)
    parent.poll(5000, 2 * HOUR)
    assert tree_error(parent.audit, {"a": Child(audit=polled(600.0))}) is None


def test_nobody_behind_a_meter() -> None:
    assert tree_error(polled(600.0), {}) is None
    empty = EnergyAudit(longest=25, max_power=1e5)
    assert tree_error(empty, {"a": Child(audit=polled(600.0))}) is None


@pytest.mark.parametrize("spacing", [10.0, 60.0, 900.0])
def test_meters_that_are_asked_at_different_times_are_taken_over_the_same_hour(spacing) -> None:
    """All behind one node, a load that trebles at noon: no energy is missing or too much."""
    load = Load([(0.0, 500.0), (5400.0, 1500.0)])
    parent, child = FlowMeter(load), FlowMeter(load, spacing=spacing)
    parent.poll(0, 2 * HOUR + 450)
    child.poll(0, 2 * HOUR)
    error = tree_error(parent.audit, {"a": Child(audit=child.audit)})

    assert error.until == T + 2 * HOUR
    assert error.residual == pytest.approx(0.0, abs=0.2)
    assert error.missing == ()


def test_counters_of_whole_kilowatt_hours_are_told_apart_over_a_day_only() -> None:
    parent = polled(800.0, until=DAY + HOUR, spacing=60.0, step=1000.0)
    child = polled(500.0, until=DAY + HOUR, spacing=60.0, step=1000.0)
    children = {"a": Child(audit=child)}
    assert tree_error(parent, children, HOUR).residual_percent is None
    day = tree_error(parent, children, DAY)
    assert day.residual == pytest.approx(7200.0, abs=2000.0)
    assert day.residual_percent == pytest.approx(37.5, abs=11)
    assert day.impossible == 0.0
