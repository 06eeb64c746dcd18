"""A home's membership at work: what Home Assistant, the demo and the tests hold in hand."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
import logging
import math
from pathlib import Path
import time
from typing import Final, Self

from ..authority.credentials import Credentials
from ..contract.message import Footprint
from ..contract.writing import write
from ..outbox.errors import OutboxError
from . import state as kept
from .agreed import Agreed
from .connection import Connection
from .conversation import Conversation
from .errors import MemberError
from .figures import Clock, HourFigures, Maker
from .holdings import Holdings
from .identities import Identity, following_unheard, present
from .mqtt import MqttTransport, Run
from .outgoing import Log, Outgoing, Upcoming
from .report import Report
from .schedule import Pace
from .status import MemberState, Status
from .telling import HoursOf, Telling
from .transport import Transport, TransportFactory

_LOGGER = logging.getLogger(__name__)

_LOOK: Final = 30.0
"""Seconds between looks at which ids have something to say."""

_BREATH: Final = 0.2
"""Seconds between two looks, however much happens."""

_PACE: Final = Pace()


@dataclass
class _Line:
    """One id that speaks."""

    conversation: Conversation
    task: asyncio.Task[None]
    until: float = math.inf
    """Until when it is left alone after a fault, by the monotonic clock."""


@dataclass
class _Counts:
    """What is in the outboxes of all ids together."""

    waiting: int = 0
    out: int = 0
    refused: int = 0
    dropped: int = 0
    size: int = 0
    by_home: dict[str, int] = field(default_factory=dict)
    """Footprints that the hub has not acknowledged."""


class MemberLink:
    """Tells a community what was agreed to, until the household leaves.

    All methods belong on one event loop, and none of them blocks it. What `tell`, `put`, `change`
    and `withdraw` were given is on the disk when they return; they raise OutboxError or
    MemberError when the disk fails.
    """

    def __init__(
        self,
        holdings: Holdings,
        telling: Telling,
        pace: Pace,
        factory: TransportFactory,
        left: Iterable[Outgoing] = (),
    ) -> None:
        """Take the parts; see `open`."""
        self._holdings = holdings
        self._telling = telling
        self._pace = pace
        self._factory = factory
        self._log = Log(left)
        self._lines: dict[str, _Line] = {}
        self._reports: dict[str, Report] = {}
        self._listeners: list[Callable[[], None]] = []
        self._woken = asyncio.Event()
        self._counts = _Counts()
        self._trouble: str | None = None
        self._state = MemberState.STARTING
        self._since = holdings.now()

    @classmethod
    async def open(  # noqa: PLR0913  # what a membership needs from outside
        cls,
        folder: Path,
        hours: HoursOf,
        maker: Maker,
        *,
        clock: Callable[[], Clock],
        now: Callable[[], float] = time.time,
        run: Run = asyncio.to_thread,
        pace: Pace = _PACE,
        transport: TransportFactory | None = None,
        left: Iterable[Outgoing] = (),
    ) -> Self:
        """Return the membership that `join` has left in a folder.

        `hours` gives what the site knows of past hours, `clock` how good the home's clock is,
        `run` runs blocking calls elsewhere. Without `transport` it is MQTT over mutual TLS with
        the broker of the invitation. `left` are messages of an earlier run that are shown with
        those of this one. Raises MemberError if there is no membership, OutboxError
        or MemberError if its files cannot be used.
        """
        holdings = Holdings(folder, await run(kept.load, folder), now, run)
        telling = Telling(holdings, hours, maker, clock)
        link = cls(holdings, telling, pace, transport or _over_tls(holdings), left)
        if holdings.is_member:
            # What was agreed to before a crash may not have reached the outbox.
            await telling.fit()
        await link._count()
        return link

    async def run(self) -> None:
        """Speak with the hub until cancelled, or until everything is deleted after a withdrawal."""
        try:
            while not self._is_over():
                self._woken.clear()
                try:
                    await self._look()
                    self._trouble = None
                except (OutboxError, MemberError) as err:
                    self._trouble = str(err)
                    _LOGGER.warning("%s", err)
                self._tell_listeners()
                await asyncio.sleep(_BREATH)
                try:
                    async with asyncio.timeout(_LOOK):
                        await self._woken.wait()
                except TimeoutError:
                    continue
            await self._finish()
        finally:
            await self._hang_up(list(self._lines))

    async def close(self) -> None:
        """Close the files, after `run` has ended."""
        await self._hang_up(list(self._lines))
        await self._holdings.close()

    # What is told

    async def tell(self, hours: Iterable[HourFigures]) -> int:
        """Tell finished or restated hours; return how many footprints are new."""
        count = await self._telling.tell(hours)
        await self._changed_outbox(count)
        return count

    async def put(self, footprints: Iterable[Footprint]) -> int:
        """Tell footprints that were made elsewhere; see `Telling.put`."""
        count = await self._telling.put(footprints)
        await self._changed_outbox(count)
        return count

    async def change(self, agreed: Agreed) -> None:
        """Agree to something else.

        Less holds at once, for all that has not left; more only for what begins later.
        """
        now = self._holdings.now()
        await self._holdings.update(lambda state: state.agreeing(agreed, now))
        await self._telling.fit()
        await self._changed_outbox(1)

    async def withdraw(self) -> None:
        """Leave: nothing is told any more, what waits is deleted, and the hub is told to delete.

        It is told until it says that it has; `run` ends when it has.
        """
        now = self._holdings.now()
        await self._holdings.update(
            lambda state: state if state.withdrawn_at is not None else state.withdrawing(now)
        )
        for _, box in await self._holdings.boxes():
            await self._holdings.call(box.revise, lambda _: None)
        await self._changed_outbox(1)

    async def remove(self) -> None:
        """Remove everything that is kept here, whatever the hub knows."""
        await self.close()
        for identity in self._holdings.state.identities:
            await self._holdings.discard(identity.home)
        await self._holdings.run(kept.remove, self._holdings.folder)

    # What people see

    @property
    def status(self) -> Status:
        """Return how it stands."""
        state = self._holdings.state
        speaking = present(state.identities, self._holdings.now())
        report = self._reports.get(speaking.home, Report())
        counts = self._counts
        shown = self._shown(report)
        return Status(
            state=shown,
            since=self._since,
            home=speaking.home,
            homes=state.told_as,
            agreed=state.agreed,
            connected_since=report.connected_since,
            error=self._trouble or report.error or report.declined,
            waiting=counts.waiting,
            out=counts.out,
            refused=counts.refused,
            dropped=counts.dropped + state.lost,
            size=counts.size,
            acknowledged_at=report.acknowledged_at or self._log.acknowledged_at,
            certificate_ends=speaking.holds_until,
            next_slot=report.next_slot,
            refusals=dict(report.refusals),
            last_refusal=report.last_refusal,
            last_told=self._log.last_told,
            homes_deleted=state.deleted,
        )

    @property
    def outgoing(self) -> tuple[Outgoing, ...]:
        """Return the last messages that left, word for word, the newest last."""
        return self._log.kept

    async def upcoming(self, limit: int = 10) -> tuple[Upcoming, ...]:
        """Return what would leave now, word for word, the earliest period first."""
        now = self._holdings.now()
        found: list[Footprint] = []
        if self._holdings.is_member:
            for _, box in await self._holdings.boxes():
                found += await self._holdings.call(box.outbox.pending, limit, now)
        found.sort(key=lambda footprint: footprint.start)
        result = []
        for footprint in found[:limit]:
            topic, payload = write(footprint)
            result.append(
                Upcoming(
                    topic=topic,
                    payload=payload.decode(),
                    start=footprint.start,
                    duration=footprint.duration,
                    revision=footprint.revision,
                )
            )
        return tuple(result)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have a listener called after every change; return how to stop that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    # Who speaks

    async def _look(self) -> None:
        """Tell what is over, and let those ids speak that have something to say."""
        if self._holdings.is_member:
            await self._telling.tell_due()
            await self._retire()
        await self._count()
        wanted = {identity.home for identity in self._speaking()}
        await self._hang_up([home for home in self._lines if home not in wanted])
        for home in wanted:
            line = self._lines.get(home)
            if line is None or (line.task.done() and time.monotonic() > line.until):
                self._lines[home] = self._line(home)

    def _speaking(self) -> list[Identity]:
        """Return the ids that have something to say now."""
        state, now = self._holdings.state, self._holdings.now()
        speaking = present(state.identities, now)
        if state.withdrawn_at is not None:
            return [
                identity
                for identity in state.identities
                if not identity.is_deleted
                and (identity == speaking or identity.begins > speaking.begins)
                and identity.begins <= max(now, speaking.begins)
            ]
        return [
            identity
            for identity in state.identities
            if identity == speaking
            or (identity.begins <= now and self._counts.by_home.get(identity.home))
            # The hub may wait for the id before to ask for this one again.
            or following_unheard(state.identities, identity.home) == speaking
        ]

    async def _retire(self) -> None:
        """Remove the key and the outbox of past ids that nobody lets in any more."""
        state, now = self._holdings.state, self._holdings.now()
        speaking = present(state.identities, now)
        for identity in state.identities:
            is_past = identity.ends is not None and identity.begins < speaking.begins
            if not is_past or identity.is_gone or not identity.has_ended(now):
                continue
            await self._hang_up([identity.home])
            if untold := await self._holdings.retire(identity.home):
                _LOGGER.warning(
                    "%d periods were not told in time under a name that has ended: they are lost",
                    untold,
                )

    def _line(self, home: str) -> _Line:
        """Return an id that begins to speak."""
        report = self._reports.setdefault(home, Report())
        conversation = Conversation(
            home,
            self._holdings,
            self._telling,
            self._log,
            report,
            self._pace,
            self._changed,
        )
        connection = Connection(
            home, self._holdings, self._factory, self._pace, report, self._changed
        )
        task = asyncio.create_task(connection.run(conversation.speak, conversation.listen))
        line = _Line(conversation=conversation, task=task)
        task.add_done_callback(lambda done: self._ended(home, line, done))
        return line

    def _ended(self, home: str, line: _Line, task: asyncio.Task[None]) -> None:
        """Say why an id has stopped speaking, which it never does by itself."""
        if task.cancelled() or (err := task.exception()) is None:
            return
        line.until = time.monotonic() + self._pace.longest
        self._reports[home].stopped(MemberState.WAITING, str(err))
        _LOGGER.error("A connection has ended unexpectedly", exc_info=err)

    async def _hang_up(self, homes: Iterable[str]) -> None:
        """Have ids speak no more."""
        lines = [self._lines.pop(home) for home in homes if home in self._lines]
        for line in lines:
            line.task.cancel()
        await asyncio.gather(*(line.task for line in lines), return_exceptions=True)

    # The end

    def _is_over(self) -> bool:
        """Return whether nothing is left to be told to anybody after a withdrawal."""
        state, now = self._holdings.state, self._holdings.now()
        if state.withdrawn_at is None:
            return False
        return all(
            identity.is_deleted or identity.has_ended(now) or identity.is_gone
            for identity in state.identities
            if identity.begins >= present(state.identities, now).begins
        )

    async def _finish(self) -> None:
        """Remove keys and outboxes; that the household has left is remembered."""
        await self._hang_up(list(self._lines))
        try:
            for identity in self._holdings.state.identities:
                await self._holdings.discard(identity.home)
            await self._holdings.update(
                lambda state: replace(
                    state,
                    identities=tuple(
                        replace(identity, is_gone=True) for identity in state.identities
                    ),
                )
            )
        except MemberError as err:
            self._trouble = str(err)
        await self._count()
        self._tell_listeners()

    # Bookkeeping

    def _shown(self, report: Report) -> MemberState:
        """Return the state that says what matters most."""
        state = self._holdings.state
        if state.withdrawn_at is not None:
            if not all(identity.is_gone for identity in state.identities):
                return MemberState.WITHDRAWING
            return MemberState.UNCONFIRMED if state.told_as else MemberState.WITHDRAWN
        if self._trouble is not None:
            return MemberState.STORE
        return report.shown

    async def _changed_outbox(self, count: int) -> None:
        """Let those who speak know that there is something new."""
        if count:
            await self._count()
            self._changed()
            for line in self._lines.values():
                line.conversation.wake()

    def _changed(self) -> None:
        """Tell the listeners, and have it looked what there is to do now."""
        self._woken.set()
        self._tell_listeners()

    def _tell_listeners(self) -> None:
        """Call every listener; one that fails does not keep the others from it."""
        state = self.status.state
        if state is not self._state:
            self._state, self._since = state, self._holdings.now()
        for listener in list(self._listeners):
            listener()

    async def _count(self) -> None:
        """Count what is in the outboxes."""
        counts = _Counts()
        for identity, box in await self._holdings.boxes():
            status = await self._holdings.call(box.outbox.status)
            counts.waiting += status.waiting
            counts.out += status.out
            counts.refused += status.refused
            counts.dropped += status.dropped
            counts.size += status.size
            counts.by_home[identity.home] = status.waiting + status.out
        self._counts = counts


def _over_tls(holdings: Holdings) -> TransportFactory:
    """Return the way to the broker of the invitation, with each id's own key."""

    def connect(home: str) -> Transport:
        broker = holdings.state.broker
        if broker is None:
            raise MemberError("this community is on the home's own broker")
        return MqttTransport(
            broker.host,
            broker.port,
            Credentials(holdings.folder / home).context,
            identifier=home,
            run=holdings.run,
        )

    return connect
