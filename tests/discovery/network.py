"""A network of loopback addresses, and what stands in it that is no meter."""

import asyncio
from collections.abc import Awaitable, Callable
import socket

NETWORK = [f"127.0.0.{number}" for number in range(1, 255)]

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
type ServeTcp = Callable[..., Awaitable[int]]


def free_port() -> int:
    """Return a port that is free at every loopback address."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and be silent until the other side hangs up."""
    while await reader.read(1024):
        pass
    writer.close()


async def web_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer whatever comes as a web server does."""
    if await reader.read(1024):
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back."""
    while data := await reader.read(1024):
        writer.write(data)
        await writer.drain()
    writer.close()
