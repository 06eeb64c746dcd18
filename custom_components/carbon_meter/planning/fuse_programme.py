"""Several loads under a fuse as a mixed integer programme.

A block is one of its starts, each a column (Dantzig and Wolfe's columns for what cannot be
divided); a load in runs switches with the slots, its least run and pause being inequalities of
starts (Rajan and Takriti, IBM Research Report RC23628, 2005); a charger gives a power and an
energy in each slot. In a slot each load counts with its greatest power, so that what comes out
holds at every moment. What cannot be met has columns of its own with penalties, which are made
small first: energy, then quiet hours, then slots without a forecast.
"""

from dataclasses import dataclass, field
import math
import time
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .block import Profile
from .charging import Charger, Kind
from .fill import in_pieces
from .integral import Integral
from .loads import BlockLoad, ChargeLoad, Load, RunLoad
from .plan import Piece, joined
from .programme import Programme
from .run_time import FREELY
from .site import Site

_MOST_STARTS: Final = 500
"""Starts of one block beyond which only those at starts of slots are columns."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Found:
    """The pieces of each load, and a bound of the objective for plans that switch with slots."""

    pieces: list[tuple[Piece, ...]]
    bound: float


def solved_together(
    site: Site, loads: list[Load], *, late: bool, seconds: float, gap: float
) -> Found | None:
    """Return the best pieces of all loads that are found in time; None if nothing is.

    With `late` blocks may end after their deadline.
    """
    until = time.monotonic() + seconds
    model = _Model.of(site, len(loads))
    parts = [model.added(load, late=late) for load in loads]
    model.limit()
    solution = model.solved(seconds, gap)
    if solution is None:
        return None
    values, bound = solution
    penalty = float(np.array(model.penalties) @ values)
    if penalty > 1e-9 * model.scale:
        model.keep(penalty)
        left = max(0.1, until - time.monotonic())
        again = model.solved(left, gap)
        if again is not None:
            values, bound = again
    return Found(pieces=[part.pieces(values) for part in parts], bound=bound)


@dataclass(kw_only=True, slots=True, eq=False)
class _Model:
    """The programme, what of its costs are penalties, and who draws what in which slot."""

    site: Site
    programme: Programme
    hours: FloatArray
    first: FloatArray
    scale: float
    step: float
    """By how much a penalty weighs more than the next less important one."""

    penalties: list[float] = field(default_factory=list)
    drawn: list[tuple[list[int], list[float]]] = field(default_factory=list)
    kept: bool = False

    @classmethod
    def of(cls, site: Site, loads: int) -> _Model:
        """Return the model without loads."""
        first = site.weighing.weights.first
        model = cls(
            site=site,
            programme=Programme(),
            hours=site.signal.slots.hours,
            first=first,
            scale=float(np.abs(first).max(initial=0.0)) or 1.0,
            step=4.0 * loads + 4.0,
        )
        model.drawn = [([], []) for _ in range(len(first))]
        return model

    def columns(
        self, costs: FloatArray, penalties: FloatArray, upper: FloatArray, *, whole: bool = False
    ) -> range:
        """Add columns with costs and penalties."""
        self.penalties += penalties.tolist()
        return self.programme.columns(costs, upper=upper, whole=whole)

    def draws(self, place: int, column: int, power: float) -> None:
        """Note that a column draws W in a slot."""
        columns, powers = self.drawn[place]
        columns.append(column)
        powers.append(power)

    def limit(self) -> None:
        """Add what the fuse leaves in each slot."""
        for spare, (columns, powers) in zip(self.site.spare.tolist(), self.drawn, strict=True):
            if columns:
                self.programme.row(columns, powers, lower=-math.inf, upper=spare)

    def keep(self, penalty: float) -> None:
        """Add that the penalties are no more than this; they cost nothing any more."""
        used = [place for place, cost in enumerate(self.penalties) if cost]
        factors = [self.penalties[place] for place in used]
        self.programme.row(used, factors, lower=-math.inf, upper=penalty * (1.0 + 1e-7))
        self.kept = True

    def solved(self, seconds: float, gap: float) -> tuple[FloatArray, float] | None:
        """Return the values of the columns and the bound of the objective."""
        own = list(self.programme.costs)
        if not self.kept:
            summed = np.array(own) + np.array(self.penalties)
            self.programme.costs = summed.tolist()
        solution = self.programme.solved(seconds=seconds, gap=gap)
        self.programme.costs = own
        return None if solution is None else (solution.values, solution.bound)

    def avoided(self, load: Load) -> FloatArray:
        """Return the penalty of one Wh of a load in each slot."""
        unknown = ~self.site.weighing.weights.known * (self.step * self.scale)
        return unknown + self.site.quiet(load) * (self.step**2 * self.scale)

    def missing(self, *, nice: bool = False) -> float:
        """Return the penalty of one Wh that is not met."""
        return self.step ** (3 if nice else 4) * self.scale

    def added(self, load: Load, *, late: bool) -> _Part:
        """Add the columns and rows of a load."""
        match load:
            case BlockLoad():
                return _block(self, load, late=late)
            case RunLoad():
                return _runs(self, load)
            case ChargeLoad():
                return _charge(self, load)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Block:
    """A block whose columns are starts."""

    profile: Profile
    moments: FloatArray
    columns: range

    def pieces(self, values: FloatArray) -> tuple[Piece, ...]:
        """Return the run that was chosen."""
        chosen = int(np.argmax(values[self.columns.start : self.columns.stop]))
        return joined(self.profile.at(float(self.moments[chosen])))


def _block(model: _Model, load: BlockLoad, *, late: bool) -> _Block:
    """Add a block."""
    slots, profile = model.site.signal.slots, load.profile
    latest = load.end - profile.duration
    latest = max(load.start, slots.end - profile.duration if late else latest)
    moments = np.unique(np.concatenate([slots.starts, slots.ends - profile.duration]))
    if len(moments) > _MOST_STARTS:
        moments = slots.starts
    moments = moments[(moments >= load.start) & (moments <= latest)]
    if len(moments) == 0:
        moments = np.array([load.start])
    rises, offsets = profile.changes()
    rows = np.stack([model.first, model.avoided(load)])
    integral = Integral(
        edges=slots.edges - slots.start,
        weights=rows,
        offsets=offsets,
        factors=np.stack([-rises, -rises]),
    )
    costs, avoided = integral.at(moments - slots.start) / 3600.0
    overdue = np.maximum(moments + profile.duration - load.end, 0.0)
    avoided += overdue / 3600.0 * max(profile.powers.max(), 1.0) * model.missing()
    columns = model.columns(costs, avoided, np.ones(len(moments)), whole=True)
    model.programme.row(list(columns), [1.0] * len(columns), lower=1.0, upper=1.0)
    for column, moment in zip(columns, moments.tolist(), strict=True):
        peaks = model.site.peaks(profile.at(moment))
        for place in np.flatnonzero(peaks).tolist():
            model.draws(place, column, float(peaks[place]))
    return _Block(profile=profile, moments=moments, columns=columns)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Runs:
    """A load in runs: whether it runs in each slot, and for how many hours."""

    site: Site
    load: RunLoad
    places: range
    on: range
    hours: range | None

    def pieces(self, values: FloatArray) -> tuple[Piece, ...]:
        """Return the runs."""
        slots, power = self.site.signal.slots, self.load.power
        count = len(slots)
        runs = values[self.on.start : self.on.stop] > 0.5
        energy = np.zeros(count)
        places = slice(self.places.start, self.places.stop)
        if self.hours is not None:
            energy[places] = np.where(runs, values[self.hours.start : self.hours.stop], 0.0)
            energy *= power
        else:
            energy[places] = runs * slots.hours[places] * power
        powers = np.full(count, power)
        pieces = in_pieces(slots, np.where(energy > 1e-9 * power, energy, 0.0), powers, powers)
        return self._cut(pieces)

    def _cut(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Return pieces without what runs too long: the ends of those that may be shorter."""
        excess = sum(piece.end - piece.start for piece in pieces) - self.load.run_time
        least = self.load.rules.least_run if len(pieces) > 1 else 0.0
        found = []
        for piece in reversed(pieces):
            taken = min(max(0.0, excess), max(0.0, piece.end - piece.start - least))
            excess -= taken
            found.append(Piece(piece.start, piece.end - taken, piece.power))
        return joined(found)


