"""What one connection has met, as it changes; `MemberLink` makes a Status of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ..contract.answers import Nack
from ..contract.refusal import Code
from .status import MemberState
from .transport import TransportError, Trouble

_BY_TROUBLE: Final = {
    Trouble.NOT_AUTHORIZED: MemberState.NOT_AUTHORIZED,
    Trouble.NOT_TRUSTED: MemberState.NOT_TRUSTED,
    Trouble.NOT_YET: MemberState.CLOCK,
}

_BY_CODE: Final = {
    Code.VERSION: MemberState.UPDATE_NEEDED,
    Code.FUTURE: MemberState.CLOCK,
    Code.OLD: MemberState.CLOCK,
    Code.FINAL: MemberState.CLOCK,
}


@dataclass
class Report:
    """How it stands between one id and the hub."""

    state: MemberState = MemberState.STARTING
    """Of the connection."""

    refusal: MemberState | None = None
    """What the hub does not like, until it takes something again."""

    is_heard: bool = True
    """Whether anybody listens behind the broker."""

    error: str | None = None
    connected_since: float | None = None
    acknowledged_at: float | None = None
    next_slot: float | None = None
    refusals: Counter[str] = field(default_factory=Counter)
    last_refusal: tuple[str, str] | None = None
    declined: str | None = None
    """What the hub said against a withdrawal, until it says that all is deleted."""

    @property
    def shown(self) -> MemberState:
        """Return what people should know first."""
        if self.state is not MemberState.CONNECTED:
            return self.state
        if not self.is_heard:
            return MemberState.NOBODY_LISTENS
        return self.refusal or self.state

    def connected(self, now: float) -> None:
        """Note a connection."""
        self.state = MemberState.CONNECTED
        self.connected_since = now
        self.is_heard = True
        self.error = None

    def failed(self, err: TransportError) -> None:
        """Note why there is none."""
        self.state = _BY_TROUBLE.get(err.trouble, MemberState.WAITING)
        self.connected_since = None
        self.error = str(err)

    def stopped(self, state: MemberState, error: str) -> None:
        """Note that something at home stands in the way."""
        self.state = state
        self.connected_since = None
        self.error = error

    def acknowledged(self, now: float) -> None:
        """Note that the hub has taken something."""
        self.acknowledged_at = now
        self.is_heard = True
        self.refusal = None

    def refused(self, nack: Nack) -> None:
        """Note what the hub does not take."""
        self.refusals[nack.code.value] += 1
        self.last_refusal = (nack.code.value, nack.detail)
        self.refusal = _BY_CODE.get(nack.code, MemberState.REFUSED)
