"""Topics: who speaks to whom about what, as a broker's access rules see it."""

from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final

from .fields import ID
from .refusal import Code, RefusedError

ROOT: Final = "cm/v1"

RESERVED_HOMES: Final = frozenset({"public", "hub", "operator"})
"""Not homes: what a community publishes for everybody will stand under `public`, and `hub` is the
hub's own name at the broker."""

_START: Final = re.compile(r"0|[1-9][0-9]{0,10}")


class Channel(StrEnum):
    """What a message is: the last parts of its topic.

    `up/mask`, `up/round` and `down/round` are kept free for masked sums.
    """

    FOOTPRINT = "up/fp"
    CONSENT = "up/consent"
    WITHDRAWAL = "up/withdraw"
    ACK = "down/ack"
    NACK = "down/nack"
    REQUEST = "down/req"
    SIGNING = "up/csr"
    CERTIFICATE = "down/cert"
    DELETED = "down/deleted"


_CHANNELS: Final = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A topic taken apart."""

    community: str
    home: str
    channel: Channel
    start: int | None = None
    """When the period of a footprint starts, in seconds since 1970 UTC; else None."""


def build(topic: Topic) -> str:
    """Return the topic as a broker takes it.

    Raises RefusedError for ids that cannot be part of one.
    """
    _check_ids(topic)
    if (topic.start is None) == (topic.channel is Channel.FOOTPRINT):
        raise RefusedError(Code.TOPIC, "CM-1", f"a start does not go with {topic.channel}")
    tail = "" if topic.start is None else f"/{topic.start}"
    return f"{ROOT}/{topic.community}/{topic.home}/{topic.channel}{tail}"


def parse(topic: str) -> Topic:
    """Return the parts of a topic; raises RefusedError for one that no message has."""
    match topic.split("/"):
        case ["cm", "v1", community, home, way, what]:
            start = None
        case ["cm", "v1", community, home, "up" as way, "fp" as what, digits] if _START.fullmatch(
            digits
        ):
            start = int(digits)
        case _:
            raise RefusedError(Code.TOPIC, "CM-1", f"{topic!a:.80} is no topic of a message")
    channel = _CHANNELS.get(f"{way}/{what}")
    if channel is None or (start is None) == (channel is Channel.FOOTPRINT):
        raise RefusedError(Code.TOPIC, "CM-1", f"{topic!a:.80} is no topic of a message")
    result = Topic(community=community, home=home, channel=channel, start=start)
    _check_ids(result)
    return result


def parse_as(topic: str, channel: Channel) -> Topic:
    """Return the parts of a topic of one channel; raises RefusedError for another."""
    result = parse(topic)
    if result.channel is not channel:
        raise RefusedError(Code.TOPIC, "CM-1", f"{result.channel} instead of {channel}")
    return result


def to_hub(community: str) -> str:
    """Return what the hub of a community subscribes to."""
    return f"{ROOT}/{checked_id(community)}/+/up/#"


def to_home(community: str, home: str) -> str:
    """Return what a home subscribes to."""
    return f"{ROOT}/{checked_id(community)}/{checked_id(home)}/down/+"


def checked_id(name: str) -> str:
    """Return an id that may be part of a topic; raises RefusedError."""
    if ID.fullmatch(name) is None:
        raise RefusedError(Code.TOPIC, "CM-2", f"{name!a:.80} is no id")
    return name


def _check_ids(topic: Topic) -> None:
    """Raise RefusedError for ids that are wildcards, reserved or worse."""
    checked_id(topic.community)
    if checked_id(topic.home) in RESERVED_HOMES:
        raise RefusedError(Code.TOPIC, "CM-2", f"{topic.home} is reserved")