def _runs(model: _Model, load: RunLoad) -> _Runs:
    """Add a load in runs."""
    slots, rules = model.site.signal.slots, load.rules
    span = slots.places(load.start, load.end)
    places = range(span.start, span.stop)
    count = len(places)
    hours = model.hours[span]
    needed = load.run_time / 3600.0
    free = rules == FREELY and not load.state.is_on
    costs, avoided = model.first[span] * load.power, model.avoided(load)[span] * load.power
    nothing, ones = np.zeros(count), np.ones(count)
    short = model.columns(np.zeros(1), np.array([load.power * model.missing()]), np.array([needed]))
    if free:
        on = model.columns(nothing, nothing, ones, whole=True)
        running = model.columns(costs, avoided, hours)
        for place in range(count):
            model.programme.row(
                [running[place], on[place]], [1.0, -hours[place]], lower=-math.inf, upper=0.0
            )
        model.programme.row([*running, *short], [1.0] * (count + 1), lower=needed, upper=needed)
    else:
        on = model.columns(costs * hours, avoided * hours, ones, whole=True)
        running = None
        model.programme.row([*on, *short], [*hours, 1.0], lower=needed, upper=math.inf)
        _rules(model, load, places, on)
    for place, column in zip(places, on, strict=True):
        model.draws(place, column, load.power)
    return _Runs(site=model.site, load=load, places=places, on=on, hours=running)


