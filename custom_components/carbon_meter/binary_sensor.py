"""Binary sensors: whether a meter can be believed now, and what loads should do."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import CarbonMeterConfigEntry
from .entity import MeterEntity
from .entries import is_hub
from .hub_entry.binary_sensor import hub_binary_sensors
from .load_binary_sensor import load_binary_sensors
from .load_entity import async_add_loads

PARALLEL_UPDATES: Final = 0

DOUBTFUL: Final = BinarySensorEntityDescription(
    key="doubtful",
    translation_key="doubtful",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of each meter and of each load, or those of a hub."""
    if is_hub(entry):
        async_add_entities(hub_binary_sensors(entry))
        return
    for subentry_id, meter in entry.runtime_data.meters.items():
        async_add_entities([DoubtfulSensor(meter, DOUBTFUL)], config_subentry_id=subentry_id)
        await asyncio.sleep(0)  # of two hundred meters each lets others have their turn
    await async_add_loads(
        hass, entry, Platform.BINARY_SENSOR, async_add_entities, load_binary_sensors
    )


class DoubtfulSensor(MeterEntity, BinarySensorEntity):
    """On while something of the meter cannot be believed."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether an incident lasts, or a register holds nonsense."""
        return bool(self.coordinator.account.ongoing or self._has_faults)

    @property
    def _has_faults(self) -> bool:
        """Return whether a register of the last reading held nonsense."""
        reading = self.coordinator.latest
        return reading is not None and bool(reading.faults)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return why."""
        return {
            "reasons": sorted(
                {
                    *(incident.reason.value for incident in self.coordinator.account.ongoing),
                    *(["register"] if self._has_faults else []),
                }
            )
        }
