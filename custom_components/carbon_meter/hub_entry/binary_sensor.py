"""Whether a hub hears its homes."""

from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory

from ..community.hub.status import WorkerState
from .entity import HubEntity

CONNECTED: Final = BinarySensorEntityDescription(
    key="connected",
    translation_key="hub_connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


def hub_binary_sensors(entry: ConfigEntry[Any]) -> list[BinarySensorEntity]:
    """Return the binary sensors of a hub."""
    return [ConnectedSensor(entry, CONNECTED)]


class ConnectedSensor(HubEntity, BinarySensorEntity):
    """On while the broker is there and what homes send is kept."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the link works."""
        return self._hub.status.state is WorkerState.CONNECTED
