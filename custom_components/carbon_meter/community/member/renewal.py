"""A home keeps its certificate alive, and takes its next id before a month is over."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..authority.credentials import Credentials
from ..contract.certificates import CertificateAnswer, Declined, Issued, Wanted
from ..contract.message import Level
from . import asking
from .holdings import Holdings
from .identities import (
    Identity,
    asks_at,
    followed,
    following_unheard,
    new_secret,
    present,
)
from .outgoing import Log, Sort
from .state import State
from .transport import FAILED, Transport

_AGAIN: Final = 6 * 3600
"""Seconds after which the same is asked again where no answer came."""

_REST: Final = 86400
"""Seconds after which a hub that has answered is asked anew."""


class Renewal:
    """The certificates of one id. Everything raises MemberError when the disk fails."""

    def __init__(
        self, home: str, holdings: Holdings, log: Log, changed: Callable[[], None]
    ) -> None:
        """Take whose certificates, and whom to tell that a message leaves."""
        self._home = home
        self._holdings = holdings
        self._log = log
        self._changed = changed
        self._asked_at: dict[Wanted, float] = {}
        self._rests_until = 0.0
        self.declined: str | None = None
        """What the hub said against it."""

    def connected(self) -> None:
        """Ask again on a new connection: the question or its answer may be lost."""
        self._asked_at.clear()

    async def ask(self, transport: Transport) -> None:
        """Ask for what is due; raises TransportError."""
        now = self._holdings.now()
        wanted = self._wanted(now)
        if wanted is None or self._is_resting(now):
            return
        if abs(now - self._asked_at.get(wanted, -_AGAIN)) < _AGAIN:
            return
        self._asked_at[wanted] = now
        state = self._holdings.state
        following = self._unheard()
        if wanted is Wanted.ROTATE and following is not None:
            own = Credentials(self._holdings.folder / following.home)
            signing = await self._holdings.call(asking.again, own, state.community, self._home, now)
        else:
            signing = await self._holdings.call(
                asking.request, self._folder, state.community, self._home, wanted, now
            )
        message = asking.message(signing)
        number = self._log.add(Sort.CERTIFICATE, message, now)
        self._changed()
        reason = await transport.publish(*message)
        self._log.answer(number, reason)
        if reason >= FAILED:
            self._rest(now)

    async def heard(self, answer: CertificateAnswer) -> bool:
        """Take an answer; return whether to connect anew, with the new certificate."""
        if isinstance(answer, Declined):
            await self._refused(answer)
            return False
        if (following := self._unheard()) is not None and following.home == answer.subject:
            self.declined = None
            self._rest(self._holdings.now())
            await self._holdings.call(asking.drop, self._folder, Wanted.ROTATE)
            return False
        for wanted in (Wanted.RENEW, Wanted.ROTATE):
            now = self._holdings.now()
            if await self._holdings.call(asking.is_ours, self._folder, wanted, answer, now):
                self.declined = None
                # Wherever the clock is, not more than one certificate a day.
                self._rest(now)
                if wanted is Wanted.RENEW:
                    await self._renewed(answer)
                    return True
                await self._rotated(answer)
        return False

    def _wanted(self, now: float) -> Wanted | None:
        """Return what is due."""
        identity = self._holdings.identity(self._home)
        if identity is None or identity.holds_until is None:
            return None
        identities = self._holdings.state.identities
        if identity == present(identities, now) and identity.is_due(now):
            return Wanted.RENEW
        if self._unheard() is not None:
            return Wanted.ROTATE
        if identity != present(identities, now):
            return None
        is_changing = (
            self._holdings.is_member
            and self._holdings.state.agreed.level is Level.PSEUDONYM
            and identity == identities[-1]
            and identity.is_known
        )
        return Wanted.ROTATE if is_changing and now >= asks_at(identity, now) else None

    def _unheard(self) -> Identity | None:
        """Return the id that follows this one, until the hub has shown that it takes it.

        Once a day it is asked for again: the hub may hold it back until then.
        """
        if not self._holdings.is_member:
            return None
        return following_unheard(self._holdings.state.identities, self._home)

    async def _refused(self, answer: Declined) -> None:
        """Ask anew, with another key, when a day is over."""
        self.declined = f"{answer.code}: {answer.detail}"
        for wanted in (Wanted.RENEW, Wanted.ROTATE):
            await self._holdings.call(asking.drop, self._folder, wanted)
        self._rest(self._holdings.now())

    async def _renewed(self, issued: Issued) -> None:
        """Keep a new certificate of this id."""

        def change(state: State) -> State:
            identity = state.identity(self._home)
            if identity is None:
                return state
            changed = replace(identity, holds_from=issued.begins, holds_until=issued.ends)
            return state.with_identity(changed)

        await self._holdings.call(
            asking.keep, self._folder, Wanted.RENEW, issued, Credentials(self._folder)
        )
        await self._holdings.update(change)
        await self._holdings.call(asking.drop, self._folder, Wanted.RENEW)

    async def _rotated(self, issued: Issued) -> None:
        """Keep the next id: first its key, then that it follows, then that nothing is asked."""

        def change(state: State) -> State:
            if state.identity(issued.subject) is not None:
                return state
            following = Identity(
                home=issued.subject,
                secret=new_secret(),
                begins=issued.begins,
                holds_from=issued.begins,
                holds_until=issued.ends,
                # The same for everybody: it must not tell which id came before.
                consented_at=issued.begins * 1000,
                is_rotated=True,
            )
            return replace(state, identities=followed(state.identities, following))

        folder = self._holdings.folder / issued.subject
        await self._holdings.call(
            asking.keep, self._folder, Wanted.ROTATE, issued, Credentials(folder)
        )
        await self._holdings.update(change)
        await self._holdings.call(asking.drop, self._folder, Wanted.ROTATE)

    def _rest(self, now: float) -> None:
        """Ask for nothing for a day."""
        self._rests_until = now + _REST

    def _is_resting(self, now: float) -> bool:
        """Return whether nothing is to be asked; a clock that was set back ends it."""
        return self._rests_until - _REST <= now < self._rests_until

    @property
    def _folder(self) -> Path:
        return self._holdings.folder / self._home
