"""Plans a battery: charged when it is clean, used when it is not, if that is worth its losses.

The content of the cells is the store. A Wh that is charged is `charging` Wh in the cells, and a Wh
that is discharged takes 1 / `discharging`. While nothing has a negative weight it never pays to do
both at once, so that the model is convex and its solution exact; with prices below zero it is
checked, and where it fails a binary for each such slot decides.
"""

from dataclasses import dataclass
from itertools import pairwise
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .battery import BatteryLoad, BatteryModel
from .decision import is_better
from .objective import SAME, Objective
from .plan import (
    NO_MARGIN,
    Margin,
    Outcome,
    Plan,
    Reason,
    ReasonKind,
    Relaxed,
    Weighing,
    Wish,
)
from .signal import Signal
from .single_weight import single_weights
from .slot_powers import pieces_of
from .store_milp import cheapest_mixed, has_solver
from .store_path import Segment, cheapest_path

_SECONDS: Final = 10.0
_GAP: Final = 0.005
"""When the mixed integer programme ends."""

_MOST_MIXED: Final = 2000
"""Slots of a mixed integer programme; longer ones would take it too long to be built."""

_IDLE: Final = 1e-6
"""Wh in a slot that are nothing but rounding."""

_NOTICED: Final = 1.0
"""Wh by which a content may miss what is wished without a word."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BatteryPlan:
    """A plan with the contents that it leads to, in Wh at the end of each slot.

    Powers of the plan are positive while it charges, negative while it discharges; the baseline is
    a battery that does nothing.
    """

    plan: Plan
    contents: FloatArray
    charged: float
    discharged: float
    lost: float
    """Wh: between charging and discharging, and in standby."""

    wear: float
    """What wear adds to the objective, in g or currency."""

    def as_dict(self) -> dict[str, Any]:
        """Return the plan for an attribute or an action's response."""
        return {
            **self.plan.as_dict(),
            "contents": self.contents.round(1).tolist(),
            "charged": self.charged,
            "discharged": self.discharged,
            "lost": self.lost,
            "wear": self.wear,
        }


