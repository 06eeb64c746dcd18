"""How a membership stands, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .agreed import Agreed
from .outgoing import Outgoing


class MemberState(StrEnum):
    """What a household should know first."""

    STARTING = "starting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """There is no connection; it is tried again."""

    NOBODY_LISTENS = "nobody_listens"
    """The broker is there, the hub is not: everything is kept for it."""

    NOT_AUTHORIZED = "not_authorized"
    """The broker does not let this home in: ask the operator."""

    NOT_TRUSTED = "not_trusted"
    """Another broker answers than the community's own."""

    EXPIRED = "expired"
    """The certificate has ended: ask the operator for a new invitation."""

    CLOCK = "clock"
    """A clock is wrong: the home's, or that of the hub."""

    UPDATE_NEEDED = "update_needed"
    """The hub speaks another version of the contract."""

    REFUSED = "refused"
    """The hub does not take what it is told."""

    STORE = "store"
    """The disk does not keep what has to be kept."""

    WITHDRAWING = "withdrawing"
    """Nothing is told any more; the hub has not yet said that all is deleted."""

    WITHDRAWN = "withdrawn"
    """The hub has deleted all that was told."""

    UNCONFIRMED = "unconfirmed"
    """The home has left, and its certificate has ended before the hub said so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """A membership at one moment; times are in seconds since 1970 UTC."""

    state: MemberState
    since: float
    home: str
    """The id under which the home speaks now."""

    homes: tuple[str, ...]
    """All ids under which the hub has not deleted what was told."""

    agreed: Agreed
    connected_since: float | None = None
    error: str | None = None
    """What was heard last of what is wrong, for people who look into it."""

    waiting: int = 0
    """Footprints that have not gone out."""

    out: int = 0
    """That went out and are not acknowledged."""

    refused: int = 0
    """That the hub does not take."""

    dropped: int = 0
    """Given up beyond the bound."""

    size: int = 0
    """Bytes on the disk."""

    acknowledged_at: float | None = None
    certificate_ends: int | None = None
    next_slot: float | None = None
    """When the home speaks next."""

    refusals: Mapping[str, int]
    """How many refusals by code since the start."""

    last_refusal: tuple[str, str] | None = None
    """Code and detail."""

    last_told: Outgoing | None = None
    homes_deleted: int | None = None
    """Ids of which the hub says that it has deleted everything; None until it does."""
