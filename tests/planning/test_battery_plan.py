"""A battery is used where it is worth its losses, exactly as well as it can be."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning import battery_plan
from custom_components.carbon_meter.planning.battery import BatteryLoad
from custom_components.carbon_meter.planning.battery_plan import plan_battery
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.plan import Margin, ReasonKind, Wish
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from tests.planning.problems import START, hourly, random_signal

CARBON = Objective.carbon()
QUARTERS = np.arange(192)


def battery(**changed: object) -> BatteryLoad:
    """Return a battery of 10 kWh, half full."""
    values: dict[str, object] = {
        "capacity": 10_000.0,
        "content": 5000.0,
        "charge": 5000.0,
        "discharge": 5000.0,
    }
    return BatteryLoad(**(values | changed))  # type: ignore[arg-type]


def two_days(price: object = None) -> Signal:
    """Return 192 quarters of an hour with a day's swing."""
    carbon = 300.0 + 150.0 * np.sin(QUARTERS / 96.0 * 2.0 * np.pi)
    return Signal.of(Slots.of(START, START + 192 * 900.0, 900.0), carbon, price=price)


def mixed_programme(
    load: BatteryLoad, signal: Signal, weights: Sequence[float], wear: float
) -> float:
    """Return the optimum of a battery's own equations by HiGHS, a binary in every slot."""
    highspy = pytest.importorskip("highspy")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.0)
    hours = signal.slots.hours
    net = np.zeros(len(hours)) if load.net is None else np.broadcast_to(load.net, len(hours))
    before, content = None, load.content
    offset = 0.0
    fade = load.content - np.cumsum(hours) * load.standby
    for slot, hour in enumerate(hours.tolist()):
        charge = solver.addVariable(0.0, load.charge * hour, obj=wear)
        give = solver.addVariable(0.0, load.discharge * hour, obj=wear)
        charges = solver.addBinary()
        solver.addConstr(charge - load.charge * hour * charges <= 0.0)
        solver.addConstr(give + load.discharge * hour * charges <= load.discharge * hour)
        weight = weights[slot]
        base = float(net[slot]) * hour
        if load.net is None:
            solver.changeColCost(charge.index, weight + wear)
            solver.changeColCost(give.index, wear - weight)
        else:
            most = (load.charge + load.discharge) * hour + abs(base)
            bought = solver.addVariable(0.0, most, obj=weight)
            sold = solver.addVariable(0.0, most, obj=-weight * load.export)
            buys = solver.addBinary()
            solver.addConstr(bought - most * buys <= 0.0)
            solver.addConstr(sold + most * buys <= most)
            solver.addConstr(bought - sold - charge + give == base)
            offset += weight * (max(base, 0.0) + load.export * min(base, 0.0))
        low = load.reserve or min(0.0, float(fade[slot]))
        if slot == len(hours) - 1:
            low = max(low, min(float(fade[slot]), load.capacity))
        after = solver.addVariable(low - 1e-9, load.capacity + 1e-9)
        change = charge * load.charging - give * (1.0 / load.discharging)
        drift = -hour * load.standby
        if before is None:
            solver.addConstr(after - change == content + drift)
        else:
            solver.addConstr(after - before - change == drift)
        before = after
    solver.minimize()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getObjectiveValue()) - offset


