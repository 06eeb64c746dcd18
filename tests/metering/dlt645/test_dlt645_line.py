"""Questions and answers on a line, over real TCP: what goes wrong on a line is got over."""

import asyncio

import pytest

from custom_components.carbon_meter.metering.dlt645.frames import (
    ANSWER,
    ANYBODY,
    MORE,
    READ,
    READ_ADDRESS,
    READ_FOLLOWING,
    encode_frame,
    take_frame,
)
from custom_components.carbon_meter.metering.dlt645.line import Dlt645Line
from custom_components.carbon_meter.metering.errors import (
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
    WrongMeterError,
)
from hardware.virtual.dlt645 import Dlt645Spec, LineFault

ONE = "000000000161"
TWO = "202000001234"
IMPORT = 0x00010000
EXPORT = 0x00020000


@pytest.fixture
def specs(dlt645) -> tuple[Dlt645Spec, Dlt645Spec]:
    profile = dlt645["dlt645_three_phase"]
    return Dlt645Spec(address=ONE, profile=profile), Dlt645Spec(
        address=TWO, profile=profile, unavailable=frozenset({"energy_import"})
    )


async def test_two_meters_on_one_line(wire, connect, specs) -> None:
    gateway = await wire(*specs)
    line = connect(gateway)

    both = await asyncio.gather(line.ask(ONE, IMPORT), line.ask(TWO, IMPORT))

    assert both[0] != both[1] == b"\xff" * 4
    assert await line.ask(ONE, IMPORT) == both[0]
    assert gateway.connections == 1


@pytest.mark.parametrize("fault", [LineFault.NOISE, LineFault.ECHO])
async def test_what_comes_before_an_answer_is_skipped(wire, connect, specs, fault) -> None:
    gateway = await wire(*specs)
    line = connect(gateway)
    right = await line.ask(ONE, IMPORT)
    gateway.misbehave(fault, None)

    assert await line.ask(ONE, IMPORT) == right
    assert len(gateway.questions) == 2


@pytest.mark.parametrize(
    "fault",
    [
        *(LineFault.WRONG_CHECKSUM, LineFault.HALF_FRAME, LineFault.SILENT),
        *(LineFault.OTHER_METER, LineFault.CLOSE),
    ],
)
async def test_what_gets_lost_once_is_asked_again(wire, connect, specs, fault) -> None:
    gateway = await wire(*specs)
    line = connect(gateway)
    right = await line.ask(ONE, IMPORT)
    gateway.misbehave(fault)

    assert await line.ask(ONE, IMPORT) == right


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (LineFault.WRONG_CHECKSUM, MeterGarbledError, "data 00010000: 24 bytes came"),
        (LineFault.HALF_FRAME, MeterGarbledError, "data 00010000: 12 bytes came"),
        (LineFault.SILENT, MeterSilentError, "meter 000000000161, data 00010000: no answer"),
        (LineFault.CLOSE, MeterSilentError, "closed instead of an answer"),
        (LineFault.OTHER_METER, WrongMeterError, "999900009999 answers instead of 000000000161"),
        (LineFault.REFUSED, MeterRejectedError, r"data 00010000: error 0x01 \(other error\)"),
    ],
)
async def test_what_stays_wrong_is_told(wire, connect, specs, fault, error, message) -> None:
    gateway = await wire(*specs)
    line = connect(gateway)
    gateway.misbehave(fault, None)

    with pytest.raises(error, match=message):
        await line.ask(ONE, IMPORT)

    gateway.clear()
    assert len(await line.ask(ONE, IMPORT)) == 4


async def test_an_answer_that_comes_with_the_next_question_is_not_taken_for_its(
    wire, connect, specs
) -> None:
    """Neither that of another datum nor that of another meter."""
    gateway = await wire(*specs)
    line = connect(gateway)
    right = {
        (address, identifier): await line.ask(address, identifier)
        for address in (ONE, TWO)
        for identifier in (IMPORT, EXPORT)
    }
    for address, identifier in ((ONE, IMPORT), (TWO, IMPORT), (TWO, EXPORT)):
        gateway.misbehave(LineFault.LATE, 2)
        # The question is asked twice: the first answer is taken, the second is still to come.
        assert await line.ask(address, identifier) == right[address, identifier]

        assert await line.ask(ONE, EXPORT) == right[ONE, EXPORT]


