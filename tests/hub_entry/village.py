"""A community over Home Assistant's own broker: homes by the contract alone, and their hub."""

import asyncio
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
import queue
import time
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage, MQTTProtocolVersion
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.carbon_meter.community.contract.answers import Ack, Nack, read_answer
from custom_components.carbon_meter.community.contract.consent import (
    Consent,
    Withdrawal,
    write_agreement,
)
from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.hub import Hub
from tests.common import LOOPBACK

COMMUNITY: Final = "linden"
PATIENCE: Final = 60.0
HOUR: Final = 3600
GRAMS_PER_KWH: Final = 350


class Homes:
    """Many homes on one connection, by the contract."""

    def __init__(self, port: int, community: str = COMMUNITY) -> None:
        """Connect."""
        self.community = community
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        self._seq: dict[str, int] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self.heard.put(message)
        self._client.connect(LOOPBACK, port)
        self._client.subscribe(f"cm/v1/{community}/+/down/+", 1)
        self._client.loop_start()

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def consent(self, homes: Iterable[str], level: Level = Level.PSEUDONYM) -> None:
        """Agree to tell hours of every flow."""
        for home in homes:
            self.say(
                *write_agreement(
                    Consent(
                        community=self.community,
                        home=home,
                        at=int(time.time() * 1000),
                        text="community@1",
                        level=level,
                        duration=HOUR,
                        flows=tuple(Flow),
                    )
                )
            )

    def withdraw(self, home: str) -> None:
        """Take the consent back."""
        at = int(time.time() * 1000) + 1
        self.say(*write_agreement(Withdrawal(community=self.community, home=home, at=at)))

    def tell(self, home: str, start: int, flows: dict[Flow, int], revision: int = 0) -> Footprint:
        """Tell an hour."""
        self._seq[home] = self._seq.get(home, 0) + 1
        footprint = Footprint(
            community=self.community,
            home=home,
            boot="b1",
            seq=self._seq[home],
            start=start,
            duration=HOUR,
            revision=revision,
            at=int(time.time() * 1000),
            items=tuple(item(flow, wh) for flow, wh in flows.items()),
            method="location@1",
            software="test 1",
            synced=True,
            offset_ms=0,
            level=Level.PSEUDONYM,
            is_final=False,
        )
        self.say(*write(footprint))
        return footprint

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and wait until the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def answers(self) -> list[Ack | Nack]:
        """Return what the hub has said so far."""
        result = []
        while not self.heard.empty():
            message = self.heard.get()
            answer = read_answer(message.topic, message.payload)
            if isinstance(answer, Ack | Nack):
                result.append(answer)
        return result


def item(flow: Flow, wh: int) -> Item:
    """Return a measured flow."""
    return Item(
        flow=flow,
        wh=wh,
        mg=0 if flow is Flow.PV else wh * GRAMS_PER_KWH,
        source="test",
        zone="DE",
        kind=Kind.AVERAGE,
        version="2026",
        resolution=HOUR,
        coverage=10000,
        quality=Quality.MEASURED,
        carbon_free=wh if flow is Flow.PV else wh // 2,
    )


