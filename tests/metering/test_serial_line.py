"""A serial line behind a gateway: real TCP, and every way in which it can go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterGarbledError,
    MeterRefusedError,
    MeterSilentError,
    MeterUnreachableError,
)
from custom_components.carbon_meter.metering.serial_line import SerialLine

LOOPBACK = "127.0.0.1"


class Gateway:
    """A gateway that a test speaks for: each question is answered from a list."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.questions: list[bytes] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while question := await reader.read(1024):
            self.questions.append(question)
            self.asked.set()
            answer = self.answers.pop(0) if self.answers else b""
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    def say(self, data: bytes) -> None:
        self._writers[-1].write(data)

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def gateway(socket_enabled: None) -> AsyncIterator[Gateway]:
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, LOOPBACK, 0)
    gateway.port = server.sockets[0].getsockname()[1]
    yield gateway
    server.close()
    gateway.hang_up()
    await server.wait_closed()


@pytest.fixture
async def line_to() -> AsyncIterator[Callable[..., SerialLine]]:
    lines: list[SerialLine] = []

    def build(port: int, *, patience: float = 1.0, settling: float = 0.02) -> SerialLine:
        lines.append(SerialLine(LOOPBACK, port, patience=patience, settling=settling))
        return lines[-1]

    yield build
    for line in lines:
        await line.close()


def sentence(received: bytearray) -> bytes | None:
    """Take everything up to a full stop."""
    taken, dot, rest = bytes(received).partition(b".")
    if not dot:
        return None
    received[:] = rest
    return taken


async def test_an_answer_may_come_in_pieces(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=10)
    gateway.answers = [b"one"]

    asking = asyncio.create_task(line.exchange(b"?", sentence))
    await gateway.asked.wait()
    for piece in (b" and", b" two", b"."):
        await asyncio.sleep(0.01)
        gateway.say(piece)

    assert await asking == b"one and two"
    assert gateway.questions == [b"?"]


async def test_one_connection_serves_all_and_questions_wait_for_their_turn(
    gateway, line_to
) -> None:
    line = line_to(gateway.port, patience=10)
    gateway.answers = [b"a.", b"b.", b"c."]

    answers = await asyncio.gather(
        *(line.exchange(question, sentence) for question in (b"1", b"2", b"3"))
    )

    assert answers == [b"a", b"b", b"c"]
    assert gateway.questions == [b"1", b"2", b"3"]
    assert gateway.connections == 1


async def test_silence_and_what_is_no_answer_are_told_apart(gateway, line_to) -> None:
    line = line_to(gateway.port)
    gateway.answers = [b"", b"humbug"]

    with pytest.raises(MeterSilentError, match="no answer in time"):
        await line.exchange(b"1", sentence)
    with pytest.raises(MeterGarbledError, match="6 bytes came, but not the answer"):
        await line.exchange(b"2", sentence)


async def test_a_late_answer_is_not_taken_for_that_of_the_next_question(gateway, line_to) -> None:
    line = line_to(gateway.port, settling=0.1)
    gateway.answers = [b"", b"second."]
    with pytest.raises(MeterSilentError):
        await line.exchange(b"1", sentence)

    asking = asyncio.create_task(line.exchange(b"2", sentence))
    gateway.say(b"first.")

    assert await asking == b"second"


async def test_a_question_that_was_given_up_leaves_nothing_behind(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=10, settling=0.1)
    gateway.answers = [b"fir", b"second."]
    given_up = asyncio.create_task(line.exchange(b"1", sentence))
    await gateway.asked.wait()

    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    asking = asyncio.create_task(line.exchange(b"2", sentence))
    gateway.say(b"st.")

    assert await asking == b"second"


async def test_a_line_that_never_falls_silent_is_asked_nevertheless(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=0.5)
    gateway.answers = [b"~", b"answer."]
    with pytest.raises(MeterGarbledError):
        await line.exchange(b"1", sentence)

    async def babble() -> None:
        while True:
            gateway.say(b"~")
            await asyncio.sleep(0.005)

    babbling = asyncio.create_task(babble())
    try:
        answer = await line.exchange(b"2", sentence)
    finally:
        babbling.cancel()

    assert answer.endswith(b"answer")


async def test_a_closed_connection_is_opened_again(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=10)
    gateway.answers = [b"a.", None, b"b."]
    assert await line.exchange(b"1", sentence) == b"a"

    with pytest.raises(MeterSilentError, match="closed instead of an answer"):
        await line.exchange(b"2", sentence)

    assert await line.exchange(b"3", sentence) == b"b"
    assert gateway.connections == 2


async def test_a_connection_that_died_unnoticed_is_given_up(gateway, line_to) -> None:
    """A gateway that was restarted knows nothing of the connection, and says so to nobody."""
    line = line_to(gateway.port, patience=0.5)
    for question in (b"1", b"2", b"3"):
        with pytest.raises(MeterSilentError):
            await line.exchange(question, sentence)
    assert gateway.connections == 1
    gateway.answers = [b"back."]

    assert await line.exchange(b"4", sentence) == b"back"
    assert gateway.connections == 2


async def test_a_flood_is_not_kept(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=20)
    gateway.answers = [b"x" * 1_000_000 + b"end."]

    answer = await line.exchange(b"?", sentence)

    assert answer.endswith(b"end")
    assert len(answer) <= 8192


async def test_everything_that_comes_is_gathered(gateway, line_to) -> None:
    line = line_to(gateway.port)
    gateway.answers = [b"\x00\xffabc", b"", None]

    assert await line.gather(b"?", 1.0) == b"\x00\xffabc"
    assert await line.gather(b"?", 0.1) == b""
    with pytest.raises(MeterSilentError, match="closed"):
        await line.gather(b"?", 1.0)


async def test_a_line_can_be_closed_and_used_again(gateway, line_to) -> None:
    line = line_to(gateway.port, patience=10)
    gateway.answers = [b"a.", b"b."]
    await line.close()
    assert await line.exchange(b"1", sentence) == b"a"

    await line.close()
    await line.close()

    assert await line.exchange(b"2", sentence) == b"b"
    assert gateway.connections == 2


async def test_nobody_at_the_port(socket_enabled, unused_tcp_port, line_to) -> None:
    with pytest.raises(MeterRefusedError, match=f"127.0.0.1:{unused_tcp_port} refuses"):
        await line_to(unused_tcp_port).exchange(b"?", sentence)


async def test_an_address_that_cannot_be_connected_to(socket_enabled, line_to) -> None:
    with pytest.raises(MeterUnreachableError, match=r"127\.0\.0\.1:0"):
        await line_to(0).exchange(b"?", sentence)
