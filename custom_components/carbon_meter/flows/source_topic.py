"""The first word on an MQTT topic, to see whether it can be read."""

import asyncio
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

if TYPE_CHECKING:
    from homeassistant.components.mqtt.models import ReceiveMessage

_PATIENCE: Final = 3.0
"""Seconds; a message that the broker keeps comes at once, others are not waited for."""


class NoBrokerError(Exception):
    """Home Assistant has no MQTT broker, or the broker refuses the topic."""


async def async_first_message(hass: HomeAssistant, topic: str) -> bytes | None:
    """Return what is kept or just said on a topic, None where it is silent.

    Raises NoBrokerError where nothing can be heard at all.
    """
    if "mqtt" not in hass.config.components:
        raise NoBrokerError("the MQTT integration is not set up")
    # Its library is only there where it is used.
    from homeassistant.components import mqtt  # noqa: PLC0415

    heard: asyncio.Queue[bytes] = asyncio.Queue()

    @callback
    def take(message: ReceiveMessage) -> None:
        assert isinstance(message.payload, bytes)  # noqa: S101  # subscribed without an encoding
        heard.put_nowait(message.payload)

    try:
        stop = await mqtt.async_subscribe(hass, topic, take, encoding=None)
    except HomeAssistantError as err:
        raise NoBrokerError(str(err)) from err
    try:
        async with asyncio.timeout(_PATIENCE):
            return await heard.get()
    except TimeoutError:
        return None
    finally:
        stop()


def is_topic(text: str) -> bool:
    """Return whether a text names one topic, without wildcards (MQTT 5.0, section 4.7)."""
    return (
        bool(text)
        and not set(text) & {"+", "#", "\0"}
        and len(text.encode(errors="replace")) <= 65535
    )