def _rules(model: _Model, load: RunLoad, places: range, on: range) -> None:
    """Add starts, least runs and pauses."""
    slots, rules, state = model.site.signal.slots, load.rules, load.state
    begins = slots.starts[places.start : places.stop].tolist()
    ends = slots.ends[places.start : places.stop].tolist()
    count = len(places)
    least = min(rules.least_run, load.run_time)
    wait = 0.0 if state.is_on else max(0.0, rules.least_pause - state.seconds)
    still = max(0.0, rules.least_run - state.seconds) if state.is_on else 0.0
    may = [
        float(load.start + wait <= begin + 1e-6 and begin + least <= load.end + 1e-6)
        for begin in begins
    ]
    starts = model.columns(np.full(count, rules.per_start), np.zeros(count), np.array(may))
    for now in range(count):
        if now:
            columns, factors = [starts[now], on[now], on[now - 1]], [1.0, -1.0, 1.0]
            model.programme.row(columns, factors, lower=0.0, upper=math.inf)
        elif not state.is_on:
            model.programme.row([starts[0], on[0]], [1.0, -1.0], lower=0.0, upper=math.inf)
        fresh = [
            starts[before]
            for before in range(now + 1)
            if begins[before] + least > begins[now] + 1e-6 or before == now
        ]
        model.programme.row(
            [*fresh, on[now]], [*[1.0] * len(fresh), -1.0], lower=-math.inf, upper=0.0
        )
        soon = [
            starts[later]
            for later in range(now + 1, count)
            if begins[later] < ends[now] + max(rules.least_pause, 1e-3) - 1e-6
        ]
        if soon:
            model.programme.row(
                [*soon, on[now]], [1.0] * (len(soon) + 1), lower=-math.inf, upper=1.0
            )
        if state.is_on and begins[now] < load.start + min(still, load.run_time) - 1e-6:
            model.programme.lower[on[now]] = 1.0
    most = float(count)
    if rules.most_starts is not None:
        most = float(rules.most_starts if state.is_on else max(1, rules.most_starts))
    if least > 0.0:
        # In whole slots more runs might fit than in the run time, and one would be cut short.
        fitting = int((max(0.0, load.run_time - still) + 1e-6) / least)
        most = min(most, float(fitting if state.is_on else max(1, fitting)))
    model.programme.row(list(starts), [1.0] * count, lower=0.0, upper=most)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Charge:
    """A charger: its power and the energy in each slot."""

    site: Site
    places: range
    energy: range
    power: list[list[tuple[int, float]]]
    """The columns whose sum, times factors, is the power of a slot."""

    def pieces(self, values: FloatArray) -> tuple[Piece, ...]:
        """Return the pieces."""
        slots = self.site.signal.slots
        energy, powers = np.zeros(len(slots)), np.ones(len(slots))
        for number, place in enumerate(self.places):
            power = sum(values[column] * factor for column, factor in self.power[number])
            given = float(values[self.energy[number]])
            if given > 1e-6 and power > 0.0:
                hours = float(slots.hours[place])
                energy[place], powers[place] = min(given, power * hours), power
        return in_pieces(slots, energy, powers, powers)


