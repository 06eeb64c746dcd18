"""Searching the network or a gateway through the flows, against meters on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from ipaddress import IPv4Network
from typing import Any

from homeassistant.components.modbus.connection import async_get_connection_info
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.discovery.scan import NetworkSearch
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.server import Endpoint, UnknownUnit
from tests.discovery.network import ServeTcp, free_port, say_nothing

GATEWAY = "127.0.0.5"
SEARCH = {"every_unit": False, "rescan": False}


@pytest.fixture
async def homes(network_time: HomeAssistant) -> AsyncIterator[AsyncExitStack]:
    """Return what keeps virtual homes open, as long as sites read them."""
    async with AsyncExitStack() as stack:
        yield stack
        for entry in network_time.config_entries.async_entries(DOMAIN):
            await network_time.config_entries.async_unload(entry.entry_id)
        await network_time.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def port(network_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the port at which a small loopback network is searched."""
    number = free_port()
    package = "custom_components.carbon_meter"
    monkeypatch.setattr(f"{package}.drivers.modbus.ModbusDriver.ports", (number,))
    monkeypatch.setattr(f"{package}.drivers.speedwire.SpeedwireDriver.answers_calls", False)

    async def adapters(_hass: HomeAssistant) -> list[dict[str, Any]]:
        own = {"address": "127.0.0.1", "network_prefix": 28}
        return [{"name": "lo", "enabled": True, "ipv4": [own], "ipv6": []}]

    monkeypatch.setattr(f"{package}.discovery.subnets.ALLOWED", (IPv4Network("127.0.0.0/8"),))
    monkeypatch.setattr(f"{package}.discovery.subnets.network.async_get_adapters", adapters)
    return number


async def opened(
    homes: AsyncExitStack,
    specs: Sequence[MeterSpec],
    port: int,
    host: str = GATEWAY,
    unknown: UnknownUnit = UnknownUnit.REFUSE,
) -> VirtualHome:
    clock = VirtualClock()
    endpoint = Endpoint(host=host, port=port, unknown=unknown)
    household = Household.simulated(clock.now())
    return await homes.enter_async_context(
        VirtualHome(specs, household, clock=clock, endpoint=endpoint)
    )


def several(count: int, profile: str = "eastron_sdm120") -> list[MeterSpec]:
    return [
        MeterSpec(profile=profile, unit=unit, name=f"meter {unit}", serial=str(70_000 + unit))
        for unit in range(1, count + 1)
    ]