@pytest.mark.parametrize("seed", range(40))
def test_plans_equal_a_mixed_integer_programme(seed: int) -> None:
    """Prices above and below zero, solar, losses, standby and wear: the same objective."""
    rng = np.random.default_rng(seed)
    signal = random_signal(rng, int(rng.integers(2, 14)))
    has_price = bool(seed % 2)
    load = battery(
        capacity=2500.0,
        content=float(rng.uniform(0.0, 2500.0)),
        charge=float(rng.uniform(500.0, 4000.0)),
        discharge=float(rng.uniform(500.0, 4000.0)),
        charging=float(rng.uniform(0.8, 1.0)),
        discharging=float(rng.uniform(0.8, 1.0)),
        standby=float(rng.choice([0.0, 10.0])),
        wear_carbon=float(rng.choice([0.0, 30.0])),
        wear_cost=float(rng.choice([0.0, 0.03])),
        net=None if seed % 3 else rng.normal(0.0, 1500.0, len(signal.slots)),
        export=float(rng.choice([0.0, 0.5, 1.0])),
    )
    objective = Objective.cost() if has_price else CARBON
    wear = (load.wear_cost if has_price else load.wear_carbon) / 2000.0
    weights = objective.weights(signal).first

    found = plan_battery(load, signal, objective)

    best = mixed_programme(load, signal, weights.tolist(), wear)
    plan = found.plan
    assert plan.lower_bound <= best + 1e-6 * max(abs(best), 1.0)
    assert plan.value == pytest.approx(min(best, 0.0), rel=0.006, abs=1e-6)
    if (weights >= 0.0).all():
        assert plan.value == pytest.approx(min(best, 0.0), rel=1e-6, abs=1e-6)
        assert plan.gap == pytest.approx(0.0, abs=1e-6)
    assert found.contents.max() <= load.capacity + 1e-6
    assert found.contents.min() >= 0.0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_energy_is_somewhere(seed: int) -> None:
    """What went in is in the cells, came out, or was lost; powers are what the battery can."""
    rng = np.random.default_rng(seed)
    signal = random_signal(rng, int(rng.integers(1, 40)))
    load = battery(content=float(rng.uniform(0.0, 10_000.0)), standby=5.0)

    found = plan_battery(load, signal, CARBON)

    energy = found.plan.power * signal.slots.hours
    charged, given_back = energy[energy > 0].sum(), -energy[energy < 0].sum()
    assert found.charged == pytest.approx(charged, abs=1e-6)
    assert found.discharged == pytest.approx(given_back, abs=1e-6)
    assert found.lost >= -1e-6
    assert (np.abs(found.plan.power) <= 5000.0 * (1 + 1e-9)).all()
    assert found.plan.value <= 1e-9


def test_a_day_s_swing_is_used() -> None:
    """Charged when it is clean, as full in the end as at the start."""
    found = plan_battery(battery(), two_days(), CARBON)

    assert found.plan.reason.kind is ReasonKind.MOVED
    assert found.plan.gap == 0.0
    assert found.contents[-1] == pytest.approx(5000.0)
    assert found.plan.saved_carbon == pytest.approx(-found.plan.value)
    loss = found.charged - found.discharged
    assert found.lost == pytest.approx(loss)
    assert found.plan.baseline_pieces == ()


def test_a_swing_smaller_than_the_losses_is_refused() -> None:
    """9 % of difference does not pay 10 % of losses: it does nothing, and says so."""
    found = plan_battery(battery(), hourly([100, 109] * 6), CARBON)

    assert found.plan.pieces == ()
    assert found.plan.reason.kind is ReasonKind.NO_BENEFIT
    assert found.plan.saved_carbon == 0.0
    assert found.lost == 0.0


def test_wear_counts_by_the_objective() -> None:
    """Carbon of the battery's making for carbon, its price for cost, both for both."""
    signal = Signal.of(
        Slots.of(START, START + 4 * 3600.0, 3600.0), [100, 300] * 2, price=[0.1, 0.3] * 2
    )
    worn = battery(wear_carbon=300.0)
    dear = battery(wear_cost=0.3)

    assert not plan_battery(worn, signal, CARBON).plan.pieces
    assert plan_battery(worn, signal, Objective.cost()).plan.pieces
    assert plan_battery(dear, signal, CARBON).plan.pieces
    assert not plan_battery(dear, signal, Objective.lexicographic(Goal.COST)).plan.pieces
    both = plan_battery(worn, signal, Objective.weighted(2.0))
    assert both.wear == pytest.approx(
        (both.charged + both.discharged) / 2000.0 * 300.0 * 2.0 / 1000.0
    )


def test_a_margin_has_to_be_exceeded() -> None:
    """What is saved beyond losses and wear has to be worth the trouble."""
    free = plan_battery(battery(), two_days(), CARBON)
    gain = -free.plan.value

    taken = plan_battery(battery(), two_days(), CARBON, margin=Margin(absolute=0.9 * gain))
    assert taken.plan.pieces
    refused = plan_battery(battery(), two_days(), CARBON, margin=Margin(absolute=1.1 * gain))
    assert refused.plan.pieces == ()
    assert refused.plan.lower_bound == pytest.approx(free.plan.value)


