"""Running at once under a fuse: what loads would do that nobody plans, one after the other.

Whoever comes first goes first; the next one takes what is left, as early as it can. Without it
plans under a fuse would count against what the fuse cannot carry.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .loads import Load
from .objective import Objective
from .placing import placed, start_costs
from .plan import Piece, Plan, Reason, ReasonKind, Weighing
from .realised import with_energy
from .signal import Signal
from .site import Site


def counted_at_once(site: Site, loads: Sequence[Load], plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """Return plans whose baselines hold together under the fuse, at the energy of each plan."""
    if site.holds([plan.baseline_pieces for plan in plans]):
        return tuple(plans)
    early = _as_early_as_can_be(site)
    spare = site.spare
    found = list(plans)
    first_come = sorted(enumerate(loads), key=lambda each: (each[1].start, each[1].end))
    for place, load in first_come:
        pieces = placed(early, load, spare)
        spare = np.maximum(spare - site.peaks(pieces), 0.0)
        found[place] = _against(site, load, plans[place], pieces)
    return tuple(found)


def _as_early_as_can_be(site: Site) -> Site:
    """Return the site in which nothing counts but how early it is."""
    slots = site.signal.slots
    signal = Signal(slots=slots, carbon=np.arange(1, len(slots) + 1, dtype=np.float64))
    objective = Objective.carbon()
    return replace(
        site, signal=signal, objective=objective, weighing=Weighing.of(signal, objective)
    )


def _against(site: Site, load: Load, plan: Plan, pieces: tuple[Piece, ...]) -> Plan:
    """Return a plan that counts against other pieces of a run at once."""
    if not plan.pieces or not pieces:
        return plan
    pieces = with_energy(pieces, plan.energy)
    outcome = site.weighing.outcome(pieces, starts=0)
    baseline = replace(outcome, value=outcome.value + start_costs(load, pieces))
    numbers = {**plan.reason.numbers, "gain": baseline.value - plan.value}
    kind = plan.reason.kind
    if kind in {ReasonKind.MOVED, ReasonKind.NO_BENEFIT}:
        kind = ReasonKind.NO_BENEFIT if plan.pieces == pieces else ReasonKind.MOVED
        numbers["later"] = plan.pieces[0].start - pieces[0].start
    return replace(
        plan,
        baseline=baseline,
        baseline_pieces=pieces,
        reason=Reason(kind=kind, numbers=numbers),
    )
