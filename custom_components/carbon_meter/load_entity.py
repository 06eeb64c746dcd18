"""What the entities of a load have in common, and how a platform adds them."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .data import CarbonMeterConfigEntry
from .loads.load import Load

type Make = Callable[[Load, DeviceInfo], Iterable[Entity]]
"""Returns the entities that a load has on a platform, given the load and its device."""


class LoadEntity(Entity):
    """An entity of one load; it is there as long as the load is."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, load: Load, device: DeviceInfo, description: EntityDescription) -> None:
        """Set the identity of entity and device."""
        self.entity_description = description
        self._load = load
        self._attr_unique_id = f"{load.subentry.subentry_id}_{description.key}"
        self._attr_device_info = device

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the load."""
        await super().async_added_to_hass()
        self.async_on_remove(self._load.async_add_listener(self.async_write_ha_state))


async def async_add_loads(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    platform: Platform,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Make,
) -> None:
    """Add the entities of each load of a site, and remove those that it had as another kind."""
    loads = entry.runtime_data.planner.loads
    if not loads:
        return
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    site = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        name=entry.title,
        entry_type=DeviceEntryType.SERVICE,
    )
    for load_id, load in loads.items():
        device = DeviceInfo(
            identifiers={(DOMAIN, load_id)},
            name=load.subentry.title,
            model=texts[f"component.{DOMAIN}.common.load_{load.kind}"],
            entry_type=DeviceEntryType.SERVICE,
            via_device_id=site.id,
        )
        entities = list(make(load, device))
        async_add_entities(entities, config_subentry_id=load_id)
        _remove_others(hass, entry, platform, load_id, {entity.unique_id for entity in entities})


def _remove_others(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    platform: Platform,
    load_id: str,
    wanted: set[str | None],
) -> None:
    """Remove what a load had with other settings."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        is_of_load = entity.config_subentry_id == load_id and entity.domain == platform
        if is_of_load and entity.unique_id not in wanted:
            registry.async_remove(entity.entity_id)
