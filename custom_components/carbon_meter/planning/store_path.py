"""The cheapest way through a store when each slot's cost is convex: exact, without a solver.

The cost to go of a content, V, is convex and piecewise linear. Backwards through the slots

    V[t](x) = min over the change d of cost[t](d) + V[t + 1](keep * x + drift + d)

is an infimal convolution of two such functions: the pieces of both, put in the order of their
slopes (Rockafellar, Convex Analysis, section 16). The limits cut pieces off at both ends, which
keeps them few: those that fit into the store. What is found is optimal, so that its cost is its
own lower bound.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .store import Store

type Segment = tuple[float, float]
"""A linear piece of a cost: what one unit more costs, and how many units it goes on."""

_SLOPE = itemgetter(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class StorePath:
    """The cheapest changes, the content at the end of each slot, and what they cost."""

    changes: FloatArray
    contents: FloatArray
    cost: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _CostToGo:
    """A convex function of the content: from where it is defined, and its pieces by slope."""

    first: float
    slopes: list[float]
    ends: list[float]
    """The content at which each piece ends."""


def cheapest_path(
    store: Store, costs: Sequence[Sequence[Segment]], *, end_value: float = 0.0
) -> StorePath:
    """Return the cheapest path within the limits of a store, which are `within_reach`.

    `costs` holds for each slot the pieces of its cost, from the least change on, with slopes that
    rise and lengths that add up to the most change; the least itself costs nothing. `end_value`
    is what a unit of content is worth at the end.
    """
    to_go = _backwards(store, costs, end_value)
    changes = np.empty(len(store))
    contents = np.empty(len(store))
    content, cost = store.start, 0.0
    for slot, ahead in enumerate(to_go):
        idle = store.keep[slot] * content + store.drift[slot]
        change, paid = _best_change(float(idle), float(store.least[slot]), costs[slot], ahead)
        content = float(idle) + change
        changes[slot], contents[slot] = change, content
        cost += paid
    return StorePath(changes=changes, contents=contents, cost=cost - end_value * content)


def _backwards(
    store: Store, costs: Sequence[Sequence[Segment]], end_value: float
) -> list[_CostToGo]:
    """Return the cost to go of the content at the end of each slot."""
    found: list[_CostToGo] = []
    first = float(store.low[-1])
    pieces: list[Segment] = [(-end_value, float(store.high[-1]) - first)]
    lows, highs = store.low.tolist(), store.high.tolist()
    keeps, drifts, leasts = store.keep.tolist(), store.drift.tolist(), store.least.tolist()
    for slot in range(len(store) - 1, -1, -1):
        first = _cut(pieces, first, lows[slot], highs[slot])
        found.append(
            _CostToGo(
                first=first,
                slopes=[slope for slope, _ in pieces],
                ends=list(accumulate((length for _, length in pieces), initial=first))[1:],
            )
        )
        most = leasts[slot] + sum(length for _, length in costs[slot])
        for slope, length in costs[slot]:
            if length > 0.0:
                _insert(pieces, -slope, length)
        keep = keeps[slot]
        first = (first - most - drifts[slot]) / keep
        if keep != 1.0:
            pieces = [(slope * keep, length / keep) for slope, length in pieces]
    found.reverse()
    return found


def _insert(pieces: list[Segment], slope: float, length: float) -> None:
    """Put a piece among pieces in the order of their slopes; equal ones become one."""
    place = bisect_left(pieces, slope, key=_SLOPE)
    if place < len(pieces) and pieces[place][0] == slope:
        pieces[place] = (slope, pieces[place][1] + length)
    else:
        pieces.insert(place, (slope, length))


def _cut(pieces: list[Segment], first: float, low: float, high: float) -> float:
    """Keep of a function what lies between two limits; return where it begins now."""
    beyond = first + sum(length for _, length in pieces) - high
    while pieces and beyond > 0.0:
        slope, length = pieces.pop()
        if length > beyond:
            pieces.append((slope, length - beyond))
        beyond -= length
    while pieces and first < low:
        slope, length = pieces.pop(0)
        if first + length > low:
            pieces.insert(0, (slope, first + length - low))
            return low
        first += length
    # Where rounding has left nothing of it, the nearest limit is what remains.
    return first if pieces else min(max(first, low), high)


def _best_change(
    idle: float, least: float, costs: Sequence[Segment], ahead: _CostToGo
) -> tuple[float, float]:
    """Return the cheapest change of a slot and what it costs, with the least change among equals.

    Each piece of the cost is used until the next unit costs more than it saves later.
    """
    last = ahead.ends[-1] if ahead.ends else ahead.first
    change = reached = least
    paid = 0.0
    for slope, length in costs:
        reached += length
        place = bisect_left(ahead.slopes, -slope)
        wanted = (ahead.ends[place - 1] if place else ahead.first) - idle
        step = min(max(wanted, change), reached, max(last - idle, change)) - change
        change += step
        paid += slope * step
        if change < reached:
            break
    return change, paid
