"""Some homes of the plan as one process, to be killed at any time.

Run as `python -m benchmarks.community.loss.homes FOLDER FIRST COUNT`. Each home has its own key,
certificate, connection and outbox. It sends messages in any order and some of them twice, is away
for days, and lets go only of what the hub has acknowledged. When the process starts again it says
everything anew: the outbox knows what it has.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
import sys
from typing import Final

import aiomqtt

from benchmarks.community.loss.plan import COMMUNITY, FLOWS, Plan
from benchmarks.community.rig import Rig
from custom_components.carbon_meter.community.contract.answers import (
    Ack,
    Nack,
    Request,
    read_answer,
)
from custom_components.carbon_meter.community.contract.consent import Consent, write_agreement
from custom_components.carbon_meter.community.contract.message import Footprint, Level
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.contract.topics import to_home
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.outbox.outbox import Outbox

_BATCH: Final = 48
_AHEAD: Final = 12
"""What may lack the hub's answer when the next day begins."""

_TWICE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_LOOK: Final = 1.5
"""Seconds until a home looks after what it has, if nothing happens before."""


class Home:
    """One home: its outbox, and the connection while it has one."""

    def __init__(self, rig: Rig, plan: Plan, number: int) -> None:
        """Open the outbox."""
        self.name = plan.name(number)
        self._rig = rig
        self._plan = plan
        self._number = number
        self._chance = Random()  # noqa: S311
        self._outbox = Outbox(rig.outboxes / f"{self.name}.db")
        self._online = asyncio.Event()
        self._must_agree = True
        self._to_send = asyncio.Event()
        self._moved = asyncio.Event()

    async def live(self) -> None:
        """Say what the plan has, day by day; return when the hub has all of it.

        Raises RuntimeError when the hub refuses something.
        """
        connection = asyncio.create_task(self._stay_connected())
        try:
            silent = self._plan.silent_from(self._number)
            away = self._plan.away(self._number)
            for number, day in enumerate(self._plan.sayings(self._number)):
                if silent is not None and number >= silent:
                    return
                if number in away:
                    self._online.clear()
                else:
                    self._online.set()
                self._outbox.put_all(
                    self._plan.footprint(self._number, saying.start, saying.revision)
                    for saying in day
                )
                self._to_send.set()
                await self._drained(until_acknowledged=False)
            self._online.set()
            await self._drained(until_acknowledged=True)
        finally:
            connection.cancel()
            with suppress(asyncio.CancelledError):
                await connection
            self._outbox.close()

    async def _drained(self, *, until_acknowledged: bool) -> None:
        """Wait until all has gone out (not while away), or until the hub has all of it."""
        while self._online.is_set():
            status = self._outbox.status()
            if status.refused:
                raise RuntimeError(f"{self.name}: the hub refused {status.refused} footprints")
            if not status.waiting and status.out <= (0 if until_acknowledged else _AHEAD):
                return
            await _wait(self._moved, _LOOK)

    async def _stay_connected(self) -> None:
        """Connect again whenever the connection is lost."""
        while True:
            await self._online.wait()
            with suppress(aiomqtt.MqttError, TimeoutError, OSError):
                await self._talk()
            await asyncio.sleep(self._chance.uniform(0, _LONGEST_PAUSE))

    async def _talk(self) -> None:
        async with aiomqtt.Client(
            self._rig.host,
            self._rig.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self._rig.context(self.name),
            timeout=20,
        ) as client:
            await client.subscribe(to_home(COMMUNITY, self.name), qos=1)
            self._must_agree = True
            listening = asyncio.create_task(self._listen(client))
            try:
                while self._online.is_set() and not listening.done():
                    if self._must_agree:
                        self._must_agree = False
                        topic, payload = write_agreement(self._consent())
                        await client.publish(topic, payload, qos=1)
                    if not await self._send(client):
                        await _wait(self._to_send, _LOOK)
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                    await listening

    def _consent(self) -> Consent:
        return Consent(
            community=COMMUNITY,
            home=self.name,
            at=1,
            text="loss@1",
            level=Level.PSEUDONYM,
            duration=900,
            flows=FLOWS,
        )

    async def _send(self, client: aiomqtt.Client) -> bool:
        """Send a batch in any order, some of it twice; return whether there was anything."""
        batch = self._outbox.pending(_BATCH, self._rig.virtual_now())
        if not batch:
            return False
        messages = batch + [each for each in batch if self._chance.random() < _TWICE]
        self._chance.shuffle(messages)
        await asyncio.gather(*(_publish(client, each) for each in messages))
        self._outbox.sent(batch, self._rig.virtual_now())
        self._moved.set()
        return True

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Take the hub's answers."""
        async for message in client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            match answer := read_answer(str(message.topic), payload):
                case Ack():
                    self._outbox.acknowledged(answer)
                case Nack(code=Code.CONSENT):
                    # It was lost on its way: told again, and what was refused stays out till then.
                    self._must_agree = True
                    self._to_send.set()
                case Nack():
                    sys.stderr.write(f"{self.name}: {answer}\n")
                    self._outbox.refused(answer)
                case Request():
                    self._put_again(answer, self._outbox.asked(answer))
                    self._to_send.set()
            self._moved.set()

    def _put_again(self, request: Request, starts: Sequence[int]) -> None:
        """Put what the hub asks for and the outbox has let go, if it was said at all."""
        if request.duration != self._plan.duration(self._number):
            return
        for start in starts:
            revision = self._outbox.revision(self._plan.footprint(self._number, start, 0))
            if revision is not None:
                self._outbox.put(self._plan.footprint(self._number, start, revision))


async def _publish(client: aiomqtt.Client, footprint: Footprint) -> None:
    topic, payload = write(footprint)
    await client.publish(topic, payload, qos=1)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


async def play(folder: Path, first: int, count: int) -> None:
    """Play homes until the hub has everything they have to say."""
    rig = Rig.load(folder)
    plan = Plan.load(folder / "plan.json")
    homes = [Home(rig, plan, number) for number in range(first, first + count)]
    await asyncio.gather(*(home.live() for home in homes))
    (folder / f"done-{first}").touch()


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
