"""A network of fifty devices: every meter is found and named, nothing else is taken for one."""

import asyncio
from contextlib import AsyncExitStack
import random

from custom_components.carbon_meter.metering.candidate import Identification
from custom_components.carbon_meter.metering.modbus.identification import identify
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import (
    CapturedDevice,
    Household,
    MeterSpec,
    ModbusPort,
    VirtualClock,
    VirtualMeter,
)
from hardware.virtual.device import Device
from tests.hardware.virtual.reading import Connect

PROFILES = load_profiles().of(ModbusProfile)


def meters(clock: VirtualClock) -> dict[str, Device]:
    """Return a meter of each family, each with a flow of its own."""
    found: dict[str, Device] = {}
    for number, profile in enumerate(PROFILES.values()):
        watts = (-1) ** number * 300.0 * (number + 1)
        spec = MeterSpec(
            profile=profile.id,
            model="SPEM-003CEBEU" if profile.id == "shelly_modbus_tcp" else "",
            initial_import=5e6,
            initial_export=4e5,
        )
        household = Household.constant(watts, clock.now())
        found[profile.id] = VirtualMeter(spec, profile, household, clock)
    return found


def others() -> dict[str, Device]:
    """Return devices that speak Modbus and are no meters."""
    chance = random.Random(4)  # noqa: S311
    blocks = {
        "zeros": [0] * 300,
        "ones": [0xFFFF] * 300,
        "addresses": list(range(300)),
        "chance": [chance.randrange(65536) for _ in range(300)],
        "small numbers": [chance.randrange(400) for _ in range(300)],
        "temperatures": [(215, 348, 0, 1, 12_345, 1800, 65_486)[place % 7] for place in range(300)],
        "inverter": [(0, 6500, 412, 2301, 5001, 0, 27)[place % 7] for place in range(300)],
        "switch": [1],
    }
    return {
        name: CapturedDevice(1, holding={0: words}, input_registers={0: words})
        for name, words in blocks.items()
    }


async def test_every_meter_of_a_network_is_named_and_nothing_else(
    clock: VirtualClock, connect: Connect
) -> None:
    devices = meters(clock) | others()
    assert len(devices) == 50

    async def asked(port: int) -> Identification:
        return await identify(await connect(port), PROFILES.values())

    async with AsyncExitStack() as stack:
        ports: dict[str, ModbusPort] = {}
        for name, device in devices.items():
            ports[name] = ModbusPort([device])
            await ports[name].open()
            stack.push_async_callback(ports[name].close)
        answers = await asyncio.gather(*(asked(port.port) for port in ports.values()))
    found = dict(zip(ports, answers, strict=True))

    for name, profile in PROFILES.items():
        best = found[name].candidates[0]
        assert best.profile.id == name
        assert best.certain is profile.is_provable
    for name in others():
        assert found[name].candidates == (), name
    certain = [
        (name, each.profile.id)
        for name, answer in found.items()
        for each in answer.candidates
        if each.certain
    ]
    assert all(name == profile_id for name, profile_id in certain)
