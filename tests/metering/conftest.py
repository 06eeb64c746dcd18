"""Real Modbus TCP servers for the tests of the meters."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import settings
from modbus_connection import ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection, TmodbusUnit
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
import pytest

settings.register_profile("carbon_meter", deadline=None)
settings.load_profile("carbon_meter")

type Ranges = Mapping[int, Iterable[int]]
"""Words by the address of the first; everything between the ranges is refused."""


@dataclass
class ServedMeter:
    """A meter behind a port, and what it was asked."""

    registers: dict[str, dict[int, int]]
    """By space and address; a test may change them while they are served."""

    requests: list[tuple[str, int, int]] = field(default_factory=list)
    """Space, address and count of each request, refused ones too."""

    exceptions: list[ExcCodes | None] = field(default_factory=list)
    """What the next requests are refused with; None answers from the registers."""

    always: ExcCodes | None = None
    """What every request is refused with."""

    port: int = 0
    unit: TmodbusUnit = None  # type: ignore[assignment]  # set once the port is known

    async def answer(
        self,
        function: int,
        _start: int,
        address: int,
        count: int,
        memory: list[int],
        _written: object,
    ) -> ExcCodes | None:
        """Put the registers asked for where the simulator reads them, or refuse."""
        space = {3: "holding", 4: "input"}[function]
        self.requests.append((space, address, count))
        if self.exceptions and (code := self.exceptions.pop(0)) is not None:
            return code
        if self.always is not None:
            return self.always
        wanted = range(address, address + count)
        if any(place not in self.registers[space] for place in wanted):
            return ExcCodes.ILLEGAL_ADDRESS
        memory[address : address + count] = [self.registers[space][place] for place in wanted]
        return None


type Serve = Callable[..., Awaitable[ServedMeter]]


def _by_address(ranges: Ranges) -> dict[int, int]:
    return {
        start + offset: word for start, words in ranges.items() for offset, word in enumerate(words)
    }


@asynccontextmanager
async def _served(meter: ServedMeter, unit_id: int) -> AsyncIterator[ServedMeter]:
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    words = [SimData(0, values=[0] * 65536, datatype=DataType.REGISTERS)]
    memory = (bits, list(bits), words, list(words))
    device = SimDevice(id=unit_id, simdata=memory, action=meter.answer)
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    meter.port = server.transport.sockets[0].getsockname()[1]
    connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=meter.port), timeout=20)
    meter.unit = connection.for_unit(unit_id)
    try:
        yield meter
    finally:
        await connection.close()
        await server.shutdown()


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncIterator[Serve]:
    """Return what serves registers over Modbus TCP; holes are refused with exception 2."""
    async with AsyncExitStack() as stack:

        async def start(
            *,
            holding: Ranges | None = None,
            input_: Ranges | None = None,
            unit_id: int = 1,
            always: ExcCodes | None = None,
        ) -> ServedMeter:
            registers = {"holding": _by_address(holding or {}), "input": _by_address(input_ or {})}
            meter = ServedMeter(registers=registers, always=always)
            return await stack.enter_async_context(_served(meter, unit_id))

        yield start
