"""What the entities of a meter and of a site have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import CONF_MANUFACTURER, CONF_SERIAL, DOMAIN
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry


class MeterEntity(CoordinatorEntity[MeterCoordinator]):
    """An entity of one meter."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: MeterCoordinator, description: EntityDescription) -> None:
        """Set the identity of entity and device."""
        super().__init__(coordinator)
        subentry = coordinator.subentry
        self.entity_description = description
        self._attr_unique_id = f"{subentry.subentry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, subentry.subentry_id)},
            name=subentry.title,
            manufacturer=subentry.data[CONF_MANUFACTURER],
            model=subentry.data["model"],
            serial_number=subentry.data[CONF_SERIAL] or None,
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the meter has answered when it was last asked."""
        return self.coordinator.latest is not None


class SiteEntity(Entity):
    """An entity of the site as a whole."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: CarbonMeterConfigEntry, description: EntityDescription) -> None:
        """Set the identity of entity and device."""
        self.entity_description = description
        self._site = entry.runtime_data
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            entry_type=DeviceEntryType.SERVICE,
        )
