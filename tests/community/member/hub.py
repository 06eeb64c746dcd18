"""A hub for the tests of members: real ledger, books, desk and processor, a real broker."""

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
import time
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.broker import Broker as Place
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.invitation import Invitation
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.contract.topics import to_hub
from custom_components.carbon_meter.community.hub.arrived import Arrived
from custom_components.carbon_meter.community.hub.books import Books
from custom_components.carbon_meter.community.hub.desk import Desk
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from custom_components.carbon_meter.community.hub.members import Terms
from custom_components.carbon_meter.community.hub.processor import Processor
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from tests.community.broker import Broker

BERLIN = ZoneInfo("Europe/Berlin")


class Hub:
    """Works while it is entered; its files outlive that."""

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        *,
        level: Level = Level.CLEAR,
        duration: int = 3600,
        now: Callable[[], float] = time.time,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self._broker = broker
        self.ahead = 0.0
        """Seconds by which its clock is ahead."""

        self._now = lambda: now() + self.ahead
        self._commands: list[tuple[str, bytes]] = []
        self.ledger = Ledger(folder / "ledger.db", community=broker.community, zone=BERLIN)
        self.books = Books(folder / "books.db")
        self.desk = Desk(
            folder / "desk.db",
            community=broker.community,
            zone=BERLIN,
            authority=Authority.load(broker.layout.authority),
            control=DynsecControl(
                broker.community, lambda topic, payload: self._commands.append((topic, payload))
            ),
            ledger=self.ledger,
            terms=Terms(
                name="Test community",
                broker=Place(host=broker.address, port=broker.port, enrol_port=broker.enrol_port),
                level=level,
                duration=duration,
                flows=(Flow.GRID_IMPORT, Flow.PV, Flow.GRID_EXPORT),
            ),
        )
        self.processor = Processor(self.ledger, self.books, self.desk)
        self.heard: list[Arrived] = []
        self.is_deaf = False
        self._transport: MqttTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._transport = MqttTransport(
            self._broker.address,
            self._broker.port,
            Credentials(self._broker.hub_credentials).context,
            identifier="hub",
        )
        await self._transport.__aenter__()
        await self._transport.subscribe(to_hub(self._broker.community))
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        assert self._transport is not None
        await self._transport.__aexit__(None, None, None)

    def close(self) -> None:
        self.books.close()
        self.desk.close()
        self.ledger.close()

    async def invite(self, home: str | None = None) -> Invitation:
        if home is None:
            invitation = self.desk.invite(self._now(), since=date(2020, 1, 1))
        else:
            invitation = self.desk.reinvite(home, self._now())
        await self.flush()
        return invitation

    async def flush(self) -> None:
        """Give the broker its commands."""
        assert self._transport is not None
        while self._commands:
            await self._transport.publish(*self._commands.pop(0))

    async def say(self, replies: list[Any]) -> None:
        await self.flush()
        assert self._transport is not None
        for reply in replies:
            await self._transport.publish(reply.topic, reply.payload)

    async def answer(self) -> None:
        """Send the acks that are owed and ask for what is missing."""
        await self.say(await asyncio.to_thread(self.processor.answers, self._now()))

    async def _work(self) -> None:
        assert self._transport is not None
        batch: list[Arrived] = []
        async for received in self._transport.messages():
            batch.append(Arrived(received.topic, received.payload, received.retained))
            self.heard.append(batch[-1])
            client = self._transport._client
            if client is not None and len(client.messages) and len(batch) < 100:
                continue
            if not self.is_deaf:
                await self.say(await asyncio.to_thread(self.processor.process, batch, self._now()))
                await self.answer()
            batch = []

    # What it knows

    def topics(self, part: str) -> list[str]:
        return [arrived.topic for arrived in self.heard if part in arrived.topic]

    def wh(self, home: str, flow: Flow = Flow.GRID_IMPORT) -> dict[tuple[int, int], int]:
        """Return the Wh of a home by start and duration, as they count in the ledger."""
        with self.ledger._database.reading() as connection:
            rows = connection.execute(
                "SELECT start_at, duration, wh FROM items WHERE community = ? AND home = ?"
                " AND flow = ? AND counted = 1",
                (self._broker.community, home, flow.value),
            ).fetchall()
        return {(start, duration): wh for start, duration, wh in rows}

    def revisions(self, home: str) -> dict[tuple[int, int], int]:
        """Return the highest revision of each period of a home."""
        with self.ledger._database.reading() as connection:
            rows = connection.execute(
                "SELECT start_at, duration, MAX(revision) FROM revisions WHERE community = ?"
                " AND home = ? GROUP BY start_at, duration",
                (self._broker.community, home),
            ).fetchall()
        return {(start, duration): revision for start, duration, revision in rows}
