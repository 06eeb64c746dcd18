"""Rooms and tanks are warmed while it is clean, and stay comfortable."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.plan import Margin, ReasonKind, Wish
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.thermal import Body, ThermalLoad, ThermalModel
from custom_components.carbon_meter.planning.thermal_plan import FELT, plan_thermal
from tests.planning.problems import START, random_signal

CARBON = Objective.carbon()
QUARTERS = np.arange(192)


def two_days(carbon: object = None, price: object = None) -> Signal:
    """Return 192 quarters of an hour with a day's swing."""
    if carbon is None:
        carbon = 300.0 + 150.0 * np.sin(QUARTERS / 96.0 * 2.0 * np.pi)
    return Signal.of(Slots.of(START, START + 192 * 900.0, 900.0), carbon, price=price)


def room(**changed: object) -> ThermalLoad:
    """Return a heated room."""
    values: dict[str, object] = {
        "body": Body(capacity=3000.0, loss=110.0),
        "source": Heater(),
        "power": 3000.0,
        "start": 20.5,
        "low": 19.0,
        "high": 22.0,
        "surroundings": 5.0,
    }
    return ThermalLoad(**(values | changed))  # type: ignore[arg-type]


def test_a_body_follows_its_equation_exactly() -> None:
    """One long slot ends where a thousand short steps of the differential equation end."""
    body, hours, heat = Body(capacity=2000.0, loss=90.0), 7.0, 1500.0
    temperature, step = 18.0, hours / 100_000
    for _ in range(100_000):
        temperature += step * (heat - 90.0 * (temperature - 4.0)) / 2000.0

    keep, rise = body.keep(np.array(hours)), body.rise(np.array(hours))

    assert float(keep * 18.0 + (1.0 - keep) * 4.0 + rise * heat) == pytest.approx(temperature, 1e-4)


def test_a_body_without_losses_keeps_everything() -> None:
    """The limit of the formula."""
    body = Body(capacity=500.0, loss=0.0)

    assert body.keep(np.array([3.0])).tolist() == [1.0]
    assert body.rise(np.array([3.0])).tolist() == [0.006]


@pytest.mark.parametrize("stages", [(), (3000.0,), (1000.0, 2000.0, 3000.0)])
def test_a_room_is_warmed_while_it_is_clean(stages: tuple[float, ...]) -> None:
    """Within the comfort, as warm in the end as at the start, cleaner than a thermostat."""
    found = plan_thermal(room(stages=stages), two_days(), CARBON)

    plan = found.plan
    assert found.temperatures.min() >= 19.0 - FELT
    assert found.temperatures.max() <= 22.0 + FELT
    assert found.temperatures[-1] >= 20.5 - FELT
    assert found.baseline_temperatures[-1] == pytest.approx(20.5, abs=0.3)
    assert plan.carbon is not None
    assert plan.baseline.carbon is not None
    assert plan.carbon < 0.95 * plan.baseline.carbon
    assert plan.gap < 0.01
    assert plan.reason.kind is ReasonKind.MOVED
    assert not plan.relaxed
    if stages:
        assert {round(power) for power in plan.power} <= {0, *map(round, stages)}


def test_any_power_is_at_least_as_good_as_stages() -> None:
    """What stages cannot do costs; the exact plan is below the bound of stages too."""
    free = plan_thermal(room(), two_days(), CARBON).plan
    stages = plan_thermal(room(stages=(3000.0,)), two_days(), CARBON).plan

    assert free.gap == 0.0
    assert free.value <= stages.lower_bound * (1.0 + 1e-3)
    assert free.value <= stages.value


@pytest.mark.parametrize("stages", [(), (800.0,)])
def test_comfort_out_of_reach_is_come_near_to_and_told(stages: tuple[float, ...]) -> None:
    """A heater that is too weak runs all the time, and the plan says how cold it becomes."""
    found = plan_thermal(room(power=800.0, stages=stages), two_days(), CARBON)

    (relaxed,) = found.plan.relaxed
    assert (relaxed.wish, relaxed.unit) == (Wish.COMFORT, "K")
    assert relaxed.amount >= 19.0 - found.temperatures.min()
    assert relaxed.cost == pytest.approx(found.plan.value)
    assert found.plan.energy == pytest.approx(800.0 * 48.0)
    assert found.plan.reason.kind is ReasonKind.NO_BENEFIT


def test_comfort_is_kept_again_as_soon_as_it_can_be() -> None:
    """A room that is found cold is warmed at once, although that is dirty."""
    found = plan_thermal(room(start=15.0, end=19.0), two_days(), CARBON)

    first = int(np.argmax(found.temperatures >= 19.0 - 1e-9))
    assert np.allclose(found.plan.power[: first - 1], 3000.0)
    assert found.plan.relaxed[0].amount == pytest.approx(19.0 - found.temperatures[0])


