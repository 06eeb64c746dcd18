"""The way over Home Assistant's own broker: what comes is taken, and a lost broker is noticed."""

from homeassistant.components.mqtt.models import ReceiveMessage
from homeassistant.core import HomeAssistant

from custom_components.carbon_meter.community.member.transport import (
    Received,
    TransportError,
    Trouble,
)
from custom_components.carbon_meter.membership.own_broker import OwnBroker


def came(payload: bytes, *, retain: bool = False) -> ReceiveMessage:
    return ReceiveMessage("cm/v1/c1/h1/down/ack", payload, 1, retain, "#", 0.0)


async def taken_of(way: OwnBroker) -> list[Received]:
    """Return what came until the broker was lost."""
    taken = []
    try:
        async for received in way.messages():
            taken.append(received)  # noqa: PERF401  # what came before the end counts
    except TransportError as err:
        assert err.trouble is Trouble.LOST  # noqa: PT017  # that it comes is seen below
        return taken
    raise AssertionError("the loss was not noticed")


async def test_what_comes_is_taken_until_the_broker_is_lost(hass: HomeAssistant) -> None:
    way = OwnBroker(hass)
    way._heard(came(b"1"))
    way._heard(came(b"2", retain=True))
    way._connection(True)
    way._connection(False)
    taken = [(one.topic, one.payload, one.retained) for one in await taken_of(way)]
    topic = "cm/v1/c1/h1/down/ack"
    assert taken == [(topic, b"1", False), (topic, b"2", True)]


async def test_what_nobody_takes_does_not_grow_without_end(hass: HomeAssistant) -> None:
    way = OwnBroker(hass)
    for number in range(300):
        way._heard(came(str(number).encode()))
    way._connection(False)
    taken = [int(one.payload) for one in await taken_of(way)]
    # The oldest went; the last word of the broker is heard all the same.
    assert taken == list(range(45, 300))
