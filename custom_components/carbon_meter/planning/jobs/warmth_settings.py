"""What is known of something to heat or to cool, and its load over the slots of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final

import numpy as np

from ...carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts
from ..heat_pump import HeatSource
from ..slots import Slots
from ..thermal import Body, ThermalLoad
from .bodies import drawn
from .body_load import level_after, thermal_load, with_weekly_heat
from .hygiene import HygieneSettings
from .job import Around
from .rolling import fitted

MILD: Final = 7.0
HOT: Final = 35.0
"""Degrees Celsius outside where nobody knows: the standard rating conditions of air in EN 14511,
for what heats and for what cools."""

_MOST_SHIFT: Final = 3.0
"""K."""


class Steering(StrEnum):
    """How something is heated or cooled."""

    ON_OFF = "on_off"
    STAGES = "stages"
    POWER = "power"
    """Any power up to the most."""

    SETPOINT = "setpoint"
    """By a thermostat of its own, whose setpoint is moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmthSettings:
    """What is known of a body and of what heats or cools it.

    Temperatures in degrees Celsius, powers in W. `low` and `high` are the comfort, `surroundings`
    what the body loses its heat to (None: the outside), `gains` what else warms it, `draw` the Wh
    of hot water of a day. `shift_up` and `shift_down` are the K by which the setpoint of a room is
    moved at the most; the setpoint of a tank moves between `low` and `high`. Raises
    ImpossibleAmountError for what cannot be.
    """

    name: str
    body: Body
    source: HeatSource
    power: float
    """Electric, the most there is; of stages the greatest counts."""

    low: float
    high: float
    zone: tzinfo
    steering: Steering = Steering.ON_OFF
    stages: tuple[float, ...] = ()
    is_tank: bool = False
    surroundings: float | None = None
    gains: float = 0.0
    draw: float = 0.0
    shift_up: float = 1.0
    shift_down: float = 1.0
    hygiene: HygieneSettings | None = None
    horizon: float = 24.0
    """h that are planned."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        amounts("stages", self.stages)
        if self.steering is Steering.STAGES and not any(self.stages):
            raise ImpossibleAmountError("stages", "there are none")
        if amount("power", self.power) == 0.0 and self.steering is not Steering.STAGES:
            raise ImpossibleAmountError("power", "what takes nothing heats nothing")
        low = amount("low", self.low, signed=True)
        if low > amount("high", self.high, signed=True):
            raise ImpossibleAmountError("low", "a lower limit lies above the upper one")
        for name in ("shift_up", "shift_down"):
            if amount(name, getattr(self, name)) > _MOST_SHIFT:
                raise ImpossibleAmountError(name, f"no more than {_MOST_SHIFT:g} K")
        if amount("horizon", self.horizon) == 0.0:
            raise ImpossibleAmountError("horizon", "nothing is planned in no time")
        if self.surroundings is not None:
            amount("surroundings", self.surroundings, signed=True)
        amount("draw", self.draw)
        amount("gains", self.gains, signed=True)
        if self.hygiene is not None and (self.source.cools or not self.is_tank):
            raise ImpossibleAmountError("hygiene", "only tanks that are heated have one")

    @property
    def most(self) -> float:
        """Return the greatest electric power in W."""
        return max(self.stages) if self.steering is Steering.STAGES else self.power

    @property
    def switched(self) -> tuple[float, ...]:
        """Return the powers in W that can be switched; none: any power up to the most."""
        match self.steering:
            case Steering.ON_OFF:
                return (self.power,)
            case Steering.STAGES:
                return self.stages
        return ()

    @property
    def usual_outside(self) -> float:
        """Return the temperature outside where nobody knows it."""
        return HOT if self.source.cools else MILD

    @property
    def middle(self) -> float:
        """Return the middle of the comfort."""
        return (self.low + self.high) / 2.0

    def band(self, base: float | None) -> tuple[float, float]:
        """Return between what the temperature moves, where the user has chosen a setpoint."""
        if base is None or self.is_tank or self.steering is not Steering.SETPOINT:
            return self.low, self.high
        low, high = base - self.shift_down, base + self.shift_up
        return min(max(low, self.low), self.high), min(max(high, self.low), self.high)

    def heat(self, outside: float) -> float:
        """Return the W of heat of full power against the greatest warmth that is asked for."""
        hottest = self.high if self.hygiene is None else self.hygiene.temperature
        found = self.source.performance(np.array([outside]), np.array([hottest]))
        return self.most * float(found.reshape(-1)[0])

    def load(  # noqa: PLR0913  # what a plan or a simulation knows
        self,
        slots: Slots,
        around: Around,
        *,
        start: float,
        base: float | None = None,
        deadlines: Sequence[float] = (),
        stages: tuple[float, ...] = (),
        running: bool = False,
    ) -> ThermalLoad:
        """Return the load over some slots, hot for hygiene by some deadlines.

        In the end it is as warm as at the start, but no more than the middle of the comfort asks
        for: what was heated, or cooled, ahead may be used.
        """
        outside = fitted(around, around.outside, slots, self.usual_outside)
        surroundings = outside
        if self.surroundings is not None:
            surroundings = np.full(len(slots), self.surroundings)
        lowest, highest = self.band(base)
        low, high = np.full(len(slots), lowest), np.full(len(slots), highest)
        if self.hygiene is not None and deadlines:
            low, high = with_weekly_heat(
                slots,
                low,
                high,
                deadlines=deadlines,
                temperature=self.hygiene.temperature,
                body=self.body,
                source=self.source,
                power=self.most,
                surroundings=surroundings,
                outside=outside,
            )
        middle = (lowest + highest) / 2.0
        return thermal_load(
            slots,
            body=self.body,
            source=self.source,
            power=self.most,
            start=start,
            low=low,
            high=high,
            surroundings=surroundings,
            outside=outside,
            gains=self._gains(slots),
            stages=stages,
            end=max(start, middle) if self.source.cools else min(start, middle),
            running=running,
        )

    def after(
        self, now: float, level: float, seconds: float, power: float, outside: float
    ) -> float:
        """Return the temperature after so many seconds with a power in W."""
        gains = self._gains(Slots.of(now, now + seconds, seconds))
        return level_after(
            seconds,
            body=self.body,
            source=self.source,
            level=level,
            power=power,
            surroundings=outside if self.surroundings is None else self.surroundings,
            outside=outside,
            gains=float(gains[0]),
        )

    def _gains(self, slots: Slots) -> FloatArray:
        """Return what else warms the body in each slot, in W; hot water takes from it."""
        return self.gains - drawn(slots, self.draw, self.zone)
