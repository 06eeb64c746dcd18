"""Several loads under a fuse without a solver: prices on the fuse, and one load after another.

A price in each slot on what the fuse has too little of leaves the loads independent (Lagrangian
relaxation). What they then cost, less the prices of what there is, bounds every plan; prices are
moved by subgradients with Polyak's step. With each set of prices the loads are placed one after
another in what is left, which always holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
import time
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .loads import Load
from .objective import SAME, Objective
from .placing import as_plan, placed, wanted
from .plan import Piece, Plan, Weighing, Wish, energies
from .signal import Signal
from .site import Site

_PATIENCE: Final = 4
"""Rounds without a better bound after which steps are half as long."""

_FEW: Final = 3
_SHUFFLES: Final = 6
"""Loads of which all orders are tried, and the orders that are tried of more."""

_SLOWEST: Final = 1e-4
"""The pace of steps at which prices have settled."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Together:
    """A plan for each load in their order, all of which fit."""

    plans: tuple[Plan, ...]

    @property
    def value(self) -> float:
        """Return the objective of all."""
        return sum(plan.value for plan in self.plans)

    @property
    def broken(self) -> tuple[float, ...]:
        """Return by how much wishes are broken, the most important first."""
        amounts = dict.fromkeys(Wish, 0.0)
        for plan in self.plans:
            for relaxed in plan.relaxed:
                amounts[relaxed.wish] += relaxed.amount
        return tuple(round(amount, 3) for amount in amounts.values())

    def is_better_than(self, other: Together | None) -> bool:
        """Return whether it breaks wishes less, or as much and has a better value."""
        if other is None or self.broken != other.broken:
            return other is None or self.broken < other.broken
        return self.value < other.value - SAME * abs(other.value)


