"""A planner for one job, as simple as can be: it plans again and again, and keeps what is good."""

from custom_components.carbon_meter.planning.jobs.job import Around, Job, Planned, Seen, Target
from custom_components.carbon_meter.planning.jobs.keeping import kept
from custom_components.carbon_meter.planning.jobs.tasks import MovableTask
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import NO_MARGIN, Margin, Piece
from custom_components.carbon_meter.planning.signal import Signal

CARBON = Objective.carbon()


class Follower:
    """Follows a job: sees for it, plans when it is asked to and every so many seconds."""

    def __init__(
        self, job: Job, signal: Signal, *, every: float = 900.0, margin: Margin = NO_MARGIN
    ) -> None:
        """Take the job and what is forecast."""
        self.job = job
        self.signal = signal
        self.planned: Planned | None = None
        self.task: MovableTask | None = None
        self.targets: list[tuple[float, Target]] = []
        self.done: list[tuple[Piece, ...]] = []
        self._every = every
        self._margin = margin
        self._made = 0.0

    def step(self, seen: Seen) -> Target:
        """Take what is seen, plan where that is needed, and return what the load should do."""
        now = seen.moment
        is_needed = self.job.see(seen)
        if (pieces := self.job.done()) is not None:
            self.done.append(pieces)
            self.planned = None
        if is_needed or now - self._made >= self._every:
            self.plan(now)
        target = self.job.target(self.planned, now)
        self.targets.append((now, target))
        return target

    def plan(self, now: float) -> None:
        """Plan anew."""
        self._made = now
        task = self.job.task(now, Around(signal=self.signal))
        assert task is None or isinstance(task, MovableTask)
        self.task = task
        if task is None:
            self.planned = None
            return
        new = task.planned(self.signal, CARBON, margin=self._margin)
        if self.planned is not None:
            plan = kept(
                self.planned.plan,
                new.plan,
                self._margin,
                signal=self.signal,
                objective=CARBON,
                now=now,
                closed=task.closed,
            )
            new = Planned(plan=plan)
        self.planned = new

    @property
    def switched(self) -> list[tuple[float, bool]]:
        """Return when the load was told to run, and when not to."""
        found: list[tuple[float, bool]] = []
        for moment, target in self.targets:
            if target.run is not None and (not found or found[-1][1] != target.run):
                found.append((moment, target.run))
        return found
