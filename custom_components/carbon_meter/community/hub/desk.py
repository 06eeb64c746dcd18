"""The desk of a hub: invites homes, has their certificates made, and sees them off again.

Every decision is one transaction and may be asked for again: an answer that was lost is given once
more. Where authority, broker or ledger cannot do their part now, nothing is kept and DeskError is
raised: the home gets no answer, asks again, and finds everything as before.
"""

from collections.abc import Generator, Iterable, Sized
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
import secrets
from threading import RLock
from typing import Final
from zoneinfo import ZoneInfo

from ..authority.authority import Authority
from ..authority.certificates import DAY
from ..authority.errors import AuthorityError
from ..authority.invitation import Invitation
from ..contract.certificates import CertificateAnswer, Declined, SigningRequest, Wanted
from ..contract.refusal import RefusedError
from ..ledger.calendar import Calendar
from ..ledger.database import LedgerError
from .certifying import LIFE, Certifying
from .control import Control, ControlError
from .members import Member, Members, Terms
from .pseudonyms import new_id
from .registry import STAYS, Home, Registry, RegistryError, State

PATIENCE: Final = 62 * DAY
"""Seconds in which a new pseudonym has to be heard of, or is forgotten."""

_AT_ONCE: Final = 100
"""Pseudonyms that come or go in one turn ..."""

_PARTS: Final = 24
"""... but not less than this part of all: some hours are enough for any number."""


class DeskError(Exception):
    """It cannot be done now; nothing of it is kept. The message says why."""


