"""A run time in runs: for what may pause, but not as often as it likes.

Time is cut into cells of one length that divides the slots, the least run, the least pause and
the run time, as far as they have a common divisor that is not too short. An optimal plan then
switches at edges of cells only: for given runs in given slots the switching times are a linear
programme of differences with one more row, the run time, whose corners are whole numbers of
cells. Where cells are not exact, the bound of the plan is that of a load that has to do less.
"""

from dataclasses import dataclass, replace
import math
from typing import Final, Self

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from .block import Profile, plan_block
from .decision import decided
from .fill import best_first, filled
from .objective import SAME, Objective, settled
from .plan import NO_MARGIN, Margin, Piece, Plan, Relaxed, Wish, energies, joined, runs
from .runs import Cells, RunRules, best_runs
from .signal import Signal
from .window import Course, Window

_MOST: Final = 400_000
"""Cells times cells that run: what the programme may take, some tens of milliseconds."""

_FINE: Final = 300
"""Seconds of a cell where the window does not begin with a slot: not more than that is lost."""


type Stretch = tuple[float, float]
"""From when to when it runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a load may switch: seconds of the least run and pause, starts at the most.

    `per_start` is what each start adds to the objective, in g or currency. A single run may be
    shorter than `least_run` when the run time is. Raises ImpossibleAmountError for numbers that
    are negative or not finite.
    """

    least_run: float = 0.0
    least_pause: float = 0.0
    most_starts: int | None = None
    per_start: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        amount("least_run", self.least_run)
        amount("least_pause", self.least_pause)
        amount("per_start", self.per_start)
        if self.most_starts is not None and self.most_starts < 0:
            raise ImpossibleAmountError("most_starts", "starts cannot be negative")


FREELY: Final = Rules()
"""A load that may switch as often as it likes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Whether a load runs at the start of its window, and for how many seconds it has."""

    is_on: bool
    seconds: float = math.inf


RESTED: Final = State(is_on=False)
"""A load that may start at once."""


