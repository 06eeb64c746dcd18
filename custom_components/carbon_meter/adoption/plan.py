"""A meter that could be adopted, before somebody has said yes."""

from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import CONF_CARRIER, CONF_ENTITIES, Carrier, Role
from .sources import EntitySource, main_entities


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One meter made of entities."""

    title: str
    role: Role
    carrier: Carrier
    sources: tuple[EntitySource, ...]
    key: str = ""
    """By what other plans name it as their parent."""

    parent: str = ""
    """The key of the plan that it is a part of."""

    @property
    def main(self) -> frozenset[str]:
        """Return the entities that tell it from others."""
        return main_entities(self.sources)

    @property
    def id(self) -> str:
        """Return what stands for it in a form."""
        return "+".join(sorted(self.main))

    @property
    def address(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            CONF_ENTITIES: [source.as_dict() for source in self.sources],
            CONF_CARRIER: self.carrier.value,
        }


def device_of(hass: HomeAssistant, entity_id: str) -> dr.AnyDeviceEntry | None:
    """Return the device that an entity belongs to."""
    entry = er.async_get(hass).async_get(entity_id)
    if entry is None or entry.device_id is None:
        return None
    return dr.async_get(hass).async_get(entry.device_id)


def whole_device(hass: HomeAssistant, entity_id: str) -> dr.DeviceEntry | None:
    """Return the device that an entity belongs to, of a part of one the whole."""
    device = device_of(hass, entity_id)
    if isinstance(device, dr.ChildDeviceEntry):
        device = dr.async_get(hass).async_get(device.parent_device_id)
    return device if isinstance(device, dr.DeviceEntry) else None


def name_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return what people call an entity."""
    state = hass.states.get(entity_id)
    return state.name if state is not None else entity_id


def title_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return what people call the device of an entity, else the entity."""
    device = device_of(hass, entity_id)
    name = (device.name_by_user or device.name) if device is not None else None
    return name or name_of(hass, entity_id)
