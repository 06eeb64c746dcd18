"""Killed at any point, by SIGKILL: the home, its broker. Every hour comes, and once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
import os
from pathlib import Path
import random
import signal
import sys

import pytest

from tests.community.broker import Broker, needs_broker

from .house import HOUR, House, until
from .hub import Hub
from .membership import joined, linked

pytestmark = needs_broker

HOURS = 100


class Homes:
    """The process that has homes as children."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._child = 0
        self._is_quiet = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self.kept = -1

    async def start(self, folder: Path, begin: int) -> None:
        """Start a home that goes on after what was kept."""
        self._child = 0
        self._say(f"{folder} {begin} {self.kept + 1} {HOURS}")
        await until(lambda: self._child, "started", 100)

    async def kill(self) -> None:
        """Kill the home, and hear all that it has said."""
        os.kill(self._child, signal.SIGKILL)
        self._child = 0
        self._is_quiet.clear()
        self._say("")
        await self._is_quiet.wait()

    async def end(self) -> None:
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
        self._process.kill()
        await self._process.wait()
        await self._reading

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            match line.split():
                case [b"kept", number]:
                    self.kept = int(number)
                case [b"started", process]:
                    self._child = int(process)
                case _:
                    self._is_quiet.set()


@pytest.fixture
async def homes() -> AsyncGenerator[Homes]:
    """Return a process that starts homes."""
    made = Homes(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.community.member.home",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
    )
    yield made
    await made.end()


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_at_any_moment_a_home_loses_nothing(
    broker: Broker, hub: Hub, homes: Homes, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    folder = tmp_path / "home"
    house = House()
    async with hub:
        begin = await joined(hub, folder, house, days=20)
        for kill in range(3):
            await homes.start(folder, begin)
            goal = homes.kept + chance.randint(1, HOURS // 5)
            await until(lambda goal=goal: homes.kept >= goal, f"seed {seed}, start {kill}")
            if kill == 1:
                broker.kill()
                broker.start()
            await asyncio.sleep(chance.random() / 20)
            await homes.kill()
    async with hub:
        await homes.start(folder, begin)
        await until(lambda: homes.kept == HOURS - 1, f"seed {seed}: all kept", 60)
        await homes.kill()
        # What went out and was not acknowledged goes out again after an hour.
        house.ahead = 2 * HOUR
        async with linked(folder, house) as link:
            name = link.status.home
            await until(lambda: not link.status.out and not link.status.waiting, f"seed {seed}", 60)
    assert hub.wh(name) == {(begin + hour * HOUR, HOUR): hour for hour in range(HOURS)}
    assert set(hub.revisions(name).values()) == {0}
    numbers = [(each.topic, each.payload) for each in hub.heard if "/fp/" in each.topic]
    assert len(set(numbers)) == len(numbers), f"seed {seed}: the same message twice"
