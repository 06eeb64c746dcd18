"""Several loads under a fuse: it always holds, and small problems equal everything tried."""

from itertools import product
import json

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.charging import Charger, Connection, Kind, Need
from custom_components.carbon_meter.planning.loads import BlockLoad, ChargeLoad, RunLoad
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import ReasonKind, Wish, runs
from custom_components.carbon_meter.planning.run_time import Rules, State
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.site import Fuse
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.together import JointPlan, Method, plan_together
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, hourly

CARBON = Objective.carbon()


def window(start: float, end: float, *quiet: tuple[float, float]) -> Window:
    """Return a window in hours after the start."""
    return Window(
        start=START + start * HOUR,
        end=START + end * HOUR,
        quiet=tuple((START + one * HOUR, START + two * HOUR) for one, two in quiet),
    )


def block(name: str, power: float, hours: float, *, end: float, start: float = 0) -> BlockLoad:
    """Return one run of one power."""
    profile = Profile.flat(power, hours * HOUR)
    return BlockLoad(name=name, profile=profile, window=window(start, end))


def car(name: str, energy: float, end: float, charger: Charger, **others) -> ChargeLoad:
    """Return a car that is there from the start on."""
    need = Need(energy=energy, deadline=START + end * HOUR)
    connection = Connection(start=START, charger=charger, **others)
    return ChargeLoad(name=name, connection=connection, needs=(need,))


def drawn(joint: JointPlan, moment: float) -> float:
    """Return what all loads draw at a moment."""
    return sum(plan.power_at(moment) for plan in joint.plans.values())


def check_fuse(joint: JointPlan, signal: Signal, fuse: Fuse) -> None:
    """Check every moment at which anything changes."""
    moments = set(signal.slots.starts.tolist())
    for plan in joint.plans.values():
        moments |= {piece.start for piece in plan.pieces}
    base = np.zeros(len(signal.slots)) if fuse.base is None else fuse.base
    base = np.nan_to_num(base, nan=np.nanmax(base))
    for moment in moments:
        if signal.slots.start <= moment < signal.slots.end:
            load = drawn(joint, moment)
            spare = fuse.limit - base[signal.slots.index(moment)]
            assert load == 0.0 or load <= spare * (1 + 1e-6)


def test_what_holds_by_itself_is_optimal() -> None:
    signal = hourly([300, 100, 200, 400])
    loads = [block("washer", 2000, 1, end=4), block("dryer", 2500, 1, end=4)]

    joint = plan_together(signal, CARBON, loads, Fuse(limit=4500))

    assert joint.method is Method.ALONE
    assert joint.value == pytest.approx(450)
    assert joint.gap == 0.0
    assert json.loads(json.dumps(joint.as_dict()))["method"] == "alone"


@pytest.mark.parametrize("use_solver", [True, False])
def test_what_does_not_hold_is_moved_the_cheapest_way(use_solver: bool) -> None:
    signal = hourly([300, 100, 200, 400])
    loads = [block("washer", 2000, 1, end=4), block("dryer", 2500, 1, end=4)]
    fuse = Fuse(limit=4499)

    joint = plan_together(signal, CARBON, loads, fuse, use_solver=use_solver, seconds=2)

    assert joint.value == pytest.approx(2 * 200 + 2.5 * 100)
    check_fuse(joint, signal, fuse)


@pytest.mark.parametrize("use_solver", [True, False])
def test_random_blocks_and_cars_equal_everything_tried(use_solver: bool) -> None:
    """All starts of two blocks, and the best slots that are left for a car, hour by hour."""
    if use_solver:
        pytest.importorskip("highspy")
    rng = np.random.default_rng(21)
    worse = 0
    for _ in range(25):
        count = int(rng.integers(3, 7))
        carbon = rng.integers(1, 10, count) * 50.0
        signal, fuse = hourly(carbon), Fuse(limit=float(rng.integers(4, 7)) * 1000)
        lengths = rng.integers(1, 3, 2)
        powers = rng.choice([1000.0, 2000.0, 3000.0], 2)
        energy = 2000.0 * int(rng.integers(1, count))
        loads = [
            block("one", float(powers[0]), float(lengths[0]), end=count),
            block("two", float(powers[1]), float(lengths[1]), end=count),
            car("car", energy, count, Charger.fixed(2000)),
        ]
        tried = []
        for one, two in product(range(count - lengths[0] + 1), range(count - lengths[1] + 1)):
            used = np.zeros(count)
            used[one : one + lengths[0]] += powers[0]
            used[two : two + lengths[1]] += powers[1]
            left = np.sort(carbon[used + 2000 <= fuse.limit])
            if used.max() > fuse.limit or len(left) < energy / 2000:
                continue
            tried.append(used @ carbon / 1000 + 2 * left[: int(energy / 2000)].sum())
        if not tried:
            continue

        joint = plan_together(
            signal, CARBON, loads, fuse, use_solver=use_solver, seconds=1.0, gap=0.0
        )

        check_fuse(joint, signal, fuse)
        assert joint.lower_bound <= min(tried) * (1 + 1e-6)
        relaxed = any(plan.relaxed for plan in joint.plans.values())
        worse += relaxed or joint.value > min(tried) * (1 + 1e-6)
        if use_solver:
            assert not relaxed
            assert joint.value <= min(tried) * (1 + 1e-6)
    assert worse <= 4


