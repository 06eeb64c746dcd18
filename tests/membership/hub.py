"""A real community for memberships under test: mosquitto with mutual TLS, and its hub.

The hub is the real one (ledger, books, desk, processor) in one thread; what it says goes back over
the same broker.
"""

from collections.abc import Callable
from pathlib import Path
import queue
import threading
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from custom_components.carbon_meter.community.authority.broker import Broker as Address
from custom_components.carbon_meter.community.authority.invitation import Invitation
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.contract.topics import to_hub
from custom_components.carbon_meter.community.hub.arrived import Arrived, Reply
from custom_components.carbon_meter.community.hub.books import Books
from custom_components.carbon_meter.community.hub.desk import Desk
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from custom_components.carbon_meter.community.hub.members import Terms
from custom_components.carbon_meter.community.hub.processor import Processor
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Cell
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.broker import Broker, context

COMMUNITY: Final = "c1"
NAME: Final = "Sunny Street"
EVERYTHING: Final = tuple(Flow)
PATIENCE: Final = 60.0

NO_PINGS: Final = 65_535
"""Seconds without a sign of life, the most that MQTT knows.

In a test the time leaps by minutes: whoever has not had the answer to a ping before the next leap
takes its connection for dead.
"""


class HubUnderTest:
    """A community with its broker; `with` starts both, `away` takes the hub off for a while."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        *,
        level: Level = Level.PSEUDONYM,
        duration: int = 3600,
        flows: tuple[Flow, ...] = EVERYTHING,
    ) -> None:
        """Make the files; `now` is the hub's clock, its zone that of UTC."""
        self._now = now
        folder.mkdir(parents=True, exist_ok=True)
        zone = ZoneInfo("UTC")
        self.broker = Broker(folder, community=COMMUNITY)
        self.ledger = Ledger(folder / "ledger.db", community=COMMUNITY, zone=zone)
        self.books = Books(folder / "books.db")
        self.desk = Desk(
            folder / "desk.db",
            community=COMMUNITY,
            zone=zone,
            authority=self.broker.authority,
            control=DynsecControl(COMMUNITY, self._publish),
            ledger=self.ledger,
            terms=Terms(
                name=NAME,
                broker=Address(
                    host=self.broker.address,
                    port=self.broker.port,
                    enrol_port=self.broker.enrol_port,
                ),
                level=level,
                duration=duration,
                flows=flows,
            ),
        )
        self.processor = Processor(self.ledger, self.books, self.desk)
        self.heard: list[tuple[str, bytes]] = []
        """All that homes have said, as it came over the wire."""

        self._arrived: queue.Queue[Arrived | None] = queue.Queue()
        self._client: mqtt.Client | None = None
        self._worker: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.broker.start()
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()
        self.broker.stop()
        for part in (self.desk, self.books, self.ledger):
            part.close()

    def connect(self) -> None:
        """Let the hub listen; returns when it does."""
        subscribed = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv5)
        client.tls_set_context(context(self.broker.hub_credentials))
        client.on_connect = lambda *_: client.subscribe(to_hub(COMMUNITY), qos=1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda _client, _data, message: self._arrived.put(
            Arrived(message.topic, message.payload, message.retain)
        )
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        client.connect(
            self.broker.address,
            self.broker.port,
            keepalive=NO_PINGS,
            clean_start=False,
            properties=properties,
        )
        client.loop_start()
        self._client = client
        self._worker = threading.Thread(target=self._work)
        self._worker.start()
        assert subscribed.wait(PATIENCE)

    def disconnect(self) -> None:
        """Take the hub away; the broker goes on."""
        client, worker = self._client, self._worker
        if client is None or worker is None:
            return
        self._arrived.put(None)
        worker.join(PATIENCE)
        client.disconnect()
        client.loop_stop()
        self._client = self._worker = None

    def invite(self, **changes: Any) -> Invitation:
        """Return an invitation for another home."""
        return self.desk.invite(self._now(), **changes)

    @property
    def homes(self) -> tuple[str, ...]:
        """The homes that the ledger knows anything of."""
        return self.ledger.homes

    def cells(self, begin: int, end: int) -> dict[tuple[int, Flow], Cell]:
        """Return the hourly cells of the community by start and flow."""
        found = self.ledger.cells(Grain.HOUR, begin, end)
        return {(cell.key.begin, cell.key.flow): cell for cell in found}

    def topics(self, channel: str) -> list[str]:
        """Return the topics of what was heard on one channel, such as `up/fp`."""
        return [topic for topic, _ in self.heard if f"/{channel}" in topic]

    def _publish(self, topic: str, payload: bytes) -> None:
        assert self._client is not None
        self._client.publish(topic, payload, qos=1)

    def _work(self) -> None:
        while (arrived := self._arrived.get()) is not None:
            self.heard.append((arrived.topic, arrived.payload))
            moment = self._now()
            self._answer(self.processor.process([arrived], moment))
            self._answer(self.processor.answers(moment))

    def _answer(self, replies: list[Reply]) -> None:
        for reply in replies:
            self._publish(reply.topic, reply.payload)
