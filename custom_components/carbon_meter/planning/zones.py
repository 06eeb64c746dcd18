"""Parts of a building whose setpoints and schedules can be adjusted: air and light."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, per_interval
from .heat_pump import HeatSource
from .slots import Slots
from .thermal import Body


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjustment:
    """What is done to a zone; nothing by default.

    `kelvin` moves a setpoint to where less energy is needed (below zero: to where more is),
    `earlier` moves a schedule by seconds, `dim` is what remains of the light, 0 to 1, in the
    `peak`: the part of the lit hours in which carbon or price is worst.
    """

    kelvin: float = 0.0
    earlier: float = 0.0
    dim: float = 1.0
    peak: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        amount("kelvin", self.kelvin, signed=True)
        amount("earlier", self.earlier, signed=True)
        for name in ("dim", "peak"):
            if amount(name, getattr(self, name)) > 1.0:
                raise ImpossibleAmountError(name, f"{getattr(self, name)} is more than all")


NO_ADJUSTMENT: Final = Adjustment()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Use:
    """What a zone takes in each slot, mean power in W, and the comfort that it misses."""

    powers: FloatArray
    discomfort: float = 0.0
    """K h outside the comfort."""

    dimmed: float = 0.0
    """Hours of full light that were taken away."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AirZone:
    """Rooms with a thermostat. One number stands for all slots; temperatures in degrees Celsius.

    The thermostat keeps the `setpoint` while it is `on`; `low` and `high` are the comfort while
    somebody is there (`occupied`). See `ThermalLoad` for the rest.
    """

    name: str
    body: Body
    source: HeatSource
    power: float
    start: float
    setpoint: FloatArray | float
    low: FloatArray | float
    high: FloatArray | float
    surroundings: FloatArray | float
    outside: FloatArray | float | None = None
    gains: FloatArray | float = 0.0
    on: NDArray[np.bool_] | bool = True
    occupied: NDArray[np.bool_] | bool = True

    def used(self, slots: Slots, weights: FloatArray, adjustment: Adjustment) -> Use:
        """Return what the zone takes when it is adjusted; the weights make no difference.

        Raises ImpossibleAmountError for numbers that cannot be, or do not fit the slots.
        """
        del weights
        count, sign = len(slots), -1.0 if self.source.cools else 1.0

        def row(name: str, values: object) -> FloatArray:
            return per_interval(name, values, count, signed=True)

        surroundings = row("surroundings", self.surroundings)
        outside = surroundings if self.outside is None else row("outside", self.outside)
        wanted = row("setpoint", self.setpoint) - sign * adjustment.kelvin
        wanted = _moved(wanted, slots, adjustment.earlier)
        on = _moved(_flags("on", self.on, count), slots, adjustment.earlier)
        keep, rise = self.body.keep(slots.hours), self.body.rise(slots.hours)
        drift = (1.0 - keep) * surroundings + rise * row("gains", self.gains)
        most = amount("power", self.power)
        powers, temperatures = np.zeros(count), np.empty(count)
        temperature = amount("start", self.start, signed=True)
        for slot in range(count):
            idle = keep[slot] * temperature + drift[slot]
            if on[slot]:
                now = np.array([temperature])
                performance = self.source.performance(outside[slot], now).reshape(-1)[0]
                warming = rise[slot] * performance
                powers[slot] = min(max(sign * (wanted[slot] - idle) / warming, 0.0), most)
                idle += sign * powers[slot] * warming
            temperatures[slot] = temperature = float(idle)
        missed = np.maximum(row("low", self.low) - temperatures, 0.0)
        missed = np.maximum(missed, temperatures - row("high", self.high))
        occupied = _flags("occupied", self.occupied, count)
        return Use(powers=powers, discomfort=float((missed * slots.hours)[occupied].sum()))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LightZone:
    """Light of so many W in each slot, of which at least the part `least` has to remain."""

    name: str
    powers: FloatArray | float
    least: float = 0.5

    def used(self, slots: Slots, weights: FloatArray, adjustment: Adjustment) -> Use:
        """Return what the light takes when it is moved, and dimmed where the weights are worst.

        Light that a moved schedule leaves out counts as taken away. Raises ImpossibleAmountError
        for numbers that cannot be, or do not fit the slots.
        """
        wanted = per_interval("powers", self.powers, len(slots))
        full = _moved(wanted, slots, adjustment.earlier)
        dark = np.maximum(wanted - full, 0.0) / np.where(wanted > 0.0, wanted, 1.0)
        missed = float(dark @ slots.hours)
        if amount("least", self.least) > 1.0:
            raise ImpossibleAmountError("least", f"{self.least} is more than all")
        remaining = max(adjustment.dim, self.least)
        lit = np.flatnonzero(full > 0.0)
        if remaining >= 1.0 or len(lit) == 0:
            return Use(powers=np.array(full), dimmed=missed)
        worst_first = lit[np.argsort(-weights[lit], kind="stable")]
        until = np.cumsum(slots.hours[worst_first])
        part = worst_first[until <= adjustment.peak * until[-1] + 1e-9]
        powers = np.array(full)
        powers[part] *= remaining
        dimmed = float(slots.hours[part].sum() * (1.0 - remaining))
        return Use(powers=powers, dimmed=missed + dimmed)


def _moved[Item: np.generic](values: NDArray[Item], slots: Slots, earlier: float) -> NDArray[Item]:
    """Return what a schedule says in each slot when it is moved; its edges stand for beyond."""
    if earlier == 0.0 or len(slots) == 0:
        return values
    middles = (slots.starts + slots.ends) / 2.0 + earlier
    places = np.clip(np.searchsorted(slots.ends, middles, side="right"), 0, len(slots) - 1)
    return values[places]


def _flags(name: str, values: NDArray[np.bool_] | bool, count: int) -> NDArray[np.bool_]:
    """Return one flag for each slot."""
    found = np.asarray(values, dtype=np.bool_)
    if found.shape not in {(), (count,)}:
        raise ImpossibleAmountError(name, f"expected {count} flags, not {found.shape}")
    return np.broadcast_to(found, (count,))
