"""The virtual DL/T 645 line: raw bytes over real TCP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from custom_components.carbon_meter.metering.dlt645.frames import (
    READ,
    READ_ADDRESS,
    encode_frame,
    wildcard,
)
from custom_components.carbon_meter.metering.dlt645.profile import Dlt645Profile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.dlt645 import Dlt645Gateway, Dlt645Spec, LineFault, VirtualDlt645Meter

ONE = Dlt645Spec(
    address="202000001234", profile=load_profiles().of(Dlt645Profile)["dlt645_three_phase"]
)
IMPORT = bytes.fromhex("00000100")

type Ask = Callable[..., Awaitable[bytes]]

SILENCE = 0.3
"""Seconds after which an answer that should not come is not waited for any more."""


@pytest.fixture
def home(clock: VirtualClock) -> VirtualHome:
    home = VirtualHome([MeterSpec(profile="eastron_sdm630", initial_import=1_260.0)], clock=clock)
    home.force("grid", -12345.6)
    return home


@pytest.fixture
async def gateway(home: VirtualHome, socket_enabled: None) -> AsyncIterator[Dlt645Gateway]:
    meters = [
        VirtualDlt645Meter(spec, home["grid"].true_values)
        for spec in (ONE, replace(ONE, address="202000005678", unavailable={"energy_import"}))
    ]
    async with Dlt645Gateway(meters) as gateway:
        yield gateway


@pytest.fixture
async def ask(gateway: Dlt645Gateway) -> AsyncIterator[Ask]:
    async with AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        stack.callback(writer.close)

        async def asked(question: bytes, *, patience: float = 30.0) -> bytes:
            writer.write(question)
            try:
                return await asyncio.wait_for(reader.read(1024), patience)
            except TimeoutError:
                return b""

        yield asked


def hexed(frame: bytes) -> str:
    return frame.hex(" ").upper()


async def test_the_bytes_on_the_line(ask) -> None:
    """Worked out by hand from the standard: 1.26 kWh and -12.3456 kW."""
    assert hexed(await ask(encode_frame(ONE.address, READ, IMPORT))) == (
        "FE FE FE FE 68 34 12 00 00 20 20 68 91 08 33 33 34 33 59 34 33 33 AF 16"
    )
    assert hexed(await ask(encode_frame(ONE.address, READ, bytes.fromhex("00000302")))) == (
        "FE FE FE FE 68 34 12 00 00 20 20 68 91 07 33 33 36 35 89 67 C5 74 16"
    )
    assert hexed(await ask(encode_frame("202000005678", READ, IMPORT))) == (
        "FE FE FE FE 68 78 56 00 00 20 20 68 91 08 33 33 34 33 32 32 32 32 0C 16"
    )


async def test_who_is_meant(ask, gateway) -> None:
    assert await ask(encode_frame("000000000001", READ, IMPORT), patience=SILENCE) == b""
    assert await ask(encode_frame(wildcard("78"), READ, IMPORT)) == await ask(
        encode_frame("202000005678", READ, IMPORT)
    )
    assert await ask(encode_frame(ONE.address, 0x14, IMPORT), patience=SILENCE) == b""
    assert await ask(b"humbug", patience=SILENCE) == b""
    assert len(gateway.questions) == 4


async def test_all_at_once_are_not_understood(ask) -> None:
    alone = [
        await ask(encode_frame(address, READ_ADDRESS)) for address in (ONE.address, "202000005678")
    ]

    together = await ask(encode_frame(wildcard(""), READ_ADDRESS))

    assert together not in alone
    assert together == bytes(first & second for first, second in zip(*alone, strict=True))


async def test_faults_hold_for_so_many_questions(ask, gateway) -> None:
    question = encode_frame(ONE.address, READ, IMPORT)
    right = await ask(question)

    for fault, wrong in (
        (LineFault.NOISE, b"\x16\x68\x01\x00\x68" + right),
        (LineFault.HALF_FRAME, right[:12]),
        (LineFault.SILENT, b""),
        (LineFault.ECHO, question + right),
        (LineFault.WRONG_CHECKSUM, right[:-2] + b"\xfa\x16"),
        (LineFault.REFUSED, encode_frame(ONE.address, 0xD1, b"\x01")),
        (LineFault.OTHER_METER, encode_frame("999900009999", 0x91, IMPORT + b"\x26\x01\0\0")),
    ):
        gateway.misbehave(fault)
        assert await ask(question, patience=30.0 if wrong else SILENCE) == wrong, fault
        assert await ask(question) == right, fault

    gateway.misbehave(LineFault.LATE)
    assert await ask(question, patience=SILENCE) == b""
    assert await ask(question) == right * 2
    gateway.misbehave(LineFault.SILENT, None)
    for _ in range(2):
        assert await ask(question, patience=SILENCE) == b""
    gateway.clear()
    assert await ask(question) == right


async def test_a_gateway_that_hangs_up(ask, gateway) -> None:
    gateway.misbehave(LineFault.CLOSE)

    assert await ask(encode_frame(ONE.address, READ, IMPORT)) == b""
    assert gateway.questions == []
