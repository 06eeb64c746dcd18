"""One load beside others: in what the fuse leaves, whatever that does to its wishes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .charging import Kind
from .loads import BlockLoad, ChargeLoad, Load, RunLoad
from .plan import Piece, Plan, Reason, ReasonKind, Relaxed, Wish, energies, joined, runs
from .site import Site
from .window import Window

type Stretches = tuple[tuple[float, float], ...]
type Marks = NDArray[np.bool_]


def placed(site: Site, load: Load, spare: FloatArray) -> tuple[Piece, ...]:
    """Return when a load runs in slots that have only so much power in W to spare.

    It never draws more: rather it breaks its quiet hours, then its deadline, and then it does
    not run as much as it should, in this order.
    """
    if isinstance(load, ChargeLoad):
        return load.limited(spare).planned(site.signal, site.objective).pieces
    tight = spare < _peak(load) * (1.0 - 1e-9)
    if not tight.any():
        return load.planned(site.signal, site.objective).pieces
    blocked = _stretches(site, tight)
    pieces: tuple[Piece, ...] = ()
    for quiet in ((*load.quiet, *blocked), blocked) if load.quiet else (blocked,):
        window = Window(start=load.start, end=load.end, quiet=quiet)
        pieces = replace(load, window=window).planned(site.signal, site.objective).pieces
        if not _draws(site, pieces, tight):
            return pieces
    if isinstance(load, RunLoad):
        return _without(site, pieces, tight)
    return _late(site, load, blocked, tight)


def _late(site: Site, load: BlockLoad, blocked: Stretches, tight: Marks) -> tuple[Piece, ...]:
    """Return the run that ends as little too late as can be; none where the fuse has no room."""
    for start in sorted({load.start, *(end for _, end in blocked if end > load.start)}):
        pieces = joined(load.profile.at(start))
        if start + load.profile.duration <= site.signal.slots.end + 1e-6 and not _draws(
            site, pieces, tight
        ):
            return pieces
    return ()


def as_plan(site: Site, load: Load, pieces: tuple[Piece, ...], alone: Plan) -> Plan:
    """Return the plan of pieces, beside what the load would do alone."""
    if pieces == alone.pieces:
        return alone
    outcome = site.weighing.outcome(pieces, starts=0)
    value = outcome.value + start_costs(load, pieces)
    is_moved = pieces != alone.baseline_pieces
    numbers = {"gain": alone.baseline.value - value, "best": alone.value}
    if is_moved and pieces and alone.baseline_pieces:
        numbers["later"] = pieces[0].start - alone.baseline_pieces[0].start
    kind = ReasonKind.MOVED if is_moved else ReasonKind.NO_BENEFIT
    kind = kind if pieces else ReasonKind.NO_ROOM
    return replace(
        alone,
        slots=site.signal.slots,
        pieces=pieces,
        outcome=replace(outcome, value=value),
        lower_bound=min(alone.lower_bound, value),
        reason=Reason(kind=kind, numbers=numbers),
        relaxed=_broken(site, load, pieces),
    )


def start_costs(load: Load, pieces: tuple[Piece, ...]) -> float:
    """Return what the starts of a load add to the objective."""
    if not isinstance(load, RunLoad):
        return 0.0
    goes_on = load.state.is_on and bool(pieces) and pieces[0].start <= load.start
    return load.rules.per_start * (len(runs(pieces)) - goes_on)


def _broken(site: Site, load: Load, pieces: tuple[Piece, ...]) -> tuple[Relaxed, ...]:
    """Return which wishes of a load its pieces break, and by how much."""
    found = []
    energy = energies(site.signal.slots, pieces)
    must, nice = _missing(site, load, energy)
    late = max((piece.end for piece in pieces), default=load.start) - load.end
    if must > 1e-6 * wanted(load):
        found.append(Relaxed(wish=Wish.DEADLINE, amount=must, unit="Wh"))
    elif late > 1e-3:
        found.append(Relaxed(wish=Wish.DEADLINE, amount=late, unit="s"))
    if nice > 1e-6 * wanted(load):
        found.append(Relaxed(wish=Wish.COMFORT, amount=nice, unit="Wh"))
    quiet = site.quiet(load) & (energy > 0.0)
    if quiet.any():
        power = site.peaks(pieces)[quiet]
        seconds = float((energy[quiet] / power).sum()) * 3600.0
        found.append(Relaxed(wish=Wish.QUIET, amount=seconds, unit="s"))
    unknown = float(energy[~site.weighing.weights.known].sum())
    if unknown > 0.0:
        found.append(Relaxed(wish=Wish.FORECAST, amount=unknown, unit="Wh"))
    return tuple(found)


def _missing(site: Site, load: Load, energy: FloatArray) -> tuple[float, float]:
    """Return the Wh that are missing of what must be, and of what is nice to have."""
    missing = max(0.0, wanted(load) - float(energy.sum()))
    if not isinstance(load, ChargeLoad):
        return missing, 0.0
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    total, must = 0.0, 0.0
    for need in sorted(load.needs, key=lambda need: need.deadline):
        total += need.energy if need.kind is Kind.MUST else 0.0
        before = int(np.searchsorted(site.signal.slots.starts, need.deadline))
        must = max(must, total - float(sums[before]))
    return must, max(0.0, missing - must)


def wanted(load: Load) -> float:
    """Return the energy in Wh that a load asks for."""
    match load:
        case BlockLoad():
            return load.profile.energy
        case RunLoad():
            return load.power * load.run_time / 3600.0
        case ChargeLoad():
            return sum(need.energy for need in load.needs)


def _peak(load: BlockLoad | RunLoad) -> float:
    return float(load.profile.powers.max()) if isinstance(load, BlockLoad) else load.power


def _stretches(site: Site, which: Marks) -> Stretches:
    """Return slots as stretches of time, those that touch as one."""
    slots = site.signal.slots
    found: list[tuple[float, float]] = []
    for place in np.flatnonzero(which).tolist():
        start, end = float(slots.starts[place]), float(slots.ends[place])
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return tuple(found)


def _draws(site: Site, pieces: tuple[Piece, ...], tight: Marks) -> bool:
    """Return whether pieces draw in slots that are too tight, by more than rounding."""
    energy = energies(site.signal.slots, pieces)
    return bool(energy[tight].sum() > 1e-9 * max(energy.sum(), 1e-9))


def _without(site: Site, pieces: tuple[Piece, ...], tight: Marks) -> tuple[Piece, ...]:
    """Return what of pieces lies outside of slots that are too tight."""
    left = list(pieces)
    for start, end in _stretches(site, tight):
        left = [
            part
            for piece in left
            for part in (
                Piece(piece.start, min(piece.end, start), piece.power),
                Piece(max(piece.start, end), piece.end, piece.power),
            )
            if part.end > part.start
        ]
    return joined(left)
