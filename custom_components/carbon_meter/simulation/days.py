"""A simulation of a site by its days: which of them are known, and what each load does on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
import math
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from ..carbon.grade import BEST_FIRST, Grade
from ..planning.days import Turn, days_between, known_part
from ..planning.jobs.job import Around, Job, Task
from ..planning.signal import Signal
from ..planning.simulate import Cancellation
from ..planning.slots import Slots
from ..planning.usual import day_turns, task_turn, usual_starts
from ..planning.window import on_slots
from ..report_notes import Note

_KNOWN: Final = 0.999
"""The part of the time of which a figure has to be known to be taken."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Taking:
    """A load that takes part, as it was when the simulation began."""

    name: str
    job: Job
    around: Around
    task: Task | None = None
    """What it has to do now, where the simulation begins now."""

    level: float | None = None
    taken: float | None = None
    """Wh that it usually takes in a session."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """All that is read for a simulation of [start, end)."""

    start: float
    end: float
    zone: tzinfo
    signal: Signal
    takings: Sequence[Taking]
    grade: FloatArray
    """Places in BEST_FIRST for each slot of the signal."""

    notes: Sequence[Note] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Staged:
    """What is simulated of a scene."""

    turns: Sequence[Turn]
    days: Sequence[tuple[float, float]]
    known: float
    """For which part of the time the intensity is known."""

    grades: Mapping[str, float]
    """For which part it is of which grade."""

    priced: float | None
    """For which part the price is, None where there is none at all."""

    notes: Sequence[Note]


def staged(scene: Scene, cancellation: Cancellation) -> Staged:
    """Return what each load does on each day that is known; it computes, so in an executor.

    Raises CancelledError when `cancellation` asks for it.
    """
    days: list[tuple[float, float]] = []
    unknown: list[tuple[float, float]] = []
    for day in days_between(scene.start, scene.end, scene.zone):
        within = scene.signal.over(*day)
        is_known = known_part(within.slots, within.carbon) >= _KNOWN
        (days if is_known else unknown).append(day)
    within = scene.signal.over(scene.start, scene.end)
    known = known_part(within.slots, within.carbon)
    priced = None if within.price is None else known_part(within.slots, within.price)
    notes = [*scene.notes]
    if unknown:
        first = datetime.fromtimestamp(unknown[0][0], scene.zone).date()
        notes.append(
            Note(
                key="simulation_days_unknown",
                placeholders={"days": str(len(unknown)), "first": first.isoformat()},
            )
        )
    takings = scene.takings
    if priced is not None and not _is_priced(scene.signal, days):
        part = f"{100.0 * priced:.0f}"
        notes.append(Note(key="simulation_no_price", placeholders={"part": part}))
        takings = [_without_price(taking) for taking in takings]
    turns: list[Turn] = []
    for taking in takings:
        found = _turns(taking, days, cancellation)
        if not found and days:
            notes.append(Note(key="simulation_load_idle", placeholders={"load": taking.name}))
        turns += found
    usual = [taking.name for taking in takings if usual_starts(taking.job, *_whole(days))]
    if usual:
        notes.append(Note(key="simulation_usual", placeholders={"loads": ", ".join(usual)}))
    grades = _grades(scene, within.slots)
    if set(grades) == {Grade.YEARLY.value}:
        notes.append(Note(key="simulation_flat"))
    return Staged(turns=turns, days=days, known=known, grades=grades, priced=priced, notes=notes)


def _grades(scene: Scene, slots: Slots) -> dict[str, float]:
    """Return for which part of the time the intensity is of which grade, the best first."""
    grade = on_slots(scene.signal.slots, scene.grade, slots, np.nan)
    seconds = slots.seconds
    return {
        one.value: float(seconds[grade == place].sum() / seconds.sum())
        for place, one in enumerate(BEST_FIRST)
        if (grade == place).any()
    }


def _whole(days: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the time from the first to the last day."""
    return (days[0][0], days[-1][1]) if days else (0.0, 0.0)


def _turns(
    taking: Taking, days: Sequence[tuple[float, float]], cancellation: Cancellation
) -> list[Turn]:
    """Return what a load does on some days: first what it has to do now, then what is usual."""
    found: list[Turn] = []
    from_then = -math.inf
    if taking.task is not None:
        found.append(task_turn(taking.name, taking.task, taking.around))
        from_then = taking.task.end
    level = taking.level
    for start, end in days:
        cancellation.check()
        begin = max(start, from_then)
        if begin < end:
            found += day_turns(
                taking.name,
                taking.job,
                (begin, end),
                taking.around,
                level=level,
                taken=taking.taken,
            )
        level = None
    return found


def _without_price(taking: Taking) -> Taking:
    """Return a load that knows no price."""
    around = taking.around
    signal = replace(around.signal, price=None)
    return replace(taking, around=replace(around, signal=signal))


def _is_priced(signal: Signal, days: Sequence[tuple[float, float]]) -> bool:
    """Return whether the price of some days is known."""
    parts = [signal.over(*day) for day in days]
    return all(
        part.price is not None and known_part(part.slots, part.price) >= _KNOWN for part in parts
    )
