"""What has left the home, word for word, and what came back about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..contract.answers import Ack, Nack
from ..contract.message import Footprint
from ..contract.refusal import Code

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
    """A message that has left: from the moment on at which it is handed to the connection."""

    at: float
    """Seconds since 1970 UTC, by the home's clock."""

    topic: str
    payload: str
    """JSON, as it left."""

    kind: Sort
    reason: int | None
    """The broker's reason code: 0 taken, 16 nobody listens, from 128 on refused.

    None as long as it has not answered: where the connection ends before, nobody knows whether
    the message has arrived.
    """

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
    """The last messages, the newest last: each stands here before its first byte leaves."""

    def __init__(self, kept: Iterable[Outgoing] = ()) -> None:
        """Begin with what is known to have left before."""
        self._kept: dict[int, Outgoing] = {}
        self._count = 0
        for outgoing in kept:
            self._keep(outgoing)

    @property
    def kept(self) -> tuple[Outgoing, ...]:
        """Return what is remembered."""
        return tuple(self._kept.values())

    @property
    def last_told(self) -> Outgoing | None:
        """Return the footprint that left last."""
        told = (each for each in reversed(self._kept.values()) if each.kind is Sort.FOOTPRINT)
        return next(told, None)

    @property
    def acknowledged_at(self) -> float | None:
        """Return when the hub has said last that it has something."""
        times = [each.acknowledged_at for each in self.kept if each.acknowledged_at is not None]
        return max(times, default=None)

    def add(
        self,
        kind: Sort,
        message: tuple[str, bytes],
        at: float,
        footprint: Footprint | None = None,
    ) -> int:
        """Remember a message that is about to leave; return its number, for `answer`."""
        outgoing = Outgoing(
            at=at, topic=message[0], payload=message[1].decode(), kind=kind, reason=None
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
        return self._keep(outgoing)

    def answer(self, number: int, reason: int) -> None:
        """Note what the broker has answered to a message, if that is still remembered."""
        if number in self._kept:
            self._kept[number] = replace(self._kept[number], reason=reason)

    def acknowledge(self, ack: Ack, at: float) -> None:
        """Note what the hub has."""
        for number, each in self._kept.items():
            if each.boot != ack.boot or each.seq is None or each.acknowledged_at is not None:
                continue
            if ack.covers(each.seq):
                self._kept[number] = replace(each, acknowledged_at=at)

    def refuse_last(self, kind: Sort, code: Code) -> None:
        """Note that the hub does not take the last message of a kind."""
        for number, each in reversed(self._kept.items()):
            if each.kind is kind:
                self._kept[number] = replace(each, refused=code.value)
                return

    def refuse(self, nack: Nack) -> None:
        """Note what the hub does not take."""
        for number, each in self._kept.items():
            if each.boot is not None and (each.boot, each.seq) == (nack.boot, nack.seq):
                self._kept[number] = replace(each, refused=nack.code.value)

    def _keep(self, outgoing: Outgoing) -> int:
        """Keep a message as the newest, the oldest give way; return its number."""
        self._count += 1
        self._kept[self._count] = outgoing
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return self._count
