"""A battery as a store: what its cells, its losses, its wear and the site around it make of it."""

from dataclasses import dataclass

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, per_interval
from .objective import Goal, Objective
from .plan import Weighing
from .store import Store
from .store_path import Segment


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BatteryLoad:
    """A battery. Energy in Wh, power in W as its meter counts it.

    `standby` fades from the content. `end` is the content at the end at the least (None: as now),
    or `end_value` what a Wh of it is worth then, in g or currency, instead. `wear_carbon` and
    `wear_cost` are what each kWh through the battery wears off, in g and currency, half of it when
    it goes in: of what was emitted and paid for the battery. With `net`, the
    power that the rest of the site takes (below zero: gives) in each slot, what is discharged
    beyond it is exported, and what is exported counts `export` of what is imported, 0 to 1.
    """

    capacity: float
    content: float
    """Now."""

    charge: float
    discharge: float
    charging: float = 0.95
    discharging: float = 0.95
    standby: float = 0.0
    reserve: float = 0.0
    end: float | None = None
    end_value: float | None = None
    wear_carbon: float = 0.0
    wear_cost: float = 0.0
    net: FloatArray | float | None = None
    export: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no battery has."""
        for name in ("content", "charge", "discharge", "standby", "reserve"):
            amount(name, getattr(self, name))
        amount("wear_carbon", self.wear_carbon)
        amount("wear_cost", self.wear_cost)
        if amount("capacity", self.capacity) == 0.0:
            raise ImpossibleAmountError("capacity", "a battery holds something")
        for name in ("charging", "discharging"):
            if not 0.0 < amount(name, getattr(self, name)) <= 1.0:
                raise ImpossibleAmountError(name, f"{getattr(self, name)} is no efficiency")
        if amount("export", self.export) > 1.0:
            raise ImpossibleAmountError("export", "export does not count more than import")


@dataclass(frozen=True, kw_only=True)
class BatteryModel:
    """A battery in slots; the changes of its `store` are Wh in the cells."""

    load: BatteryLoad
    wished: Store
    store: Store
    net: FloatArray | None
    """Wh that the rest of the site takes in each slot."""

    wear: float
    """What a Wh in or out adds to the objective."""

    @classmethod
    def of(cls, load: BatteryLoad, weighing: Weighing, objective: Objective) -> BatteryModel:
        """Return the problem of a battery in the slots of a signal."""
        hours = weighing.slots.hours
        count = len(hours)
        content = min(load.content, load.capacity)
        idle = content - np.cumsum(hours) * load.standby
        low = np.full(count, min(load.reserve, load.capacity))
        if load.reserve == 0.0:
            # Nothing has to be charged for what fades from an empty battery.
            low = np.minimum(low, idle)
        if count and load.end_value is None:
            end = idle[-1] if load.end is None else amount("end", load.end)
            low[-1] = max(low[-1], min(end, load.capacity))
        # It rests where nothing is known: there is no telling what it would do.
        able = hours * weighing.weights.known
        wished = Store.of(
            start=content,
            keep=np.ones(count),
            drift=-hours * load.standby,
            least=-able * load.discharge / load.discharging,
            most=able * load.charge * load.charging,
            low=low,
            high=np.full(count, load.capacity),
        )
        net = None
        if load.net is not None:
            net = per_interval("net", load.net, count, signed=True) * hours
        return cls(
            load=load,
            wished=wished,
            store=wished.within_reach(),
            net=net,
            wear=_wear(load, objective),
        )

    def energy(self, changes: FloatArray) -> FloatArray:
        """Return the Wh that the battery's meter counts for changes in the cells."""
        return np.where(
            changes > 0.0, changes / self.load.charging, changes * self.load.discharging
        )

    def counted(self, energy: FloatArray) -> FloatArray:
        """Return how many Wh of import the Wh of the battery count as."""
        if self.net is None:
            return energy
        before, after = self.net, self.net + energy
        export = self.load.export
        more_in = np.maximum(after, 0.0) - np.maximum(before, 0.0)
        less_out = np.minimum(after, 0.0) - np.minimum(before, 0.0)
        counted: FloatArray = more_in + export * less_out
        return counted

    def segments(self, weights: FloatArray) -> list[list[Segment]]:
        """Return the cost of each slot's change, from the least to the most."""
        load, store = self.load, self.store
        count = len(store)
        # The battery's energy beyond which the site imports.
        border = np.full(count, -np.inf) if self.net is None else -self.net
        inside = np.where(border > 0.0, border * load.charging, border / load.discharging)
        inside = np.clip(inside, store.least, store.most)
        edges = np.stack(
            [store.least, np.minimum(inside, 0.0), np.maximum(inside, 0.0), store.most], axis=1
        )
        edges = np.insert(edges, 2, 0.0, axis=1)
        edges.sort(axis=1)
        middles = (edges[:, 1:] + edges[:, :-1]) / 2.0
        share = np.where(middles < inside[:, np.newaxis], load.export, 1.0)
        value = weights[:, np.newaxis] * share
        wear = self.wear
        slopes = np.where(
            middles < 0.0,
            (value - wear) * load.discharging,
            (value + wear) / load.charging,
        )
        lengths = np.diff(edges, axis=1)
        return [
            [(slope, length) for slope, length in zip(*both, strict=True) if length > 0.0]
            for both in zip(slopes.tolist(), lengths.tolist(), strict=True)
        ]

    def least_cost(self, weights: FloatArray) -> float:
        """Return what discharging as much as possible in each slot costs."""
        energy = self.energy(self.store.least)
        return float(weights @ self.counted(energy)) + self.worn(energy)

    def value(self, weights: FloatArray, changes: FloatArray) -> float:
        """Return the objective of changes in the cells."""
        energy = self.energy(changes)
        gained = float(changes.sum() + self.store.drift.sum())
        worth = (self.load.end_value or 0.0) * gained
        return float(weights @ self.counted(energy)) + self.worn(energy) - worth

    def worn(self, energy: FloatArray) -> float:
        """Return what wear adds to the objective."""
        return self.wear * float(np.abs(energy).sum())


def _wear(load: BatteryLoad, objective: Objective) -> float:
    """Return what a Wh in or out adds to an objective by wear, in g or currency."""
    carbon, cost = load.wear_carbon / 2000.0, load.wear_cost / 2000.0
    match objective.goal:
        case Goal.CARBON | Goal.CARBON_THEN_COST:
            return carbon
        case Goal.COST | Goal.COST_THEN_CARBON:
            return cost
        case Goal.WEIGHTED:
            return carbon * objective.price_per_kg / 1000.0 + cost
