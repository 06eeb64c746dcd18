"""A way to the hub: MQTT over mutual TLS, or whatever else carries topics and payloads."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self

TAKEN: Final = 0
"""The broker has the message (reason codes are those of MQTT 5)."""

NOBODY_LISTENS: Final = 0x10
"""The broker took the message, and had nobody to give it to."""

FAILED: Final = 0x80
"""From here on the broker did not take the message."""

NOT_AUTHORIZED: Final = 0x87


class Trouble(StrEnum):
    """Why there is no connection."""

    UNREACHABLE = "unreachable"
    LOST = "lost"
    NOT_AUTHORIZED = "not_authorized"
    """The broker knows this home no more, or never did."""

    NOT_TRUSTED = "not_trusted"
    """It is not the community's broker, as its certificate shows."""

    NOT_YET = "not_yet"
    """A certificate holds only from later on: one of the clocks is wrong."""


class TransportError(Exception):
    """There is no connection, or no more; `trouble` says of which kind."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        """Keep the kind, and what was heard, for people."""
        super().__init__(text)
        self.trouble = trouble


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A message that came."""

    topic: str
    payload: bytes
    retained: bool = False


class Transport(Protocol):
    """One connection: entered once, used by one task for each method, left in any case.

    Everything raises TransportError when there is no connection.
    """

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect; raises nothing."""

    async def subscribe(self, topic: str) -> None:
        """Ask for the messages of a filter."""

    async def publish(self, topic: str, payload: bytes) -> int:
        """Give a message to the broker at QoS 1, not retained; return its reason code."""

    def messages(self) -> AsyncIterator[Received]:
        """Yield what comes until the connection ends."""


type TransportFactory = Callable[[str], Transport]
"""Returns a way to the hub for a home of that id."""
