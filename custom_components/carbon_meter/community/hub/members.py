"""What a desk asks of whoever counts the homes, and what it tells about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ..authority.broker import Broker
from ..contract.message import Flow, Level
from .registry import State


class Members(Protocol):
    """Who counts where: `ledger.Ledger` does it."""

    def assign(
        self, home: str, day: date, *, feeder: str | None = None, groups: Iterable[str] = ()
    ) -> None:
        """Count a home from a local day on, behind a feeder and in groups."""

    def leave(self, home: str, day: date) -> None:
        """Count it no more from a local day on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a community's invitations say."""

    name: str
    """What people call the community."""

    broker: Broker | None
    """None for the broker that Home Assistant has already."""

    level: Level
    duration: int
    """Seconds."""

    flows: tuple[Flow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A home as the operator sees it; two ids of one home are not to be told from two homes."""

    id: str
    state: State
    since: date | None
    """The local day from which it counts."""

    feeder: str | None
    groups: tuple[str, ...]
    invited_until: int | None
    """Seconds since 1970 UTC; None if no invitation is open."""

    ends: int | None
    """Until when its certificate holds, in seconds since 1970 UTC; None without one."""
