"""Which TCP ports of many hosts are open: gently, and a bounded number at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import contextlib
from typing import Final

AT_ONCE: Final = 32
"""Connections that are being tried at the same time; evcc has 50 workers."""

PER_SECOND: Final = 100.0
"""Connections that are begun in a second."""

PATIENCE: Final = 1.0
"""Seconds for a host on the local network to accept; a sleeping radio needs most of it."""

type Place = tuple[str, int]
"""A host and a port."""


async def open_places(
    places: Sequence[Place],
    *,
    progress: Callable[[float], None] | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Place]:
    """Return the places that accept a connection, in the given order; nothing is sent.

    `progress` is called with the part that is done, `pause` with the seconds between two
    connections. When it is cancelled no connection stays.
    """
    accepted: set[Place] = set()
    limit = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def knock(place: Place) -> None:
        nonlocal done
        try:
            if await accepts(*place):
                accepted.add(place)
        finally:
            limit.release()
            done += 1
        if progress is not None:
            progress(done / len(places))

    async with asyncio.TaskGroup() as tasks:
        for place in places:
            await limit.acquire()
            tasks.create_task(knock(place))
            await pause(1 / PER_SECOND)
    return [place for place in places if place in accepted]


async def accepts(host: str, port: int) -> bool:
    """Return whether a TCP connection is accepted; it is closed at once."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
    except OSError, TimeoutError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