def plan_run_time(  # noqa: PLR0913  # a load, its window and its rules
    signal: Signal,
    objective: Objective,
    window: Window,
    rules: Rules,
    *,
    power: float,
    run_time: float,
    state: State = RESTED,
    margin: Margin = NO_MARGIN,
) -> Plan:
    """Return when a load of one power in W runs, `run_time` seconds in all, by the rules.

    What does not fit into the window is told as energy that is missing (`Wish.DEADLINE`, Wh), and
    a pause that had to be cut short at the start as seconds (`Wish.COMFORT`). Raises
    ImpossibleAmountError for a power that is not above 0 and a run time that is negative.
    """
    if amount("power", power) == 0.0:
        raise ImpossibleAmountError("power", "a load draws something")
    wanted = amount("run_time", run_time)
    course = Course.of(signal, objective, window, per_start=rules.per_start)
    seconds = min(wanted, window.seconds)
    relaxed = []
    if wanted - seconds > SAME * wanted:
        missing = power * (wanted - seconds) / 3600.0
        relaxed.append(Relaxed(wish=Wish.DEADLINE, amount=missing, unit="Wh"))
    wait = 0.0 if state.is_on else max(0.0, rules.least_pause - state.seconds)
    if wait > window.seconds - seconds:
        short = wait - (window.seconds - seconds)
        relaxed.append(Relaxed(wish=Wish.COMFORT, amount=short, unit="s"))
        wait -= short
    task = _Task(
        course=course,
        window=window,
        rules=rules,
        state=state,
        power=power,
        seconds=seconds,
        wait=wait,
    )
    at_once = task.at_once(signal, objective)
    pieces, bound = task.best(at_once)
    quiet = task.in_quiet(pieces)
    if quiet > 0.0:
        anytime = replace(task, course=replace(course, quiet=np.zeros_like(course.quiet)))
        cost = task.worse(pieces, anytime.best(at_once)[0])
        relaxed.append(Relaxed(wish=Wish.QUIET, amount=quiet, unit="s", cost=cost))
    return decided(
        course.weighing,
        pieces,
        at_once,
        margin=margin,
        relaxed=relaxed,
        bound=bound,
        starts=(task.new_starts(pieces), task.new_starts(at_once)),
        is_forced=seconds + wait >= window.seconds * (1.0 - SAME),
        is_at_once_good=task.in_quiet(at_once) <= quiet + 1e-3,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Grid:
    """Cells of `unit` seconds from `origin` on."""

    origin: float
    unit: int
    count: int

    @classmethod
    def of(cls, task: _Task) -> Self:
        """Return the longest cells that divide all there is, if they are not too many."""
        start, end = task.window.start, task.window.end
        anchor, common = task.lattice()
        if task.state.is_on:
            anchor = start
        if (start - anchor) % common or (end - anchor) % common:
            common = math.gcd(common, _FINE)
        rules = task.rules
        shortest = math.sqrt((end - start) * task.seconds * (1 + (rules.most_starts or 0)) / _MOST)
        unit = math.gcd(common, round(task.seconds))
        if unit < shortest:
            fitting = [each for each in _divisors(common) if each >= shortest]
            unit = fitting[0] if fitting else math.ceil(shortest / common) * common
        origin = anchor + math.ceil((start - anchor) / unit - 1e-9) * unit
        return cls(origin=origin, unit=unit, count=int((end - origin) / unit + 1e-9))

    @classmethod
    def around(cls, task: _Task, unit: int) -> Self | None:
        """Return cells of a unit that reach over the window; None if it does not divide slots."""
        anchor, common = task.lattice()
        if common % unit:
            return None
        first = math.floor((task.window.start - anchor) / unit + 1e-9)
        last = math.ceil((task.window.end - anchor) / unit - 1e-9)
        return cls(origin=anchor + first * unit, unit=unit, count=last - first)

    @property
    def edges(self) -> FloatArray:
        """Return where cells begin and end."""
        return self.origin + self.unit * np.arange(self.count + 1, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Task:
    """A load with its rules in the slots of its window."""

    course: Course
    window: Window
    rules: Rules
    state: State
    power: float
    seconds: float
    wait: float

    def lattice(self) -> tuple[float, int]:
        """Return an edge of a slot, and the longest time that divides slots, runs and pauses."""
        edges, rules = self.course.weighing.slots.edges[1:-1], self.rules
        lengths = np.round(np.diff(edges)).astype(np.int64)
        common = math.gcd(
            int(np.gcd.reduce(lengths)) if len(lengths) else 0,
            math.ceil(rules.least_run),
            math.ceil(rules.least_pause),
        )
        anchor = float(edges[0]) if len(edges) else self.window.start
        return anchor, common or max(1, round(self.seconds))

    def at_once(self, signal: Signal, objective: Objective) -> tuple[Piece, ...]:
        """Return one run as early as possible, as far as possible not in quiet hours.

        What runs goes on: to stop it at once its rules may forbid.
        """
        start = self.window.start + self.wait
        if self.course.quiet.any() and self.seconds and not self.state.is_on:
            free = Window(start=start, end=self.window.end, quiet=self.window.quiet)
            return plan_block(
                signal, objective, Profile.flat(self.power, self.seconds), free
            ).baseline_pieces
        return joined([Piece(start, start + self.seconds, self.power)])

    def best(self, at_once: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], float | None]:
        """Return the best runs and a lower bound, None where they are optimal."""
        if self.seconds == 0.0:
            return (), None
        grid = _Grid.of(self)
        pieces, is_exact = self._pieces(grid)
        if is_exact:
            return pieces, None
        return pieces or at_once, self._bound(grid.unit)

    def _pieces(self, grid: _Grid) -> tuple[tuple[Piece, ...], bool]:
        """Return the best runs, and whether nothing else can be better; none if there are none."""
        count = math.ceil(self.seconds / grid.unit - 1e-9)
        if count > grid.count or count == 0:
            return (), False
        found = best_runs(self._cells(grid), self._run_rules(grid, count))
        if found is None:
            return (), False
        excess = count * grid.unit - self.seconds
        stretches = [
            (grid.origin + first * grid.unit, grid.origin + last * grid.unit)
            for first, last in found
        ]
        if excess > 1e-6:
            stretches = self._cut(stretches, excess)
        is_exact = excess <= 1e-6 and self._is_exact(grid)
        return joined(Piece(start, end, self.power) for start, end in stretches), is_exact

    def _is_exact(self, grid: _Grid) -> bool:
        """Return whether everything lies on edges of cells."""
        rules, slots = self.rules, self.course.weighing.slots
        moments = np.concatenate([slots.edges - grid.origin, [rules.least_run, rules.least_pause]])
        off = np.abs(moments - np.round(moments / grid.unit) * grid.unit)
        begun = self._still() if self.state.is_on else self.wait
        return bool((off <= 1e-6).all()) and begun % grid.unit == 0.0

    def _cells(self, grid: _Grid) -> Cells:
        """Return what the cells of a grid cost, for each Wh of one cell."""
        weights, slots = self.course.weighing.weights, self.course.weighing.slots
        edges = grid.edges
        at = np.searchsorted(slots.ends, edges[:-1], side="right")
        to = np.searchsorted(slots.starts, edges[1:], side="left") - 1
        within = at == to

        def costs(row: FloatArray) -> FloatArray:
            # A cell inside of a slot has no rounding of sums: equal slots have equal cells.
            if within.all():
                return row[at]
            sums = np.concatenate([[0.0], np.cumsum(row * slots.seconds)])
            means = np.diff(np.interp(edges, slots.edges, sums)) / grid.unit
            return np.where(within, row[at], means)

        return Cells(
            first=costs(settled(weights.first)),
            second=costs(settled(weights.second)),
            per_start=self.rules.per_start / (self.power * grid.unit / 3600.0),
            quiet=self.course.quiet[at] | self.course.quiet[to],
            unknown=~weights.known[at] | ~weights.known[to],
        )

    def _run_rules(self, grid: _Grid, count: int) -> RunRules:
        """Return the rules in cells."""
        rules, unit = self.rules, grid.unit
        least = min(max(1, math.ceil(rules.least_run / unit - 1e-9)), count)
        most = rules.most_starts
        if most is not None and not self.state.is_on:
            most = max(most, 1)
        if rules.least_run > 0.0:
            # In whole cells more runs might fit than in the run time, and one would be cut short.
            left = max(0.0, self.seconds - self._still()) + 1e-6
            fitting = max(int(left / rules.least_run), 0 if self.state.is_on else 1)
            most = fitting if most is None else min(most, fitting)
        if most is not None and most >= count // least:
            most = None
        running = None
        if self.state.is_on:
            running = min(math.ceil(self._still() / unit - 1e-9), count)
        wait = max(0.0, self.window.start + self.wait - grid.origin)
        return RunRules(
            count=count,
            on=least,
            off=max(1, math.ceil(rules.least_pause / unit - 1e-9)),
            most=most,
            running=running,
            wait=min(math.ceil(wait / unit - 1e-9), grid.count - count),
        )

    def _cut(self, stretches: list[Stretch], excess: float) -> list[Stretch]:
        """Return runs that are shorter by an excess, where it is worst and the rules allow it."""
        while excess > 1e-6:
            spare = [self._spare(each) for each in stretches]
            if max(spare) <= 1e-6:
                # A single run that is shorter than the least, as the run time is.
                spare = [end - start for start, end in stretches]
            options = [
                (self._badness(edge), number, at_end)
                for number, (start, end) in enumerate(stretches)
                for at_end, edge in ((True, end - 1.0), (False, start + 1.0))
                if spare[number] > 1e-6 and (at_end or not self._goes_on(start))
            ]
            _, number, at_end = max(options)
            taken = min(excess, spare[number])
            start, end = stretches[number]
            stretches[number] = (start, end - taken) if at_end else (start + taken, end)
            excess -= taken
        return stretches

    def _spare(self, stretch: Stretch) -> float:
        """Return by how many seconds a run may be shorter."""
        start, end = stretch
        return end - start - (self._still() if self._goes_on(start) else self.rules.least_run)

    def _goes_on(self, start: float) -> bool:
        """Return whether a run that starts then was running before."""
        return self.state.is_on and start <= self.window.start

    def _still(self) -> float:
        """Return for how many seconds the run that goes on has to."""
        return max(0.0, self.rules.least_run - self.state.seconds) if self.state.is_on else 0.0

    def _badness(self, moment: float) -> tuple[bool, bool, float]:
        """Return how bad it is to run at a moment."""
        place = self.course.weighing.slots.index(moment)
        weights = self.course.weighing.weights
        return (
            bool(self.course.quiet[place]),
            not weights.known[place],
            float(weights.first[place]),
        )

    def in_quiet(self, pieces: tuple[Piece, ...]) -> float:
        """Return for how many seconds pieces run in quiet hours."""
        if not self.course.quiet.any():
            return 0.0
        energy = energies(self.course.weighing.slots, pieces)
        return float(energy[self.course.quiet].sum()) / self.power * 3600.0

    def new_starts(self, pieces: tuple[Piece, ...]) -> int:
        """Return how many runs begin that were not running before."""
        return len(runs(pieces)) - (bool(pieces) and self._goes_on(pieces[0].start))

    def worse(self, pieces: tuple[Piece, ...], others: tuple[Piece, ...]) -> float | None:
        """Return by how much the objective of pieces is worse; None where it is not known."""
        weighing = self.course.weighing
        ours, theirs = (
            weighing.outcome(each, starts=self.new_starts(each)) for each in (pieces, others)
        )
        return max(0.0, ours.value - theirs.value) if ours.unknown == theirs.unknown else None

    def _bound(self, unit: int) -> float:
        """Return a value of the objective that nothing can beat.

        Without the rules the load runs in the best slots. Where all that is known costs
        something, it can as well run a little less, in runs that are a little shorter, in a
        window that reaches to edges of cells, and then cells are exact.
        """
        weights = self.course.weighing.weights
        free = self._bound_without_rules()
        grid = _Grid.around(self, unit)
        count = math.floor(self.seconds / unit)
        if grid is None or count == 0 or (weights.first < 0.0).any() or not weights.known.all():
            return free
        rules = self._run_rules(grid, count)
        relaxed = replace(
            rules,
            on=max(1, rules.on - 2),
            running=None if rules.running is None else max(0, rules.running - 3),
            wait=max(0, rules.wait - 1),
        )
        cells = replace(self._cells(grid), quiet=np.zeros(grid.count, dtype=np.bool_))
        if relaxed.running:
            # The run that goes on begins inside of the first cell.
            cells.first[0] *= 1.0 - (self.window.start - grid.origin) / unit
        found = best_runs(cells, relaxed)
        if found is None:
            return free
        starts = len(found) - (rules.running is not None and found[0][0] == 0)
        value = sum(float(cells.first[first:last].sum()) for first, last in found)
        return max(free, (value + cells.per_start * starts) * self.power * unit / 3600.0)

    def _bound_without_rules(self) -> float:
        """Return the objective where it may switch as often as it likes, also in quiet hours."""
        weighing = self.course.weighing
        room = self.power * weighing.slots.hours
        order = best_first(weighing.weights, np.zeros(len(room), dtype=np.bool_))
        energy = filled(room, order, [self.power * self.seconds / 3600.0], [len(room)])
        starts = 0 if self.state.is_on or not energy.any() else 1
        return float(weighing.weights.first @ energy) + self.rules.per_start * starts


def _divisors(number: int) -> list[int]:
    """Return what divides a number, from the smallest on."""
    low = [each for each in range(1, math.isqrt(number) + 1) if number % each == 0]
    return sorted({*low, *(number // each for each in low)})
