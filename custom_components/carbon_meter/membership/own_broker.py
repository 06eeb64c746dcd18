"""The way to a hub over Home Assistant's own broker, for a small pilot.

Who may read what is then a matter of that broker's users; there is no certificate of ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..community.member.transport import Received, TransportError, Trouble

if TYPE_CHECKING:
    from homeassistant.components.mqtt.models import ReceiveMessage

_MOST_WAITING: Final = 256
"""Messages of the hub that nobody has looked at; more come again when they are needed."""

_PATIENCE: Final = 30.0
"""Seconds for a subscription; Home Assistant gathers those of several seconds."""

_TAKEN: Final = 0
"""The reason code of a message that the broker has; Home Assistant tells no other."""


class OwnBroker:
    """A connection by way of Home Assistant's MQTT integration."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Take Home Assistant; `async with` begins."""
        self._hass = hass
        self._received: asyncio.Queue[Received | None] = asyncio.Queue(_MOST_WAITING)
        self._stops: list[CALLBACK_TYPE] = []

    async def __aenter__(self) -> Self:
        """Wait until the integration is there; raises TransportError."""
        # Its library is only there where it is used.
        from homeassistant.components import mqtt  # noqa: PLC0415

        if not await mqtt.async_wait_for_mqtt_client(self._hass):
            raise TransportError(Trouble.UNREACHABLE, "Home Assistant has no MQTT broker")
        if not mqtt.is_connected(self._hass):
            raise TransportError(Trouble.UNREACHABLE, "Home Assistant is not connected to MQTT")
        self._stops.append(mqtt.async_subscribe_connection_status(self._hass, self._connection))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hear nothing more."""
        while self._stops:
            self._stops.pop()()

    async def subscribe(self, topic: str) -> None:
        """Listen to a topic; returns when the broker has been told, raises TransportError."""
        from homeassistant.components import mqtt  # noqa: PLC0415

        subscribed = asyncio.Event()
        try:
            self._stops.append(
                await mqtt.async_subscribe(self._hass, topic, self._heard, qos=1, encoding=None)
            )
            stop = mqtt.async_on_subscribe_done(self._hass, topic, 1, subscribed.set)
        except HomeAssistantError as err:
            raise TransportError(Trouble.LOST, str(err)) from err
        try:
            async with asyncio.timeout(_PATIENCE):
                await subscribed.wait()
        except TimeoutError as err:
            raise TransportError(Trouble.LOST, f"{topic} was not subscribed in time") from err
        finally:
            stop()

    async def publish(self, topic: str, payload: bytes) -> int:
        """Hand a message to the broker; raises TransportError."""
        from homeassistant.components import mqtt  # noqa: PLC0415

        try:
            await mqtt.async_publish(self._hass, topic, payload, qos=1, encoding=None)
        except HomeAssistantError as err:
            raise TransportError(Trouble.LOST, str(err)) from err
        return _TAKEN

    async def messages(self) -> AsyncIterator[Received]:
        """Yield what comes; raises TransportError when the connection is lost."""
        while (received := await self._received.get()) is not None:
            yield received
        raise TransportError(Trouble.LOST, "Home Assistant has lost its MQTT broker")

    @callback
    def _heard(self, message: ReceiveMessage) -> None:
        """Take a message; one that finds no room is asked for again in time."""
        payload = message.payload
        assert isinstance(payload, bytes)  # noqa: S101  # subscribed without an encoding
        self._put(Received(topic=message.topic, payload=payload, retained=message.retain))

    @callback
    def _connection(self, is_connected: bool) -> None:  # Home Assistant's signature
        if not is_connected:
            self._put(None)

    def _put(self, received: Received | None) -> None:
        if self._received.full():
            self._received.get_nowait()
        self._received.put_nowait(received)


def own_broker(hass: HomeAssistant) -> Callable[[str], OwnBroker]:
    """Return what makes connections; the broker does not ask which home it is."""
    return lambda _home: OwnBroker(hass)