class Search:
    """Plans of loads that hold together, better and better."""

    def __init__(self, site: Site, loads: Sequence[Load], alone: Sequence[Plan]) -> None:
        """Take the loads, and what each would do alone."""
        self._site = site
        self._loads = loads
        self._alone = alone

    def of_pieces(self, pieces: Sequence[tuple[Piece, ...]]) -> Together:
        """Return the plans of pieces, weighed."""
        plans = zip(self._loads, pieces, self._alone, strict=True)
        return Together(
            plans=tuple(as_plan(self._site, load, each, alone) for load, each, alone in plans)
        )

    def first(self, until: float) -> Together:
        """Return the best of a few orders in which loads are placed one after another."""
        best: Together | None = None
        for order in _orders(self._loads):
            found = self.improved(self.in_order(order), until)
            if found.is_better_than(best):
                best = found
            if time.monotonic() > until:
                break
        assert best is not None  # noqa: S101  # there is an order
        return best

    def in_order(self, order: Sequence[int], by: Site | None = None) -> Together:
        """Return plans of loads that are placed in an order; by another site's weights if given."""
        left = self._site.spare.copy()
        pieces: dict[int, tuple[Piece, ...]] = {}
        for number in order:
            pieces[number] = placed(by or self._site, self._loads[number], left)
            left = np.maximum(left - self._site.peaks(pieces[number]), 0.0)
        return self.of_pieces([pieces[number] for number in range(len(self._loads))])

    def bound_of(self, together: Together) -> float:
        """Return what nothing can beat that brings as much: each load alone.

        A load that does not run as much as it should has as its bound what it runs, at the least
        weight that there is.
        """
        weights = self._site.weighing.weights
        least = float(weights.first[weights.known].min()) if weights.known.any() else 0.0
        bounds = [
            alone.lower_bound
            if plan.energy >= alone.energy * (1.0 - 1e-6)
            else min(alone.lower_bound, plan.energy * least)
            for plan, alone in zip(together.plans, self._alone, strict=True)
        ]
        return min(together.value, sum(bounds))

    def improved(self, together: Together, until: float) -> Together:
        """Return plans in which no load alone can be moved to anything better."""
        site, moved = self._site, True
        while moved:
            moved = False
            peaks = [site.peaks(plan.pieces) for plan in together.plans]
            drawn = np.sum(peaks, axis=0)
            for number, load in enumerate(self._loads):
                if time.monotonic() > until:
                    return together
                left = np.maximum(site.spare - drawn + peaks[number], 0.0)
                plan = as_plan(site, load, placed(site, load, left), self._alone[number])
                plans = (*together.plans[:number], plan, *together.plans[number + 1 :])
                found = Together(plans=plans)
                if found.is_better_than(together):
                    together, moved = found, True
                    drawn = drawn - peaks[number] + site.peaks(plan.pieces)
                    peaks[number] = site.peaks(plan.pieces)
        return together

    def searched(
        self, start: Together, *, bound: float, seconds: float, gap: float
    ) -> tuple[Together, float]:
        """Return the best plans and the best bound that prices lead to in so many seconds."""
        site, loads = self._site, self._loads
        until = time.monotonic() + seconds
        best, room = start, site.spare * site.signal.slots.hours
        prices = np.zeros(len(room))
        pace, stalled = 1.0, 0
        while time.monotonic() < until and (
            any(best.broken) or best.value - bound > gap * abs(best.value)
        ):
            priced = _priced(site, prices)
            plans = [load.planned(priced.signal, priced.objective) for load in loads]
            drawn = np.sum([energies(site.signal.slots, plan.pieces) for plan in plans], axis=0)
            dual = sum(plan.lower_bound for plan in plans) - float(prices @ room)
            stalled = 0 if dual > bound else stalled + 1
            bound = max(bound, dual)
            if stalled >= _PATIENCE:
                pace, stalled = pace / 2.0, 0
            order = _by_price(loads, plans)
            found = self.improved(self.in_order(order, priced), until)
            if found.is_better_than(best):
                best = found
            slope = drawn - room
            slope = np.where((prices <= 0.0) & (slope < 0.0), 0.0, slope)
            norm = float(slope @ slope)
            if norm == 0.0 or pace < _SLOWEST:
                break
            step = pace * max(best.value - dual, 1e-3 * abs(best.value)) / norm
            prices = np.maximum(prices + step * slope, 0.0)
        # Prices bound plans that bring all that is asked for.
        return best, self.bound_of(best) if any(best.broken) else min(bound, best.value)


def _priced(site: Site, prices: FloatArray) -> Site:
    """Return a site whose objective has a price per Wh on each slot."""
    weights = site.weighing.weights
    figures = np.where(weights.known, (weights.first + prices) * 1000.0, np.nan)
    signal = Signal(slots=site.signal.slots, carbon=site.signal.carbon, price=figures)
    objective = Objective.cost()
    return replace(
        site, signal=signal, objective=objective, weighing=Weighing.of(signal, objective)
    )


def _orders(loads: Sequence[Load]) -> list[list[int]]:
    """Return orders in which loads may be placed: the least free first, or the largest first.

    And all that there are, or some more of them.
    """
    numbers = list(range(len(loads)))
    energy = [wanted(load) for load in loads]
    length = [load.end - load.start for load in loads]
    orders = [
        sorted(numbers, key=lambda number: length[number]),
        sorted(numbers, key=lambda number: -energy[number]),
        sorted(numbers, key=lambda number: -energy[number] / max(length[number], 1.0)),
    ]
    if len(loads) <= _FEW:
        orders += [list(order) for order in permutations(numbers)]
    else:
        shuffle = np.random.default_rng(0)
        orders += [shuffle.permutation(numbers).tolist() for _ in range(_SHUFFLES)]
    return [order for place, order in enumerate(orders) if order not in orders[:place]]


def _by_price(loads: Sequence[Load], plans: Sequence[Plan]) -> list[int]:
    """Return the loads in order, first those whose energy has become dearest."""
    cost = [plan.value / max(wanted(load), 1e-9) for load, plan in zip(loads, plans, strict=True)]
    return sorted(range(len(loads)), key=lambda number: -cost[number])
