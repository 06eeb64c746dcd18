"""Several loads under one fuse.

First each by itself: where the fuse holds that is optimal. Where it does not, a mixed integer
programme is solved (`fuse_programme`), or without HiGHS prices on the fuse are searched
(`fuse_search`). Either starts from a plan that holds, so that there is an answer at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import math
import time
from typing import Any, Final

from .at_once import counted_at_once
from .fuse_programme import solved_together
from .fuse_search import Search, Together
from .loads import Load
from .objective import SAME, Objective
from .plan import Plan, Relaxed, Wish
from .programme import has_highs
from .signal import Signal
from .site import Fuse, Site

GAP: Final = 0.005
"""The part of the objective to which plans are optimized by default."""

LONGEST: Final = 10.0
"""Seconds that it may take by default."""


class Method(StrEnum):
    """How loads were planned together."""

    ALONE = "alone"
    """Each by itself: the fuse holds."""

    PROGRAMME = "programme"
    """By a mixed integer programme."""

    SEARCH = "search"
    """By prices on the fuse, placing one load after another."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JointPlan:
    """The plans of loads that hold together, by the names of the loads.

    `lower_bound` is a value of the objective that no plans can beat that switch with the slots.
    """

    plans: Mapping[str, Plan]
    lower_bound: float
    method: Method
    seconds: float
    relaxed: tuple[Relaxed, ...] = ()
    """What the site could not keep, whatever its loads do."""

    @property
    def value(self) -> float:
        """Return the objective of all loads, in g or currency."""
        return sum(plan.value for plan in self.plans.values())

    @property
    def gap(self) -> float:
        """Return how much better plans might be at the most, as a part of the value."""
        missed = self.value - self.lower_bound
        if missed <= SAME * max(abs(self.value), abs(self.lower_bound)):
            return 0.0
        return missed / abs(self.value) if self.value else math.inf

    def as_dict(self) -> dict[str, Any]:
        """Return the plans for an attribute or an action's response."""
        return {
            "plans": {name: plan.as_dict() for name, plan in self.plans.items()},
            "value": self.value,
            "lower_bound": self.lower_bound,
            "gap": self.gap if math.isfinite(self.gap) else None,
            "method": self.method.value,
            "seconds": self.seconds,
            "relaxed": [each.as_dict() for each in self.relaxed],
        }


def plan_together(  # noqa: PLR0913  # a site, and how long it may take
    signal: Signal,
    objective: Objective,
    loads: Sequence[Load],
    fuse: Fuse,
    *,
    seconds: float = LONGEST,
    gap: float = GAP,
    use_solver: bool = True,
) -> JointPlan:
    """Return plans of loads that never exceed the fuse, the best that is found in time.

    It computes for up to `seconds`: run it in an executor. What is impossible is told in the
    plans: quiet hours give way first, then what is nice to have, then deadlines; the fuse never.
    A base load beyond the fuse is told by the whole (`Wish.SAFETY`, W). Raises ValueError for two
    loads of one name.
    """
    begun = time.monotonic()
    names = [load.name for load in loads]
    if len(set(names)) < len(names):
        raise ValueError("two loads have one name")
    if not loads:
        return JointPlan(plans={}, lower_bound=0.0, method=Method.ALONE, seconds=0.0)
    site = Site.of(signal, objective, loads, fuse)
    loads = [site.aligned(load, signal) for load in loads]
    alone = [load.planned(site.signal, objective) for load in loads]
    bound = sum(plan.lower_bound for plan in alone)
    told: tuple[Relaxed, ...] = ()
    if site.over > 0.0:
        told = (Relaxed(wish=Wish.SAFETY, amount=site.over, unit="W"),)
    if site.holds([plan.pieces for plan in alone]):
        plans, method = tuple(alone), Method.ALONE
    else:
        together, bound, method = _fitted(
            site, loads, alone, until=begun + seconds, gap=gap, use_solver=use_solver
        )
        plans = together.plans
    plans = counted_at_once(site, loads, plans)
    return JointPlan(
        plans=dict(zip(names, plans, strict=True)),
        lower_bound=bound,
        method=method,
        seconds=time.monotonic() - begun,
        relaxed=told,
    )


def _fitted(  # noqa: PLR0913  # a problem, and how long it may take
    site: Site,
    loads: Sequence[Load],
    alone: Sequence[Plan],
    *,
    until: float,
    gap: float,
    use_solver: bool,
) -> tuple[Together, float, Method]:
    """Return plans that hold, a bound, and how they were found."""
    search = Search(site, loads, alone)
    best = search.first(until)
    bound = search.bound_of(best)
    left = max(0.1, until - time.monotonic())
    if not (use_solver and has_highs()):
        best, bound = search.searched(best, bound=bound, seconds=left, gap=gap)
        return best, bound, Method.SEARCH
    late = any(
        relaxed.wish is Wish.DEADLINE and relaxed.unit == "s"
        for plan in best.plans
        for relaxed in plan.relaxed
    )
    found = solved_together(site, list(loads), late=late, seconds=left, gap=gap)
    if found is not None:
        fresh = search.of_pieces(found.pieces)
        if site.holds(found.pieces):
            fresh = search.improved(fresh, until)
            best = fresh if fresh.is_better_than(best) else best
        bound = max(search.bound_of(best), min(found.bound, best.value))
    return best, bound, Method.PROGRAMME