class Village:
    """Home Assistant with its broker, a hub, and homes."""

    def __init__(self, hass: HomeAssistant, port: int) -> None:
        """Begin without a hub."""
        self.hass = hass
        self.port = port
        self.homes = Homes(port)
        self.mqtt = MockConfigEntry(
            domain="mqtt",
            data={"broker": LOOPBACK, "port": port, "protocol": "5"},
            version=1,
            minor_version=2,
        )
        self.entry: MockConfigEntry

    async def connect(self) -> None:
        """Connect Home Assistant to its broker."""
        self.mqtt.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.mqtt.entry_id)
        await self.hass.async_block_till_done()

    async def open(self, **options: Any) -> Hub:
        """Set the hub up."""
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Linden street",
            unique_id=f"hub:{COMMUNITY}",
            data={
                "entry": "hub",
                "community": COMMUNITY,
                "own_broker": True,
                "time_zone": afternoon(),
            },
            options=options,
            minor_version=2,
        )
        self.entry.add_to_hass(self.hass)
        await self.load()
        return self.hub

    async def load(self) -> None:
        """Set the hub up, for the first time or again."""
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        await self.until(lambda: self.hub.status.state is WorkerState.CONNECTED)

    async def unload(self) -> None:
        """Take the hub down."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    @property
    def hub(self) -> Hub:
        """Return the hub at work."""
        hub: Hub = self.entry.runtime_data
        return hub

    @property
    def folder(self) -> Path:
        """Return where the hub keeps its files."""
        return self.hub.folder

    async def invite(
        self, count: int, feeder: str | None = None, groups: tuple[str, ...] = ()
    ) -> list[str]:
        """Invite homes that agree at once; return their ids."""
        since = dt_util.now().date() - timedelta(days=40)
        files = await self.hub.homes.async_invite(count, feeder, groups, since)
        homes = [file.home for file in files]
        await asyncio.to_thread(self.homes.consent, homes)
        return homes

    async def tell(
        self,
        homes: Sequence[str],
        starts: Iterable[int],
        flows: Callable[[int, int], dict[Flow, int]],
    ) -> int:
        """Let homes tell hours; return how many messages that were, once the hub has them."""
        before = self.hub.status.counts.messages

        def tell() -> int:
            told = 0
            for start in starts:
                for number, home in enumerate(homes):
                    self.homes.tell(home, start, flows(number, start))
                    told += 1
            return told

        told = await asyncio.to_thread(tell)
        await self.until(lambda: self.hub.status.counts.messages >= before + told)
        return told

    async def publish(self, *, later: float = 0) -> int:
        """Publish what is due, now or some seconds later, and wait until all of it is shown."""
        with moved(later):
            changed = await self.hub.async_publish()
            await self.hass.async_block_till_done()
        return changed

    async def fire(self, seconds: float) -> None:
        """Put Home Assistant's clock forward, with whatever its timers have to do until then."""
        with moved(seconds):
            async_fire_time_changed(self.hass, dt_util.utcnow())
            await self.hass.async_block_till_done(wait_background_tasks=False)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what happens in another thread."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0.02)

    def state(self, key: str, platform: str = "sensor") -> Any:
        """Return the state of an entity by the end of its unique id."""
        registry = er.async_get(self.hass)
        entity_id = registry.async_get_entity_id(platform, DOMAIN, f"{self.entry.entry_id}_{key}")
        assert entity_id is not None, key
        return self.hass.states.get(entity_id)

    def value(self, key: str) -> float:
        """Return a sensor's state as a number."""
        return float(self.state(key).state)

    def issues(self) -> set[str | None]:
        """Return the keys of the repair issues."""
        return {
            issue.translation_key
            for (domain, _), issue in ir.async_get(self.hass).issues.items()
            if domain == DOMAIN
        }

    async def close(self) -> None:
        """Leave nothing running."""
        if hasattr(self, "entry") and self.entry.state is ConfigEntryState.LOADED:
            await self.unload()
        self.homes.close()
        if self.mqtt.state is ConfigEntryState.LOADED:
            await self.hass.config_entries.async_unload(self.mqtt.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)


@contextmanager
def moved(seconds: float) -> Generator[None]:
    """Put Home Assistant's clock forward; it goes on from there, and no connection notices."""
    now = dt_util.utcnow
    with patch.object(dt_util, "utcnow", lambda: now() + timedelta(seconds=seconds)):
        yield


def afternoon() -> str:
    """Return a time zone in which the afternoon has just begun, whenever tests run.

    What a home tells counts from the day on which it joins: the last hours have to be of today.
    """
    ahead = 14 - int(time.time()) // HOUR % 24
    return f"Etc/GMT{-ahead:+d}"


def last_hours(count: int) -> range:
    """Return the starts of the last hours that are due to be published."""
    end = int(time.time()) // HOUR * HOUR - 3 * HOUR
    return range(end - count * HOUR, end, HOUR)
