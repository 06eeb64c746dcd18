"""What one id says to the hub, and what it does with what the hub says."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
import logging
import time
from typing import Final

from ..contract.answers import Ack, Nack, Request, read_answer
from ..contract.certificates import read_certificate
from ..contract.consent import (
    Agreement,
    Consent,
    Deleted,
    Withdrawal,
    read_deleted,
    write_agreement,
)
from ..contract.message import Footprint
from ..contract.reading import AHEAD
from ..contract.refusal import Code, RefusedError
from ..contract.topics import Channel, parse
from ..contract.writing import write
from .box import Box, revision_of
from .holdings import Holdings
from .identities import Identity, earlier, present, telling
from .outgoing import Log, Sort
from .renewal import Renewal
from .report import Report
from .schedule import HOUR, Pace, next_slot
from .state import State
from .telling import Telling
from .transport import (
    FAILED,
    NOBODY_LISTENS,
    NOT_AUTHORIZED,
    Received,
    Transport,
    TransportError,
    Trouble,
)

_LOGGER = logging.getLogger(__name__)

_TOGETHER: Final = 20
"""Footprints that are taken out of the outbox together."""

_LOOK: Final = 30.0
"""Seconds between looks at the clock, which may be set meanwhile."""

_SHORTEST: Final = 1.0
"""Seconds between two looks, unless something is to be done."""

_CONSENT_AGAIN: Final = 3600.0
"""Seconds between consents that are told again to a hub that says it has none."""

_REFUSED_AGAIN: Final = 86400.0
"""Seconds for which a hub is left alone that has refused the consent itself."""

_OVERTAKEN: Final = "CM-47"
"""What is said to a consent that a later one of the same home keeps from holding."""

_MOST_STEPS: Final = 22
"""Doublings of an hour, after which what is said is of centuries ahead."""

_WITHDRAWAL_AGAIN: Final = 60.0
"""Seconds until a withdrawal that nobody has answered is told again; then doubled up to an hour."""


class Conversation:
    """Speaks when it is this id's turn, and answers; `speak` and `listen` run side by side."""

    def __init__(  # noqa: PLR0913, PLR0917  # who speaks, about what, and who wants to know
        self,
        home: str,
        holdings: Holdings,
        telling: Telling,
        log: Log,
        report: Report,
        pace: Pace,
        changed: Callable[[], None],
    ) -> None:
        """Take whose conversation it is, and what it is about."""
        self._home = home
        self._holdings = holdings
        self._telling = telling
        self._log = log
        self._report = report
        self._pace = pace
        self._changed = changed
        self._renewal = Renewal(home, holdings, log, changed)
        self._woken = asyncio.Event()
        self._told: Agreement | None = None
        """The agreement that the broker has of us on this connection."""

        self._tried: Agreement | None = None
        self._first_after: tuple[str, int] | None = None
        """The first footprint after the consent: who acknowledges it has read the consent."""

        self._is_asked = False
        self._is_renewed = False
        self._consent_asked_at: float | None = None
        self._renewed_at: float | None = None
        self._refused_at: float | None = None
        """When the hub refused the consent of this connection, by the monotonic clock."""

        self._withdrawal_due = 0.0
        self._patience = _WITHDRAWAL_AGAIN
        self._overtaken = 0
        """How often the hub has said that a later consent holds against what we agree to."""

    def wake(self) -> None:
        """Have it look at once whether something is to be done."""
        self._woken.set()

    # Speaking

    async def speak(self, transport: Transport) -> None:
        """Say what is to be said, until a new certificate asks for a new connection.

        Raises TransportError when a message is not taken, OutboxError or MemberError when the
        disk fails.
        """
        self._told = self._first_after = self._tried = None
        self._is_renewed = False
        self._refused_at = None
        self._patience = _WITHDRAWAL_AGAIN
        self._renewal.connected()
        slot = self._next_slot()
        while not self._is_renewed:
            self._woken.clear()
            now = self._holdings.now()
            if slot - now > 2 * HOUR:
                slot = self._next_slot()  # the clock was set back
            is_turn = now >= slot
            await self._agree(transport, is_turn=is_turn)
            await self._renewal.ask(transport)
            if is_turn or self._is_asked:
                self._is_asked = False
                if isinstance(self._told, Consent) and self._refused_at is None:
                    await self._drain(transport)
                slot = self._next_slot()
            self._report.next_slot = slot
            self._changed()
            await self._pause(max(slot - self._holdings.now(), _SHORTEST))

    def _agreement(self) -> Agreement:
        """Return what the hub has to know before anything else: consent, or the end of it."""
        state = self._holdings.state
        identity = self._identity()
        if state.withdrawn_at is not None:
            is_speaker = present(state.identities, self._holdings.now()).home == self._home
            return Withdrawal(
                community=state.community,
                home=self._home,
                # The first consent of a later id is of when that began, wherever the clock is now.
                at=max(state.withdrawn_at, identity.consented_at + 1),
                also=earlier(state.identities, self._home) if is_speaker else (),
            )
        return Consent(
            community=state.community,
            home=self._home,
            at=identity.consented_at,
            text=state.agreed.text,
            level=state.agreed.level,
            duration=state.agreed.duration,
            flows=state.agreed.flows,
            proof=identity.proof,
        )

    async def _agree(self, transport: Transport, *, is_turn: bool) -> None:
        """Tell consent or withdrawal, unless the hub has shown that it has the consent.

        A new one at once; one that nobody has heard again when it is our turn, and a withdrawal
        after a minute, then ever later.
        """
        agreement = self._agreement()
        is_consent = isinstance(agreement, Consent)
        if self._refused_at is not None and (
            agreement != self._told or time.monotonic() - self._refused_at >= _REFUSED_AGAIN
        ):
            self._refused_at = self._told = self._tried = None
        if is_consent and (agreement == self._told or self._identity().is_known):
            self._told = agreement
            return
        if is_consent and agreement == self._tried and not is_turn:
            return
        if isinstance(self._tried, Withdrawal) and not self._is_withdrawal_due():
            return
        self._tried, self._told = agreement, None
        sort = Sort.CONSENT if is_consent else Sort.WITHDRAWAL
        reason = await self._publish(transport, write_agreement(agreement), sort)
        if not is_consent:
            self._withdrawal_due = self._holdings.now() + self._patience
            self._patience = min(2 * self._patience, HOUR)
        if reason != NOBODY_LISTENS:
            self._told, self._first_after = agreement, None

    def _is_withdrawal_due(self) -> bool:
        """Return whether to withdraw again; a clock that was set back does not hold it up."""
        return not 0 < self._withdrawal_due - self._holdings.now() <= HOUR

    async def _drain(self, transport: Transport) -> None:
        """Send what is to be sent, the earliest first, not faster than agreed."""
        box = await self._holdings.box(self._home)
        while True:
            now = self._holdings.now()
            pending: Sequence[Footprint] = await self._holdings.call(
                box.outbox.pending, _TOGETHER, now
            )
            # A clock that was set back: they wait until it has come there again.
            batch = [footprint for footprint in pending if footprint.start <= now + AHEAD]
            if not batch or not await self._send(transport, box, batch):
                return

    async def _send(self, transport: Transport, box: Box, batch: Sequence[Footprint]) -> bool:
        """Send footprints; return whether to go on."""
        sent: list[Footprint] = []
        under_way: list[Footprint] = []
        try:
            for footprint in batch:
                began = time.monotonic()
                if self._agreement() != self._told or self._refused_at is not None:
                    return False
                if not self._holdings.may_leave(footprint):
                    # It was put before less was agreed to.
                    return await self._telling.fit() > 0
                under_way = [footprint]
                reason = await self._publish(transport, write(footprint), Sort.FOOTPRINT, footprint)
                under_way = []
                sent.append(footprint)
                if reason == NOBODY_LISTENS:
                    return False
                if self._first_after is None:
                    self._first_after = (footprint.boot, footprint.seq)
                await asyncio.sleep(max(0.0, 1 / self._pace.rate - (time.monotonic() - began)))
        finally:
            if under_way:
                await self._holdings.call(box.outbox.failed, under_way)
            if sent:
                await self._holdings.call(box.outbox.sent, sent, self._holdings.now())
        return True

    async def _publish(
        self,
        transport: Transport,
        message: tuple[str, bytes],
        sort: Sort,
        footprint: Footprint | None = None,
    ) -> int:
        """Remember a message and publish it; raises TransportError if it is not taken.

        It is shown before it leaves: a connection that breaks may have carried it.
        """
        number = self._log.add(sort, message, self._holdings.now(), footprint)
        self._changed()
        reason = await transport.publish(*message)
        self._log.answer(number, reason)
        self._report.is_heard = reason != NOBODY_LISTENS
        self._changed()
        if reason >= FAILED:
            trouble = Trouble.NOT_AUTHORIZED if reason == NOT_AUTHORIZED else Trouble.LOST
            raise TransportError(trouble, f"the broker does not take {message[0]}: {reason:#x}")
        return reason

    async def _pause(self, seconds: float) -> None:
        """Wait until it is time, or until woken."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, _LOOK)):
                await self._woken.wait()

    def _next_slot(self) -> float:
        return next_slot(self._home, self._holdings.now(), self._pace)

    # Listening

    async def listen(self, transport: Transport) -> None:
        """Do what the hub's messages ask for, until the connection ends."""
        async for received in transport.messages():
            if received.retained:
                continue
            try:
                await self._heard(received)
            except RefusedError as err:
                _LOGGER.debug("What came on %s is not understood: %s", received.topic, err)
            self._changed()

    async def _heard(self, received: Received) -> None:
        """Do what one message asks for; raises RefusedError for what is none."""
        place = parse(received.topic)
        if (place.community, place.home) != (self._holdings.state.community, self._home):
            return
        if place.channel is Channel.CERTIFICATE:
            answer = read_certificate(received.topic, received.payload)
            if await self._renewal.heard(answer):
                self._is_renewed = True
            self.wake()
        elif place.channel is Channel.DELETED:
            await self._deleted(read_deleted(received.topic, received.payload))
        elif self._holdings.is_member:
            match read_answer(received.topic, received.payload):
                case Ack() as ack:
                    await self._acknowledged(ack)
                case Nack() as nack:
                    await self._refused(nack)
                case Request() as request:
                    await self._asked(request)
        elif place.channel is Channel.NACK:
            said = read_answer(received.topic, received.payload)
            if isinstance(said, Nack) and said.start is None:
                await self._not_withdrawn(said)

    async def _acknowledged(self, ack: Ack) -> None:
        """Let go of what the hub has."""
        box = await self._holdings.box(self._home)
        if not await self._holdings.call(box.outbox.acknowledged, ack):
            return
        now = self._holdings.now()
        self._log.acknowledge(ack, now)
        self._report.acknowledged(now)
        told, first = self._told, self._first_after
        if first is None or not isinstance(told, Consent) or self._identity().is_known:
            return
        if ack.boot == first[0] and ack.highest >= first[1]:
            await self._set_known(told.at, is_known=True)

    async def _refused(self, nack: Nack) -> None:
        """Keep what the hub does not take, and do about it what can be done."""
        box = await self._holdings.box(self._home)
        self._log.refuse(nack)
        self._report.refused(nack)
        if nack.code is Code.CONSENT:
            # Nothing leaves beyond what the household agrees to: the hub has lost the consent,
            # and takes the same when it has it again.
            if nack.start is not None:
                await self._consent_again()
            elif nack.clause == _OVERTAKEN:
                await self._consent_overtaken()
            else:
                await self._consent_refused()
            return
        await self._holdings.call(box.outbox.refused, nack)
        if nack.code is Code.CONFLICT and nack.start is not None and nack.duration is not None:
            now = self._holdings.now()
            if nack.revision is not None and nack.revision < revision_of(now):
                await self._holdings.call(box.renumber, nack.start, nack.duration, now)

    async def _not_withdrawn(self, nack: Nack) -> None:
        """Say that the hub does not take the withdrawal, and tell it again with a later `at`.

        Another consent of this home holds there. What is wrong otherwise, another `at` does not
        mend: it is told again as it is.
        """
        self._log.refuse_last(Sort.WITHDRAWAL, nack.code)
        self._report.refused(nack)
        self._report.declined = f"{nack.code} ({nack.clause}): {nack.detail}"
        _LOGGER.warning("The hub does not take the withdrawal: %s", self._report.declined)
        if nack.code is not Code.CONSENT:
            return
        is_first = not self._overtaken
        step = self._later()
        await self._holdings.update(lambda state: state.withdrawing(self._holdings.now(), step))
        if is_first:
            self._withdrawal_due = self._holdings.now()
            self.wake()

    def _later(self) -> int:
        """Return by how many ms an agreement is to be later that the hub says is overtaken.

        The first time the next moment does; then a clock is wrong, nobody knows by how much.
        """
        step = HOUR * 1000 << min(self._overtaken, _MOST_STEPS) if self._overtaken else 1
        self._overtaken += 1
        return step

    async def _consent_again(self) -> None:
        """Tell the consent to a hub that has lost it, not more than once an hour."""
        now = time.monotonic()
        last = self._consent_asked_at
        if self._refused_at is not None or (last is not None and now - last < _CONSENT_AGAIN):
            return
        self._consent_asked_at = now
        await self._set_known(self._identity().consented_at, is_known=False)
        self._told = self._tried = None
        self.wake()

    async def _consent_overtaken(self) -> None:
        """Mean the consent again, with a later `at`, not more than once an hour.

        Another one of this home holds at the hub: a copy of it was put back from a backup.
        """
        now = time.monotonic()
        last = self._renewed_at
        if last is not None and now - last < _CONSENT_AGAIN:
            return
        self._renewed_at = now
        step = self._later()
        await self._holdings.update(
            lambda state: state.consenting(self._home, self._holdings.now(), step)
        )
        self.wake()

    async def _consent_refused(self) -> None:
        """Tell nothing to a hub that does not take the consent, until that can have changed."""
        if isinstance(self._told, Consent):
            await self._set_known(self._told.at, is_known=False)
            self._refused_at = time.monotonic()

    async def _set_known(self, at: int, *, is_known: bool) -> None:
        """Keep whether the hub has the consent of that moment."""

        def change(state: State) -> State:
            identity = state.identity(self._home)
            if identity is None or identity.consented_at != at:
                return state
            return state.with_identity(replace(identity, is_known=is_known))

        await self._holdings.update(change)

    async def _asked(self, request: Request) -> None:
        """Send what the hub misses: out of the outbox, or made again."""
        box = await self._holdings.box(self._home)
        absent = await self._holdings.call(box.outbox.asked, request)
        identities = self._holdings.state.identities
        own = [
            start
            for start in absent
            if telling(identities, start, request.duration) == self._identity()
        ]
        await self._telling.rebuild(own, request.duration)
        self._is_asked = True
        self.wake()

    async def _deleted(self, deleted: Deleted) -> None:
        """Note that the hub has deleted what this id told, and the ids before it."""

        def change(state: State) -> State:
            if state.withdrawn_at is None:
                return state
            now = self._holdings.now()
            is_speaker = present(state.identities, now).home == self._home
            return replace(
                state,
                deleted=deleted.homes + (state.deleted or 0),
                identities=tuple(
                    replace(identity, is_deleted=True)
                    if identity.home == self._home or (is_speaker and identity.begins <= now)
                    else identity
                    for identity in state.identities
                ),
            )

        if not self._identity().is_deleted:
            await self._holdings.update(change)
            self._report.declined = None

    def _identity(self) -> Identity:
        """Return the id that speaks, as it is kept now."""
        identity = self._holdings.identity(self._home)
        if identity is None:
            raise TransportError(Trouble.LOST, f"{self._home} is no id of this home")
        return identity
