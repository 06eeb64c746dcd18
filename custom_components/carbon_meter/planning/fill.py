"""Energy into the best slots: optimal by exchange, also for several deadlines.

Energy by a first deadline may only use slots before it, energy by a second one those and more.
Such nested needs form a polymatroid, on which taking the best slot that is left, deadline by
deadline, is optimal (Edmonds 1970; Federgruen and Groenevelt, Operations Research 34, 1986).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .objective import Weights
from .plan import Piece, joined
from .slots import Slots

type Places = NDArray[np.int64]


def filled(
    room: FloatArray, order: Places, needs: Sequence[float], within: Sequence[int]
) -> FloatArray:
    """Return the energy of each slot: need after need into the first slots of an order.

    `room` is what fits into a slot, and `within` how many slots lie before the deadline of each
    need, never fewer than before the one before. What does not fit is left out.
    """
    energy = np.zeros(len(room))
    for need, count in zip(needs, within, strict=True):
        places = order[order < count]
        left = room[places] - energy[places]
        before = np.cumsum(left) - left
        energy[places] += np.clip(need - before, 0.0, left)
    return energy


def attainable(
    room: FloatArray, needs: Sequence[float], within: Sequence[int], first: Sequence[int]
) -> list[float]:
    """Return what of each need can be met; those named `first` come before the others.

    Among equals the one with the earlier deadline comes first.
    """
    sums = np.concatenate([[0.0], np.cumsum(room)])
    spare = [float(sums[count]) for count in within]
    met = [0.0] * len(needs)
    others = [number for number in range(len(needs)) if number not in first]
    for number in (*first, *others):
        met[number] = max(0.0, min(needs[number], *spare[number:]))
        for later in range(number, len(needs)):
            spare[later] -= met[number]
    return met


def best_first(weights: Weights, quiet: NDArray[np.bool_]) -> Places:
    """Return the slots from the best to the worst, those in quiet hours last."""
    order = weights.order()
    return np.concatenate([order[~quiet[order]], order[quiet[order]]]) if quiet.any() else order


def earliest_first(quiet: NDArray[np.bool_]) -> Places:
    """Return the slots in the order of time, those in quiet hours last."""
    return np.concatenate([np.flatnonzero(~quiet), np.flatnonzero(quiet)])


def in_pieces(
    slots: Slots, energy: FloatArray, powers: FloatArray, parts: FloatArray
) -> tuple[Piece, ...]:
    """Return the pieces of the energy of each slot.

    A slot that is full runs through at its power of `powers`, another for as long as its energy
    takes at its power of `parts`: at its end where only the next slot runs, else at its start.
    """
    used = np.zeros(len(energy) + 2, dtype=np.bool_)
    used[1:-1] = energy > 0.0
    next_only = used[2:] & ~used[:-2]
    full = energy >= powers * slots.hours * (1.0 - 1e-12)
    places = np.flatnonzero(used[1:-1])
    pieces = []
    rows = (slots.starts, slots.ends, energy, powers, parts, full, next_only)
    for start, end, due, most, power, is_full, is_before in zip(
        *(row[places].tolist() for row in rows), strict=True
    ):
        if is_full:
            pieces.append(Piece(start, end, most))
            continue
        seconds = due / power * 3600.0
        if seconds >= (end - start) * (1.0 - 1e-12):
            pieces.append(Piece(start, end, due / (end - start) * 3600.0))
        elif is_before:
            pieces.append(Piece(end - seconds, end, power))
        else:
            pieces.append(Piece(start, start + seconds, power))
    return joined(pieces)
