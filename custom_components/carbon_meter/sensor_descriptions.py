"""Which sensors a meter's quantities become."""

from dataclasses import dataclass, replace
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfVolume,
)

from .const import Carrier
from .metering.quantities import QUANTITIES, Quantity


@dataclass(frozen=True, kw_only=True)
class QuantityDescription(SensorEntityDescription):
    """A sensor that shows one quantity of a reading."""

    quantity: str


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How the quantities of one unit are shown."""

    device_class: SensorDeviceClass
    unit: str | None
    suggested_unit: str | None = None
    precision: int


_KINDS: Final = {
    "V": _Kind(
        device_class=SensorDeviceClass.VOLTAGE, unit=UnitOfElectricPotential.VOLT, precision=1
    ),
    "A": _Kind(
        device_class=SensorDeviceClass.CURRENT, unit=UnitOfElectricCurrent.AMPERE, precision=2
    ),
    "W": _Kind(device_class=SensorDeviceClass.POWER, unit=UnitOfPower.WATT, precision=0),
    "VA": _Kind(
        device_class=SensorDeviceClass.APPARENT_POWER,
        unit=UnitOfApparentPower.VOLT_AMPERE,
        precision=0,
    ),
    "var": _Kind(
        device_class=SensorDeviceClass.REACTIVE_POWER,
        unit=UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        precision=0,
    ),
    "Hz": _Kind(device_class=SensorDeviceClass.FREQUENCY, unit=UnitOfFrequency.HERTZ, precision=2),
    "1": _Kind(device_class=SensorDeviceClass.POWER_FACTOR, unit=None, precision=3),
    "Wh": _Kind(
        device_class=SensorDeviceClass.ENERGY,
        unit=UnitOfEnergy.WATT_HOUR,
        suggested_unit=UnitOfEnergy.KILO_WATT_HOUR,
        precision=3,
    ),
    "varh": _Kind(
        device_class=SensorDeviceClass.REACTIVE_ENERGY,
        unit=UnitOfReactiveEnergy.VOLT_AMPERE_REACTIVE_HOUR,
        suggested_unit=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
        precision=3,
    ),
    "L": _Kind(
        device_class=SensorDeviceClass.VOLUME,
        unit=UnitOfVolume.LITERS,
        suggested_unit=UnitOfVolume.CUBIC_METERS,
        precision=3,
    ),
}

_VOLUMES: Final = {
    Carrier.GAS: SensorDeviceClass.GAS,
    Carrier.WATER: SensorDeviceClass.WATER,
}
"""Volumes for which Home Assistant has a class of their own, as the Energy settings ask for."""

_FOR_EVERYBODY: Final = frozenset({"power", "energy_import", "energy_export", "volume"})
"""What a household wants to see; the rest is there for those who enable it."""


def _description(quantity: Quantity) -> QuantityDescription:
    kind = _KINDS[quantity.unit]
    return QuantityDescription(
        key=quantity.key,
        translation_key=quantity.key,
        quantity=quantity.key,
        device_class=kind.device_class,
        native_unit_of_measurement=kind.unit,
        suggested_unit_of_measurement=kind.suggested_unit,
        suggested_display_precision=kind.precision,
        state_class=SensorStateClass.TOTAL_INCREASING
        if quantity.counter
        else SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=quantity.key in _FOR_EVERYBODY,
    )


QUANTITY_SENSORS: Final = {quantity.key: _description(quantity) for quantity in QUANTITIES.values()}
"""A description for every quantity by its key."""


def quantity_sensor(quantity: str, carrier: Carrier) -> QuantityDescription:
    """Return the sensor of a quantity, for a meter that counts a carrier."""
    description = QUANTITY_SENSORS[quantity]
    if description.device_class is SensorDeviceClass.VOLUME and carrier in _VOLUMES:
        return replace(description, device_class=_VOLUMES[carrier])
    return description
