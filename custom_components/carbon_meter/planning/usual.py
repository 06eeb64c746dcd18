"""What a load has to do on a usual day: for simulations of days on which nobody knows what it did.

It is what the load's own settings say, done by a new job of the same kind. An appliance is made
ready, and a car plugged in, `LEAD` before its time; a run time begins with its window. Stores and
zones go through the day as they are.
"""

from datetime import time, tzinfo
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .days import Turn
from .jobs.air import AirJob
from .jobs.appliance import ApplianceJob
from .jobs.charge import ChargeJob, ChargeSettings
from .jobs.job import Around, Job, Seen, Task
from .jobs.light import LightJob
from .jobs.run_time import RunTimeJob
from .jobs.storage import StorageJob
from .jobs.times import daily_window, next_at
from .jobs.warmth import WarmthJob
from .slots import Slots
from .window import on_slots

LEAD: Final = 43_200.0
"""Seconds before its time at which an appliance is made ready and a car plugged in: a night."""

DRIVEN: Final = 20.0
"""Per cent of its content that a car comes home without, where it has not been seen charging."""


def day_turns(  # noqa: PLR0913  # a load, a day, and what is known of both
    name: str,
    job: Job,
    day: tuple[float, float],
    around: Around,
    *,
    level: float | None = None,
    taken: float | None = None,
) -> list[Turn]:
    """Return what a load does on a day, none for nothing; it belongs to the day it begins on.

    `around` reaches beyond the day, as far as what begins on it may end. `level` is the
    temperature or content in per cent of a store when the day begins, `taken` the Wh that a car
    usually takes in a session.
    """
    if isinstance(job, ApplianceJob | ChargeJob | RunTimeJob):
        tasks = [usual_task(job, start, around, taken=taken) for start in usual_starts(job, *day)]
        return [task_turn(name, task, around) for task in tasks if task is not None]
    if not isinstance(job, AirJob | LightJob | StorageJob | WarmthJob):
        return []
    within = around_over(around, *day)
    return [Turn(name=name, member=job.member(within, level), signal=within.signal)]


def task_turn(name: str, task: Task, around: Around) -> Turn:
    """Return the turn of one task."""
    return Turn(name=name, member=task.member, signal=around.signal.over(task.start, task.end))


def usual_starts(job: Job, start: float, end: float) -> list[float]:
    """Return when in [start, end) a load has something to do; nothing for stores and zones."""
    match job:
        case ApplianceJob():
            return _before(job.settings.finish_by, job.settings.zone, start, end)
        case ChargeJob():
            return _before(job.settings.ready_by, job.settings.zone, start, end)
        case RunTimeJob():
            return _windows(job, start, end)
    return []


def usual_task(
    job: Job, start: float, around: Around, *, taken: float | None = None
) -> Task | None:
    """Return what a load has to do from one of its `usual_starts` on, None for nothing.

    The job itself is left alone.
    """
    match job:
        case ApplianceJob():
            appliance = ApplianceJob(job.settings)
            appliance.ready(start)
            return appliance.task(start, around)
        case ChargeJob():
            car = ChargeJob(job.settings)
            car.see(Seen(moment=start, is_wanted=True, level=_level(job.settings, taken)))
            return car.task(start, around)
        case RunTimeJob():
            return RunTimeJob(job.settings).task(start, around)
    return None


def around_over(around: Around, start: float, end: float) -> Around:
    """Return what surrounds a load in [start, end)."""
    signal, known = around.signal.over(start, end), around.signal.slots
    return Around(
        signal=signal,
        outside=_row(known, around.outside, signal.slots),
        net=_row(known, around.net, signal.slots),
    )


def _row(known: Slots, figures: FloatArray | None, slots: Slots) -> FloatArray | None:
    """Return figures in other slots, NaN where they do not reach."""
    return None if figures is None else on_slots(known, figures, slots, np.nan)


def _level(settings: ChargeSettings, taken: float | None) -> float | None:
    """Return the per cent with which a car comes home, None where it has no level."""
    if not settings.capacity:
        return None
    driven = DRIVEN
    if taken is not None:
        driven = 100.0 * taken * settings.efficiency / settings.capacity
    return max(0.0, settings.target - driven)


def _before(at: time, zone: tzinfo, start: float, end: float) -> list[float]:
    """Return the moments of [start, end) that lie `LEAD` before a time of day."""
    found: list[float] = []
    due = next_at(start + LEAD - 1.0, at, zone)
    while due - LEAD < end:
        if due - LEAD >= start:
            found.append(due - LEAD)
        due = next_at(due, at, zone)
    return found


def _windows(job: RunTimeJob, start: float, end: float) -> list[float]:
    """Return when in [start, end) a window of a run time begins."""
    settings = job.settings
    found: list[float] = []
    begin, stop = daily_window(start, settings.begin, settings.end, settings.zone)
    while begin < end:
        if begin >= start:
            found.append(begin)
        begin, stop = daily_window(stop, settings.begin, settings.end, settings.zone)
    return found
