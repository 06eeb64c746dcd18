"""What comes in from homes, and what goes back to them."""

from dataclasses import dataclass
from typing import Final

PASSING: Final = 3600
"""Seconds for which an ack or a nack is worth reading: then the home says again what it answers."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message of a home, as it came."""

    topic: str
    payload: bytes
    retained: bool = False
    """Kept by the broker from some time before: such a message is nobody's word of today."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message for a home, to be sent with QoS 1 and not retained."""

    topic: str
    payload: bytes
    expires: int | None = None
    """Seconds after which the broker may forget it; a home that reads nothing piles up no more."""
