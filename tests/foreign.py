"""Devices of another integration, whose entities can be adopted."""

from datetime import datetime
from typing import Any, Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

_KINDS: Final = {
    "Wh": ("energy", "total_increasing"),
    "kWh": ("energy", "total_increasing"),
    "MWh": ("energy", "total_increasing"),
    "GJ": ("energy", "total_increasing"),
    "W": ("power", "measurement"),
    "kW": ("power", "measurement"),
    "V": ("voltage", "measurement"),
    "mV": ("voltage", "measurement"),
    "A": ("current", "measurement"),
    "Hz": ("frequency", "measurement"),
    "%": ("power_factor", "measurement"),
    "m³": ("gas", "total_increasing"),
    "ft³": ("gas", "total_increasing"),
    "L": ("water", "total_increasing"),
}
"""Device class and state class by unit."""


class ForeignDevice:
    """One device of an integration that is not ours, and what its entities say."""

    def __init__(
        self,
        hass: HomeAssistant,
        name: str,
        *,
        serial: str | None = None,
        mac: str | None = None,
        host: str | None = None,
    ) -> None:
        """Enter the device in the registry."""
        self.hass = hass
        self.entry = MockConfigEntry(
            domain="foreign", title=name, data={"host": host} if host else {}
        )
        self.entry.add_to_hass(hass)
        self.device = dr.async_get(hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={("foreign", name)},
            connections={(dr.CONNECTION_NETWORK_MAC, mac)} if mac else set(),
            name=name,
            manufacturer="Foreign",
            model="Plug",
            serial_number=serial,
        )

    def add(self, key: str, value: object, unit: str, **attributes: Any) -> str:
        """Add a sensor; return its entity id."""
        device_class, _ = _KINDS[unit]
        registered = er.async_get(self.hass).async_get_or_create(
            "sensor",
            "foreign",
            f"{self.entry.title} {key}",
            config_entry=self.entry,
            device_id=self.device.id,
            suggested_object_id=f"{self.entry.title} {key}",
            original_device_class=device_class,
            original_name=key,
        )
        say(self.hass, registered.entity_id, value, unit, **attributes)
        return registered.entity_id


def say(hass: HomeAssistant, entity_id: str, value: object, unit: str, **attributes: Any) -> None:
    """Let an entity report a state."""
    device_class, state_class = _KINDS[unit]
    reset = attributes.pop("last_reset", None)
    if isinstance(reset, datetime):
        attributes["last_reset"] = reset.isoformat()
    hass.states.async_set(
        entity_id,
        str(value),
        {
            ATTR_UNIT_OF_MEASUREMENT: unit,
            "device_class": device_class,
            "state_class": state_class,
            **attributes,
        },
    )


def registry_id(hass: HomeAssistant, entity_id: str) -> str:
    """Return the id of an entity in the registry."""
    entry = er.async_get(hass).async_get(entity_id)
    assert entry is not None
    return entry.id
