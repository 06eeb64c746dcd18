"""A closed loop in virtual time: a job, its plans, the deadline guard, a device, and what fails.

What the Home Assistant side does with a job is done here in its simplest form: see, plan when that
is asked for, with each hour and with each edge of the plan, keep plans that are good, guard the
deadline, tell the device, and go on after a restart with what was written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
import json
import random
from typing import Any, Protocol

from custom_components.carbon_meter.loads.peak import greatest_power
from custom_components.carbon_meter.loads.stored import planned_as_dict, planned_from_dict
from custom_components.carbon_meter.planning.guard import must_run_now
from custom_components.carbon_meter.planning.jobs.job import (
    NO_TARGET,
    Around,
    Job,
    Planned,
    Seen,
    Target,
    Task,
)
from custom_components.carbon_meter.planning.jobs.keeping import kept
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, Piece
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.jobs.grid import HOUR, Grid

MINUTE = 60.0
DAY = 24 * HOUR
CARBON = Objective.carbon()
MARGIN = Margin(absolute=5.0, relative=0.02)
SLACK, RELAXING = 120.0, 600.0
"""Of the guard: as in `loads/load.py`."""

type Stretch = tuple[float, float]


class Device(Protocol):
    """What is planned, as it really is."""

    def step(self, now: float, seconds: float) -> None:
        """Let some seconds pass that end now."""

    def seen(self, now: float) -> dict[str, Any]:
        """Return what its sensors tell."""

    def differs(self, target: Target) -> bool:
        """Return whether it does something else than it should."""

    def obey(self, target: Target, now: float) -> None:
        """Do what it should."""


@dataclass(kw_only=True)
class Faults:
    """What goes wrong, and when."""

    blind: list[Stretch] = field(default_factory=list)
    """Nothing is seen."""

    deaf: list[Stretch] = field(default_factory=list)
    """What is told does not arrive."""

    down: list[Stretch] = field(default_factory=list)
    """The process was killed."""

    dark: list[Stretch] = field(default_factory=list)
    """There is no forecast."""

    clock: list[tuple[float, float, float]] = field(default_factory=list)
    """The clock is off by so many seconds."""

    delay: float = 0.0
    """Seconds until what is told arrives, at the most."""

    @property
    def all(self) -> list[Stretch]:
        """Return when anything is wrong."""
        return [
            *self.blind,
            *self.deaf,
            *self.down,
            *self.dark,
            *((a, b) for a, b, _ in self.clock),
        ]

    def off(self, moment: float) -> float:
        """Return by how much the clock is off."""
        return next((by for start, end, by in self.clock if start <= moment < end), 0.0)


def some_faults(
    chance: random.Random,
    start: float,
    days: int,
    *,
    often: float = 0.5,
    kinds: str = "blind deaf down dark clock",
    delay: float = 90.0,
) -> Faults:
    """Return faults of minutes to hours, of each kind so many a day."""
    lengths = {
        "blind": (60.0, 300.0, 1200.0, 7200.0, 14_400.0),
        "deaf": (600.0, 3600.0),
        "down": (20.0, 120.0, 900.0, 7200.0, 18_000.0),
        "dark": (3600.0, 30_000.0),
        "clock": (60.0, 600.0, 3600.0),
    }
    found: dict[str, list[Any]] = {kind: [] for kind in lengths}
    for kind in kinds.split():
        for _ in range(int(often * days)):
            begin = start + chance.uniform(0.05, days) * DAY
            stretch = (begin, begin + chance.choice(lengths[kind]) * chance.uniform(0.7, 1.3))
            off = chance.choice((-420.0, -90.0, 75.0, 300.0))
            found[kind].append((*stretch, off) if kind == "clock" else stretch)
    return Faults(**found, delay=delay)


class World:
    """One load, and all that happens to it."""

    def __init__(
        self,
        make: Callable[[], Job],
        device: Device,
        grid: Grid,
        faults: Faults,
        *,
        chance: random.Random,
        around: Callable[[Signal], Around] = lambda signal: Around(signal=signal),
        step: float = MINUTE,
    ) -> None:
        """Take the parts; `make` makes the job anew after a restart."""
        self.make, self.job = make, make()
        self.device, self.grid, self.faults, self.chance = device, grid, faults, chance
        self.around = around
        self.step = step
        self.planned: Planned | None = None
        self.task: Task | None = None
        self.target = NO_TARGET
        self.is_guarded = False
        self.done: list[tuple[float, tuple[Piece, ...]]] = []
        self.restarts = 0
        self.plans = 0
        self.told: list[tuple[float, Target]] = []
        """Each target that is another than before."""

        self.moment = grid.start
        self._was_down = False
        self._stored: str | None = None
        self._saved_at = 0.0
        self._due: float | None = None
        self._edges: list[float] = []
        self._hour = -1

    def run(self, until: float, each: Callable[[float], None] | None = None) -> None:
        """Let time pass."""
        while self.moment < until:
            seconds = self.step * self.chance.uniform(0.5, 1.0)
            self.moment += seconds
            now = self.moment
            self.device.step(now, seconds)
            if each is not None:
                each(now)
            if _within(now, self.faults.down):
                self._was_down = True
                continue
            if self._was_down:
                self._restart()
            self._observe(now + self.faults.off(now))
            self._tell(now)

    def _observe(self, clock: float) -> None:
        is_blind = _within(self.moment, self.faults.blind)
        seen = {} if is_blind else self.device.seen(self.moment)
        needed = self.job.see(Seen(moment=clock, **seen))
        pieces = self.job.done()
        if pieces is not None:
            self.done.append((self.moment, pieces))
            if self.task is None or not self.task.is_rolling:
                self.planned, needed = None, True
            self._save()
        needed |= self._look(clock)
        hour = int(clock // HOUR)
        if needed or hour != self._hour or (self._edges and clock >= self._edges[0]):
            self._hour = hour
            self.plan(clock)
        if self.target.run and self.moment - self._saved_at > 300.0:
            self._save()

    def plan(self, clock: float) -> None:
        """Plan anew."""
        self.plans += 1
        signal = self.grid.forecast(
            clock, is_known=not _within(self.moment, self.faults.dark)
        ).over(clock, clock + 72 * HOUR)
        around = self.around(signal)
        self.task = task = self.job.task(clock, around)
        self._edges = []
        if task is None:
            if not (self.planned is not None and self.job.target(self.planned, clock).run):
                self.planned = None
            self._look(clock)
            return
        new = task.planned(signal, CARBON, margin=MARGIN)
        if self.planned is not None and not task.is_rolling:
            closed = getattr(task, "closed", ())
            plan = kept(
                self.planned.plan,
                new.plan,
                MARGIN,
                signal=signal,
                objective=CARBON,
                now=clock,
                closed=closed,
            )
            new = new if plan is new.plan else replace(new, plan=plan)
        self.planned = new
        moments = {each for piece in new.plan.pieces for each in (piece.start, piece.end)}
        if task.is_rolling:
            moments |= set(new.plan.slots.ends.tolist())
        self._edges = sorted(each for each in moments if each > clock)
        self._look(clock)
        self._save()

    def _look(self, clock: float) -> bool:
        target = self.job.target(self.planned, clock)
        was = self.is_guarded
        task = None
        if self.task is None or not self.task.is_rolling:
            around = Around(signal=self.grid.forecast(clock))
            task = self.job.task(clock, around)
        self.is_guarded = (
            task is not None
            and not task.is_rolling
            and task.deadline is not None
            and must_run_now(
                now=clock,
                deadline=task.deadline,
                run_time=task.run_time,
                slack=RELAXING if was else SLACK,
            )
        )
        if self.is_guarded and task is not None and not target.run:
            target = replace(target, run=True, power=greatest_power(task))
        if target != self.target:
            self.told.append((self.moment, target))
        before = self.target.run, self.target.setpoint
        is_other = (target.run, target.setpoint) != before
        self.target = target
        if is_other:
            self._save()
        return self.is_guarded and not was

    def _tell(self, now: float) -> None:
        if not self.device.differs(self.target):
            self._due = None
        elif self._due is None:
            self._due = now + self.chance.uniform(0.0, self.faults.delay)
        if self._due is not None and now >= self._due:
            if _within(now, self.faults.deaf):
                self._due = now + 300.0
            else:
                self.device.obey(self.target, now)
                self._due = None

    def _save(self) -> None:
        self._saved_at = self.moment
        planned = None if self.planned is None else planned_as_dict(self.planned)
        self._stored = json.dumps({"job": self.job.as_dict(), "planned": planned})

    def _restart(self) -> None:
        self._was_down = False
        self.restarts += 1
        self.job = self.make()
        self.planned, self.target, self.is_guarded, self._hour = None, NO_TARGET, False, -1
        self._due = None
        if self._stored is None:
            return
        stored: Mapping[str, Any] = json.loads(self._stored)
        self.job.restore(stored["job"])
        if stored["planned"] is not None:
            planned = planned_from_dict(stored["planned"])
            end = planned.plan.end
            if end is not None and end > self.moment:
                self.planned = planned


class Course:
    """The power that was really taken, as pieces."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.pieces: list[Piece] = []

    def add(self, now: float, seconds: float, power: float) -> None:
        """Take the mean power of some seconds that end now."""
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last.power == power and abs(last.end - (now - seconds)) < 1e-3:
            self.pieces[-1] = Piece(last.start, now, power)
        else:
            self.pieces.append(Piece(now - seconds, now, power))

    def within(self, start: float, end: float) -> list[Piece]:
        """Return what was taken in some time."""
        return [
            Piece(max(piece.start, start), min(piece.end, end), piece.power)
            for piece in self.pieces
            if piece.end > start and piece.start < end
        ]

    def energy(self, start: float, end: float) -> float:
        """Return the Wh of some time."""
        return sum(piece.energy for piece in self.within(start, end))

    def runs(self) -> list[Stretch]:
        """Return from when to when it took something."""
        found: list[Stretch] = []
        for piece in self.pieces:
            if piece.power <= 0.0:
                continue
            if found and piece.start - found[-1][1] < 1e-3:
                found[-1] = (found[-1][0], piece.end)
            else:
                found.append((piece.start, piece.end))
        return found


def overlaps(start: float, end: float, stretches: list[Stretch], around: float = 0.0) -> bool:
    """Return whether any of some stretches touches [start, end), or comes as near."""
    return any(begin - around < end and until + around > start for begin, until in stretches)


def _within(moment: float, stretches: list[Stretch]) -> bool:
    return any(start <= moment < end for start, end in stretches)
