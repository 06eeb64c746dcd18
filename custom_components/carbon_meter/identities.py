"""What tells one device from every other, whichever integration it comes through."""

from collections.abc import Collection, Iterable, Iterator
import re
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_IP_ADDRESS, CONF_MAC, CONF_URL, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from yarl import URL

from .adoption.plan import whole_device
from .adoption.sources import DRIVER_KEY, resolve, sources_of
from .const import CONF_DRIVER, CONF_SERIAL, DOMAIN, SUBENTRY_METER
from .entries import async_sites

_METERING: Final = frozenset(
    {
        SensorDeviceClass.ENERGY,
        SensorDeviceClass.POWER,
        SensorDeviceClass.GAS,
        SensorDeviceClass.WATER,
    }
)
"""Device classes of entities that make a device a meter."""

_SHORTEST_SERIAL: Final = 5
"""Letters and digits from which on a serial number tells one device from all others."""


def mac_identity(mac: str) -> str | None:
    """Return a MAC address in the one form in which it is compared."""
    digits = re.sub(r"[^0-9a-f]", "", mac.lower())
    return f"mac:{digits}" if len(digits) == 12 and not re.search(r"[g-z]", mac.lower()) else None


def serial_identity(serial: str) -> str | None:
    """Return a serial number in the one form in which it is compared."""
    letters = re.sub(r"[^0-9a-z]", "", serial.lower()).lstrip("0")
    return f"serial:{letters}" if len(letters) >= _SHORTEST_SERIAL else None


def host_identity(host: str) -> str | None:
    """Return a host name or address, or that of a URL, in the one form in which it is compared."""
    if "://" in host:
        try:
            host = URL(host).host or ""
        except ValueError:
            return None
    host = host.strip().lower().rstrip(".")
    return f"host:{host}" if host else None


def known_elsewhere(
    hass: HomeAssistant,
    *,
    host: str | None = None,
    mac: str | None = None,
    serial: str | None = None,
) -> ConfigEntry | None:
    """Return the config entry of another integration that reads this device already.

    It is one whose device with this MAC address, serial number or host has sensors of energy,
    power, gas or water that are in use. A device at an address may be a gateway: what is
    behind it is told by MAC address and serial number only.
    """
    wanted = {
        identity
        for identity in (
            mac_identity(mac) if mac else None,
            serial_identity(serial) if serial else None,
            host_identity(host) if host else None,
        )
        if identity is not None
    }
    if not wanted:
        return None
    registry = er.async_get(hass)
    for entity in registry.entities.values():
        if not _is_metering(entity) or entity.config_entry_id is None:
            continue
        if identities_of(hass, (entity.entity_id,)) & wanted:
            return hass.config_entries.async_get_entry(entity.config_entry_id)
    return None


def adopted_identities(hass: HomeAssistant) -> set[str]:
    """Return what tells the devices whose entities are adopted, by any site."""
    return {
        identity
        for entry in async_sites(hass)
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if subentry.data.get(CONF_DRIVER) == DRIVER_KEY
        for source in sources_of(subentry.data)
        if (entity_id := resolve(hass, source.entity)) is not None
        for identity in identities_of(hass, (entity_id,))
    }


def driven_identities(hass: HomeAssistant) -> set[str]:
    """Return the MAC addresses and serial numbers of the meters that we read ourselves.

    Not their hosts: behind one address there may be a meter of ours and an inverter of others.
    """
    return {
        identity
        for entry in async_sites(hass)
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if subentry.data.get(CONF_DRIVER) != DRIVER_KEY
        for identity in (
            serial_identity(subentry.data.get(CONF_SERIAL) or ""),
            mac_identity(subentry.data.get(CONF_MAC) or ""),
        )
        if identity is not None
    }


def identities_of(hass: HomeAssistant, entity_ids: Iterable[str]) -> set[str]:
    """Return what tells the devices of some entities: MAC, serial number, host."""
    return {
        identity
        for entity_id in entity_ids
        if (device := whole_device(hass, entity_id)) is not None
        for identity in _identities(hass, device)
    }


def _identities(hass: HomeAssistant, device: dr.DeviceEntry) -> Iterator[str]:
    candidates: list[str | None] = [serial_identity(device.serial_number or "")]
    candidates += [
        mac_identity(value)
        for kind, value in device.connections
        if kind == dr.CONNECTION_NETWORK_MAC
    ]
    for _, *identifier in device.identifiers:
        text = "".join(str(part) for part in identifier)
        candidates += [mac_identity(text), serial_identity(text)]
    entry = hass.config_entries.async_get_entry(device.config_entry_id)
    if entry is not None:
        candidates += [host_identity(host) for host in _hosts(entry)]
    yield from (identity for identity in candidates if identity is not None)


def _hosts(entry: ConfigEntry) -> Collection[str]:
    """Return where the config entry of another integration says its device is."""
    kept: dict[str, Any] = {**entry.data, **entry.options}
    return [
        value
        for key in (CONF_HOST, CONF_IP_ADDRESS, CONF_URL)
        if isinstance(value := kept.get(key), str)
    ]


def _is_metering(entity: er.RegistryEntry) -> bool:
    """Return whether an entity of another integration makes its device a meter."""
    return (
        entity.domain == Platform.SENSOR
        and entity.platform != DOMAIN
        and entity.disabled_by is None
        and (entity.device_class or entity.original_device_class) in _METERING
    )
