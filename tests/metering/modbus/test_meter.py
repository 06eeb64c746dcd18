"""Reading a meter by its profile: with a unit of our own and over real Modbus TCP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
import struct

from hypothesis import given, strategies as st
from modbus_connection import ModbusTcpParams
from modbus_connection.exceptions import (
    ClientClosedError,
    ModbusConnectionError,
    ModbusDesyncError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
)
from modbus_connection.tmodbus import ModbusConnection
from pymodbus.constants import ExcCodes
import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from custom_components.carbon_meter.metering.modbus.meter import ModbusMeter, read_words
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function, Register, WordOrder
from custom_components.carbon_meter.metering.profile_library import load_profiles

PACKAGED = load_profiles().of(ModbusProfile)


class Memory:
    """A Modbus unit made of a few registers."""

    def __init__(self, holding: dict[int, int], input_: dict[int, int] | None = None) -> None:
        self.registers = {Function.HOLDING: holding, Function.INPUT: input_ or {}}
        self.requests: list[tuple[Function, int, int]] = []
        self.errors: list[ModbusError | None] = []

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        return self._read(Function.HOLDING, address, count)

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        return self._read(Function.INPUT, address, count)

    def _read(self, function: Function, address: int, count: int) -> list[int]:
        self.requests.append((function, address, count))
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        try:
            return [self.registers[function][place] for place in range(address, address + count)]
        except KeyError:
            raise ModbusExceptionError.from_code(2) from None


def f32(value: float) -> list[int]:
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def memory_of(values: dict[int, list[int]]) -> dict[int, int]:
    return {
        start + offset: word for start, words in values.items() for offset, word in enumerate(words)
    }


def register(quantity: str, address: int, kind: str = "u16", **changes: object) -> Register:
    fields = {
        "quantity": quantity,
        "address": address,
        "type": kind,
        "function": Function.HOLDING,
        "word_order": WordOrder.BIG,
    }
    return Register(**(fields | changes))


def profile(*registers: Register, max_registers: int = 125) -> ModbusProfile:
    return ModbusProfile(
        id="test",
        vendor="Test",
        name="meter",
        models=("T1",),
        phases=1,
        protocol="modbus",
        quantities=(),
        registers={item.quantity: item for item in registers},
        max_registers=max_registers,
    )


SMALL = profile(
    register("voltage", 0),
    register("current", 1),
    register("power", 10, "s32"),
    register("frequency", 30),
)
SMALL_MEMORY = memory_of({0: [230, 5], 2: [0] * 8, 10: [0xFFFF, 0xFB82], 12: [0] * 18, 30: [50]})
SMALL_VALUES = {"voltage": 230.0, "current": 5.0, "power": -1150.0, "frequency": 50.0}


async def test_a_reading_takes_the_planned_requests_and_its_moment_is_their_end() -> None:
    unit = Memory(SMALL_MEMORY)
    meter = ModbusMeter(unit, SMALL, clock=lambda: 1000.0 + len(unit.requests))

    reading = await meter.read()

    assert reading.values == SMALL_VALUES
    assert reading.faults == ()
    assert reading.time == 1001.0
    assert unit.requests == [(Function.HOLDING, 0, 31)]
    assert meter.absent == ()


async def test_only_the_registers_asked_for_are_read() -> None:
    unit = Memory(SMALL_MEMORY)
    meter = ModbusMeter(unit, SMALL, registers=[SMALL.registers["power"]])

    assert (await meter.read()).values == {"power": -1150.0}
    assert unit.requests == [(Function.HOLDING, 10, 2)]


async def test_a_hole_is_worked_around_once() -> None:
    """A meter that refuses the holes in its map is asked around them from then on."""
    unit = Memory(memory_of({0: [230, 5], 10: [0xFFFF, 0xFB82], 30: [50]}))
    meter = ModbusMeter(unit, SMALL)

    assert (await meter.read()).values == SMALL_VALUES
    first = list(unit.requests)
    assert (await meter.read()).values == SMALL_VALUES

    # 0 to 30 and 0 to 11 are refused.
    assert len(first) == 5
    assert unit.requests[5:] == [
        (Function.HOLDING, 0, 2),
        (Function.HOLDING, 10, 2),
        (Function.HOLDING, 30, 1),
    ]
    assert meter.absent == ()


async def test_what_the_meter_lacks_is_left_out_and_told() -> None:
    memory = dict(SMALL_MEMORY)
    del memory[11]
    unit = Memory(memory)
    meter = ModbusMeter(unit, SMALL)

    reading = await meter.read()

    assert reading.values == {key: SMALL_VALUES[key] for key in ("voltage", "current", "frequency")}
    assert meter.absent == ("power",)
    before = len(unit.requests)
    await meter.read()
    assert len(unit.requests) - before == len(meter.blocks) == 2


@given(
    st.dictionaries(st.integers(0, 60), st.integers(0, 1000), min_size=1),
    st.lists(st.integers(0, 59), min_size=1, max_size=8, unique=True),
    st.integers(1, 60),
)
async def test_whatever_is_missing_the_rest_is_read(memory, addresses, limit) -> None:
    """Each register that the meter has is read, and the second reading meets no refusal."""
    keys = [f"{key}_{phase}" for key in ("voltage", "current", "power") for phase in ("l1", "l2")]
    keys += ["voltage", "frequency"]
    registers = [
        register(key, address, "u16" if index % 2 else "u32")
        for index, (key, address) in enumerate(zip(keys, addresses, strict=False))
    ]
    there = {
        item.quantity
        for item in registers
        if all(place in memory for place in range(item.address, item.address + item.words))
    }
    unit = Memory(memory)
    meter = ModbusMeter(unit, profile(*registers, max_registers=limit))

    if not there:
        with pytest.raises(MeterRejectedError, match="none of the registers of Test meter exist"):
            await meter.read()
        return
    reading = await meter.read()
    assert set(reading.values) | {fault.quantity for fault in reading.faults} == there
    assert set(meter.absent) == {item.quantity for item in registers} - there
    before = len(unit.requests)
    assert (await meter.read()).values == reading.values
    assert len(unit.requests) - before == len(meter.blocks)


@pytest.mark.parametrize("code", [5, 6, 8, 10, 11, 255])
async def test_busy_and_gateway_errors_are_no_holes(code) -> None:
    unit = Memory(SMALL_MEMORY)
    unit.errors = [ModbusExceptionError.from_code(code)]
    meter = ModbusMeter(unit, SMALL)

    with pytest.raises(MeterRejectedError, match="holding registers 0x0000 to 0x001E") as caught:
        await meter.read()
    assert caught.value.code == code
    assert not caught.value.is_about_registers
    assert caught.value.is_about_unit == (code in (10, 11))
    assert len(unit.requests) == 1

    assert (await meter.read()).values == SMALL_VALUES
    assert meter.absent == ()


async def test_what_has_worked_is_not_given_up() -> None:
    unit = Memory(SMALL_MEMORY)
    meter = ModbusMeter(unit, SMALL)
    await meter.read()
    unit.errors = [ModbusExceptionError.from_code(2)]

    with pytest.raises(MeterRejectedError) as caught:
        await meter.read()

    assert caught.value.code == 2
    assert (await meter.read()).values == SMALL_VALUES
    assert len(unit.requests) == 3


async def test_a_meter_that_refuses_everything_at_first_lacks_nothing_later() -> None:
    unit = Memory(SMALL_MEMORY)
    unit.errors = [ModbusExceptionError.from_code(4)] * 7
    meter = ModbusMeter(unit, SMALL)

    with pytest.raises(MeterRejectedError, match="none of the registers"):
        await meter.read()

    assert not unit.errors
    assert meter.absent == ()
    assert (await meter.read()).values == SMALL_VALUES
    assert meter.absent == ()


async def test_a_search_for_holes_that_is_cut_short_begins_anew() -> None:
    unit = Memory(memory_of({0: [230, 5], 10: [0xFFFF, 0xFB82], 30: [50]}))
    unit.errors = [None, None, None, ModbusTimeoutError("slow")]
    meter = ModbusMeter(unit, SMALL)

    with pytest.raises(MeterSilentError):
        await meter.read()

    assert (await meter.read()).values == SMALL_VALUES


async def test_a_register_that_must_be_read_alone_is() -> None:
    item = register("current", 1, alone=True)
    unit = Memory(SMALL_MEMORY)
    meter = ModbusMeter(unit, profile(register("voltage", 0), item, register("frequency", 30)))

    assert (await meter.read()).values == {"voltage": 230.0, "current": 5.0, "frequency": 50.0}
    assert sorted(unit.requests) == [(Function.HOLDING, 0, 31), (Function.HOLDING, 1, 1)]


async def test_what_a_register_says_alone_is_not_what_it_says_in_a_block() -> None:
    """As Carlo Gavazzi's model code, which is half of a voltage within a block."""

    class Gavazzi(Memory):
        async def read_holding_registers(self, address: int, count: int) -> list[int]:
            words = await Memory.read_holding_registers(self, address, count)
            return [71] if (address, count) == (1, 1) else words

    registers = (
        register("power", 0, "u32"),
        register("current", 1, alone=True),
        register("frequency", 2),
    )
    meter = ModbusMeter(Gavazzi(memory_of({0: [0, 4000, 50]})), profile(*registers))

    for _ in range(2):
        values = (await meter.read()).values
        assert values == {"power": 4000.0, "current": 71.0, "frequency": 50.0}


