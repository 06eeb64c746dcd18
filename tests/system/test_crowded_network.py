"""About sixty devices on one network: all meters are found and named, nothing else is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
import random

from homeassistant.components.modbus.connection import async_get_connection_info
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.discovery.found import FoundMeter
from custom_components.carbon_meter.discovery.scan import NetworkSearch, SearchPlan
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import (
    CapturedDevice,
    Endpoint,
    Household,
    MeterSpec,
    ModbusPort,
    UnknownUnit,
    VirtualClock,
    VirtualMeter,
)
from hardware.virtual.device import Device
from hardware.virtual.sunspec_chain import SunSpecLayout
from tests.discovery.conftest import loopback_network, network_time, serve_tcp  # noqa: F401
from tests.discovery.network import ServeTcp, echo, free_port, say_nothing, web_page

pytestmark = pytest.mark.system

PROFILES = load_profiles().of(ModbusProfile)

UNKNOWN = (UnknownUnit.ANY, UnknownUnit.ANY, UnknownUnit.REFUSE, UnknownUnit.SILENT)
"""How devices treat unit ids that are not theirs, in turn."""

type Expected = dict[tuple[str, int], VirtualMeter]
"""The meters of the network by host and unit id."""


class Network:
    """Devices on loopback addresses, all on one port."""

    def __init__(self, stack: AsyncExitStack, port: int) -> None:
        self.stack = stack
        self.port = port
        self.clock = VirtualClock()
        self.hosts: list[str] = []
        self.meters: Expected = {}

    def next_host(self) -> str:
        self.hosts.append(f"127.0.0.{len(self.hosts) + 2}")
        return self.hosts[-1]

    def meter(self, profile: str, unit: int = 1, **spec: object) -> VirtualMeter:
        number = len(self.meters)
        watts = (-1) ** number * 300.0 * (number % 40 + 1)
        return VirtualMeter(
            MeterSpec(
                profile=profile,
                unit=unit,
                name=f"meter {number} {unit}",
                model="SPEM-003CEBEU" if profile == "shelly_modbus_tcp" else "",
                initial_import=5e6 + 1000 * number,
                initial_export=4e5,
                **spec,  # type: ignore[arg-type]
            ),
            PROFILES[profile],
            Household.constant(watts, self.clock.now()),
            self.clock,
        )

    async def open(self, devices: Sequence[Device], unknown: UnknownUnit) -> str:
        host = self.next_host()
        port = ModbusPort(devices, Endpoint(host=host, port=self.port, unknown=unknown))
        await port.open()
        self.stack.push_async_callback(port.close)
        for device in devices:
            if isinstance(device, VirtualMeter):
                self.meters[host, device.unit] = device
        return host


def no_meters() -> Mapping[str, Sequence[int]]:
    """Return the registers of devices that speak Modbus and are no meters."""
    chance = random.Random(7)  # noqa: S311
    return {
        "zeros": [0] * 300,
        "addresses": list(range(300)),
        "chance": [chance.randrange(65536) for _ in range(300)],
        "temperatures": [(215, 348, 0, 1, 12_345, 1800, 65_486)[place % 7] for place in range(300)],
        "inverter": [(0, 6500, 412, 2301, 5001, 0, 27)[place % 7] for place in range(300)],
        "counting": [(17 * place + 3) % 65536 for place in range(300)],
    }


@pytest.fixture
async def crowd(
    network_time: HomeAssistant,  # noqa: F811
    serve_tcp: ServeTcp,  # noqa: F811
) -> AsyncIterator[Network]:
    """Return a network with a meter of every family, gateways, inverters and other things."""
    async with AsyncExitStack() as stack:
        network = Network(stack, free_port())
        for number, profile in enumerate(PROFILES):
            await network.open([network.meter(profile)], UNKNOWN[number % len(UNKNOWN)])
        bus = [network.meter("eastron_sdm120", unit) for unit in (1, 2, 17, 101)]
        await network.open([*bus, network.meter("abb_b_series", 33)], UnknownUnit.REFUSE)
        for base, unit in ((40000, 240), (0, 126)):
            layout = SunSpecLayout(base=base, before={103: 50, 120: 26})
            behind = network.meter("sunspec_meter_integer", unit, sunspec=layout)
            await network.open([behind], UnknownUnit.REFUSE)
        for words in no_meters().values():
            device = CapturedDevice(1, holding={0: words}, input_registers={0: words})
            await network.open([device], UnknownUnit.ANY)
        for server in (web_page, web_page, echo, say_nothing):
            await serve_tcp(server, network.next_host(), network.port)
        yield network


def named(meter: FoundMeter) -> str:
    return meter.best.profile.id


async def test_all_meters_of_a_network_are_found_and_named(
    network_time: HomeAssistant,  # noqa: F811
    crowd: Network,
) -> None:
    libraries = await async_get_libraries(network_time)
    plan = SearchPlan(
        hosts=[f"127.0.0.{number}" for number in range(2, 255)],
        drivers=[libraries.drivers["modbus"]],
        ports={"modbus": (crowd.port,)},
        announcements=False,
    )
    search = NetworkSearch(network_time, plan)
    await search.async_run()

    assert search.open_ports == len(crowd.hosts) > 50
    found = {(meter.host, meter.address["unit"]): meter for meter in search.meters}
    assert set(found) == set(crowd.meters)
    assert len(found) == len(search.meters)
    for place, meter in crowd.meters.items():
        assert named(found[place]) == meter.profile.id, place
        assert found[place].best.certain is meter.profile.is_provable, place
        if found[place].best.serial:
            assert found[place].best.serial in meter.identity.serial, place
    assert async_get_connection_info(network_time) == []