def _charge(model: _Model, load: ChargeLoad) -> _Charge:
    """Add a charger and its needs."""
    slots, connection = model.site.signal.slots, load.connection
    span = slots.places(load.start, load.end)
    places = range(span.start, span.stop)
    hours = model.hours[span]
    most = connection.powers(slots, slots)[span]
    power = _powers(model, connection.charger, most)
    energy = model.columns(model.first[span], model.avoided(load)[span], hours * most)
    for number, place in enumerate(places):
        columns = [column for column, _ in power[number]]
        factors = [factor for _, factor in power[number]]
        for column, factor in power[number]:
            model.draws(place, column, factor)
        model.programme.row(
            [*columns, energy[number]],
            [*(factor * hours[number] for factor in factors), -1.0],
            lower=0.0,
            upper=math.inf,
        )
    needs = sorted(load.needs, key=lambda need: need.deadline)
    short = model.columns(
        np.zeros(len(needs)),
        np.array([model.missing(nice=need.kind is Kind.NICE) for need in needs]),
        np.array([need.energy for need in needs]),
    )
    at_once = min(connection.now, sum(need.energy for need in needs))
    if at_once > 0.0:
        # As soon as the car alone could have it; slots in which others need the fuse come after.
        room = np.cumsum(np.minimum(most, model.site.spare[span]) * hours)
        count = min(int(np.searchsorted(room, at_once * (1.0 - 1e-9))) + 1, len(places))
        soon = [*energy[:count], *short]
        model.programme.row(soon, [1.0] * len(soon), lower=at_once, upper=math.inf)
    total = 0.0
    for number, need in enumerate(needs):
        total += need.energy
        before = int(np.searchsorted(slots.starts, need.deadline)) - places.start
        columns = [*energy[: max(0, before)], *short[: number + 1]]
        is_last = number == len(needs) - 1
        upper = total if is_last else math.inf
        model.programme.row(columns, [1.0] * len(columns), lower=total, upper=upper)
    return _Charge(site=model.site, places=places, energy=energy, power=power)


def _powers(model: _Model, charger: Charger, most: FloatArray) -> list[list[tuple[int, float]]]:
    """Add the power of each slot; return the columns that make it up, with their factors."""
    nothing, least = np.zeros(len(most)), charger.least
    there = (most > 0.0).astype(np.float64)
    if least == 0.0 and not charger.levels:
        return [[(column, 1.0)] for column in model.columns(nothing, nothing, most)]
    on = model.columns(nothing, nothing, there, whole=True)
    if least == charger.most:
        return [[(column, least)] for column in on]
    steps = np.diff(charger.levels)
    if charger.levels and not np.allclose(steps, steps[0]):
        return _levels(model, charger, on, most)
    unit = float(steps[0]) if charger.levels else 1.0
    counts = np.maximum(most - least, 0.0) / unit
    counts = np.round(counts) if charger.levels else counts
    above = model.columns(nothing, nothing, counts, whole=bool(charger.levels))
    for switch, more, count in zip(on, above, counts.tolist(), strict=True):
        model.programme.row([more, switch], [1.0, -count], lower=-math.inf, upper=0.0)
    return [[(switch, least), (more, unit)] for switch, more in zip(on, above, strict=True)]


def _levels(
    model: _Model, charger: Charger, on: range, most: FloatArray
) -> list[list[tuple[int, float]]]:
    """Add a column for each level of each slot, of which at most one is chosen: uneven levels."""
    found = []
    for switch, limit in zip(on, most.tolist(), strict=True):
        fitting = np.array([float(level <= limit) for level in charger.levels])
        nothing = np.zeros(len(fitting))
        levels = model.columns(nothing, nothing, fitting, whole=True)
        model.programme.row([*levels, switch], [*[1.0] * len(levels), -1.0], lower=0.0, upper=0.0)
        found.append(list(zip(levels, charger.levels, strict=True)))
    return found


type _Part = _Block | _Runs | _Charge
