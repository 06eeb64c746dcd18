"""The ids of a home in its community: past ones, the present one, perhaps the next one.

A pseudonym is changed every month. Each id tells the periods of its own time, has its own key, its
own outbox and its own secret; that they are one home is known at home alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
import hashlib
from itertools import pairwise
import secrets
from typing import Final

from ..contract.consent import MOST_EARLIER, proof_of
from ..contract.message import middle_of

_DAY: Final = 86400
_SHORTEST: Final = 15 * _DAY
"""Seconds that an id is spoken under at least."""

_EARLIEST: Final = 10 * _DAY
_LATEST: Final = 2 * _DAY
"""Seconds before the end of the month between which the next id is asked for."""

_RENEWED_AFTER: Final = (2, 5)
"""Part of a certificate's life after which a new one is asked for: more than any month, so that a
name that changes with it is not asked for twice, and early, for whoever is offline for long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """One id of the home."""

    home: str
    secret: str
    """64 hexadecimal digits, made at home: who knows them can have deleted what it told."""

    begins: int
    """The time that is told under it begins here, in seconds since 1970 UTC ..."""

    ends: int | None = None
    """... and ends here; None as long as no other id follows."""

    holds_from: int | None = None
    """When its certificate begins; None where the home's own broker needs none."""

    holds_until: int | None = None
    consented_at: int = 0
    """Milliseconds since 1970 UTC: the moment in the consent that this id told or will tell."""

    is_rotated: bool = False
    """Whether it follows another one."""

    is_known: bool = False
    """Whether the hub has shown that it has this consent."""

    is_gone: bool = False
    """Its key and its outbox were removed; only the secret is kept."""

    is_deleted: bool = False
    """The hub has said that it deleted what it told."""

    @property
    def proof(self) -> str:
        """Return what a consent tells of the secret."""
        return proof_of(self.secret)

    def has_begun_by(self, start: int, duration: int) -> bool:
        """Return whether a period lies within or after the time of this id.

        Between two ids its middle decides, as it does for the days of the community; a home that
        joins tells no period of which it was no member throughout.
        """
        return self.begins <= (middle_of(start, duration) if self.is_rotated else start)

    def has_ended(self, now: float) -> bool:
        """Return whether its certificate holds no more."""
        return self.holds_until is not None and now >= self.holds_until

    def is_due(self, now: float) -> bool:
        """Return whether a new certificate is to be asked for: two fifths of its life are over."""
        if self.holds_from is None or self.holds_until is None:
            return False
        part, whole = _RENEWED_AFTER
        return now >= self.holds_from + (self.holds_until - self.holds_from) * part / whole


def new_secret() -> str:
    """Return a secret for a new id."""
    return secrets.token_hex(32)


def present(identities: Sequence[Identity], now: float) -> Identity:
    """Return the id under which the home speaks now: the last one whose time has begun.

    One that came by an invitation speaks at once, though it tells nothing before its time: where
    there is one before it, that is let in no more.
    """
    begun = [each for each in identities if each.begins <= now or not each.is_rotated]
    return begun[-1] if begun else identities[0]


def telling(identities: Sequence[Identity], start: int, duration: int) -> Identity | None:
    """Return the id that tells a period; none for what was before the home was a member."""
    begun = [identity for identity in identities if identity.has_begun_by(start, duration)]
    return begun[-1] if begun else None


def followed(identities: Sequence[Identity], following: Identity) -> tuple[Identity, ...]:
    """Return the ids with another one that takes over when it begins."""
    *before, last = identities
    return (*before, replace(last, ends=following.begins), following)


def following_unheard(identities: Sequence[Identity], home: str) -> Identity | None:
    """Return the id that follows another one, if it may be that the hub does not take it yet."""
    for before, after in pairwise(identities):
        if before.home == home:
            is_waiting = after.is_rotated and not (after.is_known or after.is_gone)
            return after if is_waiting else None
    return None


def earlier(identities: Sequence[Identity], speaking: str) -> tuple[tuple[str, str], ...]:
    """Return the ids besides the speaking one with their secrets, as a withdrawal tells them.

    The latest that fit into a message; beyond five years of months the hub keeps the rest.
    """
    others = [
        (identity.home, identity.secret) for identity in identities if identity.home != speaking
    ]
    return tuple(others[-MOST_EARLIER:])


def asks_at(identity: Identity, now: float) -> float:
    """Return when an id asks for the one of the next month.

    Each at its own time, so that the hub is not asked by everybody at once, and not in the last
    two days of the month of UTC: what fails can be tried again, and no zone has changed months.
    """
    moment = datetime.fromtimestamp(now, UTC)
    while True:
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        moment = (first + timedelta(days=32)).replace(day=1)
        month_ends = int(moment.timestamp())
        if month_ends - identity.begins >= _SHORTEST:
            break
    digest = hashlib.sha256(f"{identity.secret}|{month_ends}".encode()).digest()
    return month_ends - _EARLIEST + int.from_bytes(digest[:8]) % (_EARLIEST - _LATEST)