async def test_garbage_becomes_a_fault_that_names_the_register_and_harms_no_other() -> None:
    sdm120 = PACKAGED["eastron_sdm120"]
    memory = dict.fromkeys(range(0x160), 0) | memory_of(
        {0x0000: f32(231.5), 0x0006: f32(3e38), 0x0048: f32(-5.0), 0x0046: [0x7FC0, 0]}
    )
    reading = await ModbusMeter(Memory({}, memory), sdm120).read()

    assert reading.values["voltage"] == 231.5
    assert "frequency" not in reading.values
    assert {fault.quantity for fault in reading.faults} == {"current", "energy_import"}
    assert "energy_import" not in reading.values
    shown = [str(fault) for fault in reading.faults]
    assert shown[0].startswith("current (input 0x0006): implausible value 3e+38 A (0x7F61B1E6)")
    assert shown[1] == "energy_import (input 0x0048): implausible value -5000 Wh (0xC0A00000)"


def sunspec_memory(**changes: int) -> dict[int, int]:
    """Return model 203 at 40070 with 230.1 V, 5 A and a scale factor each."""
    memory = dict.fromkeys(range(40070, 40177), 0)
    memory |= {40070: 203, 40071: 105, 40070 + 2: 50, 40070 + 6: 0xFFFF}
    memory |= {40070 + 7: 2301, 40070 + 15: 0xFFFF, 40070 + 16: 5001, 40070 + 17: 0xFFFE}
    return memory | {int(key.removeprefix("at_")): word for key, word in changes.items()}


