"""Switched stores: near the best by a bound that is proved, and never below it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from custom_components.carbon_meter.planning.stage_path import Stages, cheapest_stages
from custom_components.carbon_meter.planning.store import Store


def random_room(rng: np.random.Generator, count: int, levels: int, hours: float) -> Stages:
    """Return a room with so many heating stages, whose limits can be kept by a continuous power."""
    capacity, loss = rng.uniform(1500.0, 4000.0), rng.uniform(80.0, 150.0)
    keep = float(np.exp(-loss * hours / capacity))
    rise = (1.0 - keep) / loss
    powers = np.linspace(0.0, 3000.0, levels + 1)
    outside = 5.0 + 3.0 * np.sin(np.arange(count) * hours / 4.0)
    weights = rng.uniform(0.05, 0.6, count)
    store = Store.of(
        start=20.5,
        keep=keep,
        drift=(1.0 - keep) * outside,
        least=0.0,
        most=rise * powers[-1],
        low=np.append(np.full(count - 1, 19.0), 20.2),
        high=22.0,
    )
    costs = weights[:, np.newaxis] * powers * hours
    return Stages(
        store=store.within_reach(),
        changes=lambda _slot, _contents: (powers * rise)[:, np.newaxis],
        costs=costs,
        per_start=float(rng.choice([0.0, 50.0])),
        violation=1000.0 * float(costs.sum()),
    )


def best_by_trying(problem: Stages) -> float:
    """Return the least cost of all ways that keep the limits, infinite where none does."""
    store = problem.store
    stages = range(problem.costs.shape[1])
    changes = problem.changes(0, np.zeros(1))[:, 0]
    best = np.inf
    for ways in product(stages, repeat=len(store)):
        contents = store.follow(changes[list(ways)])
        if (contents < store.low - 1e-12).any() or (contents > store.high + 1e-12).any():
            continue
        begun = sum(
            1 for before, after in zip((0, *ways), ways, strict=False) if after and not before
        )
        cost = sum(problem.costs[slot, way] for slot, way in enumerate(ways))
        best = min(best, cost + begun * problem.per_start)
    return float(best)


@pytest.mark.parametrize(("levels", "count"), [(1, 10), (2, 6)])
def test_plans_are_as_good_as_trying_everything(levels: int, count: int) -> None:
    """The bound is below the best, the plan hardly above it."""
    rng = np.random.default_rng(levels)
    feasible = 0
    for _ in range(12):
        problem = random_room(rng, count, levels, 1.0)
        best = best_by_trying(problem)
        path = cheapest_stages(problem)

        assert (problem.store.follow(_changes(problem, path.stages)) == path.contents).all()
        if not np.isfinite(best):
            continue
        feasible += 1
        assert path.lower_bound <= best + 1e-9 * best
        assert not path.outside.any()
        assert path.cost == pytest.approx(best, rel=0.01)
    assert feasible >= 6


def _changes(problem: Stages, stages: np.ndarray) -> np.ndarray:
    """Return what stages change."""
    return np.array(
        [problem.changes(slot, np.zeros(1))[stage, 0] for slot, stage in enumerate(stages.tolist())]
    )


@pytest.mark.parametrize("seed", range(6))
def test_two_days_of_quarter_hours_are_certified(seed: int) -> None:
    """The gap of an on/off heater is below one percent, and no limit is missed."""
    problem = random_room(np.random.default_rng(seed), 192, 1, 0.25)

    path = cheapest_stages(problem)

    assert not path.outside.any()
    assert path.lower_bound <= path.cost
    assert (path.cost - path.lower_bound) / path.cost < 0.01


def test_the_bound_holds_for_the_plan_of_any_other_grid() -> None:
    """What a finer room in time finds is never below the bound of the same problem."""
    rng = np.random.default_rng(3)
    problem = random_room(rng, 96, 3, 0.5)
    bound = cheapest_stages(problem).lower_bound
    # Random switching, repaired to the limits: any feasible plan counts.
    changes = problem.changes(0, np.zeros(1))[:, 0]
    for _ in range(200):
        content, cost, running, ok = problem.store.start, 0.0, False, True
        for slot in range(len(problem.store)):
            idle = problem.store.keep[slot] * content + problem.store.drift[slot]
            fits = [
                stage
                for stage, change in enumerate(changes)
                if problem.store.low[slot] <= idle + change <= problem.store.high[slot]
            ]
            if not fits:
                ok = False
                break
            stage = int(rng.choice(fits))
            cost += problem.costs[slot, stage] + problem.per_start * (stage > 0 and not running)
            content, running = idle + changes[stage], stage > 0
        if ok:
            assert cost >= bound


def test_limits_too_tight_for_whole_slots_are_missed_by_little() -> None:
    """A band narrower than one step of the heater: near it, and told."""
    problem = random_room(np.random.default_rng(1), 48, 1, 1.0)
    narrow = Stages(
        store=Store.of(
            start=20.5,
            keep=problem.store.keep,
            drift=problem.store.drift,
            least=0.0,
            most=problem.store.most,
            low=20.4,
            high=20.6,
        ).within_reach(),
        changes=problem.changes,
        costs=problem.costs,
        violation=problem.violation,
    )

    path = cheapest_stages(narrow)

    assert 0.0 < path.outside.max() < 1.0
    # The bound is one of plans that miss the limits by no more, of which this one is one.
    assert path.lower_bound <= path.cost * (1.0 + 1e-9)


def test_a_bound_holds_for_all_that_miss_the_limits_by_no_more() -> None:
    """Where no plan keeps them, it is one of those that are as good for comfort."""
    rng = np.random.default_rng(11)
    missed = 0
    for _ in range(20):
        room = random_room(rng, 9, 1, 1.0)
        store = replace(room.store, low=np.full(9, 20.3), high=np.full(9, 20.8)).within_reach()
        problem = replace(room, store=store)
        path = cheapest_stages(problem)
        missed += bool(path.outside.any())
        low = np.minimum(store.low, path.contents)
        high = np.maximum(store.high, path.contents)
        best = best_by_trying(replace(problem, store=replace(store, low=low, high=high)))
        assert path.lower_bound <= best * (1.0 + 1e-9)
        assert path.cost >= best * (1.0 - 1e-9)
    assert missed > 10


def test_a_long_history_takes_a_coarser_grid() -> None:
    """A year of hours needs no more memory than a few days of minutes."""
    problem = random_room(np.random.default_rng(2), 3000, 1, 1.0)

    path = cheapest_stages(problem)

    assert path.outside.max() < 0.5
    assert path.lower_bound <= path.cost
