"""A job and the body, or the battery, that it looks after, minute by minute, without a clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from custom_components.carbon_meter.planning.jobs.job import (
    Around,
    Job,
    Planned,
    Seen,
    Target,
)
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.problems import HOUR, START, hourly

MINUTE = 60.0


def wave(days: int, *, seed: int = 0) -> Signal:
    """Return hours that are clean in the afternoon and dirty in the morning, and never the same."""
    hours = np.arange(24 * days)
    noise = np.random.default_rng(seed).normal(0.0, 20.0, len(hours))
    return hourly((300.0 + 150.0 * np.sin(hours * np.pi / 12.0) + noise).tolist())


@dataclass
class Course:
    """What happened, minute by minute."""

    levels: list[float] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    powers: list[float] = field(default_factory=list)
    carbon: float = 0.0
    """gCO2eq."""

    @property
    def energy(self) -> float:
        """Return the Wh that were taken."""
        return sum(self.powers) / 60.0

    @property
    def intensity(self) -> float:
        """Return gCO2eq for each kWh that was taken."""
        return self.carbon / self.energy * 1000.0


def follow(
    job: Job,
    signal: Signal,
    level: float,
    device: Callable[[Target, float], float],
    body: Callable[[float, float, float], float],
    *,
    days: float = 1.0,
    outside: float | None = None,
    see: Callable[[Seen], Seen] = lambda seen: seen,
    objective: Objective | None = None,
) -> Course:
    """Return what comes of a job that is planned anew each quarter of an hour, or when it asks.

    `device` turns a target and a level into a power in W, `body` a moment, a level and that power
    into the level a minute later.
    """
    course, planned, power, minute = Course(), None, 0.0, 0
    carbon = signal.carbon
    while minute < days * 24 * 60:
        now = START + minute * MINUTE
        asks = job.see(see(Seen(moment=now, level=level, power=power, is_on=power > 0.0)))
        if asks or minute % 15 == 0:
            planned = plan(job, signal, now, outside=outside, objective=objective)
        target = job.target(planned, now)
        power = device(target, level)
        level = body(now, level, power)
        course.levels.append(level)
        course.targets.append(target)
        course.powers.append(power)
        course.carbon += power / 60.0 / 1000.0 * float(carbon[int((now - START) // HOUR)])
        minute += 1
    return course


def plan(
    job: Job,
    signal: Signal,
    now: float,
    *,
    outside: float | None = None,
    objective: Objective | None = None,
) -> Planned | None:
    """Return the plan of a job at a moment."""
    ahead = signal.over(now, min(now + 72 * HOUR, signal.slots.end))
    figures = None if outside is None else np.full(len(ahead.slots), outside)
    task = job.task(now, Around(signal=ahead, outside=figures))
    return None if task is None else task.planned(ahead, objective or Objective.carbon())
