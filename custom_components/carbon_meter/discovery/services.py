"""Services that meters announce by multicast DNS, and what is known of each kind."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from homeassistant.components.zeroconf import async_get_async_instance
from homeassistant.components.zeroconf.discovery import info_from_service
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from zeroconf import BadTypeInNameException, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from ..const import DOMAIN, LOGGER

_ZEROCONF: Final = "zeroconf"

_LOOK_UP: Final = 3000
"""Milliseconds in which a service tells its address."""


@dataclass(frozen=True, kw_only=True)
class ServiceKind:
    """A kind of service that Home Assistant leaves to us."""

    name: str
    protocol: str = "modbus"
    """The driver by which its meter is read."""

    ports: tuple[int, ...] = ()
    """Where its meter is read; where the service itself is, if empty."""

    needs_certificate: bool = False
    """Whether only the utility can let somebody read it."""

    matched: bool = True
    """Whether the manifest can name it: names of more than 15 characters it cannot.

    Such a name is against RFC 6335, section 5.1.
    """


KINDS: Final[Mapping[str, ServiceKind]] = MappingProxyType(
    {
        "_modbus._tcp.local.": ServiceKind(name="Modbus TCP"),
        "_smartenergy._tcp.local.": ServiceKind(name="IEEE 2030.5", needs_certificate=True),
        "_Fronius-SE-SmartMeter._tcp.local.": ServiceKind(
            name="Fronius Smart Meter", ports=(502,), matched=False
        ),
        "_victron-p1link._udp.local.": ServiceKind(name="Victron P1 Link", ports=(502,)),
        "_jemacp1._tcp.local.": ServiceKind(name="Jemac P1", protocol="http", ports=(80,)),
    }
)
"""By service type. Sources: facts on meters, A1; dbus-modbus-client (Victron P1 Link)."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """An announced service and where its meter may be read."""

    kind: ServiceKind
    info: ZeroconfServiceInfo

    @property
    def host(self) -> str:
        """Return its address, of the old kind if it has one: that is what scans find too."""
        four = [address for address in self.info.ip_addresses if address.version == 4]
        return str(four[0]) if four else self.info.host

    @property
    def places(self) -> list[tuple[str, int]]:
        """Return the hosts and ports to ask."""
        announced = (self.info.port,) if self.info.port else ()
        return [(self.host, port) for port in self.kind.ports or announced]


def service_of(info: ZeroconfServiceInfo) -> Service | None:
    """Return what an announcement is of, None where the kind is not ours."""
    kind = KINDS.get(info.type)
    return Service(kind=kind, info=info) if kind is not None else None


async def async_services(hass: HomeAssistant, seconds: float) -> list[Service]:
    """Return the services of our kinds that are announced within some seconds."""
    found: dict[str, Service] = {}

    @callback
    def heard(info: ZeroconfServiceInfo) -> None:
        if (service := service_of(info)) is not None:
            found[info.name] = service

    if _ZEROCONF not in hass.config.components:
        return []
    stop = await _async_browse(hass, KINDS, heard)
    try:
        await asyncio.sleep(seconds)
    finally:
        await stop()
    return list(found.values())


async def async_watch_services(hass: HomeAssistant) -> None:
    """Offer what is announced by names that the manifest cannot have, until the end."""

    @callback
    def heard(info: ZeroconfServiceInfo) -> None:
        discovery_flow.async_create_flow(
            hass,
            DOMAIN,
            {"source": SOURCE_ZEROCONF},
            info,
            discovery_key=discovery_flow.DiscoveryKey(
                domain=_ZEROCONF, key=(info.type, info.name), version=1
            ),
        )

    kinds = [service_type for service_type, kind in KINDS.items() if not kind.matched]
    stop = await _async_browse(hass, kinds, heard)

    async def end(_event: Event) -> None:
        await stop()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, end)


async def _async_browse(
    hass: HomeAssistant,
    service_types: Iterable[str],
    heard: Callable[[ZeroconfServiceInfo], None],
) -> Callable[[], Awaitable[None]]:
    """Call back with every service, through the instance that Home Assistant shares.

    Returns how to stop, to be awaited; nothing is done where multicast DNS is switched off.
    """
    if _ZEROCONF not in hass.config.components:
        return _nothing
    instance = await async_get_async_instance(hass)
    lookups: set[asyncio.Task[None]] = set()

    async def look_up(service: AsyncServiceInfo) -> None:
        if not service.load_from_cache(instance.zeroconf):
            await service.async_request(instance.zeroconf, _LOOK_UP)
        if (info := info_from_service(service)) is not None:
            heard(info)

    @callback
    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            return
        try:
            service = AsyncServiceInfo(service_type, name)
        except BadTypeInNameException as err:
            LOGGER.debug("A service has a name that is none: %s", err)
            return
        task = hass.async_create_background_task(look_up(service), f"look up {name}")
        lookups.add(task)
        task.add_done_callback(lookups.discard)

    browser = AsyncServiceBrowser(instance.zeroconf, list(service_types), handlers=[changed])

    async def stop() -> None:
        await browser.async_cancel()
        for task in lookups:
            task.cancel()

    return stop


async def _nothing() -> None:
    """Stop what was not begun."""
