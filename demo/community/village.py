"""A whole community on this machine: broker, hub in Home Assistant, homes with a past."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
import time
from typing import Final

from custom_components.carbon_meter.community.ledger.calendar import Grain
from demo.client import HomeAssistantClient
from demo.community import hub
from demo.community.broker import Broker
from demo.community.homes import DAY, HOUR, Part, SimulatedHome
from demo.community.hostile import Harm, do_harm
from demo.community.places import by_place, finest, place_of, scopes
from demo.config_dir import Settings
from demo.home_assistant import HomeAssistant
from demo.processes import Children, Progress, wait_until

COMMUNITY: Final = "demo-village"

_FINE: Final = 3
"""Days before today that are told hour by hour; what is earlier, day by day."""

_WITHIN: Final = 300.0
_JOINING: Final = 8
"""Homes that enrol at the same time."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What homes tell of the time before they joined, so that there are figures at once."""

    since: int
    """The first day of the month before this one, in UTC."""

    hourly: int
    """From then on hour by hour."""

    @property
    def until(self) -> int:
        """Return before when those local days begin of which no part is told by the hour.

        A day of hours shows less than was told where some of them are hidden.
        """
        return self.hourly - DAY

    @classmethod
    def of(cls, now: float) -> Past:
        """Return the past as seen from now."""
        today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        # A day earlier: the local day begins before that of UTC.
        first = (today.replace(day=1) - timedelta(days=1)).replace(day=1) - timedelta(days=1)
        hourly = today - timedelta(days=_FINE)
        return cls(since=int(first.timestamp()), hourly=int(hourly.timestamp()))


class Village:
    """The community while it runs."""

    def __init__(
        self,
        broker: Broker,
        home_assistant: HomeAssistant,
        entry_id: str,
        homes: list[SimulatedHome],
    ) -> None:
        """Keep the parts."""
        self.broker = broker
        self.home_assistant = home_assistant
        self.entry_id = entry_id
        self.homes = homes

    @property
    def client(self) -> HomeAssistantClient:
        """The client of the hub's operator."""
        return self.home_assistant.client

    @property
    def honest(self) -> list[SimulatedHome]:
        """Return the homes that tell what is true."""
        return [home for home in self.homes if home.part is not Part.HOSTILE]

    @property
    def finest(self) -> Grain:
        """Return the shortest time that the community publishes."""
        return finest(len(self.honest))

    @property
    def scopes(self) -> frozenset[str]:
        """Return the names of its feeders and groups."""
        return scopes(self.honest, len(self.honest))

    def is_in(self, home: SimulatedHome, name: str) -> bool:
        """Return whether a home is behind a feeder, or in a group."""
        place = place_of(home, len(self.honest))
        return name in {place.feeder, *place.groups}

    async def tell_past(self, past: Past, now: float) -> None:
        """Let each home tell what it has not told yet, and wait until the hub has it."""
        end = int(now) // HOUR * HOUR
        with Progress(f"{len(self.honest)} homes put down what they have to tell"):
            await asyncio.gather(
                *(home.tell_past(past.since, past.hourly, home.until(end)) for home in self.honest)
            )
        # All at once: the hub publishes a minute after the first of them.
        for home in self.honest:
            home.go_online()
        await self.until_heard()
        await asyncio.gather(*(home.go_offline() for home in self.honest if home.part is Part.AWAY))

    async def until_heard(self) -> None:
        """Wait until the hub has what those have told who are online."""

        async def done() -> bool:
            return not any(home.waiting for home in self.honest if home.wants_to_speak)

        await wait_until("the hub hears them", done, within=_WITHIN)

    async def attack(self) -> Harm:
        """Let the hostile home do what it can."""
        culprit = next(home for home in self.homes if home.part is Part.HOSTILE)
        return await do_harm(
            culprit.credentials,
            self.broker.setup.hosts[0],
            self.broker.setup.port,
            community=COMMUNITY,
            home=culprit.id,
            victim=self.homes[0].id,
        )


@asynccontextmanager
async def running_village(
    children: Children, state: Path, settings: Settings, count: int, *, fresh: bool
) -> AsyncGenerator[Village]:
    """Start everything, with `count` honest homes and one that means harm.

    Homes that have joined in an earlier run only open their folders.
    """
    broker = Broker(children, state / "broker", community=COMMUNITY)
    await broker.start()
    homes = [SimulatedHome(state / "homes", number, count) for number in range(count + 1)]
    async with HomeAssistant(children, state / "config", settings) as home_assistant:
        client = await home_assistant.start(fresh=fresh)
        with Progress("adding the hub"):
            entry_id = await hub.add_hub(client, broker.hub_file, finest(count))

        async def is_connected() -> bool:
            return await hub.state_of(client, entry_id, "link") == "connected"

        await wait_until("the hub connects to the broker", is_connected, within=_WITHIN)
        await _join(client, [home for home in homes if not home.has_joined], count)
        try:
            for home in homes:
                await home.open()
            yield Village(broker, home_assistant, entry_id, homes)
        finally:
            await asyncio.gather(*(home.close() for home in homes))
    broker.child.stop()


async def _join(client: HomeAssistantClient, homes: list[SimulatedHome], count: int) -> None:
    """Invite homes and let them join, some at a time."""
    if not homes:
        return
    since = Past.of(time.time()).since
    slots = asyncio.Semaphore(_JOINING)

    async def one(home: SimulatedHome, invitation: str) -> None:
        async with slots:
            await home.join(invitation, since)

    with Progress(f"{len(homes)} homes join by invitation"):
        first = datetime.fromtimestamp(since, UTC).date().isoformat()
        for place, mine in by_place(homes, count).items():
            texts = await hub.invite(client, len(mine), place, since=first)
            await asyncio.gather(*map(one, mine, texts, strict=True))
