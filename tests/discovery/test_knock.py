"""Open ports are found gently, and nothing stays open."""

import asyncio

import pytest

from custom_components.carbon_meter.discovery import knock
from custom_components.carbon_meter.discovery.knock import AT_ONCE, accepts, open_places
from tests.discovery.network import NETWORK, ServeTcp, free_port, say_nothing


async def test_open_places_are_found_in_order(serve_tcp: ServeTcp) -> None:
    port = free_port()
    for host in ("127.0.0.9", "127.0.0.3", "127.0.0.200"):
        await serve_tcp(say_nothing, host, port)
    told: list[float] = []
    found = await open_places([(host, port) for host in NETWORK], progress=told.append)
    assert found == [("127.0.0.3", port), ("127.0.0.9", port), ("127.0.0.200", port)]
    assert told == sorted(told)
    assert told[-1] == 1.0


async def test_each_pause_lets_one_connection_begin(serve_tcp: ServeTcp) -> None:
    accepted = 0
    seen = asyncio.Condition()

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        async with seen:
            accepted += 1
            seen.notify_all()
        await say_nothing(reader, writer)

    port = await serve_tcp(count)
    turns: asyncio.Queue[None] = asyncio.Queue()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await turns.get()

    task = asyncio.create_task(open_places([("127.0.0.1", port)] * 5, pause=pause))
    for expected in range(1, 6):
        async with seen:
            await seen.wait_for(lambda expected=expected: accepted >= expected)
        # However long it is waited: no other one begins before its turn.
        for _ in range(20):
            await asyncio.sleep(0)
        assert accepted == expected
        turns.put_nowait(None)
    await task
    assert sum(pauses) == pytest.approx(5 / knock.PER_SECOND)


async def test_no_more_than_some_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = 0
    most = 0
    release = asyncio.Event()

    async def slow(host: str, port: int) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await release.wait()
        at_once -= 1
        return False

    async def no_pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(knock, "accepts", slow)
    places = [("127.0.0.1", number) for number in range(200)]
    task = asyncio.create_task(open_places(places, pause=no_pause))
    for _ in range(1000):
        await asyncio.sleep(0)
    assert most == AT_ONCE
    release.set()
    assert await task == []
    assert most == AT_ONCE


async def test_cancelled_search_leaves_no_task(
    serve_tcp: ServeTcp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(host: str, port: int) -> bool:
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(knock, "accepts", never)
    before = asyncio.all_tasks()
    task = asyncio.create_task(open_places([("127.0.0.1", 1)] * 50))
    while len(asyncio.all_tasks() - before) <= 2:  # noqa: ASYNC110  # nobody sets an event for it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


async def test_name_that_nobody_has_is_not_open(serve_tcp: ServeTcp) -> None:
    assert not await accepts("127.0.0.77", free_port())