def plan_battery(
    load: BatteryLoad, signal: Signal, objective: Objective, *, margin: Margin = NO_MARGIN
) -> BatteryPlan:
    """Return the plan of least objective, or none where losses and wear outweigh the saving.

    What is saved has to exceed `margin` after losses and wear, else the battery does nothing. A
    reserve or an end that cannot be reached is come as near to as can be, and told. Raises
    ImpossibleAmountError for numbers that cannot be.
    """
    weighing = Weighing.of(signal, objective)
    model = BatteryModel.of(load, weighing, objective)
    idle = _followed(model, weighing, np.zeros(len(signal.slots)))
    if len(signal.slots) == 0 or not weighing.weights.known.any():
        return _plan(model, weighing, idle, idle, idle.outcome.value)
    changes, bound = _solved(model, weighing)
    best = _followed(model, weighing, changes)
    if idle.missed <= best.missed + _NOTICED and not is_better(best.outcome, idle.outcome, margin):
        best = idle
    return _plan(model, weighing, best, idle, bound)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What happens: Wh by meter and in the cells, and what it adds up to."""

    energy: FloatArray
    contents: FloatArray
    outcome: Outcome
    wear: float
    missed: float
    """Wh by which reserve and end are missed."""


def _solved(model: BatteryModel, weighing: Weighing) -> tuple[FloatArray, float]:
    """Return the changes in the cells, and a value that no others can beat."""
    store, value = model.store, model.load.end_value or 0.0
    first, weights = weighing.weights.first, single_weights(weighing.weights)
    costs = model.segments(weights)
    convex = [_envelope(segments) for segments in costs]
    path = cheapest_path(store, convex, end_value=value)
    changes, bound = path.changes, path.cost
    if not np.array_equal(first, weights):
        firsts = [_envelope(segments) for segments in model.segments(first)]
        bound = cheapest_path(store, firsts, end_value=value).cost
    bound += model.least_cost(first) + value * store.start
    if any(one is not other for one, other in zip(costs, convex, strict=True)):
        reached = model.value(weights, changes)
        is_open = reached - bound > SAME * abs(bound)
        if is_open and len(store) <= _MOST_MIXED and has_solver():
            found = cheapest_mixed(
                store,
                costs,
                end_value=value,
                offset=model.least_cost(weights) + value * store.start,
                seconds=_SECONDS,
                gap=_GAP,
            )
            if found is not None and model.value(weights, found[0]) < reached:
                changes = found[0]
            if found is not None and np.array_equal(first, weights):
                bound = max(bound, found[1])
    return changes, bound


def _envelope(segments: list[Segment]) -> list[Segment]:
    """Return the convex function below a cost; the cost itself where it is convex."""
    if all(one[0] <= other[0] for one, other in pairwise(segments)):
        return segments
    merged: list[Segment] = []
    for segment in segments:
        slope, length = segment
        while merged and merged[-1][0] >= slope:
            before, size = merged.pop()
            slope = (slope * length + before * size) / (length + size)
            length += size
        merged.append((slope, length))
    return merged


def _followed(model: BatteryModel, weighing: Weighing, changes: FloatArray) -> _Run:
    """Return what follows from changes in the cells."""
    changes = np.where(np.abs(changes) < _IDLE, 0.0, changes)
    energy = model.energy(changes)
    counted = model.counted(energy)
    contents = model.wished.follow(changes)
    weights = weighing.weights
    price = weighing.signal.price
    used = counted != 0.0
    outcome = Outcome(
        energy=float(energy.sum()),
        value=model.value(weights.first, changes),
        second=float(weights.second @ counted),
        unknown=0.0,
        carbon=_sum(weighing.signal.carbon, counted, used),
        cost=None if price is None else _sum(price, counted, used),
    )
    missed = np.maximum(model.wished.low - contents, 0.0)
    return _Run(
        energy=energy,
        contents=contents,
        outcome=outcome,
        wear=model.worn(energy),
        missed=float(missed.max(initial=0.0)),
    )


def _plan(
    model: BatteryModel, weighing: Weighing, run: _Run, idle: _Run, bound: float
) -> BatteryPlan:
    """Return the plan of what follows from changes."""
    slots = weighing.slots
    pieces = pieces_of(slots, run.energy / slots.hours)
    charged = float(np.maximum(run.energy, 0.0).sum())
    discharged = float(np.maximum(-run.energy, 0.0).sum())
    kept = float(run.contents[-1]) - model.store.start if len(run.contents) else 0.0
    lost = charged - discharged - kept
    relaxed: tuple[Relaxed, ...] = ()
    if run.missed > _NOTICED:
        relaxed = (Relaxed(wish=Wish.COMFORT, amount=run.missed, unit="Wh"),)
    return BatteryPlan(
        plan=Plan(
            slots=slots,
            pieces=pieces,
            outcome=run.outcome,
            baseline=idle.outcome,
            baseline_pieces=(),
            lower_bound=min(bound, run.outcome.value),
            reason=_reason(weighing, run, lost),
            relaxed=relaxed,
        ),
        contents=np.maximum(run.contents, 0.0),
        charged=charged,
        discharged=discharged,
        lost=lost,
        wear=run.wear,
    )


def _reason(weighing: Weighing, run: _Run, lost: float) -> Reason:
    """Return why the battery does what it does."""
    if run.energy.any():
        kind = ReasonKind.MOVED
    elif weighing.weights.known.any():
        kind = ReasonKind.NO_BENEFIT
    else:
        kind = ReasonKind.NOT_KNOWN
    return Reason(kind=kind, numbers={"lost": lost, "wear": run.wear})


def _sum(figures: FloatArray, energy: FloatArray, used: NDArray[np.bool_]) -> float | None:
    """Return the sum of energy in Wh times figures per kWh, None where one is not known."""
    total = float(figures[used] @ energy[used]) / 1000.0
    return total if math.isfinite(total) else None
