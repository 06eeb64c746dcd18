"""A configured meter at a new address: only one that proves to be the same is moved there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import CONF_DRIVER, CONF_PROFILE, CONF_SERIAL, DOMAIN, LOGGER, SUBENTRY_METER
from ..driver import ProbeError
from ..entries import async_sites
from ..libraries import async_get_libraries
from ..metering.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class ConfiguredMeter:
    """A meter of a site."""

    entry: ConfigEntry
    subentry: ConfigSubentry

    @property
    def data(self) -> Mapping[str, Any]:
        """Return what is kept of it."""
        return self.subentry.data

    @property
    def host(self) -> str:
        """Return where it is, empty for a meter without a host."""
        return str(self.data.get(CONF_HOST, ""))

    @property
    def has_name(self) -> bool:
        """Return whether its host is a name: that follows the address by itself."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False

    @property
    def answers(self) -> bool:
        """Return whether it is read there now."""
        if self.entry.state is not ConfigEntryState.LOADED:
            return False
        coordinator = self.entry.runtime_data.meters.get(self.subentry.subentry_id)
        return coordinator is not None and coordinator.last_update_success


def configured_meters(hass: HomeAssistant, host: str | None = None) -> list[ConfiguredMeter]:
    """Return the meters of all sites, or those at one host."""
    meters = [
        ConfiguredMeter(entry=entry, subentry=subentry)
        for entry in async_sites(hass, include_ignore=False)
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
    ]
    return meters if host is None else [meter for meter in meters if meter.host == host]


async def async_move(
    hass: HomeAssistant, meters: Iterable[ConfiguredMeter], host: str, *, by_mac: bool = False
) -> list[ConfiguredMeter]:
    """Take a host as the new address of those meters that prove to be there; return them.

    The proof is the serial number at the same port and unit id. A meter without one is
    only moved when `by_mac` says that the host is the same device by its network address.
    A meter that answers by the name of its host stays there.
    """
    libraries = await async_get_libraries(hass)
    moved: list[tuple[ConfiguredMeter, dict[str, Any]]] = []
    for meter in meters:
        driver = libraries.drivers.get(meter.data.get(CONF_DRIVER, ""))
        if driver is None or meter.host in ("", host) or (meter.has_name and meter.answers):
            continue
        address = driver.address({**meter.data, CONF_HOST: host})
        try:
            candidates = await driver.async_probe(hass, address, libraries.profiles)
        except ProbeError as err:
            LOGGER.debug("%s is not at %s: %s", meter.subentry.title, host, err)
            continue
        same = _same_meter(meter.data, candidates, by_mac=by_mac)
        if same is not None:
            moved.append((meter, {**meter.data, **address, **same.settings}))
    # All at once, so that the site is set up anew once.
    for meter, data in moved:
        LOGGER.info("%s: found again at %s instead of %s", meter.subentry.title, host, meter.host)
        hass.config_entries.async_update_subentry(meter.entry, meter.subentry, data=data)
    for entry in {meter.entry.entry_id: meter.entry for meter, _ in moved}.values():
        if entry.state is ConfigEntryState.SETUP_RETRY:
            hass.config_entries.async_schedule_reload(entry.entry_id)
    return [meter for meter, _ in moved]


def _same_meter(
    data: Mapping[str, Any], candidates: Iterable[Candidate], *, by_mac: bool
) -> Candidate | None:
    """Return what is the configured meter among what answers."""
    family = [candidate for candidate in candidates if candidate.profile.id == data[CONF_PROFILE]]
    if by_mac and not data[CONF_SERIAL]:
        family = [candidate for candidate in family if not candidate.serial]
    else:
        family = [
            candidate
            for candidate in family
            if candidate.serial and candidate.serial == data[CONF_SERIAL]
        ]
    family.sort(key=lambda candidate: not candidate.settings.items() <= data.items())
    return family[0] if family else None


@callback
def async_hosts_by_mac(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return network and IP addresses of the hosts that Home Assistant has seen."""
    if "dhcp" not in hass.config.components:
        return []
    # Its library is only there where it is used.
    from homeassistant.components.dhcp import async_discovered_service_info  # noqa: PLC0415

    return [
        (dr.format_mac(info.macaddress), info.ip) for info in async_discovered_service_info(hass)
    ]


@callback
def async_learn_mac(hass: HomeAssistant, meters: Iterable[ConfiguredMeter]) -> None:
    """Keep the network addresses of hosts, as far as Home Assistant knows them.

    Of several meters behind one host the first has it: a device can have it once. By it
    Home Assistant tells us when the host gets another address.
    """
    macs = {ip: mac for mac, ip in async_hosts_by_mac(hass)}
    registry = dr.async_get(hass)
    hosts: set[str] = set()
    for meter in sorted(meters, key=lambda meter: meter.subentry.subentry_id):
        mac = macs.get(meter.host)
        if mac is None or meter.host in hosts:
            continue
        hosts.add(meter.host)
        device = registry.async_get_device_by_identifier(
            (DOMAIN, meter.subentry.subentry_id), meter.entry.entry_id
        )
        connection = (dr.CONNECTION_NETWORK_MAC, mac)
        if device is not None and connection not in device.connections:
            registry.async_update_device(device.id, new_connections={connection})


@callback
def meters_with_mac(hass: HomeAssistant, mac: str) -> list[ConfiguredMeter]:
    """Return the meters at the host that had a network address when it was last seen."""
    devices = dr.async_get(hass).async_get_devices(
        connections={(dr.CONNECTION_NETWORK_MAC, dr.format_mac(mac))}
    )
    keys = {key for device in devices for domain, key in device.identifiers if domain == DOMAIN}
    meters = configured_meters(hass)
    hosts = {meter.host for meter in meters if meter.subentry.subentry_id in keys} - {""}
    return [meter for meter in meters if meter.host in hosts]


@callback
def mac_of(hass: HomeAssistant, meters: Iterable[ConfiguredMeter]) -> str | None:
    """Return the network address that the host of these meters had, None if unknown."""
    registry = dr.async_get(hass)
    for meter in meters:
        device = registry.async_get_device_by_identifier(
            (DOMAIN, meter.subentry.subentry_id), meter.entry.entry_id
        )
        for kind, value in device.connections if device is not None else ():
            if kind == dr.CONNECTION_NETWORK_MAC:
                return value
    return None
