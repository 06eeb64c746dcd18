"""What a plan makes small: carbon, cost, or both."""

from dataclasses import dataclass, replace
from enum import StrEnum
import math
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from .signal import Signal

SAME: Final = 1e-9
"""Values that differ by no more than this part of themselves are the same: the next key decides."""


class Goal(StrEnum):
    """Which sum a plan makes small."""

    CARBON = "carbon"
    """gCO2eq."""

    COST = "cost"
    """Currency."""

    WEIGHTED = "weighted"
    """Currency, with a price on carbon."""

    CARBON_THEN_COST = "carbon_then_cost"
    """gCO2eq; among plans of the same carbon, the cheapest."""

    COST_THEN_CARBON = "cost_then_carbon"
    """Currency; among plans of the same cost, the cleanest."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Weights:
    """What one Wh adds to the objective in each slot.

    `first` is what is made small, in g or currency per Wh, `second` what decides among the same;
    each is 0 where it is not known. `known` tells of which slots `first` is: the others are
    avoided unless they are needed, which is no matter of weight.
    """

    first: FloatArray
    second: FloatArray
    known: NDArray[np.bool_]

    def order(self) -> NDArray[np.int64]:
        """Return the slots from the best to the worst; among the same the earlier first."""
        keys = [ranks(self.first), ~self.known]
        if self.second.any():
            keys.insert(0, ranks(self.second))
        return np.asarray(np.lexsort(keys))


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """What is made small; `caution` weighs what is uncertain more than its middle.

    `price_per_kg` is the currency that one kg of carbon counts as, for `Goal.WEIGHTED`. With
    `caution` c a slot's intensity is p50 + c * (p90 - p50): 0 takes the middle, 1 the upper end
    of the band. Raises ImpossibleAmountError for numbers that are negative or not finite.
    """

    goal: Goal
    price_per_kg: float = 0.0
    caution: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        amount("price_per_kg", self.price_per_kg)
        amount("caution", self.caution)

    @classmethod
    def carbon(cls) -> Self:
        """Return the objective of least carbon."""
        return cls(goal=Goal.CARBON)

    @classmethod
    def cost(cls) -> Self:
        """Return the objective of least cost."""
        return cls(goal=Goal.COST)

    @classmethod
    def weighted(cls, price_per_kg: float) -> Self:
        """Return the objective of least cost, with a price on carbon."""
        return cls(goal=Goal.WEIGHTED, price_per_kg=price_per_kg)

    @classmethod
    def lexicographic(cls, first: Goal) -> Self:
        """Return the objective of least carbon (or cost), then of least cost (or carbon)."""
        goals = {Goal.CARBON: Goal.CARBON_THEN_COST, Goal.COST: Goal.COST_THEN_CARBON}
        if first not in goals:
            raise ImpossibleAmountError("first", f"{first} cannot come before another")
        return cls(goal=goals[first])

    def with_caution(self, caution: float) -> Self:
        """Return the same objective with another caution."""
        return replace(self, caution=caution)

    def weights(self, signal: Signal) -> Weights:
        """Return what one Wh adds in each slot of a signal."""
        carbon = self._carbon(signal) / 1000.0
        price = np.full(len(carbon), np.nan) if signal.price is None else signal.price / 1000.0
        nothing = np.zeros(len(carbon))
        match self.goal:
            case Goal.CARBON:
                first, second = carbon, nothing
            case Goal.COST:
                first, second = price, nothing
            case Goal.WEIGHTED:
                first, second = carbon * (self.price_per_kg / 1000.0) + price, nothing
            case Goal.CARBON_THEN_COST:
                first, second = carbon, price
            case Goal.COST_THEN_CARBON:
                first, second = price, carbon
        known = np.isfinite(first)
        return Weights(first=np.where(known, first, 0.0), second=_filled(second), known=known)

    def _carbon(self, signal: Signal) -> FloatArray:
        """Return the intensity that each slot counts with."""
        if signal.high is None or self.caution == 0.0:
            return signal.carbon
        above = np.maximum(signal.high - signal.carbon, 0.0)
        return signal.carbon + self.caution * np.where(np.isfinite(above), above, 0.0)


def ranks(values: FloatArray) -> NDArray[np.int64]:
    """Return the places of values in their order; values that are the same share one.

    Those that share a rank differ from its smallest by no more than `SAME`, so that a rank never
    puts together what differs by more.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    apart = np.ones(len(ordered), dtype=np.bool_)
    np.greater(ordered[1:] - ordered[:-1], SAME * np.abs(ordered[1:]), out=apart[1:])
    rank = np.cumsum(apart) - 1
    smallest = ordered[apart][rank]
    if (ordered - smallest > SAME * np.abs(smallest)).any():
        rank = _ranks_of_chain(ordered)
    found = np.empty(len(values), dtype=np.int64)
    found[order] = rank
    return found


def _ranks_of_chain(ordered: FloatArray) -> NDArray[np.int64]:
    """Return ranks where each value is the same as the next, but not as those further on."""
    found = np.empty(len(ordered), dtype=np.int64)
    rank, bound = -1, -math.inf
    for place, value in enumerate(ordered.tolist()):
        if value > bound:
            rank, bound = rank + 1, value + SAME * abs(value)
        found[place] = rank
    return found


def settled(values: FloatArray) -> FloatArray:
    """Return values of which those that are the same are equal to the last bit."""
    rank = ranks(values)
    smallest = np.full(int(rank.max(initial=-1)) + 1, math.inf)
    np.minimum.at(smallest, rank, values)
    return smallest[rank]


def best(*keys: FloatArray) -> int:
    """Return the place of the best by the first key, among the same by the next, and so on.

    Among those that are the same by all keys it is the first.
    """
    places = np.arange(len(keys[0]))
    for key in keys:
        values = key[places]
        least = values.min()
        places = places[values <= least + SAME * abs(least)]
        if len(places) == 1:
            break
    return int(places[0])


def _filled(values: FloatArray) -> FloatArray:
    """Return a second key without holes: what is not known is as bad as the worst."""
    known = np.isfinite(values)
    if known.all():
        return values
    return np.where(known, values, values[known].max() if known.any() else 0.0)
