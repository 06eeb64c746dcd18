"""A site over several days: what each member does on each of them, and what that adds up to.

Days are those of the local clock, so that they have 23 to 25 hours. Each is simulated by itself:
what is stored in the end is what was stored in the beginning, so that sums of days are fair.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import time, tzinfo
from itertools import groupby
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .alternatives import Member, Simulated
from .jobs.times import next_at
from .plan import Outcome
from .signal import Signal
from .slots import Slots

SHORT: Final = 3600.0
"""Seconds: what is missing no longer lies between what is known before and after."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Turn:
    """One member over one signal: its share of one day. Turns of one name add up."""

    name: str
    member: Member
    signal: Signal


def days_between(start: float, end: float, zone: tzinfo) -> list[tuple[float, float]]:
    """Return the days of a local clock in [start, end); the first and the last may be parts."""
    found: list[tuple[float, float]] = []
    while start < end:
        stop = min(next_at(start, time.min, zone), end)
        found.append((start, stop))
        start = stop
    return found


def summed(parts: Sequence[Simulated]) -> Simulated:
    """Return what a member does in several turns; its plan where there is one turn."""
    if len(parts) == 1:
        return parts[0]
    outcomes = [part.outcome for part in parts]
    return Simulated(
        outcome=Outcome(
            energy=sum(outcome.energy for outcome in outcomes),
            value=sum(outcome.value for outcome in outcomes),
            second=sum(outcome.second for outcome in outcomes),
            unknown=sum(outcome.unknown for outcome in outcomes),
            carbon=total(outcome.carbon for outcome in outcomes),
            cost=total(outcome.cost for outcome in outcomes),
        ),
        discomfort=sum(part.discomfort for part in parts),
        dimmed=sum(part.dimmed for part in parts),
        late=sum(part.late for part in parts),
    )


def total(parts: Iterable[float | None]) -> float | None:
    """Return a sum, None where a part is not known."""
    found = list(parts)
    known = [part for part in found if part is not None]
    return sum(known) if len(known) == len(found) else None


def filled(signal: Signal) -> Signal:
    """Return a signal in which short gaps lie on a line between what is before and after.

    Longer ones, and those at the ends, stay unknown. Of what was recorded, gaps of minutes are of
    restarts: they are no reason to leave out a day.
    """
    slots = signal.slots
    return replace(
        signal,
        carbon=_filled(slots, signal.carbon),
        price=None if signal.price is None else _filled(slots, signal.price),
    )


def known_part(slots: Slots, values: FloatArray) -> float:
    """Return for which part of the time values are known, 0 to 1; 0 of no time."""
    seconds = slots.seconds
    whole = float(seconds.sum())
    return float(seconds[np.isfinite(values)].sum()) / whole if whole > 0.0 else 0.0


def _filled(slots: Slots, values: FloatArray) -> FloatArray:
    """Return values whose short gaps are filled."""
    known = np.isfinite(values)
    if known.all() or not known.any():
        return values
    middles = (slots.starts + slots.ends) / 2.0
    found = np.array(values)
    for first, last in _gaps(known):
        inside = first > 0 and last < len(slots)
        if inside and slots.ends[last - 1] - slots.starts[first] <= SHORT:
            around = [first - 1, last]
            found[first:last] = np.interp(middles[first:last], middles[around], values[around])
    return found


def _gaps(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return from which place to before which one nothing is known."""
    found: list[tuple[int, int]] = []
    for is_known, group in groupby(range(len(known)), key=lambda place: bool(known[place])):
        places = list(group)
        if not is_known:
            found.append((places[0], places[-1] + 1))
    return found


def joined_signals(first: Signal, second: Signal) -> Signal:
    """Return what was, and from where that ends what will be; NaN lies between where they part.

    Raises SlotsError where the second begins before the first, or ends before it.
    """
    if len(first.slots) == 0:
        return second
    if len(second.slots) == 0 or second.slots.end <= first.slots.end:
        return first
    after = second.over(first.slots.end, second.slots.end)

    def row(before: FloatArray | None, then: FloatArray | None) -> FloatArray | None:
        if before is None and then is None:
            return None
        parts = (
            np.full(len(first.slots), math.nan) if before is None else before,
            np.full(len(after.slots), math.nan) if then is None else then,
        )
        whole: FloatArray = np.concatenate(parts)
        return whole

    return Signal.of(
        Slots.at(np.append(first.slots.edges, after.slots.ends)),
        row(first.carbon, after.carbon),
        low=row(first.low, after.low),
        high=row(first.high, after.high),
        price=row(first.price, after.price),
    )
