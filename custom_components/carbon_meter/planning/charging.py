"""Energy by deadlines: what an electric car, or anything else that can pause, needs.

A charger gives nothing or a power between a least and a most one, or one of a few levels (whole
amperes). Energy that does not fill a slot is given at a power that the charger knows for a part of
the slot, so that nothing is lost by the levels: the plan is optimal among all courses of power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import Self

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts
from .decision import decided
from .fill import Places, attainable, best_first, earliest_first, filled, in_pieces
from .objective import Objective
from .plan import NO_MARGIN, Margin, Piece, Plan, Relaxed, Wish
from .signal import Signal
from .slots import Slots
from .window import Course, Window, inside, on_slots


@dataclass(frozen=True, kw_only=True, slots=True)
class Charger:
    """Which powers in W there are beside none: from `least` to `most`, or only `levels`.

    Raises ImpossibleAmountError for powers that no charger has.
    """

    least: float
    most: float
    levels: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse impossible powers."""
        if not 0.0 <= amount("least", self.least) <= amount("most", self.most):
            raise ImpossibleAmountError("least", f"{self.least} W is more than {self.most} W")
        if self.most == 0.0:
            raise ImpossibleAmountError("most", "a charger gives some power")
        if list(self.levels) != sorted(set(self.levels)):
            raise ImpossibleAmountError("levels", "powers are listed from the least to the most")

    @classmethod
    def fixed(cls, power: float) -> Self:
        """Return what is on or off."""
        return cls(least=power, most=power)

    @classmethod
    def of_levels(cls, levels: Sequence[float]) -> Self:
        """Return the charger with so many powers in W."""
        sorted_levels = tuple(sorted(amounts("levels", levels).tolist()))
        if not sorted_levels:
            raise ImpossibleAmountError("levels", "a charger gives some power")
        return cls(least=sorted_levels[0], most=sorted_levels[-1], levels=sorted_levels)

    @classmethod
    def of_amperes(
        cls, least: int, most: int, *, phases: int = 1, volts: float = 230.0, step: int = 1
    ) -> Self:
        """Return the charger of whole amperes; IEC 61851 begins at 6 A."""
        if step < 1 or phases < 1:
            raise ImpossibleAmountError("step", "amperes rise, and there is a phase")
        return cls.of_levels([amps * phases * volts for amps in range(least, most + 1, step)])

    def at_most(self, limit: FloatArray) -> FloatArray:
        """Return the greatest power within a limit, 0 where even the least is beyond it."""
        if not self.levels:
            power = np.minimum(limit, self.most)
            return np.where(power >= self.least, power, 0.0)
        levels = np.array([0.0, *self.levels])
        return np.asarray(levels[np.searchsorted(levels, limit, side="right") - 1])

    def at_least(self, wanted: FloatArray) -> FloatArray:
        """Return the smallest power that is not less than what is wanted, or the greatest."""
        if not self.levels:
            return np.clip(wanted, self.least, self.most)
        levels = np.array(self.levels)
        places = np.searchsorted(levels, wanted * (1.0 - 1e-12))
        return np.asarray(levels[np.minimum(places, len(levels) - 1)])