def test_a_room_too_warm_already_is_told() -> None:
    """Sun beyond the comfort: nothing heats, and the excess is said."""
    found = plan_thermal(room(start=21.9, gains=4000.0), two_days(), CARBON)

    assert found.plan.energy < 100.0
    assert found.plan.relaxed[0].amount == pytest.approx(found.temperatures.max() - 22.0)


@pytest.mark.parametrize("stages", [(), (1000.0,)])
def test_what_cools_is_the_same_upside_down(stages: tuple[float, ...]) -> None:
    """A cooled room is cool before the dirty hours, and in the end as at the start."""
    load = ThermalLoad(
        body=Body(capacity=3000.0, loss=110.0),
        source=HeatPump(cools=True),
        power=1500.0,
        stages=stages,
        start=24.5,
        low=22.0,
        high=25.0,
        surroundings=33.0,
        gains=300.0,
    )

    found = plan_thermal(load, two_days(), CARBON)

    assert found.temperatures.max() <= 25.0 + FELT
    assert found.temperatures.min() >= 22.0 - FELT
    assert found.temperatures[-1] <= 24.5 + FELT
    assert found.plan.saved_carbon is not None
    assert found.plan.saved_carbon > 0.0


def test_water_is_hot_when_it_is_drawn() -> None:
    """A draw is a loss of heat: it is prepared for."""
    gains = np.where(QUARTERS % 96 == 28, -6000.0, 0.0)
    load = ThermalLoad(
        body=Body(capacity=230.0, loss=2.5),
        source=HeatPump(),
        power=500.0,
        stages=(500.0,),
        start=50.0,
        low=45.0,
        high=62.0,
        surroundings=20.0,
        outside=7.0,
        gains=gains,
    )

    found = plan_thermal(load, two_days(), CARBON)

    assert found.temperatures.min() >= 45.0 - FELT
    assert not found.plan.relaxed
    assert found.plan.gap < 0.02


def test_a_value_of_heat_takes_the_place_of_the_end() -> None:
    """Worth nothing, the room is left cold; worth much, it is left warm."""
    cold = plan_thermal(room(end_value=0.0), two_days(), CARBON)
    warm = plan_thermal(room(end_value=1.0), two_days(), CARBON)

    assert cold.temperatures[-1] == pytest.approx(19.0)
    assert warm.temperatures[-1] == pytest.approx(22.0)
    assert warm.plan.gap < 1e-9


def test_starts_that_cost_are_fewer() -> None:
    """A heat pump that is worn by starting runs in fewer parts."""
    load = room(stages=(3000.0,))
    often = plan_thermal(load, two_days(), CARBON).plan
    seldom = plan_thermal(load, two_days(), CARBON, per_start=100.0).plan

    assert len(seldom.pieces) < len(often.pieces)
    assert seldom.gap < 0.02


def test_no_benefit_is_not_moved() -> None:
    """With one intensity for all hours, a thermostat is best; so it is with a great margin."""
    flat = plan_thermal(room(), two_days(np.full(192, 200.0)), CARBON).plan
    margin = plan_thermal(room(), two_days(), CARBON, margin=Margin(relative=0.9)).plan

    for plan in (flat, margin):
        assert plan.reason.kind is ReasonKind.NO_BENEFIT
        assert not plan.is_moved
    assert margin.lower_bound < margin.value


def test_unknown_hours_are_no_reason_to_fail() -> None:
    """Without any forecast the thermostat runs; with half of one the plan still keeps warm."""
    nothing = plan_thermal(room(), two_days(np.full(192, np.nan)), CARBON)
    half = plan_thermal(room(), two_days(np.where(QUARTERS > 96, np.nan, 200.0)), CARBON)

    assert nothing.plan.reason.kind is ReasonKind.NOT_KNOWN
    assert nothing.plan.carbon is None
    assert nothing.temperatures.min() >= 19.0 - FELT
    assert half.temperatures.min() >= 19.0 - FELT


