"""A small pilot: the homes' messages through Home Assistant's own broker.

Home Assistant acknowledges a message to the broker before it is on the disk. That loses nothing:
what counts is the hub's own acknowledgement, and until it comes the home sends again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
import time
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.components.mqtt import ReceiveMessage
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..community.contract import topics
from ..community.hub.arrived import Arrived, Reply
from ..community.hub.desk import DeskError
from ..community.hub.errors import StoreError
from ..community.hub.opening import Hub as Core
from ..community.hub.status import WorkerStanding, WorkerState, WorkerStatus
from .keys import CONF_COMMUNITY

_BATCH: Final = 500
_MOST_WAITING: Final = 5000
"""Messages; what comes beyond is not acknowledged, and its home sends it again."""

_PAUSE: Final = 1.0
"""Seconds for which messages are collected."""

_IDLE: Final = 30.0
"""Seconds after which the desk and the acknowledgements are looked after without a message."""

_FIRST_RETRY: Final = 2.5
_LONGEST_RETRY: Final = 60.0
_SLICES: Final = 50
"""Of work that can wait, after each batch."""


class OwnBroker:
    """Takes what homes send, in batches; one runs at a time, in the executor."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], core: Core, heard: Callable[[], None]
    ) -> None:
        """Keep what is worked with; nothing runs yet."""
        self._hass = hass
        self._entry = entry
        self._core = core
        self._heard = heard
        self._community: str = entry.data[CONF_COMMUNITY]
        self._waiting: deque[Arrived] = deque()
        self._come = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stops: list[CALLBACK_TYPE] = []
        self._end = asyncio.Event()
        self._retry = _FIRST_RETRY
        self._standing = WorkerStanding(time.time)

    @property
    def status(self) -> WorkerStatus:
        """Return how the link is."""
        return self._standing.status(
            waiting=len(self._waiting), owed=0, counts=self._core.processor.counts
        )

    async def async_start(self) -> None:
        """Subscribe; Home Assistant does so again after each reconnection."""
        self._stops = [
            await mqtt.async_subscribe(
                self._hass, topics.to_hub(self._community), self._arrived, qos=1, encoding=None
            ),
            mqtt.async_subscribe_connection_status(self._hass, self._connection_changed),
            mqtt.async_on_subscribe_done(
                self._hass, topics.to_hub(self._community), 1, self._listens
            ),
        ]
        self._task = self._entry.async_create_background_task(
            self._hass, self._run(), f"take what homes of {self._community} send"
        )

    async def async_stop(self) -> None:
        """Take what has come, then stop."""
        for stop in self._stops:
            stop()
        self._stops = []
        self._end.set()
        self._come.set()
        if self._task is not None:
            await self._task
            self._task = None
        self._set_state(WorkerState.STOPPED, None)

    @callback
    def _arrived(self, message: ReceiveMessage) -> None:
        """Keep a message for the next batch."""
        if len(self._waiting) < _MOST_WAITING and isinstance(message.payload, bytes | bytearray):
            self._waiting.append(
                Arrived(message.topic, bytes(message.payload), bool(message.retain))
            )
            self._come.set()

    @callback
    def _connection_changed(self, connected: bool) -> None:
        """Show whether Home Assistant's broker is there."""
        state = WorkerState.STARTING if connected else WorkerState.WAITING
        self._set_state(state, None, connected=connected)

    @callback
    def _listens(self) -> None:
        """Show that homes are heard from now on."""
        self._set_state(WorkerState.CONNECTED, None, connected=True)

    async def _run(self) -> None:
        """Take batch after batch; what has come by the end is taken too."""
        pause = _PAUSE
        while not self._end.is_set():
            await _come_or_time(self._come, _IDLE)
            self._come.clear()
            await _come_or_time(self._end, pause)
            pause = await self._empty()
        await self._empty()

    async def _empty(self) -> float:
        """Take all that waits; return for how many seconds to wait before the next time."""
        while True:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            begun = time.time()
            try:
                replies = await self._hass.async_add_executor_job(self._take, batch)
            except (StoreError, DeskError) as err:
                self._waiting.extendleft(reversed(batch))
                self._come.set()
                self._retry = min(_LONGEST_RETRY, 2 * self._retry)
                self._set_state(WorkerState.STORE, str(err))
                return self._retry
            self._retry = _FIRST_RETRY
            if self._standing.state is WorkerState.STORE:
                connected = mqtt.is_connected(self._hass)
                self._set_state(WorkerState.CONNECTED if connected else WorkerState.WAITING, None)
            if batch:
                self._standing.took(len(batch), time.time() - begun)
            await self._send(replies)
            if not batch:
                return _PAUSE
            self._heard()

    def _take(self, batch: list[Arrived]) -> list[Reply]:
        """Commit a batch, and do some of the work that can wait; blocks."""
        now = time.time()
        processor = self._core.processor
        replies = list(processor.process(batch, now)) if batch else []
        replies += processor.answers(now)
        for _ in range(_SLICES):
            if not processor.idle(now):
                break
        return replies

    async def _send(self, replies: list[Reply]) -> None:
        """Publish answers; one that is lost is given again with the next message."""
        try:
            for reply in replies:
                await mqtt.async_publish(self._hass, reply.topic, reply.payload, 1, False)
        except HomeAssistantError as err:
            self._set_state(WorkerState.WAITING, str(err))

    @callback
    def _set_state(
        self, state: WorkerState, error: str | None, *, connected: bool | None = None
    ) -> None:
        """Keep and tell a state."""
        if self._standing.become(state, error, connected=connected):
            self._heard()


async def _come_or_time(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, or for some seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
