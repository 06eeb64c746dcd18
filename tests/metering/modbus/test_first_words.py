"""What answers where no Modbus device does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from custom_components.carbon_meter.metering.modbus.first_words import first_words

HOST = "127.0.0.1"


@pytest.fixture
async def port_of(socket_enabled: None) -> AsyncIterator[Callable[[bytes], Awaitable[int]]]:
    """Return what opens a port that answers the first question with some bytes."""
    async with AsyncExitStack() as stack:

        async def start(answer: bytes) -> int:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(100)
                writer.write(answer)
                await reader.read()
                writer.close()

            server = await asyncio.start_server(handle, HOST, 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            return server.sockets[0].getsockname()[1]

        yield start


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n",
            "HTTP/1.1 400 Bad Request Server: nginx",
        ),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH-2.0-OpenSSH_9.2p1"),
        (b"x" * 300, "x" * 40),
        (b"\x15\x03\x01\x02", "15 03 01 02"),
        (b"", None),
        # It does speak Modbus, be it an answer, a refusal or an echo.
        (bytes.fromhex("000100000005010302 0007"), None),
        (bytes.fromhex("000100000003018302"), None),
        (bytes.fromhex("000100000006010300000001"), None),
    ],
)
async def test_another_language_is_shown(port_of, answer, words) -> None:
    assert await first_words(HOST, await port_of(answer), 0.2) == words


async def test_nobody_says_nothing(socket_enabled, unused_tcp_port) -> None:
    assert await first_words(HOST, unused_tcp_port, 0.2) is None