async def test_what_the_meter_lacks_is_refused_at_once(wire, connect, specs) -> None:
    gateway = await wire(*specs)

    with pytest.raises(MeterRejectedError, match="no such data") as caught:
        await connect(gateway).ask(ONE, 0x12345678)

    assert caught.value.code == 2
    assert len(gateway.questions) == 1


async def test_a_datum_may_go_on_in_further_frames(wire, connect, dlt645) -> None:
    profile = dlt645["dlt645_three_phase"]
    gateway = await wire(
        Dlt645Spec(address=ONE, profile=profile),
        Dlt645Spec(address=TWO, profile=profile, most_data=5),
    )
    line = connect(gateway)

    assert await line.ask(TWO, 0x0203FF00) == await line.ask(ONE, 0x0203FF00)
    assert [(question.control, question.data[4:]) for question in gateway.questions] == [
        (READ, b""),
        (READ_FOLLOWING, b"\x01"),
        (READ_FOLLOWING, b"\x02"),
        (READ, b""),
    ]


@pytest.fixture
async def scripted(socket_enabled: None):
    """Return a line to a peer that answers each question with a function's bytes."""
    servers: list[asyncio.Server] = []
    lines: list[Dlt645Line] = []

    async def start(answer) -> Dlt645Line:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received = bytearray()
            while data := await reader.read(1024):
                received += data
                while (question := take_frame(received)) is not None:
                    writer.write(answer(question))
            writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        port = servers[-1].sockets[0].getsockname()[1]
        lines.append(Dlt645Line("127.0.0.1", port, patience=1.0, settling=0.01))
        return lines[-1]

    yield start
    for line in lines:
        await line.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_a_datum_that_never_ends_is_given_up(scripted) -> None:
    def answer(question):
        return encode_frame(ONE, question.control | ANSWER | MORE, question.data + b"\x00")

    def counted(question):
        data = question.data[:4] + b"\x07" + question.data[4:]
        return encode_frame(ONE, question.control | ANSWER | MORE, data)

    with pytest.raises(MeterGarbledError, match="data 00010000 does not end"):
        await (await scripted(counted)).ask(ONE, IMPORT)
    with pytest.raises(MeterGarbledError, match="came, but not the answer"):
        await (await scripted(answer)).ask(ONE, IMPORT)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x00\x00\x01", b"\x00\x00\x02\x00\x01\x02\x03\x04"],
)
async def test_an_answer_to_another_question_is_none(scripted, data) -> None:
    line = await scripted(lambda question: encode_frame(ONE, READ | ANSWER, data))

    with pytest.raises(MeterGarbledError):
        await line.ask(ONE, IMPORT)


async def test_a_refusal_without_a_reason_is_one(scripted) -> None:
    line = await scripted(lambda question: encode_frame(ONE, 0xD1))

    with pytest.raises(MeterRejectedError, match="error 0x00") as caught:
        await line.ask(ONE, IMPORT)
    assert caught.value.code == 0


async def test_all_can_be_asked_at_once(wire, connect, specs) -> None:
    gateway = await wire(specs[0])
    line = connect(gateway)

    heard = await line.ask_all(ANYBODY, READ_ADDRESS, seconds=1.0)
    assert [(frame.address, frame.data.hex()) for frame in heard.frames] == [(ONE, "610100000000")]
    assert heard.noise == 0

    both = connect(await wire(*specs))
    assert (await both.ask_all(ANYBODY, READ_ADDRESS, seconds=1.0)).noise > 5


async def test_nobody_at_the_gateway(socket_enabled, unused_tcp_port) -> None:
    line = Dlt645Line("127.0.0.1", unused_tcp_port)

    with pytest.raises(MeterUnreachableError):
        await line.ask(ONE, IMPORT)
    with pytest.raises(MeterUnreachableError):
        await line.ask_all(ANYBODY, READ_ADDRESS, seconds=0.1)
