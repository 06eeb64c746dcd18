"""The cheapest way through a store that can only be switched between stages, with a certificate.

A backward dynamic programme over contents on a fine grid, where every transition is rounded to the
nearest grid point. It answers two questions. Rolled out in exact arithmetic, its cost to go leads
to a plan. And with limits that are widened by all the rounding that can have piled up,

    error[t + 1] = keep[t] * error[t] + step / 2,

every path that keeps the true limits is also a path on the grid, so that the programme's optimum
is a lower bound of what any plan can cost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .store import Store

type Changes = Callable[[int, FloatArray], FloatArray]
"""What each stage changes in a slot, [S, G] or [S, 1], for contents at its beginning [G].

It may fall with the content, as a heat pump does worse the warmer its store is, but not rise.
"""

_PLAN_POINTS: Final = 1500
_MOST_PLAN_POINTS: Final = 3_000_000
"""Grid points between the limits in one slot, and in all of a long history: 24 MB."""

_BOUND_POINTS: Final = 800_000
_MOST_BOUND_POINTS: Final = 20_000
"""Grid points between the limits in all slots, and in one: many make the bound tight."""

_TIGHT: Final = 0.01
_FINER: Final = 5
"""A gap, as a part of the cost, above which it is tried again with so much finer grids."""

_MARGINS: Final = (1, 4)
"""Steps to stay within the limits by, one try after the other."""

_FINEST: Final = 1e-9
"""A step of the grid for limits with nothing between them."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """What a store may do that has stages; the first is off.

    `costs` [n, S] are what each slot costs in each stage, `per_start` what it costs to leave the
    first one, `running` whether it is left at the beginning. `end_value` is what a unit of
    content is worth at the end, and `violation` what a unit outside the limits costs in a slot.
    """

    store: Store
    changes: Changes
    costs: FloatArray
    per_start: float = 0.0
    running: bool = False
    end_value: float = 0.0
    violation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StagePath:
    """The stage of each slot, the content at its end, the cost, and the least any plan costs.

    `outside` is by how much the limits are missed at the end of each slot; the costs are without
    `violation`.
    """

    stages: NDArray[np.intp]
    contents: FloatArray
    cost: float
    lower_bound: float
    outside: FloatArray


def cheapest_stages(problem: Stages, bound_costs: FloatArray | None = None) -> StagePath:
    """Return a plan by stages for a store whose limits are `within_reach`, and its lower bound.

    The bound is one of `bound_costs`, where they are given, instead of the `costs`. Where whole
    slots are too coarse for the limits they are missed, by as little as `violation` makes
    worthwhile; the bound is then one of plans that miss them nowhere by more.
    """
    bounded = problem if bound_costs is None else replace(problem, costs=bound_costs)
    path = _plan(problem, 1)
    bound = _lower_bound(_reached_by(bounded, path), 1)
    if path.cost - bound > _TIGHT * abs(path.cost):
        finer = min(path, _plan(problem, _FINER), key=_merit)
        if finer is not path and finer.outside.any():
            bound = -np.inf
        path = finer
        bound = max(bound, _lower_bound(_reached_by(bounded, path), _FINER))
    return replace(path, lower_bound=bound)


def _reached_by(problem: Stages, path: StagePath) -> Stages:
    """Return the problem with limits that a path keeps."""
    if not path.outside.any():
        return problem
    store = problem.store
    low, high = np.minimum(store.low, path.contents), np.maximum(store.high, path.contents)
    return replace(problem, store=replace(store, low=low, high=high))


def _plan(problem: Stages, fineness: int) -> StagePath:
    """Return the plan by a grid that is so many times finer."""
    most = max(_MOST_PLAN_POINTS // len(problem.store), 1)
    step = _step(problem.store, min(_PLAN_POINTS * fineness, most))
    tried: list[StagePath] = []
    for steps in _MARGINS:
        path = _roll_out(problem, _solve(problem, _narrowed(problem.store, steps * step), step))
        tried.append(path)
        if not path.outside.any():
            break
    return min(tried, key=_merit)


def _merit(path: StagePath) -> tuple[float, float]:
    """Return what paths are compared by: the limits first."""
    return float(path.outside.max()), path.cost


def _narrowed(store: Store, margin: float) -> Store:
    """Return the store with a margin to its limits, so that rounding does not lead out of them."""
    middle = (store.low + store.high) / 2.0
    return replace(
        store,
        low=np.minimum(store.low + margin, middle),
        high=np.maximum(store.high - margin, middle),
    )


def _step(store: Store, points: int) -> float:
    """Return the step of a grid with so many points between the limits, on average."""
    return max(float((store.high - store.low).mean()) / points, _FINEST)


@dataclass(frozen=True, kw_only=True)
class _CostsToGo:
    """What is still to be paid at the end of each slot, on the grid through the start.

    Two rows, off and on; a column for each place of the grid from `firsts` on.
    """

    step: float
    firsts: NDArray[np.intp]
    values: list[FloatArray]
    total: float
    """What is to be paid from the start."""


def _solve(problem: Stages, store: Store, step: float) -> _CostsToGo:
    """Return the costs to go under the limits of `store`."""
    firsts = np.rint((store.low - store.start) / step).astype(np.intp)
    lasts = np.maximum(np.rint((store.high - store.start) / step).astype(np.intp), firsts)
    values: list[FloatArray] = []
    contents = store.start + np.arange(firsts[-1], lasts[-1] + 1) * step
    ahead = np.broadcast_to(-problem.end_value * contents, (2, len(contents)))
    for slot in range(len(store) - 1, -1, -1):
        values.append(ahead)
        first, last = (firsts[slot - 1], lasts[slot - 1]) if slot else (0, 0)
        contents = store.start + np.arange(first, last + 1) * step
        # In places of the grid, from the first one of the slot's end on.
        idle = (store.keep[slot] * contents + store.drift[slot] - store.start) / step
        idle -= firsts[slot]
        moves = problem.changes(slot, contents) / step
        ahead = _one_slot_back(problem, slot, idle + moves, ahead, step)
    values.reverse()
    return _CostsToGo(
        step=step, firsts=firsts, values=values, total=float(ahead[int(problem.running), 0])
    )


def _one_slot_back(
    problem: Stages, slot: int, reached: FloatArray, ahead: FloatArray, step: float
) -> FloatArray:
    """Return the costs to go, off and on, where stages lead to places [S, G] of the slot's end."""
    last = ahead.shape[1] - 1
    best: list[FloatArray] = []
    for stage, place in enumerate(reached):
        inside = np.rint(place).astype(np.intp)
        outside = inside.min() < 0 or inside.max() > last
        if outside:
            meant, inside = inside, np.clip(inside, 0, last)
        total = ahead[min(stage, 1)].take(inside)
        total += problem.costs[slot, stage]
        if outside:
            total += np.abs(meant - inside) * (step * problem.violation)
        if len(best) < 2:
            best.append(total)
        else:
            np.minimum(best[1], total, out=best[1])
    off, on = best[0], best[-1]
    if problem.per_start == 0.0:
        both = np.minimum(off, on)
        return np.broadcast_to(both, (2, len(both)))
    return np.stack([np.minimum(off, on + problem.per_start), np.minimum(off, on)])


