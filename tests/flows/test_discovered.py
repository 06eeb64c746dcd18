"""What is discovered is offered once, and a changed address heals by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import ip_address
import json
import socket
from typing import Any

from homeassistant.components.zeroconf.const import DATA_INSTANCE
from homeassistant.components.zeroconf.models import HaAsyncZeroconf, HaZeroconf
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_MQTT,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.discovery.addresses import async_learn_mac, configured_meters
from custom_components.carbon_meter.discovery.services import KINDS, async_services
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.server import Endpoint, UnknownUnit
from tests.common import meter_data
from tests.discovery.network import ServeTcp, free_port, web_page

MODBUS = "_modbus._tcp.local."
MAC = "000e6b112233"
METER = MeterSpec(profile="eastron_sdm630", serial="11223344")


@pytest.fixture
async def homes(network_time: HomeAssistant) -> AsyncIterator[AsyncExitStack]:
    """Return what keeps virtual homes open, as long as sites read them."""
    async with AsyncExitStack() as stack:
        yield stack
        for entry in network_time.config_entries.async_entries(DOMAIN, include_ignore=False):
            await network_time.config_entries.async_unload(entry.entry_id)
        await network_time.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the port that Modbus meters have here."""
    number = free_port()
    monkeypatch.setattr(
        "custom_components.carbon_meter.drivers.modbus.ModbusDriver.ports", (number,)
    )
    return number


async def opened(
    homes: AsyncExitStack,
    port: int,
    host: str = "127.0.0.5",
    specs: Sequence[MeterSpec] = (METER,),
    unknown: UnknownUnit = UnknownUnit.ANY,
) -> VirtualHome:
    clock = VirtualClock()
    endpoint = Endpoint(host=host, port=port, unknown=unknown)
    household = Household.simulated(clock.now())
    return await homes.enter_async_context(
        VirtualHome(specs, household, clock=clock, endpoint=endpoint)
    )


def announced(
    port: int, host: str = "127.0.0.5", service_type: str = MODBUS, name: str = "meter"
) -> ZeroconfServiceInfo:
    return ZeroconfServiceInfo(
        ip_address=ip_address(host),
        ip_addresses=[ip_address(host)],
        port=port,
        hostname=f"{name}.local.",
        type=service_type,
        name=f"{name}.{service_type}",
        properties={},
    )


async def discovered(hass: HomeAssistant, info: Any, source: str = SOURCE_ZEROCONF) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=info)


