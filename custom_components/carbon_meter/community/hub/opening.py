"""A hub from its files alone: ledger, books, desk, and the worker that brings them messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
import logging
from pathlib import Path
import time
from typing import Final
from zoneinfo import ZoneInfo

from ..authority.authority import Authority
from ..authority.credentials import Credentials
from ..authority.errors import AuthorityError
from ..authority.hub_file import HubFile
from ..contract.certificates import Declined, Issued, SigningRequest
from ..contract.message import Flow, Level
from ..contract.refusal import Code
from ..ledger.database import LedgerError
from ..ledger.ledger import Ledger
from .books import Books
from .connection import Link
from .control import Control, ControlError, NoControl
from .cutting import Cutting
from .desk import Desk, DeskError
from .dynsec import DynsecControl, cut_in
from .errors import NotConnectedError, StoreError
from .limits import Limits
from .members import Terms
from .parts import Reception
from .processor import Processor
from .restoring import Restoring
from .worker import HubWorker

_LOGGER: Final = logging.getLogger(__name__)

_EVER: Final = date(2020, 1, 1)
"""From when those are members whom no desk has invited."""


@dataclass(kw_only=True, slots=True)
class Hub:
    """All parts of one hub; what is None, this one does not have."""

    ledger: Ledger
    books: Books
    desk: Desk | None
    processor: Processor
    worker: HubWorker | None
    control: Control

    def start(self) -> None:
        """Let messages in."""
        if self.worker is not None:
            self.worker.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Let no more in, after the batch in hand; return whether that was done in time."""
        return self.worker is None or self.worker.stop(timeout)

    def close(self) -> None:
        """Let go of the files; after `stop`."""
        self.ledger.close()
        self.books.close()
        if self.desk is not None:
            self.desk.close()


def open_hub(  # noqa: PLR0913  # what a hub is about, and what it is measured by
    folder: Path,
    hub_file: HubFile | None,
    *,
    zone: ZoneInfo,
    community: str | None = None,
    terms: Terms | None = None,
    limits: Limits | None = None,
    now: Callable[[], float] = time.time,
) -> Hub:
    """Return the hub whose files are in a folder, new ones at first.

    `hub_file` may be another one than before: of a renewed certificate, of a rotated authority,
    of a broker that has moved. Without one, the homes of `community` come by a broker that is
    not ours: then there is no worker. `terms` is what invitations ask of homes.
    Raises StoreError when the files cannot be used.
    """
    named = community if hub_file is None else hub_file.community
    if named is None:
        raise ValueError("neither a hub file nor a community")
    terms = terms or Terms(
        name=named if hub_file is None else hub_file.name,
        broker=None if hub_file is None else hub_file.broker,
        level=Level.PSEUDONYM,
        duration=3600,
        flows=(Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV),
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sender = _Sender()
    control: Control = NoControl()
    authority = link = dynsec = None
    try:
        if hub_file is not None:
            control = dynsec = DynsecControl(named, sender.send)
            authority = Authority.from_hub_file(hub_file, folder / "authority")
            link = _link_of(folder, hub_file)
        ledger = Ledger(folder / "ledger.db", community=named, zone=zone)
        desk = Desk(
            folder / "desk.db",
            community=named,
            zone=zone,
            authority=authority,
            control=control,
            ledger=ledger,
            terms=terms,
        )
    except (LedgerError, DeskError, AuthorityError, OSError) as err:
        raise StoreError(str(err)) from err
    hub = _hub(folder, (ledger, desk), link, limits, now)
    hub.desk, hub.control = desk, control
    sender.worker = hub.worker
    if hub.worker is not None and dynsec is not None:
        hub.processor.cutting.door = dynsec
        restoring = Restoring(dynsec, desk, hub.books, hub.processor, now)
        _hear_broker(hub.worker, restoring, hub.processor.cutting, now)
    return hub


def open_worker(  # noqa: PLR0913  # the same
    folder: Path,
    community: str,
    zone: ZoneInfo,
    link: Link,
    *,
    members: Iterable[str] = (),
    limits: Limits | None = None,
    now: Callable[[], float] = time.time,
) -> Hub:
    """Return a hub without a desk: its members are `members` and whom its ledger has already.

    It makes no certificates: for measuring, and for communities that enrol their homes by hand.
    Raises StoreError when the files cannot be used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        ledger = Ledger(folder / "ledger.db", community=community, zone=zone)
        for home in members:
            ledger.assign(home, _EVER)
    except LedgerError as err:
        raise StoreError(str(err)) from err
    return _hub(folder, (ledger, _MembersOnly(ledger)), lambda: link, limits, now)


def _hub(
    folder: Path,
    parts: tuple[Ledger, Reception],
    link: Callable[[], Link] | None,
    limits: Limits | None,
    now: Callable[[], float],
) -> Hub:
    """Put the parts together."""
    ledger, reception = parts
    limits = limits or Limits()
    books = Books(folder / "books.db", boots=limits.boots)
    if books.damaged is not None:
        _LOGGER.warning("The hub's books were damaged and are kept as %s", books.damaged)
    processor = Processor(ledger, books, reception, limits=limits)
    worker = None
    if link is not None:
        worker = HubWorker(link, processor, now=now, name=f"hub {ledger.community}")
    return Hub(
        ledger=ledger,
        books=books,
        desk=None,
        processor=processor,
        worker=worker,
        control=NoControl(),
    )


def _link_of(folder: Path, hub_file: HubFile) -> Callable[[], Link]:
    """Return how to find the way to the broker of a hub file."""
    credentials = Credentials(folder / "credentials")
    credentials.store(hub_file.key, hub_file.certificate, hub_file.authorities)

    def link() -> Link:
        return Link(
            host=hub_file.broker.host,
            port=hub_file.broker.port,
            context=credentials.context(),
            community=hub_file.community,
            client_id=credentials.subject,
        )

    return link


class _Sender:
    """Sends commands to the broker by a worker that is made after those who give them."""

    worker: HubWorker | None = None

    def send(self, topic: str, payload: bytes) -> None:
        """Send a command; raises ControlError without a connection."""
        if self.worker is None:
            raise ControlError("the hub has not begun")
        try:
            self.worker.publish(topic, payload)
        except NotConnectedError as err:
            raise ControlError(str(err)) from err


class _MembersOnly:
    """The desk of a hub whose homes are enrolled elsewhere."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._homes = set(ledger.homes)

    def signing(self, request: SigningRequest, now: float) -> Issued | Declined:
        """Decline."""
        return Declined(
            community=request.community,
            home=request.home,
            code=Code.CERTIFICATE,
            detail="this hub makes no certificates",
        )

    def heard(self, home: str, now: float) -> None:
        """Do nothing."""

    def consented(self, home: str, now: float) -> bool:
        """Return whether the ledger has the home."""
        if home not in self._homes:
            self._homes = set(self._ledger.homes)
        return home in self._homes

    def withdrawn(self, home: str) -> None:
        """Let the home agree no more."""
        self._homes.discard(home)

    def withdraw(self, home: str, now: float) -> None:
        """Do nothing."""

    def turn(self, now: float) -> None:
        """Do nothing."""


def _hear_broker(
    worker: HubWorker, restoring: Restoring, cutting: Cutting, now: Callable[[], float]
) -> None:
    """Have a broker that has lost its rights told them again, and its marks of floods heard."""

    def hear(payload: bytes) -> None:
        restoring.answered(payload)
        cutting.found(cut_in(payload), now())

    worker.on_control = hear
    worker.listen(lambda: restoring.connected(worker.status.connected_since))
