"""The deadline of a load: whether it has to run now for it, and whether it may be missed."""

from typing import Final

from ..planning.guard import must_run_now
from ..planning.jobs.job import Task
from ..planning.loads import BlockLoad
from ..planning.plan import Plan, Wish

_SLACK: Final = 120.0
"""Seconds before the last moment at which a load runs, whatever its plan."""

_RELAXING: Final = 600.0
"""Seconds of slack at which the guard lets go again: it does not come and go with each reading."""

_LATE: Final = 60.0
_MISSING: Final = 0.01
"""Seconds after a deadline, and the part of the energy missing at it, that are told."""


class DeadlineGuard:
    """Watches over the deadline of what is done one day."""

    def __init__(self) -> None:
        """Start at rest."""
        self.must_run = False
        """Whether the time that is left is needed."""

    def look(self, task: Task | None, now: float) -> bool:
        """Look at what is to be done now; return whether it has to run from now on."""
        before = self.must_run
        self.must_run = (
            task is not None
            and task.deadline is not None
            and must_run_now(
                now=now,
                deadline=task.deadline,
                run_time=task.run_time,
                slack=_RELAXING if before else _SLACK,
            )
        )
        return self.must_run and not before


def may_miss(task: Task | None, plan: Plan | None, now: float) -> bool:
    """Return whether a deadline may be missed: by the plan, or as no time is left."""
    if plan is not None and is_late(plan):
        return True
    if task is None or task.deadline is None:
        return False
    left = _left(task)
    return left > 0.0 and now + left > task.deadline + _LATE


def has_time(task: Task, now: float) -> bool:
    """Return whether time is to spare: what runs now does so for something else."""
    return task.deadline is None or now + _left(task) <= task.deadline - _RELAXING


def _left(task: Task) -> float:
    """Return for how many seconds it still has to run; of a run that goes on what is left of it."""
    if isinstance(task.load, BlockLoad):
        return task.load.profile.duration
    return task.run_time


def is_late(plan: Plan) -> bool:
    """Return whether a plan misses its deadline by more than what is rounding to a user."""
    return any(
        each.amount > (_LATE if each.unit == "s" else _MISSING * plan.energy)
        for each in plan.relaxed
        if each.wish is Wish.DEADLINE
    )