async def begun(flows: Any, handler: Any, step: str, user_input: dict[str, Any]) -> Any:
    """Begin a search and return what is shown while it runs."""
    result = await flows.async_init(handler, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert step in result["menu_options"]
    form = await flows.async_configure(result["flow_id"], {"next_step_id": step})
    assert form["type"] is FlowResultType.FORM, form
    assert form["step_id"] == step
    return await flows.async_configure(form["flow_id"], user_input)


async def ended(hass: HomeAssistant, flows: Any, shown: Any) -> Any:
    """Return the form after the search."""
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    assert shown["progress_action"] in ("searching", "asking")
    while True:
        await hass.async_block_till_done()
        shown = await flows.async_configure(shown["flow_id"])
        if shown["type"] is not FlowResultType.SHOW_PROGRESS:
            return shown
        await asyncio.sleep(0.05)


async def searched(
    hass: HomeAssistant, step: str = "network", user_input: dict[str, Any] | None = None
) -> Any:
    flows = hass.config_entries.flow
    shown = await begun(flows, DOMAIN, step, SEARCH if user_input is None else user_input)
    return await ended(hass, flows, shown)


def labels(form: Any, field: str = "meters") -> dict[str, str]:
    selector = form["data_schema"].schema[field]
    return {option["value"]: option["label"] for option in selector.config["options"]}


async def test_thirty_meters_of_a_gateway_with_one_submit(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    home = await opened(homes, several(30), 0)
    flows = network_time.config_entries.flow
    gateway = {"host": GATEWAY, "port": home.port, "every_unit": True}
    form = await searched(network_time, "gateway", gateway)
    assert form["step_id"] == "pick"
    shown = labels(form)
    assert len(shown) == 30
    text = next(iter(shown.values()))
    assert text.startswith("Eastron SDM120 (70001): P ")
    assert f" @ {GATEWAY}:{home.port} #1" in text
    assert "kWh" in text
    assert "V" in text
    roles = await flows.async_configure(form["flow_id"], {"meters": list(shown)})
    assert roles["step_id"] == "roles"
    first, second, third, *_ = shown
    result = await flows.async_configure(
        form["flow_id"],
        {
            "site": "Tower",
            "grid": first,
            "solar": [second],
            "battery": [third],
            "interval": 30,
        },
    )
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == "Tower"
    meters = list(entry.subentries.values())
    assert len(meters) == 30
    assert [meter.data["role"] for meter in meters[:4]] == ["grid", "solar", "battery", "submeter"]
    assert {meter.data["interval"] for meter in meters} == {30}
    assert len({meter.title for meter in meters}) == 30
    assert meters[0].title == "Eastron SDM120 70001"
    assert meters[0].unique_id == "eastron:70001"
    running = entry.runtime_data.meters.values()
    assert len(running) == 30
    assert all(meter.last_update_success for meter in running)


async def test_network_is_searched_and_one_meter_confirmed(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int, serve_tcp: ServeTcp
) -> None:
    await opened(homes, several(1), port, "127.0.0.9", UnknownUnit.ANY)
    await serve_tcp(say_nothing, "127.0.0.3", port)
    form = await searched(network_time)
    assert form["step_id"] == "pick"
    assert form["description_placeholders"]["ports"] == "2"
    (key,) = labels(form)
    flows = network_time.config_entries.flow
    form = await flows.async_configure(form["flow_id"], {"meters": [key]})
    assert form["step_id"] == "confirm"
    result = await flows.async_configure(form["flow_id"], {"site": "Home", "name": "Main"})
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["host"] == "127.0.0.9"
    assert result["result"].data == {"rescan": []}

    # What is here is not offered again.
    form = await searched(network_time)
    assert form["step_id"] == "network"
    assert form["errors"] == {"base": "nothing_new"}


async def test_meters_join_a_site_that_may_search_by_itself(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    entry = MockConfigEntry(domain=DOMAIN, title="Home", data={"rescan": []})
    entry.add_to_hass(network_time)
    await opened(homes, several(3), port)
    flows = network_time.config_entries.subentries
    shown = await begun(flows, (entry.entry_id, "meter"), "network", {**SEARCH, "rescan": True})
    form = await ended(network_time, flows, shown)
    keys = list(labels(form))
    form = await flows.async_configure(form["flow_id"], {"meters": keys[:2]})
    assert form["step_id"] == "roles"
    form = await flows.async_configure(
        form["flow_id"], {"grid": keys[0], "solar": [keys[0]], "interval": 10}
    )
    assert form["errors"] == {"base": "two_roles"}
    result = await flows.async_configure(form["flow_id"], {"grid": keys[0], "interval": 10})
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "meters_added"
    assert result["description_placeholders"] == {"count": "2", "site": "Home"}
    assert len(entry.subentries) == 2
    assert entry.data["rescan"] == ["127.0.0.0/28"]


async def test_meters_of_a_gateway_join_a_site_that_is_there(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    entry = MockConfigEntry(domain=DOMAIN, title="Home", minor_version=2)
    entry.add_to_hass(network_time)
    home = await opened(homes, several(2), 0)
    gateway = {"host": GATEWAY, "port": home.port, "every_unit": False}
    form = await searched(network_time, "gateway", gateway)
    flows = network_time.config_entries.flow
    roles = await flows.async_configure(form["flow_id"], {"meters": list(labels(form))})
    result = await flows.async_configure(roles["flow_id"], {"site": entry.entry_id, "interval": 10})
    await network_time.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "meters_added"
    assert result["description_placeholders"] == {"count": "2", "site": "Home"}
    assert len(entry.subentries) == 2


async def test_nothing_found_and_nothing_chosen(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    form = await searched(network_time)
    assert form["step_id"] == "network"
    assert form["errors"] == {"base": "nothing_found"}
    await opened(homes, several(2), port)
    flows = network_time.config_entries.flow
    shown = await flows.async_configure(form["flow_id"], SEARCH)
    form = await ended(network_time, flows, shown)
    form = await flows.async_configure(form["flow_id"], {"meters": []})
    assert form["errors"] == {"base": "none_chosen"}


async def test_likely_models_are_chosen_for_all_that_look_alike(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm230", unit=unit, name=str(unit), serial="0")
        for unit in (1, 2)
    ]
    home = await opened(homes, specs, 0)
    gateway = {"host": GATEWAY, "port": home.port, "every_unit": False}
    form = await searched(network_time, "gateway", gateway)
    shown = labels(form)
    assert len(shown) == 2
    assert all(text.startswith("? ") for text in shown.values())
    flows = network_time.config_entries.flow
    form = await flows.async_configure(form["flow_id"], {"meters": list(shown)})
    while form["step_id"] == "candidates":
        choices = labels(form, "model")
        assert all("V" in text for text in choices.values())
        choice = next(key for key in choices if key.startswith("eastron_sdm230@"))
        form = await flows.async_configure(form["flow_id"], {"model": choice})
    assert form["step_id"] == "roles"
    result = await flows.async_configure(form["flow_id"], {"site": "Home", "interval": 10})
    await network_time.async_block_till_done(wait_background_tasks=True)
    meters = result["result"].subentries.values()
    assert {meter.data["profile"] for meter in meters} == {"eastron_sdm230"}
    assert len({meter.unique_id for meter in meters}) == 2


async def test_closing_the_flow_ends_the_search(
    network_time: HomeAssistant, port: int, serve_tcp: ServeTcp
) -> None:
    talking, gone = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1024):
            talking.set()
            await reader.read(1024)
            gone.set()
        writer.close()

    await serve_tcp(answer, GATEWAY, port)
    flows = network_time.config_entries.flow
    shown = await begun(flows, DOMAIN, "network", SEARCH)
    await talking.wait()
    form = await begun(flows, DOMAIN, "network", SEARCH)
    assert form["errors"] == {"base": "search_running"}
    flows.async_abort(shown["flow_id"])
    await gone.wait()
    await network_time.async_block_till_done()
    assert async_get_connection_info(network_time) == []
    assert not NetworkSearch.running(network_time)


async def test_search_that_fails_can_be_tried_again(
    network_time: HomeAssistant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object, **_more: object) -> None:
        raise OSError("no more sockets")

    monkeypatch.setattr("custom_components.carbon_meter.discovery.scan.open_places", fail)
    form = await searched(network_time)
    assert form["step_id"] == "network"
    assert form["errors"] == {"base": "search_failed"}


async def test_gateway_that_is_not_there(network_time: HomeAssistant) -> None:
    gateway = {"host": GATEWAY, "port": free_port(), "every_unit": False}
    form = await searched(network_time, "gateway", gateway)
    assert form["step_id"] == "gateway"
    assert form["errors"] == {"base": "nothing_found"}


async def test_meters_that_were_added_meanwhile_are_not_added_again(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    await opened(homes, several(2), port)
    flows = network_time.config_entries.flow
    forms = [await searched(network_time) for _ in range(2)]
    results = []
    for form in forms:
        await flows.async_configure(form["flow_id"], {"meters": list(labels(form))})
        results.append(
            await flows.async_configure(form["flow_id"], {"site": "Home", "interval": 10})
        )
        await network_time.async_block_till_done(wait_background_tasks=True)
    assert results[0]["type"] is FlowResultType.CREATE_ENTRY
    assert results[1]["reason"] == "already_configured"


async def test_meter_of_another_integration_is_marked(
    network_time: HomeAssistant, homes: AsyncExitStack, port: int
) -> None:
    other = MockConfigEntry(domain="other", title="Its app", data={})
    other.add_to_hass(network_time)
    device = dr.async_get(network_time).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "x")}, serial_number="70001"
    )
    er.async_get(network_time).async_get_or_create(
        "sensor",
        "other",
        "energy",
        config_entry=other,
        device_id=device.id,
        original_device_class="energy",
    )
    await opened(homes, several(2), port)
    form = await searched(network_time)
    marked = [text for text in labels(form).values() if "⇄ other (Its app)" in text]
    assert len(marked) == 1
    assert "(70001)" in marked[0]
    key = next(iter(form["data_schema"].schema))
    assert [value.rsplit(":", 2)[1] for value in key.default()] == ["2"]


async def test_without_a_private_network_it_is_said(
    network_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.discovery.subnets.ALLOWED", ())
    flows = network_time.config_entries.flow
    menu = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(menu["flow_id"], {"next_step_id": "network"})
    assert result["reason"] == "no_subnet"