class Kind(StrEnum):
    """How much a need matters."""

    MUST = "must"
    NICE = "nice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """Energy in Wh, beyond that of the needs before it, by a deadline (seconds since 1970 UTC)."""

    energy: float
    deadline: float
    kind: Kind = Kind.MUST

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        amount("energy", self.energy)
        amount("deadline", self.deadline, signed=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """When and how a car can charge.

    It is there from `start` on, but in the stretches it is `away`: a calendar of departures is
    one need for each and the times between leaving and coming back. `now` Wh are charged before
    anything else, whatever they weigh, as part of the needs. `limit` in W for each slot of the
    signal is what the house leaves of its fuse.
    """

    start: float
    charger: Charger
    now: float = 0.0
    away: tuple[tuple[float, float], ...] = ()
    quiet: tuple[tuple[float, float], ...] = ()
    limit: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        amount("now", self.now)

    def powers(self, known: Slots, slots: Slots) -> FloatArray:
        """Return the greatest power in W in each of some slots; the limit is for `known` ones.

        Where the limit is not known nothing is given; beyond the signal its least one holds.
        Raises ImpossibleAmountError where there is not one limit for each known slot.
        """
        limit = np.full(len(slots), math.inf)
        if self.limit is not None:
            if len(self.limit) != len(known):
                raise ImpossibleAmountError("limit", "there is not one limit for each slot")
            figures = np.where(np.isfinite(self.limit), self.limit, 0.0)
            limit = on_slots(known, figures, slots, beyond=float(figures.min(initial=math.inf)))
        powers = self.charger.at_most(limit)
        powers[inside(slots, self.away)] = 0.0
        return powers


def plan_charging(
    signal: Signal,
    objective: Objective,
    connection: Connection,
    needs: Sequence[Need],
    *,
    margin: Margin = NO_MARGIN,
) -> Plan:
    """Return when and how strongly to charge: optimal for all needs together.

    What cannot be met of a need that must be is told (`Wish.DEADLINE`, Wh), as is what is nice
    to have (`Wish.COMFORT`); what can be is met, first what must be. Energy that is not met is
    in the plan's and the baseline's energy alike: in neither.
    """
    needs = sorted(needs, key=lambda need: need.deadline)
    last = max([connection.start, *(need.deadline for need in needs)])
    quiet = connection.quiet
    window = Window(start=connection.start, end=last, quiet=quiet)
    marks = [moment for part in connection.away for moment in part]
    marks += [need.deadline for need in needs]
    course = Course.of(signal, objective, window, marks=marks)
    slots = course.weighing.slots
    powers = connection.powers(signal.slots, slots)
    room = powers * slots.hours
    within = [int(np.searchsorted(slots.starts, need.deadline)) for need in needs]
    must = [number for number, need in enumerate(needs) if need.kind is Kind.MUST]
    met = attainable(room, [need.energy for need in needs], within, must)
    task = _Task(
        room=room, powers=powers, met=met, within=within, now=connection.now, course=course
    )
    order = best_first(course.weighing.weights, course.quiet)
    energy = task.filled(order)
    best = task.in_pieces(energy, connection.charger)
    at_once = task.in_pieces(task.filled(earliest_first(course.quiet)), connection.charger)
    relaxed = [*_missing(needs, met), *task.broken_quiet(energy)]
    is_forced = any(
        each > 0.0 and each >= room[:count].sum() * (1.0 - 1e-9)
        for each, count in zip(np.cumsum(met).tolist(), within, strict=True)
    )
    return decided(
        course.weighing, best, at_once, margin=margin, relaxed=relaxed, is_forced=is_forced
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Task:
    """What fits into the slots, and what of it is asked for."""

    room: FloatArray
    powers: FloatArray
    met: list[float]
    within: list[int]
    now: float
    course: Course

    def filled(self, order: Places) -> FloatArray:
        """Return the energy of each slot in an order of slots, what is due now first."""
        total = sum(self.met)
        at_once = min(self.now, total)
        if at_once == 0.0:
            return filled(self.room, order, self.met, self.within)
        count = len(self.room)
        energy = filled(self.room, np.arange(count), [at_once], [count])
        # What is charged now counts for the needs in the order of their deadlines.
        left = np.diff(np.maximum(np.cumsum([0.0, *self.met]) - at_once, 0.0)).tolist()
        return energy + filled(self.room - energy, order, left, self.within)

    def in_pieces(self, energy: FloatArray, charger: Charger) -> tuple[Piece, ...]:
        """Return the pieces of the energy of each slot."""
        slots = self.course.weighing.slots
        parts = np.minimum(charger.at_least(energy / slots.hours), self.powers)
        return in_pieces(slots, energy, self.powers, parts)

    def broken_quiet(self, energy: FloatArray) -> list[Relaxed]:
        """Return for how long it runs in quiet hours."""
        quiet = self.course.quiet & (energy > 0.0)
        if not quiet.any():
            return []
        weights = self.course.weighing.weights
        free = self.filled(best_first(weights, np.zeros_like(quiet)))
        known = not (energy[~weights.known].any() or free[~weights.known].any())
        seconds = energy[quiet] / self.powers[quiet] * 3600.0
        cost = max(0.0, float(weights.first @ (energy - free))) if known else None
        return [Relaxed(wish=Wish.QUIET, amount=float(seconds.sum()), unit="s", cost=cost)]


def _missing(needs: Sequence[Need], met: Sequence[float]) -> list[Relaxed]:
    """Return what of the needs is not met."""
    found = []
    for kind, wish in ((Kind.MUST, Wish.DEADLINE), (Kind.NICE, Wish.COMFORT)):
        missing = sum(
            need.energy - each for need, each in zip(needs, met, strict=True) if need.kind is kind
        )
        if missing > 1e-9 * sum(need.energy for need in needs):
            found.append(Relaxed(wish=wish, amount=missing, unit="Wh"))
    return found
