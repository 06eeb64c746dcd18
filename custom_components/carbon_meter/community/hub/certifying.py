"""Certificates for homes: who gets one, for which key, and under which name.

Everything here happens within one decision of the desk: what it raises takes all of it back.
"""

from dataclasses import dataclass, replace
from typing import Final

from ..authority.authority import Authority
from ..authority.certificates import day_of
from ..authority.keys import begins as begins_of, ends as ends_of, fingerprint, key_asked_for
from ..contract.certificates import Issued, SigningRequest, Wanted
from ..contract.refusal import Code, RefusedError
from ..ledger.calendar import Calendar
from .control import Control
from .pseudonyms import change_after, new_id
from .registry import STAYS, Certificate, Home, Registry, State

LIFE: Final = 90
"""Days that a certificate holds; a home renews it after two fifths of them."""

MOST_RENEWALS: Final = 3
"""New keys of one home on a day of UTC."""

WARY: Final = 600
"""Seconds after the end of a token in which no other certificate is made: whoever has the token
could have asked for it, and what it has sent may still be on its way."""


class Certifying:
    """Makes the certificates of one community's homes, as the register has them."""

    def __init__(
        self, community: str, calendar: Calendar, registry: Registry, control: Control
    ) -> None:
        """Keep what decisions are made by."""
        self._community = community
        self._calendar = calendar
        self._registry = registry
        self._control = control

    def decide(self, request: SigningRequest, now: float, authority: Authority | None) -> Issued:
        """Return the certificate that is asked for.

        Raises RefusedError, with the code `certificate`, where there is none.
        """
        if authority is None or request.community != self._community:
            raise _declined("no certificates are made here")
        asked = _Asked(request.csr, fingerprint(key_asked_for(request.csr)), now)
        home = self._registry.home(request.home)
        if home is None or home.state not in {State.INVITED, State.ENROLLED, State.LEFT}:
            raise _declined("no member of this community")
        match request.wanted:
            case Wanted.ENROL:
                return self._enrol(home, asked, authority)
            case Wanted.RENEW:
                return self._renew(home, asked, authority)
            case Wanted.ROTATE:
                return self._rotate(home, asked, authority)

    def _enrol(self, home: Home, asked: _Asked, authority: Authority) -> Issued:
        """Make the certificate of an invited home; an invitation is good for one key."""
        known = home
        if (held := self._held(home, asked)) is None or held.ends <= asked.now:
            if home.is_used:
                raise _declined("the invitation has been used")
            if home.door <= asked.now:
                raise _declined("the invitation has run out")
            if home.state is State.ENROLLED:
                authority.revoke(home.id, now=asked.now)
            held = _signed(authority, asked, home.id)
            since = home.since or self._calendar.date_of(int(asked.now))
            home = replace(home, state=State.ENROLLED, since=since)
            self._registry.certify(held)
        if (used := replace(home, is_used=True)) != known:
            self._registry.put(used)
        # Also the second time: the command may have been lost with the answer.
        self._control.enrolled(home.id)
        return self._issued(home, held, authority)

    def _renew(self, home: Home, asked: _Asked, authority: Authority) -> Issued:
        """Make a certificate of a new key for a home that has one."""
        if home.state is not State.ENROLLED:
            raise _declined("no member of this community")
        _check_sender(home, asked.now)
        if (held := self._held(home, asked)) is None or held.ends <= asked.now:
            today = day_of(asked.now)
            count = home.asked + 1 if home.asked_on == today else 1
            if count > MOST_RENEWALS:
                raise _declined(f"more than {MOST_RENEWALS} certificates on one day")
            held = _signed(authority, asked, home.id)
            self._registry.put(replace(home, asked_on=today, asked=count))
            self._registry.certify(held)
        return self._issued(home, held, authority)

    def _rotate(self, home: Home, asked: _Asked, authority: Authority) -> Issued:
        """Make the certificate of another id for the time after this month.

        Which id follows which is written nowhere: who asks again is known by the key alone. An
        id that is held back is so no longer then, once for each home.
        """
        held = self._registry.certificate_of_key(asked.key)
        if held is not None:
            follower = self._registry.home(held.home)
            if held.home == home.id or follower is None or follower.since != home.leaves:
                raise _declined("another key is wanted for another id")
            if self._registry.is_doubted(follower.id):
                if not self._registry.is_doubted(home.id):
                    raise _declined("this home has asked for another id again")
                self._registry.trust(home.id, follower.id)
            return self._issued(home, held, authority)
        if home.state is not State.ENROLLED or home.leaves != STAYS:
            raise _declined("another id has been given already")
        _check_sender(home, asked.now)
        day = change_after(self._calendar, asked.now)
        held = _signed(authority, asked, new_id(), begins=self._calendar.begin(day))
        self._registry.put(
            Home(
                id=held.home,
                state=State.NEXT,
                since=day,
                feeder=home.feeder,
                groups=home.groups,
                is_used=True,
            )
        )
        self._registry.certify(held)
        self._registry.put(replace(home, leaves=day))
        return self._issued(home, held, authority)

    def _held(self, home: Home, asked: _Asked) -> Certificate | None:
        """Return the certificate of a home if it is of the key asked for.

        Raises RefusedError for the key of another home.
        """
        held = self._registry.certificate_of_key(asked.key)
        if held is not None and held.home != home.id:
            raise _declined("the key of another home")
        return held

    def _issued(self, home: Home, held: Certificate, authority: Authority) -> Issued:
        """Return the answer to a home."""
        return Issued(
            community=self._community,
            home=home.id,
            subject=held.home,
            certificate=held.pem,
            authorities=authority.bundle,
            begins=held.begins,
            ends=held.ends,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is sound: the key is its sender's."""

    csr: str
    key: str
    now: float


def _signed(
    authority: Authority, asked: _Asked, subject: str, begins: int | None = None
) -> Certificate:
    """Return the certificate of the key asked for."""
    pem = authority.sign_client(asked.csr, subject, now=asked.now, days=LIFE, begins=begins)
    return Certificate(
        home=subject, key=asked.key, pem=pem, begins=begins_of(pem), ends=ends_of(pem)
    )


def _check_sender(home: Home, now: float) -> None:
    """Raise RefusedError while somebody with the token could have asked in the home's name."""
    if home.door > now or 0 <= now - home.closed < WARY:
        raise _declined("not while the invitation is open, and not soon after")


def _declined(detail: str) -> RefusedError:
    return RefusedError(Code.CERTIFICATE, "CM-41", detail)
