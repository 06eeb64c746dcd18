"""A home's line against a port where nobody listens: how often it tries, and when."""

import asyncio
from pathlib import Path
import ssl

import pytest

from custom_components.carbon_meter.community.member import connection
from custom_components.carbon_meter.community.member.connection import Connection
from custom_components.carbon_meter.community.member.holdings import Holdings
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.report import Report
from custom_components.carbon_meter.community.member.schedule import Pace
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.community.member.transport import Transport
from tests.community.broker import ADDRESS, free_port

from .test_state import state

BARE = ssl.create_default_context()


class Waits:
    """Stands for `asyncio` in the module: waits take no time, and are written down."""

    def __init__(self, most: int) -> None:
        self.seconds: list[float] = []
        self._most = most

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self._most:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


class Line:
    """Runs a connection to a closed port until it has waited so often."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.waits = Waits(most)
        self.tries = 0
        self.report = Report()
        self._port = free_port()
        self._holdings = Holdings(folder, state(), lambda: 1_800_000_000.0)
        monkeypatch.setattr(connection, "asyncio", self.waits)

    def _connect(self, home: str) -> Transport:
        self.tries += 1
        if self.tries > 1000:
            raise asyncio.CancelledError  # it does not wait at all
        return MqttTransport(ADDRESS, self._port, lambda: BARE, identifier=home)

    async def run(self, pace: Pace) -> list[float]:
        """Return the waits in seconds, the one before the first attempt among them."""

        async def never(_transport: Transport) -> None:
            raise AssertionError("nobody listens there")

        line = Connection("h1", self._holdings, self._connect, pace, self.report, lambda: None)
        with pytest.raises(asyncio.CancelledError):
            await line.run(never, never)
        return self.waits.seconds


def spread_over(parts: list[float]) -> None:
    """Check that parts of a bound are all over it: each of five fifths has its share."""
    assert all(0 <= part < 1 for part in parts)
    for fifth in range(5):
        count = sum(fifth / 5 <= part < (fifth + 1) / 5 for part in parts)
        assert count > len(parts) / 20, f"{count} of {len(parts)} in fifth {fifth}"


async def test_every_failure_is_followed_by_a_random_wait_under_a_bound_that_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = Pace()
    line = Line(tmp_path, monkeypatch, 251)
    waits = await line.run(pace)
    # One wait before the first attempt, and one after each.
    assert line.tries == 250 == len(waits) - 1
    assert line.report.state is MemberState.WAITING
    assert line.report.error
    bounds = [min(pace.longest, pace.backoff * 2**failures) for failures in range(250)]
    spread_over([wait / bound for wait, bound in zip(waits[1:], bounds, strict=True)])
    # A broker that is away for two days is asked about two hundred times by each home.
    assert sum(waits[1:]) > 2 * 86400


async def test_the_first_attempts_of_many_homes_are_spread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = Pace()
    first = []
    for _ in range(200):
        line = Line(tmp_path, monkeypatch, 1)
        first += await line.run(pace)
        assert line.tries == 0
    spread_over([wait / pace.first for wait in first])
