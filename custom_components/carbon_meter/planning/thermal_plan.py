"""Plans what heats or cools: warm when it is clean, within the comfort, beside a thermostat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .decision import is_better
from .objective import Objective
from .plan import (
    NO_MARGIN,
    Margin,
    Outcome,
    Piece,
    Plan,
    Reason,
    ReasonKind,
    Relaxed,
    Weighing,
    Wish,
    runs,
)
from .signal import Signal
from .single_weight import single_weights
from .slot_powers import pieces_of
from .stage_path import Stages, cheapest_stages
from .store_path import cheapest_path
from .thermal import ThermalLoad, ThermalModel

FELT: Final = 0.01
"""K; what temperatures miss the comfort by without anybody noticing."""

_VIOLATION: Final = 1000.0
"""What one K outside the comfort counts as, in all that running all the time costs."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThermalPlan:
    """A plan with the temperatures that it leads to, in degrees Celsius at the end of each slot.

    The baseline is a thermostat that keeps the same comfort and the same end with as little
    energy as it can, without looking at carbon or price.
    """

    plan: Plan
    temperatures: FloatArray
    baseline_temperatures: FloatArray

    def as_dict(self) -> dict[str, Any]:
        """Return the plan for an attribute or an action's response."""
        return {
            **self.plan.as_dict(),
            "temperatures": self.temperatures.round(3).tolist(),
            "baseline_temperatures": self.baseline_temperatures.round(3).tolist(),
        }


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What happens: power in W for each slot, the contents that follow, and what it adds up to."""

    powers: FloatArray
    contents: FloatArray
    pieces: tuple[Piece, ...]
    outcome: Outcome
    outside: float
    """K by which the comfort is missed at the most."""


def plan_thermal(
    load: ThermalLoad,
    signal: Signal,
    objective: Objective,
    *,
    per_start: float = 0.0,
    margin: Margin = NO_MARGIN,
) -> ThermalPlan:
    """Return the plan of least objective for a load in the slots of a signal.

    Without stages it is exact; with stages its lower bound tells how far it is from the best.
    Comfort that cannot be kept is relaxed by the least, the upper limit (the lower one of what
    cools) coming first. `per_start` is what each start adds to the objective, in g or currency:
    it counts for loads with stages. Where the gain over the baseline is not above `margin` the
    baseline is the plan. Raises ImpossibleAmountError for numbers that cannot be.
    """
    model = ThermalModel.of(load, signal.slots)
    weighing = Weighing.of(signal, objective, per_start if load.stages else 0.0)
    if len(signal.slots) == 0:
        return _nothing(weighing)
    wished = model.store
    model = replace(model, store=wished.within_reach())
    planned, bound = (_by_stages if load.stages else _by_power)(model, weighing)
    run = _followed(model, weighing, planned)
    baseline = _followed(model, weighing, thermostat(model))
    if _is_enough(baseline, run, margin):
        run = baseline
    missed = np.maximum(np.maximum(wished.low - run.contents, run.contents - wished.high), 0.0)
    plan = Plan(
        slots=signal.slots,
        pieces=run.pieces,
        outcome=run.outcome,
        baseline=baseline.outcome,
        baseline_pieces=baseline.pieces,
        lower_bound=min(bound, run.outcome.value),
        reason=_reason(weighing, run, baseline, model),
        relaxed=_relaxed(model, weighing, missed, run.outcome.value),
    )
    return ThermalPlan(
        plan=plan,
        temperatures=model.sign * run.contents,
        baseline_temperatures=model.sign * baseline.contents,
    )


def thermostat(model: ThermalModel) -> FloatArray:
    """Return the powers in W with which a thermostat keeps the lower limit, and no more.

    It begins early enough to meet a limit that rises. Stages hold for whole slots: the smallest
    that is enough.
    """
    store, slots = model.store, len(model.slots)
    needed = store.low.copy()
    for slot in range(slots - 1, 0, -1):
        before = (needed[slot] - store.drift[slot] - model.surely[slot]) / store.keep[slot]
        needed[slot - 1] = max(needed[slot - 1], before)
    powers = np.zeros(slots)
    content = store.start
    for slot in range(slots):
        idle = store.keep[slot] * content + store.drift[slot]
        missing = max(needed[slot] - idle, 0.0)
        if model.load.stages:
            changes = model.changes(slot, np.array([content]))[:, 0]
            enough = np.flatnonzero(changes >= missing - FELT / 10.0)
            stage = int(enough[0]) if len(enough) else len(changes) - 1
            powers[slot], change = model.stages[stage], float(changes[stage])
        else:
            change = min(missing, store.most[slot])
            powers[slot] = _power(model)[slot] * change / store.most[slot] if change else 0.0
        content = idle + change
    return powers


def _by_power(model: ThermalModel, weighing: Weighing) -> tuple[FloatArray, float]:
    """Return powers in W between none and the most, and the least value of any."""
    store, power = model.store, _power(model)
    energy = power * model.slots.hours
    with np.errstate(divide="ignore", invalid="ignore"):
        per_kelvin = np.where(store.most > 0.0, energy / store.most, 0.0)
    value = _end_value(model)

    def path(weights: FloatArray) -> tuple[FloatArray, float]:
        costs = zip((weights * per_kelvin).tolist(), store.most.tolist(), strict=True)
        found = cheapest_path(store, [[segment] for segment in costs], end_value=value)
        return found.changes, found.cost + value * store.start

    weights = single_weights(weighing.weights)
    changes, cost = path(weights)
    if not np.array_equal(weights, weighing.weights.first):
        _, cost = path(weighing.weights.first)
    return changes * per_kelvin / model.slots.hours, cost


def _by_stages(model: ThermalModel, weighing: Weighing) -> tuple[FloatArray, float]:
    """Return powers in W by stages, and a value that no other plan can beat."""
    energy = model.slots.hours[:, np.newaxis] * model.stages
    weights = single_weights(weighing.weights)
    first = weighing.weights.first
    value = _end_value(model)
    everything = float(np.abs(weights * energy[:, -1]).sum()) + abs(value) + weighing.per_start
    path = cheapest_stages(
        Stages(
            store=model.store,
            changes=model.changes,
            costs=weights[:, np.newaxis] * energy,
            per_start=weighing.per_start,
            running=model.load.running,
            end_value=value,
            violation=_VIOLATION * everything,
        ),
        None if np.array_equal(weights, first) else first[:, np.newaxis] * energy,
    )
    return model.stages[path.stages], path.lower_bound + value * model.store.start


def _power(model: ThermalModel) -> FloatArray:
    """Return the most electric power in W of each slot."""
    most = float(model.stages[-1]) if model.load.stages else model.load.power
    return np.full(len(model.slots), most)


def _end_value(model: ThermalModel) -> float:
    """Return what a K is worth at the end."""
    return (model.load.end_value or 0.0) * model.load.body.capacity


def _followed(model: ThermalModel, weighing: Weighing, powers: FloatArray) -> _Run:
    """Return what follows from powers."""
    store = model.store
    contents = np.empty(len(store))
    content = store.start
    power = _power(model)
    for slot in range(len(store)):
        if model.load.stages:
            heat = float(model.performance(slot, np.array([content])).reshape(-1)[0])
            change = powers[slot] * heat * model.rises[slot]
        else:
            change = store.most[slot] * powers[slot] / power[slot] if power[slot] else 0.0
        content = float(store.keep[slot] * content + store.drift[slot] + change)
        contents[slot] = content
    slots = model.slots
    pieces = pieces_of(slots, powers)
    outcome = weighing.outcome(pieces, starts=_starts(pieces, slots.start, model.load.running))
    gained = _end_value(model) * (content - store.start)
    return _Run(
        powers=powers,
        contents=contents,
        pieces=pieces,
        outcome=replace(outcome, value=outcome.value - gained),
        outside=float(np.maximum(store.low - contents, contents - store.high).max(initial=0.0)),
    )


def _starts(pieces: Sequence[Piece], begin: float, running: bool) -> int:
    """Return how often it starts; what runs already does not start at the beginning."""
    found = runs(pieces)
    return len(found) - (1 if running and found and found[0][0] == begin else 0)


def _is_enough(baseline: _Run, run: _Run, margin: Margin) -> bool:
    """Return whether nothing worthwhile is gained over the baseline, at the same comfort."""
    if baseline.outside > max(run.outside, FELT):
        return False
    return not is_better(run.outcome, baseline.outcome, margin)


def _reason(weighing: Weighing, run: _Run, baseline: _Run, model: ThermalModel) -> Reason:
    """Return why the plan is as it is."""
    numbers = {
        "end_temperature": model.sign * float(run.contents[-1]),
        "baseline_end_temperature": model.sign * float(baseline.contents[-1]),
    }
    if not run.pieces and not baseline.pieces:
        return Reason(kind=ReasonKind.NOTHING_TO_DO, numbers=numbers)
    if not weighing.weights.known.any():
        return Reason(kind=ReasonKind.NOT_KNOWN, numbers=numbers)
    if run is baseline:
        return Reason(kind=ReasonKind.NO_BENEFIT, numbers=numbers)
    return Reason(kind=ReasonKind.MOVED, numbers=numbers)


def _relaxed(
    model: ThermalModel, weighing: Weighing, missed: FloatArray, value: float
) -> tuple[Relaxed, ...]:
    """Return the comfort that could not be kept, and what keeping the rest of it costs."""
    most = float(missed.max())
    if most <= FELT:
        return ()
    anywhere = np.minimum(model.store.low, model.store.follow(model.store.least))
    _, without = _by_power(replace(model, store=replace(model.store, low=anywhere)), weighing)
    return (Relaxed(wish=Wish.COMFORT, amount=most, unit="K", cost=max(0.0, value - without)),)


def _nothing(weighing: Weighing) -> ThermalPlan:
    """Return the plan for no time at all."""
    nothing = weighing.outcome(())
    plan = Plan(
        slots=weighing.slots,
        pieces=(),
        outcome=nothing,
        baseline=nothing,
        baseline_pieces=(),
        lower_bound=nothing.value,
        reason=Reason(kind=ReasonKind.NOTHING_TO_DO),
    )
    return ThermalPlan(plan=plan, temperatures=np.empty(0), baseline_temperatures=np.empty(0))
