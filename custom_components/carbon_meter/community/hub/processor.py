"""Processing: what homes say is checked, kept, and only then answered.

The order is the promise: what a batch says is in the ledger first, its numbers are in the books
next, and only when both are on the disk does `process` return. A crash in between leaves the
messages with the broker; they come again, are duplicates in the ledger, and are acknowledged.
"""

from collections.abc import Callable, Sequence
import logging
import threading
import traceback
from typing import Final

from ..contract.consent import Withdrawal
from ..ledger.ledger import Ledger
from .arrived import Arrived, Reply
from .backfill import Backfill
from .batch import Batch, reply
from .books import Books
from .control import ControlError
from .counts import Counting, Counts
from .cutting import Cutting
from .deleting import delete_home
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

_MOST_LOGGED: Final = 100
"""Places that are logged; all that comes to nothing is counted."""

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
        """Take what holds the community's state; raises StoreError."""
        self._parts = Parts(
            ledger=ledger,
            books=books,
            desk=desk,
            backfill=backfill or Backfill(ledger, books),
            budgets=Budgets(limits or Limits()),
            counting=Counting(books.refusals(), books.last_heard_at()),
        )
        self._lock = threading.Lock()
        self._turned_at = self._tidied_at = float("-inf")
        self._logged: set[tuple[object, ...]] = set()
        """Places in the code at which messages have come to nothing."""

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
    def cutting(self) -> Cutting:
        """Return who has floods cut off."""
        return self._parts.cutting

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

    def strike_out(self, home: str, now: float) -> None:
        """Delete all that a home has told, as its own withdrawal would; raises StoreError.

        For a home that is let in no more; nothing is taken from it any more.
        """
        parts = self._parts
        left = Withdrawal(community=parts.ledger.community, home=home, at=int(now * 1000))
        with self._lock, store_errors():
            delete_home(parts, home, left, now)
            # There is nothing that it has to fetch, and its rights were taken away.
            parts.books.left(home)

    def idle(self, now: float) -> bool:
        """Do a slice of what can wait; return whether there is more. Raises StoreError."""
        parts = self._parts
        with self._lock, store_errors():
            parts.cutting.turn(now)
            parts.counting.cut(parts.cutting.homes)
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
            # Without a connection, as at every start, that is known and shown as the link's state.
            is_expected = isinstance(err.__cause__, ControlError)
            level = logging.DEBUG if is_expected else logging.WARNING
            _LOGGER.log(level, "What is due by the calendar is done later: %s", err)

    def _log(self, message: Arrived, err: Exception) -> None:
        """Log where a message came to nothing, once for each place: nothing of whose it was.

        Neither its topic is said nor the words of the error, which may have an id in them.
        """
        frames = traceback.extract_tb(err.__traceback__)
        where = (type(err).__name__, *((frame.filename, frame.lineno) for frame in frames[-3:]))
        if where in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add(where)
        kind = "/".join(message.topic.split("/")[4:6])
        _LOGGER.error(
            "A message (%a) could not be processed, nor will others like it: %s\n%s",
            kind[:40],
            type(err).__name__,
            "".join(traceback.format_list(frames)),
        )

    def _process(self, batch: Sequence[Arrived], now: float) -> list[Reply]:
        """Process messages; where they cannot be, look for the one that is to blame."""
        try:
            with store_errors():
                replies = Batch(self._parts, now).run(batch)
        except StoreError:
            self._parts.take_back()
            raise
        except Exception as err:  # noqa: BLE001  # the others must not wait behind whatever it is
            self._parts.take_back()
            if len(batch) > 1:
                half = len(batch) // 2
                return self._process(batch[:half], now) + self._process(batch[half:], now)
            # No ack goes out for it: its home still has it.
            self._log(batch[0], err)
            self._parts.counting.refuse(type(err).__name__)
            self._parts.counting.keep(now)
            return []
        self._parts.budgets.keep()
        self._parts.reserved.keep()
        return replies
