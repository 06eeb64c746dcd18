"""The household: what flows where, and what forcing a node does."""

import pytest

from hardware.virtual import Appliance, Constant, Household, Weather
from hardware.virtual.integral import Integral

START = 1_784_000_000.0


def watts(household: Household, node: str, at: float) -> float:
    return sum(Integral(household.nodes[node], household.start).flow(at).active)


@pytest.fixture
def household() -> Household:
    return Household.simulated(START, Weather(seed=2))


def test_the_grid_carries_the_sum_of_everything(household: Household) -> None:
    assert set(household.nodes) == {"grid", "house", "heat_pump", "ev", "solar", "battery"}
    signs = set()
    for hours in range(48):
        at = START + hours * 3600 + 7
        parts = [watts(household, node, at) for node in household.nodes if node != "grid"]
        assert watts(household, "grid", at) == pytest.approx(sum(parts))
        assert watts(household, "solar", at) <= 0
        signs.add(sum(parts) > 0)
    assert signs == {True, False}


def test_a_forced_part_flows_through_the_grid_too(household: Household) -> None:
    at = START + 1000
    before = watts(household, "grid", at) - watts(household, "heat_pump", at)
    household.force("heat_pump", 1500.0, at)
    assert watts(household, "heat_pump", at) == pytest.approx(1500)
    assert watts(household, "grid", at) == pytest.approx(before + 1500)
    assert watts(household, "heat_pump", START) != pytest.approx(1500)


def test_a_forced_grid_stays_until_it_is_given_free(household: Household) -> None:
    at = START + 1000
    natural = watts(household, "grid", at + 3600)
    household.force("grid", [100, 200, -50], at)
    flow = Integral(household.nodes["grid"], START).flow(at + 3599)
    assert flow.active == (100, 200, -50)
    assert flow.reactive == (0, 0, 0)
    household.force("grid", None, at + 3600)
    assert watts(household, "grid", at + 3600) == pytest.approx(natural)


def test_forcing_changes_nothing_of_the_past(household: Household) -> None:
    integral = Integral(household.nodes["grid"], START)
    household.on_change(integral.forget)
    now = START + 2 * 86400 + 1234.5
    asked = [START + 500, START + 86400, now]
    before = [integral.energy(at).total_imported for at in asked]
    household.force("grid", 3600.0, now)
    assert [integral.energy(at).total_imported for at in asked] == pytest.approx(before, abs=1e-9)
    gained = integral.energy(now + 100).total_imported - before[-1]
    assert gained == pytest.approx(100, abs=1e-6)


def test_forcing_knows_its_nodes_and_its_order(household: Household) -> None:
    with pytest.raises(ValueError, match=r"no node 'attic'; there are grid, house"):
        household.force("attic", 1.0, START)
    household.force("grid", 1.0, START + 10)
    with pytest.raises(ValueError, match="later"):
        household.force("grid", 2.0, START + 5)


def test_another_seed_is_another_household() -> None:
    first, same, other = (
        Integral(Household.simulated(START, Weather(seed=seed)).nodes["grid"], START).energy(
            START + 86400
        )
        for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


def test_appliances_draw_on_their_phases() -> None:
    household = Household(
        [
            Appliance(node="a", source=Constant(watts=100), phases=(1, 0, 0), reactive=0.5),
            Appliance(node="b", source=Constant(watts=40), phases=(0, 0.25, 0.75), produces=True),
        ],
        START,
    )
    flow = Integral(household.nodes["grid"], START).flow(START)
    assert flow.active == pytest.approx((100, -10, -30))
    assert flow.reactive == pytest.approx((50, 0, 0))
