"""Modbus TCP on a real port: frames as they go over the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import logging
import random
import struct
import time

from pymodbus.client import AsyncModbusTcpClient
import pytest

from custom_components.carbon_meter.metering.modbus.registers import Function
from hardware.virtual import Endpoint, ModbusPort, UnknownUnit
from hardware.virtual.device import Answer

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Echo:
    """A device whose registers hold their addresses, and what a test puts in their place."""

    def __init__(
        self,
        unit: int = 1,
        answer: Callable[[int], Answer] | None = None,
        identification: dict[int, bytes] | None = None,
    ) -> None:
        self.unit = unit
        self.identification = identification or {}
        self._answer = answer

    def answer(self, function: Function, address: int, count: int) -> Answer:
        if self._answer is not None:
            return self._answer(address)
        if address + count > 0x8000:
            return Answer(code=2)
        high = 0 if function is Function.HOLDING else 0x8000
        return Answer(words=tuple(range(high + address, high + address + count)))


def request(number: int, unit: int = 1, function: int = 3, body: bytes = b"\0\0\0\1") -> bytes:
    return struct.pack(">HHHBB", number, 0, 2 + len(body), unit, function) + body


@asynccontextmanager
async def talk(*devices: Echo, endpoint: Endpoint | None = None) -> AsyncIterator[Wire]:
    port = ModbusPort(devices or (Echo(),), endpoint)
    await port.open()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port.port), port)
    try:
        yield wire
    finally:
        wire.writer.close()
        await port.close()


class Wire:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: ModbusPort
    ) -> None:
        self.reader, self.writer, self.port = reader, writer, port

    async def response(self) -> tuple[int, int, bytes]:
        """Return number, unit and body of the next frame."""
        head = await asyncio.wait_for(self.reader.readexactly(7), 30)
        number, protocol, length, unit = struct.unpack(">HHHB", head)
        assert protocol == 0
        return number, unit, await self.reader.readexactly(length - 1)

    async def ask(self, data: bytes) -> tuple[int, int, bytes]:
        self.writer.write(data)
        return await self.response()

    async def is_silent(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.readexactly(1), 0.1)
        except TimeoutError:
            return True
        return False


async def test_pymodbus_reads_both_spaces() -> None:
    port = ModbusPort([Echo(1), Echo(17)])
    await port.open()
    client = AsyncModbusTcpClient("127.0.0.1", port=port.port)
    await client.connect()
    holding = await client.read_holding_registers(100, count=125, device_id=17)
    inputs = await client.read_input_registers(5, count=2, device_id=1)
    refused = await client.read_input_registers(0x7FFF, count=2, device_id=1)
    client.close()
    await port.close()
    assert holding.registers == list(range(100, 225))
    assert inputs.registers == [0x8005, 0x8006]
    assert refused.exception_code == 2


async def test_the_default_is_the_loopback_and_a_free_port() -> None:
    first, second = ModbusPort([Echo()]), ModbusPort([Echo()])
    assert (first.host, first.port, first.listening) == ("127.0.0.1", 0, False)
    await first.open()
    await second.open()
    assert first.listening
    assert 0 < first.port != second.port > 0
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{first.port}"):
        await ModbusPort([Echo()], Endpoint(port=first.port)).open()
    await first.close()
    await second.close()


async def test_a_closed_port_refuses_and_can_be_opened_again() -> None:
    async with talk() as wire:
        await wire.ask(request(1))
        number = wire.port.port
        await wire.port.close()
        assert await wire.reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", number)
        await wire.port.open()
        await wire.port.open()
        assert wire.port.port == number
        again = Wire(*await asyncio.open_connection("127.0.0.1", number), wire.port)
        assert (await again.ask(request(9)))[0] == 9
        again.writer.close()


def test_a_unit_id_is_for_one_device() -> None:
    with pytest.raises(ValueError, match="two devices have the unit id 1"):
        ModbusPort([Echo(1), Echo(1)])


async def test_unknown_units_are_refused_as_gateways_do() -> None:
    async with talk() as wire:
        assert await wire.ask(request(3, unit=2)) == (3, 2, b"\x83\x0b")


async def test_unknown_units_can_be_ignored() -> None:
    async with talk(endpoint=Endpoint(unknown=UnknownUnit.SILENT)) as wire:
        wire.writer.write(request(3, unit=2))
        assert await wire.is_silent()


async def test_a_meter_with_its_own_port_can_answer_to_any_unit() -> None:
    async with talk(endpoint=Endpoint(unknown=UnknownUnit.ANY)) as wire:
        assert await wire.ask(request(3, unit=200)) == (3, 200, b"\x03\x02\0\0")


async def test_a_meter_tells_its_maker_by_the_device_identification() -> None:
    echo = Echo(identification={0: b"Maker", 1: b"M1"})
    async with talk(echo) as wire:
        _, _, body = await wire.ask(request(1, function=43, body=b"\x0e\x01\x00"))
        assert body[:2] == b"\x2b\x0e"
        assert body.endswith(b"\x00\x05Maker\x01\x02M1")
        refused = await wire.ask(request(2, unit=9, function=43, body=b"\x0e\x01\x00"))
        assert refused == (2, 9, b"\xab\x0b")


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (request(1, function=1), b"\x81\x01"),
        (request(1, function=6), b"\x86\x01"),
        (request(1, function=43, body=b"\x0e\x01\x00"), b"\xab\x01"),
        (request(1, function=0x90, body=b""), b"\x90\x01"),
        (request(1, body=b""), b"\x83\x03"),
        (request(1, body=b"\0\0\0"), b"\x83\x03"),
        (request(1, body=b"\0\0\0\1\0"), b"\x83\x03"),
    ],
)
async def test_what_a_meter_does_not_know_is_refused(data: bytes, body: bytes) -> None:
    async with talk() as wire:
        assert await wire.ask(data) == (1, 1, body)
        assert await wire.ask(request(2)) == (2, 1, b"\x03\x02\0\0")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 300,
        struct.pack(">HHHBB", 1, 0, 255, 1, 3),
        b"\0\1\xde\xad\0\6\1\3\0\0\0\1",
        b"\0" * 8,
    ],
)
async def test_what_cannot_be_modbus_ends_the_connection(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with talk() as wire:
        wire.writer.write(data)
        assert await asyncio.wait_for(wire.reader.read(), 30) == b""
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_noise_on_one_connection_does_not_disturb_another() -> None:
    chance = random.Random(1)  # noqa: S311
    async with talk() as wire:
        for _ in range(50):
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port.port)
            writer.write(chance.randbytes(chance.randrange(1, 400)))
            writer.write_eof()
            writer.close()
            del reader
        assert await wire.ask(request(7)) == (7, 1, b"\x03\x02\0\0")


async def test_frames_may_come_in_pieces_and_together() -> None:
    async with talk() as wire:
        both = request(1) + request(2, body=b"\0\5\0\1")
        for byte in both[:-3]:
            wire.writer.write(bytes([byte]))
            await wire.writer.drain()
            await asyncio.sleep(0)
        wire.writer.write(both[-3:] + request(3))
        assert [await wire.response() for _ in range(3)] == [
            (1, 1, b"\x03\x02\0\0"),
            (2, 1, b"\x03\x02\0\5"),
            (3, 1, b"\x03\x02\0\0"),
        ]


async def test_a_late_answer_keeps_its_number_and_the_order() -> None:
    late = Echo(answer=lambda address: Answer(words=(address,), delay=0.0 if address else 0.3))
    async with talk(late) as wire:
        begin = time.monotonic()
        wire.writer.write(request(1))
        await wire.writer.drain()
        await asyncio.sleep(0.05)
        wire.writer.write(request(2, body=b"\0\5\0\1"))
        assert await wire.response() == (1, 1, b"\x03\x02\0\0")
        assert time.monotonic() - begin >= 0.3
        assert await wire.response() == (2, 1, b"\x03\x02\0\5")


async def test_nobody_waits_for_a_late_answer_after_hanging_up() -> None:
    late = Echo(answer=lambda address: Answer(words=(address,), delay=60))
    async with talk(late) as wire:
        wire.writer.write(request(1))
        await wire.writer.drain()
        await asyncio.sleep(0.05)
    # The test plugin fails a test that leaves a timer behind.


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(words=(1,), unit=77), (1, 77, b"\x03\x02\0\1")),
        (Answer(code=6), (1, 1, b"\x83\x06")),
    ],
)
async def test_answers_can_be_wrong(answer: Answer, expected: tuple[int, int, bytes]) -> None:
    async with talk(Echo(answer=lambda _: answer)) as wire:
        assert await wire.ask(request(1)) == expected


async def test_an_answer_can_be_no_modbus_none_or_a_hang_up() -> None:
    answers = {0: Answer(silent=True), 1: Answer(words=(1,), broken=True), 2: Answer(close=True)}
    async with talk(Echo(answer=answers.__getitem__)) as wire:
        wire.writer.write(request(1))
        assert await wire.is_silent()
        wire.writer.write(request(1, body=b"\0\1\0\1"))
        assert await wire.reader.readexactly(11) == b"\0\1\xde\xad\0\5\1\3\2\0\1"
        wire.writer.write(request(1, body=b"\0\2\0\1"))
        assert await asyncio.wait_for(wire.reader.read(), 30) == b""
