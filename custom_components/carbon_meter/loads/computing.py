"""Making plans: what an executor does for the planner. It blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from ..planning.jobs.job import Around, Planned, Task
from ..planning.jobs.keeping import kept
from ..planning.loads import Load
from ..planning.objective import Objective
from ..planning.plan import Margin, Piece, Plan
from ..planning.signal import Signal
from ..planning.site import Fuse, Site
from ..planning.slots import Slots
from ..planning.together import plan_together

LONGEST: Final = 10.0
"""Seconds for the plans of loads under one fuse."""

_NEVER: Final = Margin(absolute=math.inf)
"""Nothing gains as much."""

_SAME: Final = 1.0
"""Wh in hours without a forecast that do not matter."""

type Plans = dict[str, Planned | Exception]
"""The plans of loads by their ids, or why there is none."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wanted:
    """A load that is to be planned."""

    id: str
    task: Task
    around: Around
    old: Plan | None
    """What it follows so far."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Terms:
    """What all plans of a site keep to."""

    signal: Signal
    objective: Objective
    margin: Margin
    now: float
    limit: float | None = None
    """W of the fuse, None where there is none."""

    base: FloatArray | None = None
    """W of what is not planned in each slot of the signal."""

    others: tuple[Plan, ...] = ()
    """What loads go on with that cannot be planned anew."""

    use_solver: bool = False


def computed(wanted: Sequence[Wanted], terms: Terms) -> Plans:
    """Return the plans of loads; one that fails leaves those of the others alone.

    Stores and zones come first: they do not share a fuse, and what they will draw is taken from
    what the fuse leaves to the others.
    """
    found: Plans = {}
    movable: list[Wanted] = []
    for each in wanted:
        if each.task.load is not None and terms.limit is not None:
            movable.append(each)
        else:
            found[each.id] = _alone(each, terms)
    if movable:
        drawn = [*terms.others]
        drawn += [each.plan for each in found.values() if isinstance(each, Planned)]
        found |= _under_fuse(movable, drawn, terms)
    return found


def _alone(wanted: Wanted, terms: Terms) -> Planned | Exception:
    """Return the plan of a load by itself."""
    signal = wanted.around.signal
    try:
        planned = wanted.task.planned(signal, terms.objective, margin=terms.margin)
        if wanted.task.is_rolling:
            return planned
        return _kept(wanted, planned, terms)
    except Exception as err:  # noqa: BLE001  # the other loads have their plans
        return err


def _kept(wanted: Wanted, planned: Planned, terms: Terms) -> Planned:
    """Return the new plan, or the old one unless the new gains more than the margin."""
    if wanted.old is None:
        return planned
    plan = kept(
        wanted.old,
        planned.plan,
        terms.margin,
        signal=wanted.around.signal,
        objective=terms.objective,
        now=terms.now,
        closed=getattr(wanted.task, "closed", ()),
    )
    return planned if plan is planned.plan else replace(planned, plan=plan)


def _under_fuse(wanted: Sequence[Wanted], drawn: Sequence[Plan], terms: Terms) -> Plans:
    """Return the plans of loads that hold together under the fuse."""
    signal, fuse = terms.signal, _fuse(terms, drawn)
    loads = [_named(each) for each in wanted]
    try:
        together = plan_together(
            signal, terms.objective, loads, fuse, seconds=LONGEST, use_solver=terms.use_solver
        )
        fresh = [Planned(plan=together.plans[each.id]) for each in wanted]
        site = Site.of(signal, terms.objective, loads, fuse)
        chosen = _chosen(site, wanted, fresh, terms)
        return {each.id: planned for each, planned in zip(wanted, chosen, strict=True)}
    except Exception as err:  # noqa: BLE001  # told for those that cannot be planned
        failed: Plans = {}
        for each in wanted:
            if isinstance(alone := _alone(each, terms), Exception):
                failed[each.id] = alone
        if not failed:
            return dict.fromkeys((each.id for each in wanted), err)
        able = [each for each in wanted if each.id not in failed]
        stay = [each.old for each in wanted if each.id in failed and each.old is not None]
        return failed | (_under_fuse(able, [*drawn, *stay], terms) if able else {})


def _named(wanted: Wanted) -> Load:
    """Return the load of a task under the name that is its id."""
    load = wanted.task.load
    if load is None:
        raise TypeError("a store or a zone shares no fuse")
    return replace(load, name=wanted.id)


def _chosen(
    site: Site, wanted: Sequence[Wanted], fresh: Sequence[Planned], terms: Terms
) -> Sequence[Planned]:
    """Return old plans in place of as many fresh ones as hold together below the fuse.

    Each load keeps its plan unless it gains more than the margin by itself. Where these do not
    hold together, what all of them gain has to exceed it: of two loads that are alike, fresh plans
    let now the one run and then the other, and both would switch each time.
    """
    pairs = list(zip(wanted, fresh, strict=True))
    steady = [_kept(each, planned, terms) for each, planned in pairs]
    if _holds(site, steady):
        return steady
    chosen = _in_place(site, fresh, steady)
    calm = replace(terms, margin=_NEVER)
    stays = [
        _kept(each, planned, calm) if old is planned else old
        for (each, planned), old in zip(pairs, steady, strict=True)
    ]
    kept_ones = _in_place(site, fresh, stays)
    changed = [
        (old.plan.outcome, new.plan.outcome)
        for old, new in zip(kept_ones, chosen, strict=True)
        if old is not new
    ]
    if sum(old.unknown - new.unknown for old, new in changed) > _SAME:
        return chosen
    before = sum(old.value for old, _ in changed)
    after = sum(new.value for _, new in changed)
    return chosen if terms.margin.is_exceeded(before - after, before) else kept_ones


def _in_place(site: Site, fresh: Sequence[Planned], others: Sequence[Planned]) -> Sequence[Planned]:
    """Return other plans in place of as many fresh ones as hold together."""
    if _holds(site, others):
        return others
    found, has_changed = list(fresh), True
    while has_changed:
        has_changed = False
        for place, other in enumerate(others):
            tried = [*found[:place], other, *found[place + 1 :]]
            if found[place] is not other and _holds(site, tried):
                found, has_changed = tried, True
    return found


def _holds(site: Site, plans: Sequence[Planned]) -> bool:
    """Return whether plans keep below the fuse at every moment."""
    return site.holds([each.plan.pieces for each in plans])


def _fuse(terms: Terms, drawn: Sequence[Plan]) -> Fuse:
    """Return the fuse with all that is not planned under it, stores and zones among it."""
    slots = terms.signal.slots
    base = np.zeros(len(slots)) if terms.base is None else terms.base
    known = np.isfinite(base)
    base = np.where(known, base, base[known].max(initial=0.0))
    for plan in drawn:
        base = base + greatest_in(slots, plan.pieces)
    return Fuse(limit=terms.limit or 0.0, base=base)


def greatest_in(slots: Slots, pieces: Sequence[Piece]) -> FloatArray:
    """Return the greatest power of pieces in each slot, in W; what gives counts as nothing."""
    found = np.zeros(len(slots))
    for piece in pieces:
        places = slots.places(piece.start, piece.end)
        found[places] = np.maximum(found[places], piece.power)
    return found