async def read_sunspec(memory: dict[int, int]):
    return await ModbusMeter(Memory(memory), PACKAGED["sunspec_meter_integer"], base=40070).read()


async def test_sunspec_values_have_their_scale_factor() -> None:
    reading = await read_sunspec(sunspec_memory())

    assert reading.values["voltage"] == 230.1
    assert reading.values["current"] == 5.0
    assert reading.values["frequency"] == 50.01


@pytest.mark.parametrize("scale", [0x8000, None])
async def test_a_scale_factor_that_is_not_there_takes_its_quantities_along(scale) -> None:
    memory = sunspec_memory()
    if scale is None:
        del memory[40085]
    else:
        memory[40085] = scale
    reading = await read_sunspec(memory)

    assert not [key for key in reading.values if key.startswith("voltage")]
    assert reading.values["current"] == 5.0
    assert reading.faults == ()


@pytest.mark.parametrize(("raw", "shown"), [(11, "11"), (99, "99"), (0xFFF5, "-11"), (0x7FFF, "3")])
async def test_an_absurd_scale_factor_is_a_fault_of_its_quantities(raw, shown) -> None:
    reading = await read_sunspec(sunspec_memory(at_40085=raw))

    assert not [key for key in reading.values if key.startswith("voltage")]
    faults = {fault.quantity: fault for fault in reading.faults}
    assert set(faults) == {
        *("voltage", "voltage_l1", "voltage_l2", "voltage_l3"),
        *("voltage_ll", "voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1"),
    }
    assert f"with the scale factor {shown}" in faults["voltage"].reason
    assert faults["voltage"].register == "holding 0x9C8D"


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (
            ModbusConnectionError("could not connect to 10.0.0.1:502"),
            MeterUnreachableError,
            "could not connect to 10.0.0.1:502",
        ),
        (
            ModbusTimeoutError("could not connect to 10.0.0.1:502"),
            MeterUnreachableError,
            "could not connect to 10.0.0.1:502",
        ),
        (ModbusTimeoutError("slow"), MeterSilentError, "holding registers 0x0010 to 0x0011"),
        (
            ModbusConnectionError("read_holding_registers(16, 2): Connection lost"),
            MeterSilentError,
            "holding registers 0x0010 to 0x0011: the connection was closed",
        ),
        (ClientClosedError("connection is closed"), MeterSilentError, "0x0010 to 0x0011"),
        (ModbusDesyncError("other unit"), MeterGarbledError, "0x0010 to 0x0011: other unit"),
        (ModbusError("retries"), MeterGarbledError, "0x0010 to 0x0011: retries"),
        (ModbusExceptionError.from_code(3), MeterRejectedError, "0x0010 to 0x0011: "),
    ],
)
async def test_every_error_of_the_library_has_its_own_of_ours(error, expected, message) -> None:
    unit = Memory({})
    unit.errors = [error]

    with pytest.raises(MeterError, match=message) as caught:
        await read_words(unit, Function.HOLDING, 0x10, 2)
    assert type(caught.value) is expected
    assert caught.value.__cause__ is error


