"""A clock, the profiles, and a connection to a virtual meter."""

from collections.abc import AsyncIterator

from modbus_connection import ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection, TmodbusUnit
import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import VirtualClock
from tests.hardware.virtual.reading import NOON, Connect


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that moves only when it is stepped."""
    return VirtualClock(NOON, frozen=True)


@pytest.fixture(scope="session")
def profiles() -> dict[str, ModbusProfile]:
    return load_profiles().of(ModbusProfile)


@pytest.fixture
async def connect(socket_enabled: None) -> AsyncIterator[Connect]:
    """Connect to a port on the loopback the way the integration does; return one unit."""
    connections: list[ModbusConnection] = []

    async def connected(port: int, unit: int = 1, *, patience: float = 20.0) -> TmodbusUnit:
        params = ModbusTcpParams(host="127.0.0.1", port=port)
        connection = ModbusConnection(params, timeout=patience)
        connections.append(connection)
        await connection.connect()
        return connection.for_unit(unit)

    yield connected
    for connection in connections:
        await connection.disconnect()