def test_solar_is_kept_for_the_evening() -> None:
    """What would be exported for nothing is charged, and no grid is."""
    net = np.where((QUARTERS % 96 > 30) & (QUARTERS % 96 < 60), -2000.0, 400.0)

    found = plan_battery(battery(net=net, content=0.0), hourly_like(net), CARBON)

    charging = found.plan.power > 1e-6
    assert charging.any()
    assert (found.plan.power[charging] <= 2000.0 + 1e-6).all()
    assert (net[charging] < 0.0).all()
    assert found.plan.power.min() >= -400.0 - 1e-6


def hourly_like(net: np.ndarray) -> Signal:
    """Return one intensity for as many quarters."""
    slots = Slots.of(START, START + len(net) * 900.0, 900.0)
    return Signal.of(slots, np.full(len(net), 250.0))


def test_a_reserve_is_reached_first_and_told() -> None:
    """Below its reserve the battery charges at once with all it has."""
    found = plan_battery(battery(content=2000.0, reserve=6000.0), two_days(), CARBON)

    first = int(np.argmax(found.contents >= 6000.0 - 1e-6))
    assert np.allclose(found.plan.power[:first], 5000.0)
    (relaxed,) = found.plan.relaxed
    assert (relaxed.wish, relaxed.unit) == (Wish.COMFORT, "Wh")
    assert relaxed.amount == pytest.approx(6000.0 - found.contents[0])


def test_standby_empties_what_is_not_used() -> None:
    """Nothing is charged for the standby of an empty battery; contents are never below zero."""
    found = plan_battery(battery(content=0.0, standby=20.0), hourly([200.0] * 8), CARBON)

    assert found.plan.pieces == ()
    assert (found.contents == 0.0).all()


def test_a_value_of_the_content_takes_the_place_of_the_end() -> None:
    """Worth nothing it is emptied, worth much it is filled."""
    empty = plan_battery(battery(end_value=0.0), two_days(), CARBON)
    full = plan_battery(battery(end_value=2.0), two_days(), CARBON)

    assert empty.contents[-1] == pytest.approx(0.0, abs=1e-6)
    assert full.contents[-1] == pytest.approx(10_000.0)


def test_it_rests_where_nothing_is_known() -> None:
    """Neither charging nor discharging in slots without a forecast."""
    carbon = np.where(QUARTERS % 4 == 0, np.nan, 300.0 + 200.0 * np.sin(QUARTERS / 15.0))
    signal = Signal.of(two_days().slots, carbon)

    found = plan_battery(battery(), signal, CARBON)

    assert (found.plan.power[np.isnan(carbon)] == 0.0).all()
    assert found.plan.pieces
    nothing = plan_battery(battery(), Signal.of(signal.slots, carbon * np.nan), CARBON)
    assert nothing.plan.reason.kind is ReasonKind.NOT_KNOWN


def test_without_a_solver_prices_below_zero_still_have_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The convex plan stands, with an honest gap."""
    price = 0.1 + 0.2 * np.sin(QUARTERS / 96.0 * 4.0 * np.pi)
    small = battery(capacity=1500.0, content=700.0)
    solved = plan_battery(small, two_days(price), Objective.cost())
    monkeypatch.setattr(battery_plan, "has_solver", lambda: False)

    alone = plan_battery(small, two_days(price), Objective.cost())

    assert alone.plan.pieces
    assert alone.plan.lower_bound <= solved.plan.value <= alone.plan.value + 1e-9
    assert alone.contents.max() <= 1500.0 + 1e-6


def test_no_time_is_no_plan() -> None:
    """An empty window has nothing to do."""
    found = plan_battery(battery(), hourly([]), CARBON)

    assert found.plan.pieces == ()
    assert found.as_dict()["contents"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"capacity": 0.0},
        {"capacity": float("nan")},
        {"content": -1.0},
        {"charge": float("inf")},
        {"charging": 0.0},
        {"discharging": 1.2},
        {"export": 1.5},
        {"wear_cost": -0.1},
    ],
)
def test_impossible_batteries_are_refused(changed: dict[str, float]) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        battery(**changed)


def test_a_net_load_that_does_not_fit_is_refused() -> None:
    """One number for each slot, or one for all."""
    with pytest.raises(ImpossibleAmountError, match="net"):
        plan_battery(replace(battery(), net=np.zeros(3)), two_days(), CARBON)
