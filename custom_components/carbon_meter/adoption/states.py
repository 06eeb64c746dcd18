"""What the state of an entity says, in the units of `QUANTITIES`."""

from datetime import datetime
import math
from typing import Final

from homeassistant.components.sensor import ATTR_LAST_RESET, ATTR_STATE_CLASS, SensorStateClass
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import (
    ApparentPowerConverter,
    BaseUnitConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    FrequencyConverter,
    PowerConverter,
    ReactiveEnergyConverter,
    ReactivePowerConverter,
    UnitlessRatioConverter,
    VolumeConverter,
)

from ..metering.quantities import QUANTITIES

_CONVERTERS: Final[dict[str, type[BaseUnitConverter]]] = {
    "Wh": EnergyConverter,
    "W": PowerConverter,
    "L": VolumeConverter,
    "V": ElectricPotentialConverter,
    "A": ElectricCurrentConverter,
    "Hz": FrequencyConverter,
    "VA": ApparentPowerConverter,
    "var": ReactivePowerConverter,
    "varh": ReactiveEnergyConverter,
    "1": UnitlessRatioConverter,
}
"""By the unit of a quantity."""

_COARSE: Final = 1000.0
"""Wh or L; a counter in larger steps has to move to say something. See `Counter`."""


class ImpossibleStateError(ValueError):
    """A state is not a value of the quantity."""


def unit_of(state: State) -> str | None:
    """Return the unit of a state; a power factor has none."""
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    return unit if isinstance(unit, str) else None


def fits(state: State, quantity: str) -> bool:
    """Return whether a state is in a unit of the quantity."""
    return unit_of(state) in _CONVERTERS[QUANTITIES[quantity].unit].VALID_UNITS


def value_of(state: State | None, quantity: str, *, net: bool = False) -> float | None:
    """Return what a state says, None where its integration does not know it now.

    `net` allows a counter below zero. Raises ImpossibleStateError for what is no value of the
    quantity: text, no number, another unit, a size that no meter has.
    """
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    wanted = QUANTITIES[quantity]
    try:
        said = float(state.state)
    except ValueError:
        raise ImpossibleStateError(f"“{state.state}” is not a number") from None
    if not math.isfinite(said):
        raise ImpossibleStateError(f"“{state.state}” is not a value")
    value = _converted(said, state, quantity)
    if abs(value) > wanted.limit:
        raise ImpossibleStateError(f"{value:g} {wanted.unit} is more than any meter has")
    if wanted.counter and value < 0 and not net:
        raise ImpossibleStateError(f"a counter below zero: {state.state}")
    return value


def _converted(said: float, state: State, quantity: str) -> float:
    """Return a number in the unit of the quantity."""
    wanted, unit = QUANTITIES[quantity].unit, unit_of(state)
    if not fits(state, quantity):
        raise ImpossibleStateError(f"the unit {unit or '-'} is not one of {quantity}")
    return _CONVERTERS[wanted].convert(said, unit, None if wanted == "1" else wanted)


def is_coarse(state: State, quantity: str) -> bool:
    """Return whether a counter shows so few digits that it moves by more than a kWh or 1 m³."""
    digits = state.state.partition(".")[2]
    if "e" in state.state.lower() or not fits(state, quantity):
        return False
    return _converted(10.0 ** -len(digits), state, quantity) > _COARSE


def cycle_of(state: State) -> str | None:
    """Return which run from zero a counter is in, None where it does not tell."""
    reset = state.attributes.get(ATTR_LAST_RESET)
    if isinstance(reset, str):
        reset = dt_util.parse_datetime(reset)
    return reset.isoformat() if isinstance(reset, datetime) else None


def runs_both_ways(state: State) -> bool:
    """Return whether a counter also counts backwards: a total that tells of no reset.

    That is what Home Assistant's state class `total` stands for without `last_reset`.
    """
    return (
        state.attributes.get(ATTR_STATE_CLASS) == SensorStateClass.TOTAL
        and ATTR_LAST_RESET not in state.attributes
    )
