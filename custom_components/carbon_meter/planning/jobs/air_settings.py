"""What is known of the air of a zone, and its load over the slots of a plan."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from ..heat_pump import HeatSource
from ..slots import Slots
from ..thermal import Body, ThermalLoad
from ..window import inside
from ..zones import AirZone
from .body_load import level_after, thermal_load
from .job import Around, Stretches
from .rolling import fitted
from .schedule import Schedule
from .setpoint import rounded, whole
from .warmth_settings import HOT, MILD

START_UP: Final = 3600.0
"""s before its occupation in which a zone that is not planned is switched on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AirSettings:
    """What is known of a zone. Temperatures in degrees Celsius, `power` in W electric.

    The thermostat keeps `setpoint`, which is moved by `depth` K to where more is cooled (heated)
    ahead of bad hours and by `relax` K to where less is in them, within the comfort `low` to
    `high`. It begins up to `lead` h before somebody is there. While nobody is, the zone may drift
    by `setback` K beyond its comfort. Raises ImpossibleAmountError for what cannot be.
    """

    name: str
    body: Body
    source: HeatSource
    power: float
    setpoint: float
    low: float
    high: float
    zone: tzinfo
    occupied: Schedule | None = None
    """When somebody is there; None: always."""

    depth: float = 2.0
    relax: float = 2.0
    lead: float = 4.0
    setback: float = 4.0
    gains: float = 0.0
    horizon: float = 24.0
    """h that are planned."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if amount("power", self.power) == 0.0:
            raise ImpossibleAmountError("power", "what takes nothing moves no heat")
        for name in ("low", "setpoint", "high", "gains"):
            amount(name, getattr(self, name), signed=True)
        if not self.low <= self.setpoint <= self.high:
            raise ImpossibleAmountError("setpoint", "it lies outside of the comfort")
        for name in ("depth", "relax", "lead", "setback"):
            amount(name, getattr(self, name))
        if amount("horizon", self.horizon) == 0.0:
            raise ImpossibleAmountError("horizon", "nothing is planned in no time")

    @property
    def usual_outside(self) -> float:
        """Return the temperature outside where nobody knows it."""
        return HOT if self.source.cools else MILD

    @property
    def setback_setpoint(self) -> float:
        """Return what the thermostat is set to while nobody is there."""
        if self.source.cools:
            return rounded(self.high + self.setback, up=False)
        return rounded(self.low - self.setback, up=True)

    @property
    def shifts(self) -> tuple[float, float]:
        """Return by how many K the setpoint is moved at the most, down and up."""
        down, up = (self.depth, self.relax) if self.source.cools else (self.relax, self.depth)
        down = min(down, self.setpoint - self.low)
        up = min(up, self.high - self.setpoint)
        return -whole(down), whole(up)

    def occupied_within(self, start: float, end: float) -> Stretches:
        """Return when somebody is there by the schedule."""
        return ((start, end),) if self.occupied is None else self.occupied.within(start, end)

    def load(self, around: Around, slots: Slots, level: float, occupied: Stretches) -> ThermalLoad:
        """Return the load over some slots: narrow while somebody is there, wide while not.

        What is cooled (heated) ahead has to be used: nothing is asked for at the end.
        """
        low, high = self._band(slots, occupied)
        outside = fitted(around, around.outside, slots, self.usual_outside)
        ends = high if self.source.cools else low
        return thermal_load(
            slots,
            body=self.body,
            source=self.source,
            power=self.power,
            start=level,
            low=low,
            high=high,
            surroundings=outside,
            outside=outside,
            gains=np.full(len(slots), self.gains),
            end=float(ends[-1]) if len(slots) else None,
        )

    def idle(self, slots: Slots, occupied: Stretches) -> NDArray[np.bool_]:
        """Return in which slots nobody is there, or soon will be."""
        return ~inside(slots, _early(occupied, self.lead * 3600.0))

    def air_zone(self, around: Around, level: float, occupied: Stretches) -> AirZone:
        """Return the zone over the slots of a signal, with a thermostat that looks at nothing."""
        slots = around.signal.slots
        outside = fitted(around, around.outside, slots, self.usual_outside)
        return AirZone(
            name=self.name,
            body=self.body,
            source=self.source,
            power=self.power,
            start=level,
            setpoint=self.setpoint,
            low=self.low,
            high=self.high,
            surroundings=outside,
            outside=outside,
            gains=self.gains,
            on=inside(slots, _early(occupied, START_UP)),
            occupied=inside(slots, occupied),
        )

    def after(self, level: float, seconds: float, power: float, outside: float) -> float:
        """Return the temperature after so many seconds with a power in W."""
        return level_after(
            seconds,
            body=self.body,
            source=self.source,
            level=level,
            power=power,
            surroundings=outside,
            outside=outside,
            gains=self.gains,
        )

    def _band(self, slots: Slots, occupied: Stretches) -> tuple[FloatArray, FloatArray]:
        """Return the limits at the end of each slot.

        Somebody who comes finds comfort, so that it holds at the end of the slot before.
        """
        ahead = ~self.idle(slots, occupied)
        there = _touched(slots, occupied) & ahead
        sp, depth, relax = self.setpoint, self.depth, self.relax
        if self.source.cools:
            low = np.where(ahead, max(self.low, sp - depth), sp)
            high = np.where(there, min(self.high, sp + relax), self.high + self.setback)
        else:
            low = np.where(there, max(self.low, sp - relax), self.low - self.setback)
            high = np.where(ahead, min(self.high, sp + depth), sp)
        return low, high


def _early(stretches: Stretches, seconds: float) -> Stretches:
    """Return stretches that begin earlier."""
    return tuple((start - seconds, end) for start, end in stretches)


def _touched(slots: Slots, stretches: Stretches) -> NDArray[np.bool_]:
    """Return which slots end in some stretches, or where one of them begins."""
    found = np.zeros(len(slots), dtype=np.bool_)
    for start, end in stretches:
        found |= (slots.ends >= start - 1e-3) & (slots.ends <= end)
    return found
