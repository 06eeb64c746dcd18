"""The local network is searched: real ports on many loopback addresses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

from homeassistant.components.modbus.connection import async_get_connection_info
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.discovery.scan import (
    NetworkSearch,
    SearchPlan,
    SearchRunningError,
)
from custom_components.carbon_meter.driver import Find
from custom_components.carbon_meter.drivers.modbus import ModbusDriver
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.speedwire.listener import SpeedwireListener
from custom_components.carbon_meter.metering.speedwire.profile import SpeedwireProfile
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.server import Endpoint, UnknownUnit
from hardware.virtual.speedwire import SpeedwireSpec, VirtualSpeedwireMeter
from hardware.virtual.web.device import WebDevice
from hardware.virtual.web.server import WebPort
from tests.discovery.network import NETWORK, ServeTcp, echo, free_port, say_nothing, web_page
from tests.drivers.steps import until

ONE = MeterSpec(profile="eastron_sdm630", serial="11223344")
HOSTS = NETWORK[1:40]
DRIVERS = "custom_components.carbon_meter.drivers"


@pytest.fixture
async def homes(network_time: HomeAssistant) -> AsyncIterator[AsyncExitStack]:
    """Return what keeps virtual homes open."""
    async with AsyncExitStack() as stack:
        yield stack


async def opened(
    homes: AsyncExitStack,
    host: str,
    port: int,
    specs: list[MeterSpec],
    unknown: UnknownUnit = UnknownUnit.ANY,
) -> VirtualHome:
    clock = VirtualClock()
    endpoint = Endpoint(host=host, port=port, unknown=unknown)
    household = Household.simulated(clock.now())
    return await homes.enter_async_context(
        VirtualHome(specs, household, clock=clock, endpoint=endpoint)
    )


async def plan(hass: HomeAssistant, port: int, hosts: list[str] = HOSTS) -> SearchPlan:
    libraries = await async_get_libraries(hass)
    return SearchPlan(
        hosts=hosts,
        drivers=[libraries.drivers["modbus"]],
        ports={"modbus": (port,)},
        announcements=False,
    )


async def searched(hass: HomeAssistant, port: int, hosts: list[str] = HOSTS) -> NetworkSearch:
    search = NetworkSearch(hass, await plan(hass, port, hosts))
    await search.async_run()
    return search


def found(search: NetworkSearch) -> list[tuple[str, str, str]]:
    return [(each.place, each.best.profile.id, each.best.serial) for each in search.meters]


async def test_meters_among_other_things(
    network_time: HomeAssistant, homes: AsyncExitStack, serve_tcp: ServeTcp
) -> None:
    port = free_port()
    await opened(homes, "127.0.0.10", port, [ONE])
    await opened(
        homes,
        "127.0.0.9",
        port,
        [
            MeterSpec(profile="eastron_sdm120", unit=5, name="a", serial="5"),
            MeterSpec(profile="sunspec_meter_integer", unit=240, name="b", serial="240"),
        ],
        UnknownUnit.REFUSE,
    )
    await serve_tcp(web_page, "127.0.0.20", port)
    await serve_tcp(say_nothing, "127.0.0.21", port)
    await serve_tcp(echo, "127.0.0.22", port)
    told: list[float] = []
    search = NetworkSearch(network_time, await plan(network_time, port), told.append)
    await search.async_run()
    assert found(search) == [
        (f"127.0.0.9:{port} #5", "eastron_sdm120", "5"),
        (f"127.0.0.9:{port} #240", "sunspec_meter_integer", "240"),
        (f"127.0.0.10:{port} #1", "eastron_sdm630", "11223344"),
    ]
    assert search.open_ports == 5
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert async_get_connection_info(network_time) == []


async def test_meter_at_two_addresses_is_one(
    network_time: HomeAssistant, homes: AsyncExitStack
) -> None:
    port = free_port()
    await opened(homes, "127.0.0.10", port, [ONE])
    await opened(homes, "127.0.0.11", port, [ONE])
    assert found(await searched(network_time, port)) == [
        (f"127.0.0.10:{port} #1", "eastron_sdm630", "11223344")
    ]


async def test_second_search_is_refused(network_time: HomeAssistant, serve_tcp: ServeTcp) -> None:
    port = free_port()
    await serve_tcp(say_nothing, "127.0.0.10", port)
    first = asyncio.create_task(searched(network_time, port))
    await until(lambda: NetworkSearch.running(network_time))
    with pytest.raises(SearchRunningError):
        await searched(network_time, port)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not NetworkSearch.running(network_time)


async def test_cancelled_search_leaves_no_connection(
    network_time: HomeAssistant, serve_tcp: ServeTcp
) -> None:
    talking = asyncio.Event()
    gone = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1024):
            talking.set()
            await reader.read(1024)
            gone.set()
        writer.close()

    port = free_port()
    await serve_tcp(answer, "127.0.0.10", port)
    task = asyncio.create_task(searched(network_time, port))
    await talking.wait()
    assert [each.endpoint for each in async_get_connection_info(network_time)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert async_get_connection_info(network_time) == []
    await gone.wait()


async def test_host_is_asked_by_one_connection_at_a_time(
    network_time: HomeAssistant, homes: AsyncExitStack, serve_tcp: ServeTcp
) -> None:
    port = free_port()
    home = await opened(homes, "127.0.0.30", port, [ONE])
    at_once = most = 0

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        behind_reader, behind = await asyncio.open_connection("127.0.0.30", home.port)

        async def back() -> None:
            while data := await behind_reader.read(1024):
                writer.write(data)

        task = asyncio.create_task(back())
        while data := await reader.read(1024):
            behind.write(data)
        at_once -= 1
        task.cancel()
        behind.close()
        writer.close()

    await serve_tcp(pass_on, "127.0.0.10", port)
    search = await searched(network_time, port, ["127.0.0.10"])
    assert [place for place, *_ in found(search)] == [f"127.0.0.10:{port} #1"]
    assert most == 1


class FaultyDriver(ModbusDriver):
    """A driver of a plugin that has a mistake."""

    key = "faulty"
    answers_calls = True

    async def async_search(self, *args: object, **more: object) -> tuple[Find, ...]:
        raise KeyError("a mistake")

    async def async_call(self, *args: object) -> tuple[Find, ...]:
        raise KeyError("another")


async def test_driver_with_a_mistake_ends_no_search(
    network_time: HomeAssistant, homes: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    await opened(homes, "127.0.0.10", port, [ONE])
    libraries = await async_get_libraries(network_time)
    drivers = [FaultyDriver(), libraries.drivers["modbus"]]
    ports = {"faulty": (port,), "modbus": (port,)}
    search = NetworkSearch(
        network_time,
        SearchPlan(hosts=["127.0.0.10"], drivers=drivers, ports=ports, announcements=False),
    )
    await search.async_run()
    assert found(search) == [(f"127.0.0.10:{port} #1", "eastron_sdm630", "11223344")]
    assert "a mistake" in caplog.text
    assert "another" in caplog.text


async def test_every_protocol_that_is_chosen_is_asked(
    network_time: HomeAssistant, homes: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    household = Household.constant(2000, clock.now())
    libraries = await async_get_libraries(network_time)
    shelly = libraries.profiles["shelly_gen1_em"]
    assert isinstance(shelly, JsonProfile)
    page = WebPort(WebDevice.alone(shelly, household, clock))
    await homes.enter_async_context(page)
    speedwire = next(iter(libraries.profiles.of(SpeedwireProfile).values()))
    multicast = free_port()

    class Listener(SpeedwireListener):
        def __init__(self, interfaces: object, clock: Callable[[], float]) -> None:
            super().__init__(["127.0.0.1"], clock, port=multicast)

    monkeypatch.setattr(f"{DRIVERS}.speedwire.SpeedwireListener", Listener)
    home = VirtualHome.constant(2000, [ONE])
    spec = SpeedwireSpec(serial=1_900_000_007, port=multicast)
    await homes.enter_async_context(
        VirtualSpeedwireMeter(home["grid"].true_values, speedwire, spec)
    )
    drivers = [libraries.drivers[key] for key in ("modbus", "http", "speedwire")]
    ports = {"modbus": (free_port(),), "http": (page.port,)}
    search = NetworkSearch(
        network_time, SearchPlan(hosts=["127.0.0.1"], drivers=drivers, ports=ports)
    )
    await search.async_run()
    assert {(each.driver.key, each.best.profile.id) for each in search.meters} == {
        ("http", shelly.id),
        ("speedwire", speedwire.id),
    }
    assert {each.key.partition(":")[0] for each in search.meters} == {"http", "speedwire"}