class Desk:
    """Who belongs to one community, and how they come and go.

    `control` gives rights at the broker, `ledger` counts the homes, `authority` signs; without
    one the community is on a broker of its operator's, where a home belongs to it as soon as it
    has consented. Every method waits for the disk; all raise DeskError. `now` is in seconds
    since 1970 UTC, days are those of the community's zone.
    """

    def __init__(  # noqa: PLR0913  # the parts that a desk brings together
        self,
        path: Path,
        *,
        community: str,
        zone: ZoneInfo,
        authority: Authority | None,
        control: Control,
        ledger: Members,
        terms: Terms,
    ) -> None:
        """Open the register or begin it; raises DeskError for one of another community."""
        self.community = community
        self.terms = terms
        self._calendar = Calendar(zone)
        self._authority = authority
        self._control = control
        self._ledger = ledger
        self._lock = RLock()
        self._is_reminded = False
        with _explained():
            self._registry = Registry(path, {"community": community, "zone": zone.key})
            self._certifying = Certifying(community, self._calendar, self._registry, control)
            self._doors = {home.id for home in self._registry.homes() if home.door}

    def close(self) -> None:
        """Let go of the register."""
        with self._lock, _explained():
            self._registry.close()

    # Coming

    def invite(
        self,
        now: float,
        *,
        feeder: str | None = None,
        groups: Iterable[str] = (),
        days: int = 14,
        since: date | None = None,
    ) -> Invitation:
        """Return an invitation for a new home, which can be used once within some days.

        The home will count from the local day `since`, else from that on which it enrols. The
        token is in the invitation alone: it cannot be shown again.
        """
        home = Home(
            id=new_id(),
            state=State.INVITED,
            since=since,
            feeder=feeder,
            groups=tuple(sorted(set(groups))),
        )
        with self._deciding():
            invitation = self._invite(home, now, days)
        self._doors.add(home.id)
        return invitation

    def reinvite(self, home: str, now: float, *, days: int = 14) -> Invitation:
        """Return a new invitation for a home that has lost its key or its invitation.

        It keeps its id and all it has told; the certificate that it has holds until the new one
        is made.
        """
        with self._deciding():
            known = self._known(home, State.INVITED, State.ENROLLED)
            invitation = self._invite(known, now, days)
        self._doors.add(home)
        return invitation

    def signing(self, request: SigningRequest, now: float) -> CertificateAnswer:
        """Decide on a request for a certificate; the same asked again gets the same answer."""
        try:
            with self._deciding():
                before = self._registry.changes
                answer = self._certifying.decide(request, now, self._authority)
                is_changed = self._registry.changes != before
        except RefusedError as err:
            return Declined(
                community=request.community, home=request.home, code=err.code, detail=err.detail
            )
        if request.wanted is Wanted.ROTATE and is_changed:
            with _explained():
                self._registry.leave_no_trace()
        return answer

    def heard(self, home: str, now: float) -> None:
        """Take note of a message that only a home with a certificate can have sent.

        Its token lets nobody in from here on, unless it is to get another certificate by it.
        """
        if home in self._doors and self._authority is not None:
            with self._deciding():
                known = self._registry.home(home)
                if known is not None and _is_done(known):
                    self._close(known, now)
            if known is None or _is_done(known):
                self._doors.discard(home)

    def consented(self, home: str, now: float) -> bool:
        """Count a home that has consented; return whether it belongs to the community.

        Only a home with a certificate can have sent it, and on a broker without certificates
        everybody on it: there the invitation must not have run out.
        """
        with self._deciding():
            known = self._registry.home(home)
            if known is None or known.state in {State.NEXT, State.WITHDRAWN, State.EXPELLED}:
                return False
            if known.state is State.INVITED:
                if self._authority is None and known.door <= now:
                    return False
                known = replace(known, state=State.ENROLLED, is_used=True)
                self._registry.put(known)
            if not known.is_member:
                day = known.since or self._today(now)
                self._ledger.assign(home, day, feeder=known.feeder, groups=known.groups)
                if known.leaves != STAYS and known.state is State.LEFT:
                    self._ledger.leave(home, known.leaves)
                known = replace(known, since=day, is_member=True)
                self._registry.put(known)
            if known.door and _is_done(known):
                self._close(known, now)
        return True

    # Going

    def withdrawn(self, home: str) -> None:
        """Take note that a home has withdrawn: to come back it needs another invitation.

        It is still let in, to hear that what it told is deleted, until `withdraw`. The broker is
        told, for a hub whose files come from a backup; now, or at the next connect.
        """
        with suppress(ControlError):
            self._control.withdrawn(home)
        with self._deciding():
            known = self._registry.home(home)
            if known is not None and known.state is not State.EXPELLED:
                self._registry.put(_ended(known, State.WITHDRAWN))

    def withdraw(self, home: str, now: float) -> None:
        """Let a home in no more that has withdrawn; the ledger has deleted it before."""
        self._end(home, State.WITHDRAWN, now)

    def expel(self, home: str, now: float) -> None:
        """Let a home in no more; what it has told stays, from today on it counts no more.

        If it has asked for another id, nobody knows which that is: all that begin with it are
        held back until their homes have asked for them again, which this one cannot.
        """
        self._end(home, State.EXPELLED, now)

    def revoked(self, homes: Iterable[str], now: float) -> None:
        """Expel the homes that the operator has put out at the broker, as far as they are there."""
        for home in homes:
            with self._lock, _explained():
                known = self._registry.home(home)
            if known is not None and known.state not in {State.WITHDRAWN, State.EXPELLED}:
                self.expel(home, now)

    def move(
        self, home: str, now: float, *, feeder: str | None = None, groups: Iterable[str] = ()
    ) -> None:
        """Count a home elsewhere from today on.

        If it is about to take another id, that one keeps the present place: nobody knows which
        it is.
        """
        with self._deciding():
            known = self._known(home, State.INVITED, State.ENROLLED)
            known = replace(known, feeder=feeder, groups=tuple(sorted(set(groups))))
            if known.is_member:
                self._ledger.assign(home, self._today(now), feeder=feeder, groups=known.groups)
                if known.leaves != STAYS:
                    self._ledger.leave(home, known.leaves)
            self._registry.put(known)

    # Care

    def turn(self, now: float) -> None:
        """Do what time brings; call it every quarter of an hour.

        On the last day of a month all pseudonyms change, in the order of their ids: neither order
        nor time tells which follows which. Invitations and certificates that have
        ended are cleared away.
        """
        with self._lock:
            changed = self._change_pseudonyms(now)
            with self._deciding():
                self._clear(now)
                if not self._is_reminded:
                    self._remind(now)
            self._is_reminded = True
            if changed:
                with _explained():
                    self._registry.leave_no_trace(rebuild=True)

    def resync(self) -> None:
        """Tell a broker that has forgotten them all homes again.

        Open invitations are lost, as their tokens are kept nowhere: `reinvite` makes new ones.
        """
        with self._deciding():
            for home in self._registry.homes():
                if home.state in {State.ENROLLED, State.LEFT}:
                    self._control.enrolled(home.id)
                if home.state is State.EXPELLED:
                    self._control.revoked(home.id)
                if home.door:
                    self._registry.put(replace(home, door=0))
        self._doors.clear()

    def homes(self) -> tuple[Member, ...]:
        """Return all homes for the operator, in the order of their ids."""
        with self._deciding():
            ends = self._registry.ends()
            return tuple(
                Member(
                    id=home.id,
                    state=home.state,
                    since=home.since,
                    feeder=home.feeder,
                    groups=home.groups,
                    invited_until=None if home.is_used else home.door or None,
                    ends=ends.get(home.id),
                )
                for home in self._registry.homes()
                # Before its month a pseudonym would be seen to come when another one goes.
                if home.state is not State.NEXT
            )

    def crl_pem(self, now: float) -> str:
        """Return the list of revoked certificates for the broker, empty without authority."""
        with self._deciding():
            return "" if self._authority is None else self._authority.crl_pem(now=now)

    # Decisions

    def _invite(self, home: Home, now: float, days: int) -> Invitation:
        """Open the broker's door to a home."""
        token = secrets.token_hex(16)
        expires = int(now) + days * DAY
        invitation = Invitation(
            community=self.community,
            name=self.terms.name,
            home=home.id,
            token=token,
            broker=self.terms.broker,
            authorities="" if self._authority is None else self._authority.bundle,
            level=self.terms.level,
            duration=self.terms.duration,
            flows=self.terms.flows,
            expires=expires,
        )
        self._registry.put(replace(home, door=expires, is_used=False))
        self._control.invited(home.id, token)
        return invitation

    def _end(self, name: str, state: State, now: float) -> None:
        """Let a home in no more; where it was is forgotten."""
        with self._deciding():
            home = self._registry.home(name)
            if home is None:
                return
            if self._authority is not None:
                self._authority.revoke(name, now=now)
            if state is State.EXPELLED:
                self._control.revoked(name)
            else:
                self._control.gone(name)
            if state is State.EXPELLED and home.is_member:
                self._ledger.leave(name, min(self._today(now), home.leaves))
            self._registry.put(_ended(home, state))
            self._registry.trust(name)
            if state is State.EXPELLED and home.leaves != STAYS:
                self._hold_back(home.leaves)
            if self._registry.certificate(name) is None:
                self._registry.drop(name)
        self._doors.discard(name)

    def _hold_back(self, day: date) -> None:
        """Hold back the ids that begin on a day until their homes have asked for them again.

        Those under which somebody has consented are in use: there it is too late.
        """
        for follower in self._registry.following(day, self._calendar.begin(day)):
            if follower.state is State.ENROLLED:
                self._control.gone(follower.id)
            self._registry.put(replace(follower, state=State.NEXT))
            self._registry.doubt(follower.id)
        for home in self._registry.leaving(day):
            self._registry.doubt(home)

    def _close(self, home: Home, now: float) -> None:
        """Let nobody in by the token of a home any more."""
        self._control.settled(home.id)
        self._registry.put(replace(home, door=0, is_used=True, closed=int(now)))

    def _change_pseudonyms(self, now: float) -> bool:
        """Put new ids in the place of old ones; return whether there are any.

        Of many a part at a time, by the order of their ids: the broker writes its whole file anew
        for each.
        """
        with self._deciding():
            due = self._registry.due(self._today(now + DAY))
            coming = [home for home in due if home.state is State.NEXT]
            going = [home for home in due if home.state is State.ENROLLED]
            for home in coming[: _share(coming)]:
                self._control.enrolled(home.id)
                self._registry.put(replace(home, state=State.ENROLLED))
            for home in going[: _share(going)]:
                if home.is_member:
                    self._ledger.leave(home.id, home.leaves)
                self._registry.put(replace(home, state=State.LEFT))
        return bool(due)

    def _clear(self, now: float) -> None:
        """Forget what has ended."""
        for home in self._registry.with_open_doors(now):
            self._close(home, now)
            self._doors.discard(home.id)
            if home.state is State.INVITED:
                self._registry.drop(home.id)
        for name in self._registry.over(
            now,
            silent_since=now - PATIENCE,
            left_before=self._today(now - LIFE * DAY),
        ):
            self._control.gone(name)
            self._registry.drop(name)

    def _remind(self, now: float) -> None:
        """Tell the broker again what it may not have heard when this hub was last stopped."""
        for home in self._registry.homes():
            if home.state is State.ENROLLED and not home.is_member:
                self._control.enrolled(home.id)
            if home.closed > now - DAY:
                self._control.settled(home.id)
            if home.state is State.WITHDRAWN:
                self._control.gone(home.id)
            if home.state is State.EXPELLED:
                self._control.revoked(home.id)

    def _today(self, now: float) -> date:
        return self._calendar.date_of(int(now))

    def _known(self, name: str, *states: State) -> Home:
        """Return a home in one of these states; raises DeskError."""
        home = self._registry.home(name)
        if home is None or home.state not in states:
            raise DeskError(f"{name} is no member of {self.community}")
        return home

    @contextmanager
    def _deciding(self) -> Generator[None]:
        """Make one decision of a block, kept as a whole or not at all."""
        with self._lock, _explained(), self._registry.changing():
            yield


def _share(homes: Sized) -> int:
    """Return how many of those that are due are changed at once."""
    return max(_AT_ONCE, len(homes) // _PARTS)


def _is_done(home: Home) -> bool:
    """Return whether nothing is to come of an invitation that is open."""
    return home.is_used or home.state is not State.ENROLLED


def _ended(home: Home, state: State) -> Home:
    """Return what is kept of a home that is a member no more: not where it was."""
    return Home(id=home.id, state=state, since=home.since, door=home.door, is_used=True)


@contextmanager
def _explained() -> Generator[None]:
    """Turn what the parts of a desk complain about into a DeskError."""
    try:
        yield
    except (RegistryError, AuthorityError, LedgerError, ControlError, OSError) as err:
        raise DeskError(str(err)) from err
