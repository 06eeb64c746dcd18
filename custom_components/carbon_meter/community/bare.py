"""Messages read without their MQTT 5 properties, which mean nothing in a community.

paho 2.1 ends the connection over properties that a broker passes on: a byte order mark (U+FEFF) in
a text, which MQTT 5 allows (1.5.4) and mosquitto takes. A message with QoS 1 stays in the session,
so that it would end every further connection too: one message of one home, an invitation's, or a
last will would keep the hub from hearing anybody.
"""

from typing import Final

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

_LENGTH: Final = 2
"""Bytes before a text, and of a message's number."""

_MORE: Final = 0x80
"""In a byte of a length: another one follows."""

_LONGEST: Final = 4
"""Bytes of a length."""


def read_bare(client: Client) -> None:
    """Have a client of MQTT 5 read messages as if they had no properties.

    It takes hold of two names that paho keeps to itself; what is read is the standard's.
    """
    handle = client._handle_publish  # noqa: SLF001  # paho has no door for it

    def handle_bare() -> MQTTErrorCode:
        held = client._in_packet  # noqa: SLF001  # nor for this
        held["packet"] = bare(held["packet"], quality=(held["command"] & 0x06) >> 1)
        return handle()

    client._handle_publish = handle_bare  # type: ignore[method-assign]  # noqa: SLF001


def bare(packet: bytearray, *, quality: int) -> bytearray:
    """Return a PUBLISH, from its topic on, with no properties; one that is none as it is.

    `quality` is its QoS: with 1 and 2 a number stands before the properties.
    """
    at = _LENGTH + int.from_bytes(packet[:_LENGTH]) + (_LENGTH if quality else 0)
    length = 0
    for place in range(_LONGEST):
        if at + place >= len(packet):
            break
        byte = packet[at + place]
        length |= (byte & ~_MORE) << 7 * place
        if not byte & _MORE:
            end = at + place + 1 + length
            return packet[:at] + b"\0" + packet[end:] if length else packet
    return packet