async def test_what_lies_behind_the_last_register_is_refused_without_asking() -> None:
    unit = Memory({})

    with pytest.raises(MeterRejectedError, match="0xFFFF") as caught:
        await read_words(unit, Function.HOLDING, 0xFFFF, 2)
    assert caught.value.is_about_registers
    assert unit.requests == []


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_an_answer_of_the_wrong_length_is_garbled(count) -> None:
    class Short(Memory):
        def _read(self, function: Function, address: int, asked: int) -> list[int]:
            return [0] * count

    with pytest.raises(MeterGarbledError, match=f"0x0010 to 0x0011: {count} registers came inste"):
        await read_words(Short({}), Function.HOLDING, 0x10, 2)


# Over real Modbus TCP.


async def test_a_meter_with_holes_over_tcp(serve) -> None:
    """An SDM630 that refuses what it does not define, counted request by request."""
    sdm630 = PACKAGED["eastron_sdm630"]
    values = {key: 1.5 * index for index, key in enumerate(sdm630.registers)}
    values |= {key: 0.5 for key in values if key.startswith("power_factor")}
    served = await serve(
        input_={item.address: item.encode(values[key]) for key, item in sdm630.registers.items()}
    )
    meter = ModbusMeter(served.unit, sdm630)

    reading = await meter.read()
    assert reading.values == pytest.approx(values, rel=1e-7)
    searching = len(served.requests)
    served.requests.clear()
    assert (await meter.read()).values == reading.values

    # 0 to 0x23, 0x2A, 0x2E to 0x31, 0x34, 0x38, 0x3C to 0x3F, 0x46 to 0x4B, 0xC8, 0xE0, 0x156 on.
    assert len(served.requests) == len(meter.blocks) == 10
    assert searching < 2 * 10 + len(sdm630.registers)
    assert meter.absent == ()