def test_the_second_key_decides_between_the_same() -> None:
    """One carbon for all hours: the cheapest is taken."""
    price = 0.2 + 0.1 * np.sin(QUARTERS / 96.0 * 2.0 * np.pi)
    signal = two_days(np.full(192, 100.0), price)

    clean = plan_thermal(room(), signal, CARBON).plan
    both = plan_thermal(room(), signal, Objective.lexicographic(Goal.CARBON)).plan

    assert both.cost is not None
    assert clean.cost is not None
    assert both.carbon == pytest.approx(clean.carbon, rel=1e-3)
    assert both.gap < 1e-6


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_room_has_a_plan(seed: int) -> None:
    """Slots of any length, comfort of any width, any power: a plan with a bound below it."""
    rng = np.random.default_rng(seed)
    signal = random_signal(rng, int(rng.integers(1, 40)))
    low = rng.uniform(15.0, 22.0, len(signal.slots))
    load = room(
        source=HeatPump() if rng.random() < 0.5 else Heater(),
        power=float(rng.uniform(0.0, 5000.0)),
        stages=() if rng.random() < 0.5 else tuple(rng.uniform(100.0, 5000.0, 2).tolist()),
        start=float(rng.uniform(10.0, 30.0)),
        low=low,
        high=low + rng.uniform(0.0, 4.0),
        surroundings=float(rng.uniform(-10.0, 35.0)),
    )
    objective = Objective.cost() if rng.random() < 0.5 else CARBON

    found = plan_thermal(load, signal, objective)

    assert np.isfinite(found.temperatures).all()
    assert found.plan.lower_bound <= found.plan.value + 1e-9
    model = ThermalModel.of(load, signal.slots)
    most = max(load.stages, default=load.power)
    assert (found.plan.power <= most * (1.0 + 1e-9)).all()
    assert len(found.temperatures) == len(model.store)


def test_no_time_is_no_plan() -> None:
    """An empty window has nothing to do."""
    found = plan_thermal(room(), Signal.of(Slots.of(START, START, 900.0), []), CARBON)

    assert found.plan.pieces == ()
    assert found.plan.reason.kind is ReasonKind.NOTHING_TO_DO
    assert found.as_dict()["temperatures"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"start": float("nan")},
        {"low": 23.0},
        {"power": -1.0},
        {"stages": (-100.0,)},
        {"surroundings": [1.0, 2.0]},
        {"end": float("inf")},
        {"end_value": -1.0},
        {"gains": float("nan")},
    ],
)
def test_impossible_loads_are_refused(changed: dict[str, object]) -> None:
    """Each has an error that names what is wrong."""
    with pytest.raises(ImpossibleAmountError):
        plan_thermal(room(**changed), two_days(), CARBON)


@pytest.mark.parametrize(("capacity", "loss"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0)])
def test_impossible_bodies_are_refused(capacity: float, loss: float) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        Body(capacity=capacity, loss=loss)


def test_a_plan_can_be_shown() -> None:
    """What goes to an attribute is plain."""
    load = replace(room(), stages=(3000.0,))
    shown = plan_thermal(load, two_days(), CARBON).as_dict()

    assert len(shown["temperatures"]) == len(shown["baseline_temperatures"]) == 192
    assert shown["reason"]["kind"] == "moved"


def test_switched_plans_equal_trying_everything() -> None:
    """Heaters, heat pumps and coolers in slots of several lengths, with starts that cost."""
    rng = np.random.default_rng(5)
    feasible = 0
    for _ in range(60):
        count = int(rng.integers(3, 7))
        edges = START + np.concatenate([[0], np.cumsum(rng.choice([900, 1800, 3600], count))])
        signal = Signal.of(Slots.at(edges), rng.uniform(50.0, 600.0, count))
        cools = bool(rng.random() < 0.4)
        start, width = float(rng.uniform(20.0, 24.0)), float(rng.uniform(0.5, 4.0))
        load = ThermalLoad(
            body=Body(capacity=float(rng.uniform(300, 3000)), loss=float(rng.uniform(5, 150))),
            source=HeatPump(cools=cools) if cools or rng.random() < 0.6 else Heater(),
            power=0.0,
            stages=tuple(rng.uniform(300.0, 2500.0, int(rng.integers(1, 3))).tolist()),
            start=start,
            low=start - width,
            high=start + width,
            surroundings=float(rng.uniform(28, 38) if cools else rng.uniform(-5, 15)),
            end=start + 0.5 if cools else start - 0.5,
        )
        per_start = float(rng.choice([0.0, 20.0]))
        model = ThermalModel.of(load, signal.slots)
        reach = model.store.within_reach()
        weights = CARBON.weights(signal).first * signal.slots.hours
        best = np.inf
        for ways in product(range(len(model.stages)), repeat=count):
            content, grams, running, ok = model.store.start, 0.0, False, True
            for slot, stage in enumerate(ways):
                change = model.changes(slot, np.array([content]))[stage, 0]
                content = model.store.keep[slot] * content + model.store.drift[slot] + change
                ok = ok and reach.low[slot] - 1e-9 <= content <= reach.high[slot] + 1e-9
                grams += weights[slot] * model.stages[stage]
                grams += per_start * (stage > 0 and not running)
                running = stage > 0
            best = min(best, grams if ok else np.inf)
        if not np.isfinite(best):
            continue
        feasible += 1

        plan = plan_thermal(load, signal, CARBON, per_start=per_start).plan

        assert plan.lower_bound <= best + 1e-9 * abs(best) + 1e-9
        assert plan.value == pytest.approx(best, rel=0.01, abs=1e-9)
    assert feasible > 30
