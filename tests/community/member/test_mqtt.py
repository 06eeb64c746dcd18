"""Why there is no connection, in kinds that lead to what to do: real TLS on the loopback."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import ssl
import time

import pytest

from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import server_only_context
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.transport import TransportError, Trouble

DAY = 86400


@asynccontextmanager
async def served(
    folder: Path,
    begins: float,
    names: list[str],
    ips: list[str],
    answer: Callable[[asyncio.StreamWriter], None] = asyncio.StreamWriter.close,
) -> AsyncGenerator[tuple[int, Authority]]:
    """Serve TLS with a certificate of a community; give the port."""
    authority = Authority.create(folder, "Test community", now=min(begins, time.time()))
    key, certificate = authority.sign_server(names, ips, now=begins, days=30)
    chain = folder / "server.pem"
    chain.write_text(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], authority
    finally:
        server.close()


async def trouble_of(port: int, authorities: str) -> TransportError:
    transport = MqttTransport(
        "127.0.0.1", port, lambda: server_only_context(authorities), identifier="h1"
    )
    with pytest.raises(TransportError) as caught:
        async with transport:
            pass
    return caught.value


@pytest.mark.parametrize(
    ("days", "ip", "trouble"),
    [
        (40, "127.0.0.1", Trouble.NOT_YET),
        (-60, "127.0.0.1", Trouble.NOT_TRUSTED),
        (-1, "127.0.0.9", Trouble.NOT_TRUSTED),
        (-1, "127.0.0.1", Trouble.UNREACHABLE),
    ],
)
async def test_what_is_wrong_with_a_broker(
    tmp_path: Path, days: int, ip: str, trouble: Trouble
) -> None:
    begins = time.time() + days * DAY
    async with served(tmp_path, begins, ["broker.example"], [ip]) as (port, authority):
        err = await trouble_of(port, authority.certificate)
    assert err.trouble is trouble
    assert str(err)


async def test_authorities_that_are_none(tmp_path: Path) -> None:
    err = await trouble_of(1, "no certificate")
    assert err.trouble is Trouble.NOT_AUTHORIZED


async def test_garbage_instead_of_an_answer(tmp_path: Path) -> None:
    def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
        writer.close()

    begins = time.time() - DAY
    async with served(tmp_path, begins, [], ["127.0.0.1"], garbage) as (port, authority):
        err = await trouble_of(port, authority.certificate)
    assert err.trouble is Trouble.UNREACHABLE


async def test_who_stops_waiting_leaves_nobody_connected(tmp_path: Path) -> None:
    """A handshake in a thread cannot be stopped, but it must not end in a connection."""
    ends: list[asyncio.StreamWriter] = []
    begins = time.time() - DAY
    async with served(tmp_path, begins, [], ["127.0.0.1"], ends.append) as (port, authority):
        transport = MqttTransport(
            "127.0.0.1",
            port,
            lambda: server_only_context(authority.certificate),
            identifier="h1",
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), transport:
                pass
        with pytest.raises(TransportError):
            await transport.publish("cm/v1/c1/h1/up/consent", b"{}")
        for writer in ends:
            writer.close()


async def test_nothing_is_said_without_a_connection() -> None:
    transport = MqttTransport("127.0.0.1", 1, lambda: server_only_context(""), identifier="h1")
    with pytest.raises(TransportError):
        await transport.subscribe("cm/v1/c1/h1/down/+")
    with pytest.raises(TransportError):
        async for _ in transport.messages():
            pass