async def test_a_busy_meter_is_asked_again_by_the_library(serve) -> None:
    served = await serve(holding={0: [230]})
    served.exceptions += [ExcCodes.DEVICE_BUSY]
    meter = ModbusMeter(served.unit, profile(register("voltage", 0)))

    assert (await meter.read()).values == {"voltage": 230.0}
    assert len(served.requests) == 2


@pytest.mark.parametrize("code", [ExcCodes.GATEWAY_PATH_UNAVIABLE, ExcCodes.GATEWAY_NO_RESPONSE])
async def test_a_gateway_without_the_unit(serve, code) -> None:
    served = await serve(holding={0: [230]}, always=code)
    meter = ModbusMeter(served.unit, profile(register("voltage", 0)))

    with pytest.raises(MeterRejectedError, match="holding registers 0x0000 to 0x0000") as caught:
        await meter.read()
    assert caught.value.code == code.value
    assert caught.value.is_about_unit
    assert len(served.requests) == 1


type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def behind(socket_enabled: None) -> AsyncIterator[Callable[..., Awaitable[object]]]:
    """Return what puts something else than a meter behind a port, and a unit that asks it."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler, patience: float = 30.0) -> object:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    await handler(reader, writer)
                except asyncio.IncompleteReadError, ConnectionError:
                    pass
                finally:
                    writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            params = ModbusTcpParams(host="127.0.0.1", port=port)
            connection = ModbusConnection(params, timeout=patience)
            stack.push_async_callback(connection.close)
            return connection.for_unit(1)

        yield start


def framed(**changes: object) -> Handler:
    """Return a server that frames its answers as told, every register being 7."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readexactly(12)
            fields = {"transaction": request[:2], "unit": request[6], "function": request[7]}
            fields |= {"count": request[11]} | changes
            pdu = bytes([fields["function"], 2 * fields["count"]]) + b"\0\7" * fields["count"]
            header = fields["transaction"] + struct.pack(">HHB", 0, len(pdu) + 1, fields["unit"])
            writer.write(header + pdu)

    return handler


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nno\r\n")


async def lingering_web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await web_server(reader, writer)
    await reader.read()


async def taken(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Somebody else has the only connection."""


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


@pytest.mark.parametrize(
    ("handler", "expected", "message"),
    [
        (silent, MeterSilentError, "no answer in time"),
        (lingering_web_server, MeterSilentError, "no answer in time"),
        (framed(transaction=b"\x99\x99"), MeterSilentError, "no answer in time"),
        (web_server, MeterSilentError, "the connection was closed instead of an answer"),
        (taken, MeterSilentError, "the connection was closed instead of an answer"),
        (echo, MeterGarbledError, "Invalid response PDU length"),
        (framed(unit=9), MeterGarbledError, "Unit ID mismatch"),
        (framed(function=6), MeterGarbledError, "Invalid function code"),
        (framed(count=1), MeterGarbledError, "Invalid register count"),
        (framed(count=9), MeterGarbledError, "Invalid register count"),
    ],
)
async def test_what_is_no_meter_is_said_so_with_the_registers(
    behind, handler, expected, message
) -> None:
    # Only where nothing comes is the end of patience waited for.
    unit = await behind(handler, patience=0.2 if message == "no answer in time" else 30.0)

    with pytest.raises(MeterError, match=f"input registers 0x0034 to 0x0035: .*{message}") as err:
        await read_words(unit, Function.INPUT, 0x34, 2)
    assert type(err.value) is expected


async def test_a_well_framed_answer_is_read(behind) -> None:
    assert await read_words(await behind(framed()), Function.INPUT, 0x34, 2) == [7, 7]


async def test_a_refused_connection_names_the_address(behind, unused_tcp_port) -> None:
    params = ModbusTcpParams(host="127.0.0.1", port=unused_tcp_port)
    connection = ModbusConnection(params, timeout=20)

    with pytest.raises(MeterRefusedError, match=f"127.0.0.1:{unused_tcp_port}"):
        await read_words(connection.for_unit(1), Function.HOLDING, 0, 2)
    await connection.close()
