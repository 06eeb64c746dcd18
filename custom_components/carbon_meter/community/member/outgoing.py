"""What has left the home, word for word, and what came back about it."""

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..contract.answers import Ack, Nack
from ..contract.message import Footprint

MOST: Final = 50
"""Messages that are remembered."""


class Sort(StrEnum):
    """What a message is."""

    FOOTPRINT = "footprint"
    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upcoming:
    """A footprint that would leave next, word for word."""

    topic: str
    payload: str
    start: int
    """Seconds since 1970 UTC."""

    duration: int
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A message that has left."""

    at: float
    """Seconds since 1970 UTC, by the home's clock."""

    topic: str
    payload: str
    """JSON, as it left."""

    kind: Sort
    reason: int
    """The broker's reason code: 0 taken, 16 nobody listens, from 128 on refused."""

    start: int | None = None
    duration: int | None = None
    revision: int | None = None
    boot: str | None = None
    seq: int | None = None
    acknowledged_at: float | None = None
    """When the hub said that it has it."""

    refused: str | None = None
    """The code with which the hub does not take it."""


class Log:
    """The last messages, the newest last."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: deque[Outgoing] = deque(maxlen=MOST)

    @property
    def kept(self) -> tuple[Outgoing, ...]:
        """Return what is remembered."""
        return tuple(self._kept)

    @property
    def last_told(self) -> Outgoing | None:
        """Return the footprint that left last."""
        told = (each for each in reversed(self._kept) if each.kind is Sort.FOOTPRINT)
        return next(told, None)

    def add(
        self,
        kind: Sort,
        message: tuple[str, bytes],
        reason: int,
        at: float,
        footprint: Footprint | None = None,
    ) -> None:
        """Remember a message."""
        outgoing = Outgoing(
            at=at, topic=message[0], payload=message[1].decode(), kind=kind, reason=reason
        )
        if footprint is not None:
            outgoing = replace(
                outgoing,
                start=footprint.start,
                duration=footprint.duration,
                revision=footprint.revision,
                boot=footprint.boot,
                seq=footprint.seq,
            )
        self._kept.append(outgoing)

    def acknowledge(self, ack: Ack, at: float) -> None:
        """Note what the hub has."""
        for place, each in enumerate(self._kept):
            if each.boot != ack.boot or each.seq is None or each.acknowledged_at is not None:
                continue
            if ack.covers(each.seq):
                self._kept[place] = replace(each, acknowledged_at=at)

    def refuse(self, nack: Nack) -> None:
        """Note what the hub does not take."""
        for place, each in enumerate(self._kept):
            if each.boot is not None and (each.boot, each.seq) == (nack.boot, nack.seq):
                self._kept[place] = replace(each, refused=nack.code.value)
