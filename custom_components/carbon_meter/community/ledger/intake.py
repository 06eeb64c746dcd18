"""Taking footprints: which revision holds, what is a repetition, what contradicts itself.

Nearly all are plain: a new period of a home that tells periods of one length. Of these many are
put into the file together, to be booked when there is time. All others change what is there, and
are booked at once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
import json
import sqlite3
from typing import Any, Final

from ..contract.bounds import MOST_REVISIONS, MOST_SET_APART
from ..contract.message import DURATIONS, Flow, Footprint, Item, Key, Quality, as_object
from . import statements
from .booking import Booking
from .calendar import HOUR, Calendar
from .factors import Factors
from .membership import Membership

_QUALITIES: Final = {quality: number for number, quality in enumerate(Quality)}
"""Best first, as the statements count on."""


class Outcome(StrEnum):
    """What became of a footprint; the first three may be acknowledged."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """The same revision with the same content was there."""

    SUPERSEDED = "superseded"
    """A higher revision holds; this one is in the trail."""

    QUARANTINED = "quarantined"
    """The same revision with another content was there: kept apart, for somebody to look at."""

    STRANGER = "stranger"
    """Of a home that is no member, or of another community: nothing of it is kept."""

    TOO_MANY_REVISIONS = "too_many_revisions"
    """Of its period; nothing of it is kept."""

    TOO_MANY_INTENSITIES = "too_many_intensities"
    """That its home has named; nothing of it is kept."""


@dataclass(kw_only=True, slots=True)
class _Plain:
    """Rows of new periods that are not in the file yet."""

    keys: set[Key] = field(default_factory=set)
    revisions: list[tuple[Any, ...]] = field(default_factory=list)
    items: list[tuple[Any, ...]] = field(default_factory=list)
    unbooked: list[tuple[Any, ...]] = field(default_factory=list)

    def write(self, connection: sqlite3.Connection) -> None:
        """Put them into the file."""
        connection.executemany(statements.PUT_REVISION, self.revisions)
        connection.executemany(statements.PUT_ITEM, self.items)
        connection.executemany(statements.PUT_UNBOOKED, self.unbooked)
        for rows in (self.keys, self.revisions, self.items, self.unbooked):
            rows.clear()


class Intake:
    """What taking footprints has to know beside the tables."""

    def __init__(self, community: str, calendar: Calendar, membership: Membership) -> None:
        """Begin empty; `load` fills it."""
        self._community = community
        self._calendar = calendar
        self._membership = membership
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._factors = Factors(community)
        # Of each home heard since the start: its latest period. What is later is new.
        self._latest: dict[str, int] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what is held in memory, also after a transaction that came to nothing."""
        self._latest = {}
        self._lengths = defaultdict(set)
        for home, duration in connection.execute(
            "SELECT home, duration FROM lengths WHERE community = ?", (self._community,)
        ):
            self._lengths[home].add(duration)
        self._factors.clear()

    def forget(self, connection: sqlite3.Connection, home: str) -> None:
        """Forget a home that is deleted from the file, and the intensities it alone has named."""
        self._factors.forget(connection, home)
        self._lengths.pop(home, None)
        self._latest.pop(home, None)

    def take(
        self,
        connection: sqlite3.Connection,
        booking: Booking,
        footprints: Iterable[Footprint],
        received_at: int,
    ) -> list[Outcome]:
        """Keep footprints as their revisions ask for; return what became of each."""
        plain = _Plain()
        outcomes = []
        for footprint in footprints:
            if footprint.community != self._community or footprint.home not in self._membership:
                outcomes.append(Outcome.STRANGER)
            elif footprint.key not in plain.keys and self._is_plain(connection, footprint):
                outcomes.append(self._put_plain(connection, plain, footprint, received_at))
            else:
                plain.write(connection)
                outcomes.append(self._take(connection, booking, footprint, received_at))
        plain.write(connection)
        return outcomes

    def _is_plain(self, connection: sqlite3.Connection, footprint: Footprint) -> bool:
        """Return whether nothing was told of a period, and no other length by its home."""
        home, lengths = footprint.home, self._lengths[footprint.home]
        if lengths and lengths != {footprint.duration}:
            return False
        latest = self._latest.get(home)
        if latest is None:
            (latest,) = connection.execute(statements.LATEST, (self._community, home)).fetchone()
            self._latest[home] = latest = -1 if latest is None else latest
        return footprint.start > latest or self._highest(connection, footprint.key) is None

    def _put_plain(
        self,
        connection: sqlite3.Connection,
        plain: _Plain,
        footprint: Footprint,
        received_at: int,
    ) -> Outcome:
        """Take a new period up among the rows to be written."""
        key, home, start = footprint.key, footprint.home, footprint.start
        factors = self._factors.of(connection, home, footprint.items)
        if factors is None:
            return Outcome.TOO_MANY_INTENSITIES
        if not self._lengths[home]:
            self._put_length(connection, footprint)
        self._latest[home] = max(self._latest[home], start)
        plain.keys.add(key)
        plain.revisions.append(_revision(footprint, received_at))
        day = self._calendar.day(start, footprint.duration)
        plain.items += self._items(footprint, factors, day, is_alone=True)
        plain.unbooked.append((key[0], home, day, start, key[3], received_at))
        return Outcome.ACCEPTED

    def _take(
        self,
        connection: sqlite3.Connection,
        booking: Booking,
        footprint: Footprint,
        received_at: int,
    ) -> Outcome:
        """Keep one footprint beside what is known of its period, and of the home's other ones."""
        key = footprint.key
        held = connection.execute(statements.DIGEST, (*key, footprint.revision)).fetchone()
        if held is not None:
            if held[0] == footprint.digest:
                return Outcome.DUPLICATE
            self._set_apart(connection, footprint, received_at)
            return Outcome.QUARANTINED
        if _count(connection, statements.COUNT_REVISIONS, *key, MOST_REVISIONS) == MOST_REVISIONS:
            return Outcome.TOO_MANY_REVISIONS
        highest = self._highest(connection, key)
        if highest is not None and footprint.revision < highest:
            connection.execute(statements.PUT_REVISION, _revision(footprint, received_at))
            return Outcome.SUPERSEDED
        factors = self._factors.of(connection, footprint.home, footprint.items)
        if factors is None:
            return Outcome.TOO_MANY_INTENSITIES
        connection.execute(statements.PUT_REVISION, _revision(footprint, received_at))
        day = self._calendar.day(footprint.start, footprint.duration)
        booking.touch(footprint.home, day)
        is_alone = self._shadow(connection, booking, footprint)
        if highest is not None:
            connection.execute(statements.KEEP_FORMER, (*key, footprint.revision))
        connection.executemany(
            statements.PUT_ITEM, self._items(footprint, factors, day, is_alone=is_alone)
        )
        connection.execute(statements.DROP_OLDER_ITEMS, (*key, footprint.revision))
        return Outcome.ACCEPTED

    def _set_apart(
        self, connection: sqlite3.Connection, footprint: Footprint, received_at: int
    ) -> None:
        """Keep what contradicts, if its home has not filled the place for such."""
        key = footprint.key
        apart = _count(connection, statements.COUNT_QUARANTINE, *key[:2], MOST_SET_APART)
        if apart < MOST_SET_APART:
            body = json.dumps(as_object(footprint), separators=(",", ":"))
            connection.execute(
                statements.PUT_QUARANTINE,
                (*key, footprint.revision, footprint.digest, received_at, body),
            )

    @staticmethod
    def _highest(connection: sqlite3.Connection, key: Key) -> int | None:
        """Return the highest revision of a period, None if nothing was told of it."""
        (highest,) = connection.execute(statements.HIGHEST, key).fetchone()
        return None if highest is None else int(highest)

    def _items(
        self, footprint: Footprint, factors: Iterable[int], day: int, *, is_alone: bool
    ) -> list[tuple[Any, ...]]:
        """Return a footprint's rows in `items`; `factors` are the numbers of its intensities."""
        key, start, duration = footprint.key, footprint.start, footprint.duration
        common = (
            footprint.revision,
            start - start % HOUR if duration <= HOUR else -1,
            day,
            self._membership.place(footprint.home, day),
        )
        unsynced = 0 if footprint.synced else 1
        return [
            (
                *key,
                # The texts themselves: sqlite3 takes several times as long over words of an enum.
                item.flow.value,
                item.kind.value,
                *common,
                1 if is_alone and item.quality is not Quality.MISSING else 0,
                _QUALITIES[item.quality],
                item.wh,
                item.mg,
                *_carbon_free(item),
                item.coverage,
                unsynced,
                factor,
            )
            for item, factor in zip(footprint.items, factors, strict=True)
        ]

    def _put_length(self, connection: sqlite3.Connection, footprint: Footprint) -> None:
        """Take note that a home tells periods of that length."""
        community, home, _, duration = footprint.key
        connection.execute(statements.PUT_LENGTH, (community, home, duration))
        self._lengths[home].add(duration)

    def _shadow(
        self, connection: sqlite3.Connection, booking: Booking, footprint: Footprint
    ) -> bool:
        """Return whether no longer period of the home holds this one; shorter ones give way.

        Otherwise a home that tells an hour and its quarters would be counted twice.
        """
        lengths = self._lengths[footprint.home]
        community, home, start, duration = footprint.key
        if duration not in lengths:
            self._put_length(connection, footprint)
        if any(length < duration for length in lengths):
            end = footprint.end
            for day in self._calendar.days(start, end):
                booking.touch(home, day)
            connection.execute(statements.SHADOW_ITEMS, (community, home, start, end, duration))
        return not any(
            self._highest(connection, (community, home, start - start % length, length)) is not None
            for length in DURATIONS
            if length > duration and length in lengths
        )


def _count(connection: sqlite3.Connection, statement: str, *parameters: str | int) -> int:
    """Return what a statement counts."""
    (count,) = connection.execute(statement, parameters).fetchone()
    return int(count)


def _revision(footprint: Footprint, received_at: int) -> tuple[Any, ...]:
    """Return a footprint's row in `revisions`."""
    return (
        *footprint.key,
        footprint.revision,
        footprint.digest,
        received_at,
        footprint.at,
        footprint.method,
        footprint.software,
        footprint.level.value,
        int(footprint.is_final),
    )


def _carbon_free(item: Item) -> tuple[int, int]:
    """Return the carbon-free Wh and of how many Wh that is known; solar energy always is."""
    if item.carbon_free is not None:
        return item.carbon_free, item.wh
    return (item.wh, item.wh) if item.flow is Flow.PV else (0, 0)
