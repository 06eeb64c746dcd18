"""What comes in from homes, and what goes back to them."""

from dataclasses import dataclass


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
