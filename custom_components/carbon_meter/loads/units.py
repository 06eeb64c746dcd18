"""Figures of entities in the units that loads are planned in."""

import math
from typing import Any

from homeassistant.const import UnitOfEnergy, UnitOfPower, UnitOfTemperature
from homeassistant.core import State
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    EnergyConverter,
    PowerConverter,
    TemperatureConverter,
)


def number_of(value: Any) -> float | None:
    """Return a finite number, None for anything else: unknown, unavailable, a word."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except TypeError, ValueError:
        return None
    return found if math.isfinite(found) else None


def in_celsius(value: Any, unit: Any) -> float | None:
    """Return a temperature in degrees Celsius; without a unit it is that."""
    return _converted(TemperatureConverter, value, unit, UnitOfTemperature.CELSIUS)


def in_watts(value: Any, unit: Any) -> float | None:
    """Return a power in W; without a unit it is that."""
    return _converted(PowerConverter, value, unit, UnitOfPower.WATT)


def in_kilowatt_hours(value: Any, unit: Any) -> float | None:
    """Return an energy in kWh; without a unit it is that."""
    return _converted(EnergyConverter, value, unit, UnitOfEnergy.KILO_WATT_HOUR)


def in_per_cent(value: Any, unit: Any) -> float | None:
    """Return a part in per cent: a number without a unit from 0 to 1 is a fraction.

    1 without a unit is all of it: no battery is told to be at one per cent for long.
    """
    found = number_of(value)
    if found is None:
        return None
    if unit in {None, ""} and 0.0 <= found <= 1.0:
        found *= 100.0
    return found if 0.0 <= found <= 100.0 else None


def unit_of(state: State) -> Any:
    """Return the unit of a state, None without one."""
    return state.attributes.get("unit_of_measurement")


def _converted(
    converter: type[BaseUnitConverter], value: Any, unit: Any, wanted: str
) -> float | None:
    """Return a number in another unit, None where it has none of that kind."""
    found = number_of(value)
    if found is None or unit in {None, ""}:
        return found
    if unit not in converter.VALID_UNITS:
        return None
    return converter.convert(found, unit, wanted)
