"""The connection of a site: what several loads may draw at once, and who draws it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from .loads import BlockLoad, ChargeLoad, Load
from .objective import Objective
from .plan import Piece, Weighing
from .signal import Signal
from .window import inside, on_slots


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fuse:
    """What the site may draw, in W, and what it draws beside the loads in each slot of the signal.

    A base load that is not known counts as the largest that is.
    """

    limit: float
    base: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse impossible limits."""
        amount("limit", self.limit)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Site:
    """The slots of all loads together, what they weigh, and what the fuse leaves in each."""

    signal: Signal
    weighing: Weighing
    objective: Objective
    spare: FloatArray
    over: float
    """W by which the base load alone is more than the fuse allows."""

    @classmethod
    def of(cls, signal: Signal, objective: Objective, loads: Sequence[Load], fuse: Fuse) -> Site:
        """Return the slots from the first start to where the last load has run, even if late."""
        start = min(load.start for load in loads)
        longest = max(_longest(load) for load in loads)
        end = max(start, *(load.end for load in loads)) + longest
        over = signal.over(start, end)
        marks = [moment for load in loads for moment in _moments(load)]
        over = over.split(np.array(marks))
        base = _base(signal, over, fuse)
        return cls(
            signal=over,
            weighing=Weighing.of(over, objective),
            objective=objective,
            spare=np.maximum(fuse.limit - base, 0.0),
            over=max(0.0, float((base - fuse.limit).max(initial=0.0))),
        )

    def aligned(self, load: Load, signal: Signal) -> Load:
        """Return a load whose own limit is for the slots of the site, not of the signal."""
        if not isinstance(load, ChargeLoad) or load.connection.limit is None:
            return load
        slots = self.signal.slots
        limit = replace(load.connection, away=()).powers(signal.slots, slots)
        return replace(load, connection=replace(load.connection, limit=limit))

    def peaks(self, pieces: Iterable[Piece]) -> FloatArray:
        """Return the greatest power of one load within each slot."""
        slots = self.signal.slots
        found = np.zeros(len(slots))
        for piece in pieces:
            places = slots.places(piece.start, piece.end)
            found[places] = np.maximum(found[places], piece.power)
        return found

    def overload(self, runs: Iterable[Sequence[Piece]]) -> float:
        """Return by how many W loads together exceed the fuse at any moment."""
        slots = self.signal.slots
        pieces = [piece for each in runs for piece in each]
        moments = np.unique(np.concatenate([slots.starts, [piece.start for piece in pieces]]))
        moments = moments[(moments >= slots.start) & (moments < slots.end)]
        drawn = np.zeros(len(moments))
        for piece in pieces:
            drawn[(moments >= piece.start) & (moments < piece.end)] += piece.power
        spare = self.spare[np.searchsorted(slots.ends, moments, side="right")]
        return max(0.0, float((drawn - spare).max(initial=0.0)))

    def holds(self, runs: Iterable[Sequence[Piece]]) -> bool:
        """Return whether the fuse holds at every moment."""
        most = float(self.spare.max(initial=0.0))
        return self.overload(runs) <= 1e-6 * max(most, 1.0)

    def quiet(self, load: Load) -> NDArray[np.bool_]:
        """Return in which slots a load should not run."""
        return inside(self.signal.slots, load.quiet)


def _longest(load: Load) -> float:
    """Return how much longer than planned a load can take when it has to wait for others."""
    return load.profile.duration if isinstance(load, BlockLoad) else 0.0


def _moments(load: Load) -> list[float]:
    """Return where slots have to end for a load."""
    found = [load.start, load.end, *(moment for part in load.quiet for moment in part)]
    if isinstance(load, ChargeLoad):
        found += [need.deadline for need in load.needs]
        found += [moment for part in load.connection.away for moment in part]
    return found


def _base(signal: Signal, over: Signal, fuse: Fuse) -> FloatArray:
    """Return the base load in the slots of the site."""
    slots = over.slots
    if fuse.base is None:
        return np.zeros(len(slots))
    if len(fuse.base) != len(signal.slots):
        raise ImpossibleAmountError("base", "there is not one base load for each slot")
    known = np.isfinite(fuse.base)
    if not known.any():
        raise ImpossibleAmountError("base", "nothing of the base load is known")
    most = float(fuse.base[known].max())
    return on_slots(signal.slots, np.where(known, fuse.base, most), slots, most)
