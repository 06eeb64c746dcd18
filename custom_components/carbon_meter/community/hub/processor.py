"""Processing: what homes say is checked, kept, and only then answered.

The order is the promise: what a batch says is in the ledger first, its numbers are in the books
next, and only when both are on the disk does `process` return. A crash in between leaves the
messages with the broker; they come again, are duplicates in the ledger, and are acknowledged.
"""

from collections.abc import Callable, Sequence
import logging
import threading
from typing import Final

from ..ledger.ledger import Ledger
from .arrived import Arrived, Reply
from .backfill import Backfill
from .batch import Batch, reply
from .books import Books
from .counts import Counts
from .desk import DeskError
from .errors import StoreError
from .limits import Budgets, Limits
from .parts import Parts, Reception, store_errors

_LOGGER: Final = logging.getLogger(__name__)

TURN: Final = 600
"""Seconds between two turns of the desk."""

TIDY: Final = 86400
"""Seconds between two clearings of the books."""

_BOOKED: Final = 100
"""Days of homes that are booked in one slice of idle time."""

_LOOKS: Final = 5
"""Homes that are looked at for gaps in one slice."""


class Processor:
    """Makes of messages what the ledger, the books and the desk keep.

    All methods wait for the disk, and for each other when several threads call them.
    """

    def __init__(
        self,
        ledger: Ledger,
        books: Books,
        desk: Reception,
        *,
        limits: Limits | None = None,
        backfill: Backfill | None = None,
    ) -> None:
        """Take what holds the community's state."""
        self._parts = Parts(
            ledger=ledger,
            books=books,
            desk=desk,
            backfill=backfill or Backfill(ledger, books),
            budgets=Budgets(limits or Limits()),
        )
        self._lock = threading.Lock()
        self._turned_at = self._tidied_at = float("-inf")

    @property
    def on_withdrawn(self) -> Callable[[str], None] | None:
        """Who is told of each id whose data was deleted, before the home is.

        What it raises is a StoreError of `process`: the withdrawal then comes again.
        """
        return self._parts.on_withdrawn

    @on_withdrawn.setter
    def on_withdrawn(self, listener: Callable[[str], None] | None) -> None:
        self._parts.on_withdrawn = listener

    @property
    def counts(self) -> Counts:
        """Return what has become of the messages so far."""
        return self._parts.counting.snapshot

    @property
    def owed(self) -> int:
        """Return how many acks have not been handed out."""
        return self._parts.books.owing

    def process(self, batch: Sequence[Arrived], now: float) -> list[Reply]:
        """Take some messages in their order; return what is to be said to the homes at once.

        `now` is the hub's clock in seconds since 1970 UTC. When this returns, all of it is on
        the disk: acknowledge it to the broker. Raises StoreError when the disk does not take it:
        acknowledge nothing, and give the same messages again later. A message that nobody can
        make anything of is refused, and hinders no other.
        """
        with self._lock:
            return self._process(batch, now)

    def answers(self, now: float, most: int = 200) -> list[Reply]:
        """Return acks that homes are owed, and what is to be asked of some; raises StoreError."""
        parts = self._parts
        with self._lock, store_errors():
            replies = [reply(ack) for ack in parts.books.owed(parts.ledger.community, most)]
            for request in parts.backfill.requests(now, _LOOKS):
                parts.counting.add("requested", sum(periods for _, periods in request.missing))
                replies.append(reply(request))
            return replies

    def idle(self, now: float) -> bool:
        """Do a slice of what can wait; return whether there is more. Raises StoreError."""
        parts = self._parts
        with self._lock, store_errors():
            if not 0 <= now - self._turned_at < TURN:
                self._turned_at = now
                self._turn(now)
            if not 0 <= now - self._tidied_at < TIDY:
                self._tidied_at = now
                parts.books.tidy(now)
            parts.books.commit()
            return parts.ledger.settle(_BOOKED)

    def _turn(self, now: float) -> None:
        """Do what is due by the calendar, or the next time."""
        parts = self._parts
        try:
            parts.desk.turn(now)
            for home in parts.books.leavers(now):
                parts.desk.withdraw(home, now)
                parts.books.left(home)
        except DeskError as err:
            _LOGGER.warning("What is due by the calendar is done later: %s", err)

    def _process(self, batch: Sequence[Arrived], now: float) -> list[Reply]:
        """Process messages; where they cannot be, look for the one that is to blame."""
        try:
            with store_errors():
                replies = Batch(self._parts, now).run(batch)
        except StoreError:
            self._parts.take_back()
            raise
        except Exception as err:  # whatever it is, the others must not wait behind it
            self._parts.take_back()
            if len(batch) > 1:
                half = len(batch) // 2
                return self._process(batch[:half], now) + self._process(batch[half:], now)
            # No ack goes out for it: its home still has it.
            _LOGGER.exception("A message on %a could not be processed", batch[0].topic[:200])
            self._parts.counting.refuse(type(err).__name__)
            self._parts.counting.keep(now)
            return []
        self._parts.budgets.keep()
        self._parts.reserved.keep()
        return replies
