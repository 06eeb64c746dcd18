"""One round of planning: what loads want, and what becomes of it."""

from ..planning.jobs.job import Around, Job, Planned
from ..planning.plan import Plan
from .computing import Wanted
from .load import Load


class Round:
    """The loads that are planned together, at one moment."""

    def __init__(self, now: float, site: Around) -> None:
        """Begin with what surrounds the site."""
        self.now = now
        self.site = site
        self.wanted: list[Wanted] = []
        self.others: list[Plan] = []
        """What loads go on with that cannot say what they want."""

        self._jobs: dict[str, Job] = {}

    def take(self, load: Load, around: Around) -> None:
        """Ask a load what it has to do; where that is nothing, its plan is over.

        Whatever the load raises is raised; it goes on with its plan.
        """
        load.around = around
        plan = None if load.planned is None else load.planned.plan
        try:
            task = load.job.task(self.now, around)
        except Exception:
            self.others += [] if plan is None else [plan]
            raise
        if task is None:
            load.clear(self.now)
        else:
            self.wanted.append(Wanted(id=load.id, task=task, around=around, old=plan))
        self._jobs[load.id] = load.job

    def give(self, load: Load, planned: Planned | Exception | None) -> bool:
        """Let a load follow its new plan; return whether all is well with it.

        An exception in the place of a plan is raised, and so is what the load raises. What was
        changed by hand in the meantime is planned anew anyway.
        """
        if isinstance(planned, Exception):
            raise planned
        if load.id not in self._jobs:
            return False
        wanted = next((each for each in self.wanted if each.id == load.id), None)
        if planned is not None and wanted is not None and load.job is self._jobs[load.id]:
            load.adopt(planned, wanted.task, self.now)
        return True