def _roll_out(problem: Stages, to_go: _CostsToGo) -> StagePath:
    """Return the plan that the costs to go lead to, in exact arithmetic."""
    store, step = problem.store, to_go.step
    stages = np.zeros(len(store), dtype=np.intp)
    contents = np.empty(len(store))
    content, running, paid = store.start, problem.running, 0.0
    lows, highs = store.low.tolist(), store.high.tolist()
    keeps, drifts = store.keep.tolist(), store.drift.tolist()
    for slot, costs in enumerate(problem.costs.tolist()):
        ahead, first = to_go.values[slot], int(to_go.firsts[slot])
        idle = keeps[slot] * content + drifts[slot]
        best, chosen, price = np.inf, 0, 0.0
        for stage, change in enumerate(problem.changes(slot, np.array([content]))[:, 0].tolist()):
            reached = idle + change
            meant = round((reached - store.start) / step) - first
            place = min(max(meant, 0), ahead.shape[1] - 1)
            outside = max(lows[slot] - reached, reached - highs[slot], abs(meant - place) * step)
            cost = costs[stage] + (problem.per_start if stage and not running else 0.0)
            total = cost + ahead[min(stage, 1), place] + max(outside, 0.0) * problem.violation
            if total < best:
                best, chosen, price, after = total, stage, cost, reached
        content, running, paid = after, chosen > 0, paid + price
        stages[slot], contents[slot] = chosen, content
    return StagePath(
        stages=stages,
        contents=contents,
        cost=paid - problem.end_value * content,
        lower_bound=-np.inf,
        outside=np.maximum(np.maximum(store.low - contents, contents - store.high), 0.0),
    )


def _lower_bound(problem: Stages, fineness: int) -> float:
    """Return what no plan within the limits can beat, by a grid that is so many times finer."""
    points = min(max(_BOUND_POINTS // len(problem.store), 1), _MOST_BOUND_POINTS)
    step = _step(problem.store, points * fineness)
    errors = np.empty(len(problem.store))
    error = 0.0
    for slot, keep in enumerate(problem.store.keep.tolist()):
        errors[slot] = error = keep * error + step / 2.0
    # The grid rounds the limits too.
    wide = replace(
        problem.store,
        low=problem.store.low - errors - step / 2.0,
        high=problem.store.high + errors + step / 2.0,
    )
    return _solve(problem, wide, step).total - abs(problem.end_value) * error
