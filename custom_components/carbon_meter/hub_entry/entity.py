"""What the entities of a hub have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from ..const import DOMAIN
from .figures import COMMUNITY, ScopeKey
from .hub import Hub, HubConfigEntry
from .record import scope_slug


class HubEntity(Entity):
    """An entity of the community, or of one feeder or group of it."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        entry: HubConfigEntry,
        description: EntityDescription,
        scope: ScopeKey = COMMUNITY,
        hub_device: str = "",
    ) -> None:
        """Set the identity of entity and device; `hub_device` is what a feeder belongs to."""
        self.entity_description = description
        self._hub: Hub = entry.runtime_data
        self._scope = scope
        if scope == COMMUNITY:
            self._attr_unique_id = f"{entry.entry_id}_{description.key}"
            self._attr_device_info = DeviceInfo(
                identifiers={(DOMAIN, entry.entry_id)},
                name=entry.title,
                entry_type=DeviceEntryType.SERVICE,
            )
        else:
            whose = f"{entry.entry_id}_{scope[0]}_{scope_slug(scope)}"
            self._attr_unique_id = f"{whose}_{description.key}"
            self._attr_device_info = DeviceInfo(
                identifiers={(DOMAIN, whose)},
                name=f"{entry.title} {scope[1]}",
                entry_type=DeviceEntryType.SERVICE,
                via_device_id=hub_device,
            )

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub."""
        await super().async_added_to_hass()
        self.async_on_remove(self._hub.async_add_listener(self.async_write_ha_state))
