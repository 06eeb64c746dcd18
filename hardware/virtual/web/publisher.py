"""A virtual device that publishes to a real MQTT broker."""

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from .device import WebDevice

_PATIENCE: Final = 10.0
"""Seconds for the broker to take a message."""


class Publisher:
    """A connection to a broker, for use in a thread of its own: it waits for the broker."""

    def __init__(self, host: str, port: int) -> None:
        """Take the broker's address; inside the context the connection stands."""
        self._address = (host, port)
        self._client = Client(CallbackAPIVersion.VERSION2)

    def __enter__(self) -> Self:
        """Connect; raises OSError when there is no broker."""
        self._client.connect(*self._address)
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, device: WebDevice, *, retain: bool = False) -> Mapping[str, str]:
        """Publish what a device's meters say now; return the payloads by topic."""
        messages = device.messages()
        for topic, payload in messages.items():
            self.say(topic, payload, retain=retain)
        return messages

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish one message and wait until the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(_PATIENCE)
