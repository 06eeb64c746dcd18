"""Keeping a plan while it is followed: what is measured never goes exactly as it was planned."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from ..decision import keep_or_replace, rest
from ..objective import Objective
from ..plan import Margin, Piece, Plan, Relaxed, joined, runs
from ..realised import with_energy
from ..signal import Signal
from .job import Stretches

_SHARE: Final = 0.15
"""The part of its energy by which a plan may be off, beside what one slot takes."""


def kept(  # noqa: PLR0913  # two plans, and what they are compared by
    old: Plan,
    new: Plan,
    margin: Margin,
    *,
    signal: Signal,
    objective: Objective,
    now: float,
    closed: Stretches = (),
) -> Plan:
    """Return the new plan, or the old one, brought to its energy, unless the new one gains enough.

    Where what is left of the old plan brings nearly the same (within 15 % or one slot), its runs
    are cut at the end, or made longer, but not into what is `closed`, not beyond the end of both,
    and not so that a pause is shorter than all that were planned: a load may need as long. Then
    `keep_or_replace` decides. Where they bring different things, the new plan counts.
    """
    left = rest(old, now)
    energy = sum(piece.energy for piece in left)
    if not left or abs(energy - new.energy) > _tolerance(new, signal, now):
        return new
    if energy > new.energy:
        fitted = with_energy(left, new.energy)
    else:
        end = max(piece.end for piece in (*left, *new.pieces))
        pause = _shortest_pause(old.pieces, new.pieces)
        fitted = _grown(left, new.energy, (now, end), closed, pause)
    near = replace(old, pieces=fitted, relaxed=_near(old.relaxed, new.relaxed))
    return keep_or_replace(near, new, margin, signal=signal, objective=objective, now=now)


def _tolerance(new: Plan, signal: Signal, now: float) -> float:
    """Return by how many Wh plans may differ and be the same."""
    slots = signal.slots
    seconds = float(slots.seconds[slots.places(now, now + 1.0)].max(initial=0.0))
    power = max((piece.power for piece in new.pieces), default=0.0)
    return max(_SHARE * new.energy, power * seconds / 3600.0)


def _near(old: Sequence[Relaxed], new: Sequence[Relaxed]) -> tuple[Relaxed, ...]:
    """Return what an old plan breaks, by the figures of the new one where they are nearly those."""
    found = []
    for each in old:
        other = next((one for one in new if one.wish is each.wish and one.unit == each.unit), each)
        is_near = abs(other.amount - each.amount) <= _SHARE * max(other.amount, each.amount)
        found.append(other if is_near else each)
    return tuple(found)


def _grown(
    pieces: Sequence[Piece],
    energy: float,
    within: tuple[float, float],
    closed: Stretches,
    pause: float,
) -> tuple[Piece, ...]:
    """Return pieces brought to an energy in Wh by longer runs, each at the power of its edge.

    They grow at their ends, the last first, then at their beginnings, so that there are no more
    runs than before. What finds no room is left out.
    """
    found = joined(pieces)
    for _, last in reversed(runs(found)):
        taken = [*((begin - pause, finish) for begin, finish in runs(found)), *closed]
        until = min([within[1], *(max(begin, last) for begin, finish in taken if finish > last)])
        power = next(piece.power for piece in found if piece.end == last)
        seconds = min(_missing(found, energy) / power * 3600.0, until - last)
        found = joined([*found, Piece(last, last + seconds, power)])
    for first, _ in reversed(runs(found)):
        taken = [*((begin, finish + pause) for begin, finish in runs(found)), *closed]
        since = max([within[0], *(min(finish, first) for begin, finish in taken if begin < first)])
        power = next(piece.power for piece in found if piece.start == first)
        seconds = min(_missing(found, energy) / power * 3600.0, first - since)
        found = joined([*found, Piece(first - seconds, first, power)])
    return found


def _shortest_pause(*rows: Sequence[Piece]) -> float:
    """Return the seconds of the shortest pause in some courses, 0 where there is none."""
    pauses = [after[0] - before[1] for row in rows for before, after in pairwise(runs(row))]
    return min(pauses, default=0.0)


def _missing(pieces: Sequence[Piece], energy: float) -> float:
    """Return the Wh that pieces lack."""
    return max(0.0, energy - sum(piece.energy for piece in pieces))