def house(seed: int, count: int = 48, hours: float = 24) -> tuple[Signal, list, Fuse]:
    """Return a day of a house with a small fuse."""
    rng = np.random.default_rng(seed)
    slots = Slots.of(START, START + hours * HOUR, hours * HOUR / count)
    wave = 250 + 120 * np.sin(np.arange(count) * 2 * np.pi / count + rng.uniform(0, 6))
    signal = Signal.of(slots, wave + rng.normal(0, 15, count))
    loads = [
        BlockLoad(
            name="dishwasher",
            profile=Profile.of([2000, 150, 1800, 60], 1200),
            window=window(1, 14),
        ),
        RunLoad(
            name="pool",
            power=1100,
            run_time=6 * HOUR,
            window=window(0, 24),
            rules=Rules(least_run=HOUR, least_pause=HOUR / 2, most_starts=3),
        ),
        RunLoad(name="heater", power=3000, run_time=2.4 * HOUR, window=window(0, 20, (9, 11))),
        car("car", 26_000, 24, Charger.of_amperes(6, 16)),
        car("van", 9000, 20, Charger(least=1400, most=7400)),
    ]
    return signal, loads, Fuse(limit=6500, base=rng.uniform(100, 900, count))


@pytest.mark.parametrize("use_solver", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_house(seed: int, use_solver: bool) -> None:
    if use_solver:
        pytest.importorskip("highspy")
    signal, loads, fuse = house(seed)

    joint = plan_together(signal, CARBON, loads, fuse, use_solver=use_solver, seconds=3)

    check_fuse(joint, signal, fuse)
    assert joint.method is (Method.PROGRAMME if use_solver else Method.SEARCH)
    assert joint.gap < 0.05
    for load in loads:
        plan = joint.plans[load.name]
        assert not plan.relaxed
        assert plan.energy == pytest.approx(load.planned(signal, CARBON).energy, rel=1e-6)
        assert plan.end <= load.end + 1e-3
    pool = runs(joint.plans["pool"].pieces)
    assert len(pool) <= 3
    assert all(end - start >= HOUR - 1 for start, end in pool)


@pytest.mark.parametrize("use_solver", [True, False])
def test_what_cannot_be_met_gives_way_to_the_fuse(use_solver: bool) -> None:
    signal = hourly([300, 100, 200, 400])
    loads = [
        car("car", 20_000, 4, Charger(least=1400, most=11_000)),
        block("sauna", 9000, 1, end=4),
        block("washer", 2000, 3, end=4),
        block("oven", 3000, 2, end=4),
    ]
    fuse = Fuse(limit=5000, base=np.array([500.0, 500.0, np.nan, 200.0]))

    joint = plan_together(signal, CARBON, loads, fuse, use_solver=use_solver, seconds=2)

    check_fuse(joint, signal, fuse)
    assert joint.plans["sauna"].pieces == ()
    assert joint.plans["sauna"].reason.kind is ReasonKind.NO_ROOM
    [missing] = joint.plans["sauna"].relaxed
    assert (missing.wish, missing.amount) == (Wish.DEADLINE, 9000)
    short = sum(each.amount for each in joint.plans["car"].relaxed if each.unit == "Wh")
    assert joint.plans["car"].energy == pytest.approx(20_000 - short, rel=1e-3)


def test_a_base_load_beyond_the_fuse_is_told() -> None:
    signal = hourly([300, 100, 200, 400])
    base = np.array([100.0, 9000.0, 100.0, 100.0])

    joint = plan_together(
        signal, CARBON, [block("washer", 2000, 1, end=4)], Fuse(limit=5000, base=base)
    )

    assert [(each.wish, each.amount) for each in joint.relaxed] == [(Wish.SAFETY, 4000.0)]
    assert joint.plans["washer"].start == START + 2 * HOUR


def test_nice_to_have_gives_way_first() -> None:
    signal = hourly([100, 100, 100, 100])
    must = car("must", 12_000, 4, Charger(least=0, most=4000))
    nice = ChargeLoad(
        name="nice",
        connection=Connection(start=START, charger=Charger(least=0, most=4000)),
        needs=(Need(energy=8000, deadline=START + 4 * HOUR, kind=Kind.NICE),),
    )

    joint = plan_together(signal, CARBON, [nice, must], Fuse(limit=4000), seconds=2)

    check_fuse(joint, signal, Fuse(limit=4000))
    assert joint.plans["must"].energy == pytest.approx(12_000)
    assert joint.plans["nice"].energy == pytest.approx(4000)
    [relaxed] = joint.plans["nice"].relaxed
    assert (relaxed.wish, relaxed.amount) == (Wish.COMFORT, pytest.approx(4000))


@pytest.mark.parametrize("use_solver", [True, False])
def test_what_is_due_now_limits_and_levels_hold_under_a_fuse(use_solver: bool) -> None:
    signal = hourly([500, 400, 100, 120, 90, 300])
    limit = np.array([9000.0, 9000.0, 4000.0, 9000.0, 9000.0, 9000.0])
    levels = Charger.of_levels([1400, 3000, 7000])
    away = ((START + 4 * HOUR, START + 5 * HOUR),)
    loads = [
        car("car", 15_000, 6, levels, now=3000, limit=limit, away=away),
        block("oven", 3000, 2, start=2, end=5),
    ]
    fuse = Fuse(limit=9000)

    joint = plan_together(signal, CARBON, loads, fuse, use_solver=use_solver, seconds=2)

    check_fuse(joint, signal, fuse)
    plan = joint.plans["car"]
    assert joint.method is not Method.ALONE
    assert not plan.relaxed
    assert plan.energy == pytest.approx(15_000, rel=1e-5)
    assert plan.power[plan.slots.index(START)] >= 3000 - 1e-3
    assert {piece.power for piece in plan.pieces} <= {1400, 3000, 7000}
    assert plan.power_at(START + 2.5 * HOUR) <= 4000
    assert plan.power_at(START + 4.5 * HOUR) == 0


@pytest.mark.parametrize("use_solver", [True, False])
def test_a_load_that_runs_goes_on_and_one_that_rests_waits(use_solver: bool) -> None:
    if use_solver:
        pytest.importorskip("highspy")
    signal = hourly([500, 100, 300, 80, 60, 300])
    loads = [
        RunLoad(
            name="on",
            power=2000,
            run_time=3 * HOUR,
            window=window(0, 6),
            rules=Rules(least_run=2 * HOUR, least_pause=HOUR, per_start=1.0),
            state=State(is_on=True, seconds=HOUR),
        ),
        RunLoad(
            name="off",
            power=2000,
            run_time=2 * HOUR,
            window=window(0, 6),
            rules=Rules(least_run=HOUR, least_pause=2 * HOUR, most_starts=1),
            state=State(is_on=False, seconds=HOUR),
        ),
    ]
    fuse = Fuse(limit=3000)

    joint = plan_together(signal, CARBON, loads, fuse, use_solver=use_solver, seconds=2)

    check_fuse(joint, signal, fuse)
    assert joint.plans["on"].start == START
    assert joint.plans["off"].start >= START + HOUR
    assert all(not plan.relaxed for plan in joint.plans.values())
    if use_solver:
        # What runs goes on to the end, and leaves the best two hours to the other.
        assert joint.value == pytest.approx(2 * (500 + 100 + 300) + 2 * (80 + 60))


@pytest.mark.parametrize("use_solver", [True, False])
def test_running_at_once_keeps_to_the_fuse(use_solver: bool) -> None:
    """Of two runs of an hour at once the second has to wait: 300 and 500, not twice 300."""
    signal = hourly([300, 500, 100, 120])
    loads = [block("one", 3000.0, 1.0, end=4), block("two", 3000.0, 1.0, end=4)]

    joint = plan_together(signal, CARBON, loads, Fuse(limit=4000.0), use_solver=use_solver)

    baselines = [plan.baseline_pieces for plan in joint.plans.values()]
    assert [(piece.start, piece.end) for (piece,) in baselines] == [
        (START, START + HOUR),
        (START + HOUR, START + 2 * HOUR),
    ]
    assert sum(plan.baseline.carbon or 0.0 for plan in joint.plans.values()) == pytest.approx(2400)
    assert sum(plan.saved_carbon or 0.0 for plan in joint.plans.values()) == pytest.approx(1740)


def test_nobody_seems_to_lose_by_waiting_for_others() -> None:
    """Where it only gets dirtier, runs one after the other are what is saved against: nothing."""
    signal = hourly([100, 200, 300, 400])
    loads = [block(f"{number}", 3000.0, 1.0, end=4) for number in range(4)]

    joint = plan_together(signal, CARBON, loads, Fuse(limit=4000.0))

    assert sum(plan.saved_carbon or 0.0 for plan in joint.plans.values()) == pytest.approx(0.0)
    assert all(plan.energy == plan.baseline.energy for plan in joint.plans.values())


def test_nothing_and_two_of_one_name() -> None:
    signal = hourly([100, 100])

    assert plan_together(signal, CARBON, [], Fuse(limit=1)).plans == {}
    loads = [block("washer", 1, 1, end=2)] * 2
    with pytest.raises(ValueError, match="one name"):
        plan_together(signal, CARBON, loads, Fuse(limit=1))
    with pytest.raises(ImpossibleAmountError):
        plan_together(signal, CARBON, loads[:1], Fuse(limit=1, base=np.zeros(5)))
    with pytest.raises(ImpossibleAmountError):
        Fuse(limit=-1)