async def site_with(
    hass: HomeAssistant, home: VirtualHome, host: str, title: str = "Home", **changes: Any
) -> MockConfigEntry:
    """Return a site with the meters of a home, at an address where they may be or not."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        subentries_data=[
            ConfigSubentryData(
                data=meter_data(home.port, meter, {"host": host, **changes}),
                subentry_type="meter",
                title=name,
                unique_id=f"eastron:{changes.get('serial', meter.identity.serial)}",
            )
            for name, meter in home.meters.items()
        ],
    )
    entry.add_to_hass(hass)
    return entry


def host_of(entry: MockConfigEntry) -> str:
    (subentry,) = entry.subentries.values()
    return str(subentry.data["host"])


async def test_announced_meter_is_offered_and_added(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0)
    form = await discovered(network_time, announced(home.port))
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "discovered"
    assert "Eastron SDM630 (11223344): P" in form["description_placeholders"]["meters"]
    flows = network_time.config_entries.flow
    (shown,) = flows.async_progress()
    assert shown["context"]["unique_id"] == "eastron:11223344"
    assert shown["context"]["title_placeholders"] == {
        "name": f"Eastron SDM630 (127.0.0.5:{home.port} #1)"
    }
    assert network_time.config_entries.async_entries(DOMAIN) == []
    form = await flows.async_configure(form["flow_id"], {})
    assert form["step_id"] == "confirm"
    result = await flows.async_configure(form["flow_id"], {"site": "Home", "name": "Grid"})
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert host_of(result["result"]) == "127.0.0.5"
    # What is being read is left in peace.
    again = await discovered(network_time, announced(home.port))
    assert again["reason"] == "already_configured"


async def test_meter_that_is_added_by_hand_is_no_longer_offered(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0)
    await discovered(network_time, announced(home.port))
    flows = network_time.config_entries.flow
    menu = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    form = await flows.async_configure(menu["flow_id"], {"next_step_id": "address"})
    form = await flows.async_configure(
        form["flow_id"], {"host": "127.0.0.5", "port": home.port, "unit": 1}
    )
    result = await flows.async_configure(form["flow_id"], {"site": "Home", "name": "Grid"})
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert flows.async_progress() == []


async def test_meter_that_has_gone_meanwhile_is_not_added(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0)
    form = await discovered(network_time, announced(home.port))
    await home.modbus.close()
    flows = network_time.config_entries.flow
    result = await flows.async_configure(form["flow_id"], {})
    assert result["reason"] == "not_there_any_more"


async def test_site_that_waits_for_its_meter_is_set_up_when_it_is_there(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0, "127.0.0.9")
    entry = await site_with(network_time, home, "127.0.0.5")
    await network_time.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    result = await discovered(network_time, announced(home.port, "127.0.0.9"))
    assert result["reason"] == "address_updated"
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED


async def test_gateway_is_one_offer_with_all_its_meters(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm120", unit=unit, name=f"m{unit}", serial=str(unit + 80_000))
        for unit in range(1, 6)
    ]
    home = await opened(homes, 0, specs=specs, unknown=UnknownUnit.REFUSE)
    form = await discovered(network_time, announced(home.port))
    assert form["description_placeholders"]["meters"].count("Eastron SDM120") == 5
    flows = network_time.config_entries.flow
    assert flows.async_progress()[0]["context"]["title_placeholders"]["name"].startswith(
        "Eastron SDM120 + 4 "
    )
    form = await flows.async_configure(form["flow_id"], {})
    assert form["step_id"] == "pick"


async def test_two_ways_are_one_offer(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    await opened(homes, port)
    first = await discovered(network_time, announced(port))
    assert first["type"] is FlowResultType.FORM
    second = await discovered(
        network_time, DhcpServiceInfo(ip="127.0.0.5", hostname="x", macaddress=MAC), SOURCE_DHCP
    )
    assert second["reason"] == "already_in_progress"
    # The same meter at another of its addresses.
    await opened(homes, port, "127.0.0.6")
    third = await discovered(network_time, announced(port, "127.0.0.6"))
    assert third["reason"] == "already_in_progress"
    assert len(network_time.config_entries.flow.async_progress()) == 1


async def test_ignored_meter_stays_ignored(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0)
    form = await discovered(network_time, announced(home.port))
    flows = network_time.config_entries.flow
    (shown,) = flows.async_progress()
    flows.async_abort(form["flow_id"])
    await flows.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": shown["context"]["unique_id"], "title": "Meter"},
    )
    again = await discovered(network_time, announced(home.port))
    assert again["reason"] == "already_configured"


async def test_host_of_a_meter_maker_is_asked(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    await opened(homes, port)
    info = DhcpServiceInfo(ip="127.0.0.5", hostname="umg", macaddress=MAC)
    form = await discovered(network_time, info, SOURCE_DHCP)
    assert form["step_id"] == "discovered"
    nobody = DhcpServiceInfo(ip="127.0.0.77", hostname="umg", macaddress=MAC)
    result = await discovered(network_time, nobody, SOURCE_DHCP)
    assert result["reason"] == "not_a_meter"


async def test_smart_meter_of_the_utility_is_recognised(network_time: HomeAssistant) -> None:
    info = announced(443, service_type="_smartenergy._tcp.local.")
    assert (await discovered(network_time, info))["reason"] == "needs_certificate"


async def test_other_things_are_not_offered(
    network_time: HomeAssistant, serve_tcp: ServeTcp
) -> None:
    port = await serve_tcp(web_page, "127.0.0.5")
    assert (await discovered(network_time, announced(port)))["reason"] == "not_a_meter"
    other = announced(port, service_type="_http._tcp.local.")
    assert (await discovered(network_time, other))["reason"] == "not_a_meter"
    found = {"host": "127.0.0.5", "port": port}
    result = await discovered(network_time, found, SOURCE_INTEGRATION_DISCOVERY)
    assert result["reason"] == "not_a_meter"


async def test_discovered_meter_of_another_integration_is_told(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    other = MockConfigEntry(domain="other", title="Its app", data={"host": "127.0.0.5"})
    other.add_to_hass(network_time)
    device = dr.async_get(network_time).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "x")}
    )
    er.async_get(network_time).async_get_or_create(
        "sensor",
        "other",
        "energy",
        config_entry=other,
        device_id=device.id,
        original_device_class="energy",
    )
    home = await opened(homes, 0)
    form = await discovered(network_time, announced(home.port))
    assert form["step_id"] == "discovered_elsewhere"
    assert form["description_placeholders"]["readers"] == "other (Its app)"
    flows = network_time.config_entries.flow
    form = await flows.async_configure(form["flow_id"], {})
    assert form["step_id"] == "confirm"


async def test_changed_address_heals_when_it_is_announced(
    network_time: HomeAssistant, homes: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    home = await opened(homes, 0, "127.0.0.9")
    entry = await site_with(network_time, home, "127.0.0.5")
    second = MockConfigEntry(domain=DOMAIN, title="Cabin")
    second.add_to_hass(network_time)
    result = await discovered(network_time, announced(home.port, "127.0.0.9"))
    assert result["reason"] == "address_updated"
    assert host_of(entry) == "127.0.0.9"
    assert caplog.text.count("found again at 127.0.0.9 instead of 127.0.0.5") == 1
    await network_time.config_entries.async_setup(entry.entry_id)
    await network_time.async_block_till_done(wait_background_tasks=True)
    (meter,) = entry.runtime_data.meters.values()
    assert meter.last_update_success


async def test_meter_with_several_addresses_stays_where_it_is_read(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0)
    entry = await site_with(network_time, home, "127.0.0.5")
    await network_time.config_entries.async_setup(entry.entry_id)
    await network_time.async_block_till_done(wait_background_tasks=True)
    await opened(homes, home.port, "127.0.0.6")
    info = announced(home.port, "127.0.0.6")
    info.ip_addresses.append(ip_address("127.0.0.5"))
    assert (await discovered(network_time, info))["reason"] == "already_configured"
    assert host_of(entry) == "127.0.0.5"


async def test_meter_that_is_read_by_its_name_keeps_it(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0, "127.0.0.1")
    entry = await site_with(network_time, home, "localhost")
    await network_time.config_entries.async_setup(entry.entry_id)
    await network_time.async_block_till_done(wait_background_tasks=True)
    result = await discovered(network_time, announced(home.port, "127.0.0.1"))
    assert result["reason"] == "already_configured"
    assert host_of(entry) == "localhost"


async def test_another_meter_never_takes_over(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, 0, "127.0.0.9")
    entry = await site_with(network_time, home, "127.0.0.5", serial="99999999")
    form = await discovered(network_time, announced(home.port, "127.0.0.9"))
    assert form["step_id"] == "discovered"
    assert host_of(entry) == "127.0.0.5"


async def test_known_mac_with_a_new_address_heals_all_behind_it(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm120", unit=unit, name=f"m{unit}", serial=str(unit + 80_000))
        for unit in (1, 2)
    ]
    home = await opened(homes, 0, "127.0.0.5", specs, UnknownUnit.REFUSE)
    entry = await site_with(network_time, home, "127.0.0.5")
    assert await network_time.config_entries.async_setup(entry.entry_id)
    await network_time.async_block_till_done(wait_background_tasks=True)
    first = min(entry.subentries)
    registry = dr.async_get(network_time)
    device = registry.async_get_device_by_identifier((DOMAIN, first), entry.entry_id)
    mac = dr.CONNECTION_NETWORK_MAC, dr.format_mac(MAC)
    registry.async_update_device(device.id, new_connections={mac})

    await home.modbus.close()
    await opened(homes, home.port, "127.0.0.6", specs, UnknownUnit.REFUSE)
    info = DhcpServiceInfo(ip="127.0.0.6", hostname="gateway", macaddress=MAC)
    result = await discovered(network_time, info, SOURCE_DHCP)
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "address_updated"
    assert {meter.data["host"] for meter in entry.subentries.values()} == {"127.0.0.6"}
    assert all(meter.last_update_success for meter in entry.runtime_data.meters.values())
    again = await discovered(network_time, info, SOURCE_DHCP)
    assert again["reason"] == "already_configured"


async def test_mac_of_a_host_is_learnt_from_what_home_assistant_saw(
    network_time: HomeAssistant, homes: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await opened(homes, 0)
    entry = await site_with(network_time, home, "127.0.0.5")
    assert await network_time.config_entries.async_setup(entry.entry_id)
    await network_time.async_block_till_done(wait_background_tasks=True)
    monkeypatch.setattr(
        "custom_components.carbon_meter.discovery.addresses.async_hosts_by_mac",
        lambda _hass: [(dr.format_mac(MAC), "127.0.0.5")],
    )
    for _ in range(2):
        async_learn_mac(network_time, configured_meters(network_time))
    (device,) = dr.async_get(network_time).async_get_devices(
        connections={(dr.CONNECTION_NETWORK_MAC, dr.format_mac(MAC))}
    )
    assert {key for _, key in device.identifiers} == set(entry.subentries)


async def test_meter_on_the_broker_is_offered(network_time: HomeAssistant) -> None:
    energy = {"import": {"cumulative": 1234.5, "units": "kWh"}}
    payload = {"electricitymeter": {"timestamp": "2026-11-22T10:00:00Z", "energy": energy}}
    info = MqttServiceInfo(
        topic="glow/AABBCCDDEEFF/SENSOR/electricitymeter",
        payload=json.dumps(payload),
        qos=0,
        retain=False,
        subscribed_topic="glow/+/SENSOR/electricitymeter",
        timestamp=0.0,
    )
    form = await discovered(network_time, info, SOURCE_MQTT)
    assert form["step_id"] == "discovered", form
    second = await discovered(network_time, info, SOURCE_MQTT)
    assert second["reason"] == "already_in_progress"
    flows = network_time.config_entries.flow
    form = await flows.async_configure(form["flow_id"], {})
    assert form["step_id"] in {"confirm", "likely"}
    assert "1234.5 kWh" in form["description_placeholders"]["values"]
    nonsense = MqttServiceInfo(
        topic="glow/AABBCCDDEEFF/SENSOR/electricitymeter",
        payload=b"\xff\x00",
        qos=0,
        retain=False,
        subscribed_topic="glow/+/SENSOR/electricitymeter",
        timestamp=0.0,
    )
    assert (await discovered(network_time, nonsense, SOURCE_MQTT))["reason"] == "not_a_meter"


@pytest.fixture
async def shared_zeroconf(network_time: HomeAssistant) -> AsyncIterator[HomeAssistant]:
    """Return Home Assistant with a real instance of multicast DNS on the loopback."""
    shared = HaZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    instance = HaAsyncZeroconf(zc=shared)
    network_time.data[DATA_INSTANCE] = instance
    network_time.config.components.add("zeroconf")
    yield network_time
    await instance.ha_async_close()


@pytest.fixture
async def neighbour(shared_zeroconf: HomeAssistant) -> AsyncIterator[AsyncZeroconf]:
    """Return somebody else on the network."""
    other = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    yield other
    await other.async_close()


async def announce(other: AsyncZeroconf, service_type: str, host: str, port: int) -> None:
    info = AsyncServiceInfo(
        service_type,
        f"meter.{service_type}",
        addresses=[socket.inet_aton(host)],
        port=port,
        server=f"{host.replace('.', '-')}.local.",
    )
    await (await other.async_register_service(info, strict=False))


async def test_services_are_heard(shared_zeroconf: HomeAssistant, neighbour: AsyncZeroconf) -> None:
    await announce(neighbour, MODBUS, "127.0.0.5", 5020)
    await announce(neighbour, "_Fronius-SE-SmartMeter._tcp.local.", "127.0.0.6", 80)
    await announce(neighbour, "_smartenergy._tcp.local.", "127.0.0.7", 443)
    await announce(neighbour, "_http._tcp.local.", "127.0.0.8", 80)
    services = {service.kind.name: service for service in await async_services(shared_zeroconf, 2)}
    assert set(services) == {"Modbus TCP", "Fronius Smart Meter", "IEEE 2030.5"}
    assert services["Modbus TCP"].places == [("127.0.0.5", 5020)]
    assert services["Fronius Smart Meter"].places == [("127.0.0.6", 502)]
    assert services["IEEE 2030.5"].kind.needs_certificate


async def test_announced_meters_come_in_by_home_assistant(
    shared_zeroconf: HomeAssistant,
    neighbour: AsyncZeroconf,
    homes: AsyncExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hass = shared_zeroconf
    home = await opened(homes, 0)
    fronius = "_Fronius-SE-SmartMeter._tcp.local."
    second = await opened(homes, 0, "127.0.0.6", [replace(METER, serial="55667788")])
    kinds = {**KINDS, fronius: replace(KINDS[fronius], ports=(second.port,))}
    monkeypatch.setattr("custom_components.carbon_meter.discovery.services.KINDS", kinds)
    # By the manifest of this integration, and by its own browse.
    hass.config.components.remove("zeroconf")
    assert await async_setup_component(hass, "zeroconf", {})
    assert await async_setup_component(hass, DOMAIN, {})
    await announce(neighbour, MODBUS, "127.0.0.5", home.port)
    await announce(neighbour, fronius, "127.0.0.6", 80)
    flows = hass.config_entries.flow
    offered: asyncio.Queue[str] = asyncio.Queue()
    unsubscribe = flows.async_subscribe_flow(lambda _change, flow_id: offered.put_nowait(flow_id))
    async with asyncio.timeout(30):
        while len(offers := flows.async_progress()) < 2:
            await offered.get()
    unsubscribe()
    assert {offer["context"]["unique_id"] for offer in offers} == {
        "eastron:11223344",
        "eastron:55667788",
    }
    assert {offer["context"]["source"] for offer in offers} == {SOURCE_ZEROCONF}
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
