"""A room, a floor or a tank of hot water that is heated or cooled: one capacity, one resistance.

    capacity * dT/dt = heat + gains - loss * (T - surroundings)

The heat, the gains and the surroundings are even over a slot, for which the solution is exact.
"""

from dataclasses import dataclass

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts, per_interval
from .heat_pump import HeatSource
from .slots import Slots
from .store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What holds the heat: `capacity` in Wh per K, `loss` in W per K.

    Raises ImpossibleAmountError for numbers that no body has.
    """

    capacity: float
    loss: float

    def __post_init__(self) -> None:
        """Refuse what no body has."""
        if amount("capacity", self.capacity) == 0.0:
            raise ImpossibleAmountError("capacity", "a body holds something")
        amount("loss", self.loss)

    def keep(self, hours: FloatArray) -> FloatArray:
        """Return the part of a difference in temperature that remains after so many hours."""
        # Whatever leaks faster has the temperature of its surroundings for every purpose.
        found: FloatArray = np.exp(-np.minimum(hours * (self.loss / self.capacity), 30.0))
        return found

    def rise(self, hours: FloatArray) -> FloatArray:
        """Return by how many K one W of heat warms in so many hours."""
        if self.loss == 0.0:
            return hours / self.capacity
        found: FloatArray = -np.expm1(-hours * (self.loss / self.capacity)) / self.loss
        return found


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThermalLoad:
    """Something to heat or to cool. Temperatures in degrees Celsius, powers in W.

    `low` and `high` are the comfort at the end of each slot, `surroundings` what the body loses
    its heat to, `outside` what a heat pump takes it from (the surroundings where it is None),
    `gains` what else warms it: sun, people, and below zero hot water that is drawn. One number
    stands for all slots.
    """

    body: Body
    source: HeatSource
    power: float
    """Electric, the most there is."""

    stages: tuple[float, ...] = ()
    """Electric powers that can be switched, beside off; none: any power up to the most."""

    start: float
    """Now."""

    low: FloatArray | float
    high: FloatArray | float
    surroundings: FloatArray | float
    outside: FloatArray | float | None = None
    gains: FloatArray | float = 0.0
    end: float | None = None
    """What is reached at the end at the least (at the most, when it cools); None: as now."""

    end_value: float | None = None
    """What a Wh of heat (or cold) is worth at the end, in g or currency; it takes the place of
    `end`."""

    running: bool = False
    """Whether it runs now."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThermalModel:
    """A load in slots, brought to one direction: what cools is heated upside down.

    Contents of the `store` are degrees, those of what cools with the sign turned.
    """

    load: ThermalLoad
    slots: Slots
    store: Store
    """With the comfort that is wished."""

    surely: FloatArray
    """K that full power warms by in each slot at the least."""

    rises: FloatArray
    """K by W of heat, in each slot."""

    outside: FloatArray
    stages: FloatArray
    """W; off first."""

    @classmethod
    def of(cls, load: ThermalLoad, slots: Slots) -> ThermalModel:
        """Return the model of a load.

        Raises ImpossibleAmountError for numbers that cannot be, do not fit, or have limits that
        are upside down.
        """
        count, sign = len(slots), -1.0 if load.source.cools else 1.0

        def row(name: str, values: object) -> FloatArray:
            return per_interval(name, values, count, signed=True)

        surroundings = row("surroundings", load.surroundings)
        outside = surroundings if load.outside is None else row("outside", load.outside)
        stages = np.unique(np.append(amounts("stages", load.stages), 0.0))
        power = float(stages[-1]) if load.stages else amount("power", load.power)
        if load.end_value is not None:
            amount("end_value", load.end_value)
        low, high = sign * row("low", load.low), sign * row("high", load.high)
        if load.source.cools:
            low, high = high, low
        start = sign * amount("start", load.start, signed=True)
        if count and load.end_value is None:
            end = start if load.end is None else sign * amount("end", load.end, signed=True)
            low[-1] = max(low[-1], min(end, high[-1]))
        rises, keep = load.body.rise(slots.hours), load.body.keep(slots.hours)
        drift = sign * ((1.0 - keep) * surroundings + rises * row("gains", load.gains))

        def most(contents: FloatArray) -> FloatArray:
            return rises * power * load.source.performance(outside, sign * contents)

        middle = (low + high) / 2.0
        if load.stages:
            # A pump does best against what is cold: what is out of its reach is so for sure.
            coldest = np.minimum(low, start)
            greatest, surely = most(coldest), most(high)
        else:
            # Any power is planned with the performance in the middle of the comfort.
            greatest = surely = most(middle)
        return cls(
            load=load,
            slots=slots,
            store=Store.of(
                start=start,
                keep=keep,
                drift=drift,
                least=np.zeros(count),
                most=greatest,
                low=low,
                high=high,
            ),
            surely=surely,
            rises=rises,
            outside=outside,
            stages=stages,
        )

    @property
    def sign(self) -> float:
        """Return 1 for what is heated, -1 for what is cooled."""
        return -1.0 if self.load.source.cools else 1.0

    def performance(self, slot: int, contents: FloatArray) -> FloatArray:
        """Return Wh of heat for each Wh of electricity, at contents of the store."""
        return self.load.source.performance(self.outside[slot], self.sign * contents)

    def changes(self, slot: int, contents: FloatArray) -> FloatArray:
        """Return by how much each stage warms in a slot, [S, G] or [S, 1]."""
        heat = self.performance(slot, contents) * self.rises[slot]
        changed: FloatArray = self.stages[:, np.newaxis] * heat
        return changed
