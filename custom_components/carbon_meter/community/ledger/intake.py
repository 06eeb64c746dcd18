"""Taking footprints: which revision holds, what is a repetition, what contradicts itself."""

from collections import defaultdict
from enum import StrEnum
import json
import sqlite3
from typing import Final

from ..contract.message import DURATIONS, Flow, Footprint, Item, Quality, as_object
from . import statements
from .booking import Booking
from .calendar import HOUR, Calendar
from .membership import Membership

_QUALITIES: Final = {quality: number for number, quality in enumerate(Quality)}
"""Best first, as the statements count on."""


class Outcome(StrEnum):
    """What became of a footprint; all but the last two may be acknowledged."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """The same revision with the same content was there."""

    SUPERSEDED = "superseded"
    """A higher revision holds; this one is in the trail."""

    QUARANTINED = "quarantined"
    """The same revision with another content was there: kept apart, for somebody to look at."""

    STRANGER = "stranger"
    """Of a home that is no member, or of another community: nothing of it is kept."""


class Intake:
    """What taking footprints has to know beside the tables."""

    def __init__(self, community: str, calendar: Calendar, membership: Membership) -> None:
        """Begin empty; `load` fills it."""
        self._community = community
        self._calendar = calendar
        self._membership = membership
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._factors: dict[tuple[str, str, str, str, int], int] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what is held in memory, also after a transaction that came to nothing."""
        self._lengths = defaultdict(set)
        for home, duration in connection.execute(
            "SELECT home, duration FROM lengths WHERE community = ?", (self._community,)
        ):
            self._lengths[home].add(duration)
        self._factors = {
            (source, zone, kind, version, resolution): factor
            for factor, source, zone, kind, version, resolution in connection.execute(
                "SELECT factor, source, zone, kind, version, resolution FROM factors"
            )
        }

    def forget(self, home: str) -> None:
        """Forget a home, once it is deleted from the file."""
        self._lengths.pop(home, None)

    def take(
        self,
        connection: sqlite3.Connection,
        booking: Booking,
        footprint: Footprint,
        received_at: int,
    ) -> Outcome:
        """Keep one footprint as its revision asks for."""
        if footprint.community != self._community or footprint.home not in self._membership:
            return Outcome.STRANGER
        digest = footprint.digest
        known = dict(connection.execute(statements.REVISIONS_OF, footprint.key).fetchall())
        if footprint.revision in known:
            if known[footprint.revision] == digest:
                return Outcome.DUPLICATE
            body = json.dumps(as_object(footprint), separators=(",", ":"))
            connection.execute(
                statements.PUT_QUARANTINE,
                (*footprint.key, footprint.revision, digest, received_at, body),
            )
            return Outcome.QUARANTINED
        connection.execute(
            statements.PUT_REVISION,
            (
                *footprint.key,
                footprint.revision,
                digest,
                received_at,
                footprint.at,
                footprint.method,
                footprint.software,
                footprint.level,
                footprint.is_final,
            ),
        )
        if known and footprint.revision < max(known):
            return Outcome.SUPERSEDED
        self._put(connection, booking, footprint)
        return Outcome.ACCEPTED

    def _put(self, connection: sqlite3.Connection, booking: Booking, footprint: Footprint) -> None:
        """Put a footprint's items in place of those of older revisions."""
        day = self._calendar.day(footprint.start, footprint.duration)
        booking.touch(footprint.home, day)
        is_alone = self._shadow(connection, booking, footprint)
        place = self._membership.place(footprint.home, day)
        hour = footprint.start - footprint.start % HOUR if footprint.duration <= HOUR else -1
        for item in footprint.items:
            connection.execute(
                statements.PUT_ITEM,
                (
                    *footprint.key,
                    item.flow,
                    item.kind,
                    footprint.revision,
                    hour,
                    day,
                    place,
                    int(is_alone and item.quality is not Quality.MISSING),
                    _QUALITIES[item.quality],
                    item.wh,
                    item.mg,
                    *_carbon_free(item),
                    item.coverage,
                    int(not footprint.synced),
                    self._factor(connection, item),
                ),
            )
        connection.execute(statements.DROP_OLDER_ITEMS, (*footprint.key, footprint.revision))

    def _shadow(
        self, connection: sqlite3.Connection, booking: Booking, footprint: Footprint
    ) -> bool:
        """Return whether no longer period of the home holds this one; shorter ones give way.

        Otherwise a home that tells an hour and its quarters would be counted twice.
        """
        lengths = self._lengths[footprint.home]
        community, home, start, duration = footprint.key
        if duration not in lengths:
            connection.execute(statements.PUT_LENGTH, (community, home, duration))
            lengths.add(duration)
        if any(length < duration for length in lengths):
            end = footprint.end
            for day in self._calendar.days(start, end):
                booking.touch(home, day)
            connection.execute(statements.SHADOW_ITEMS, (community, home, start, end, duration))
        return not any(
            connection.execute(
                statements.REVISIONS_OF, (community, home, start - start % length, length)
            ).fetchone()
            for length in DURATIONS
            if length > duration and length in lengths
        )

    def _factor(self, connection: sqlite3.Connection, item: Item) -> int:
        """Return the number of an item's carbon intensity, a new one if it was never seen."""
        key = (item.source, item.zone, item.kind.value, item.version, item.resolution)
        if (factor := self._factors.get(key)) is None:
            factor = len(self._factors) + 1
            connection.execute("INSERT INTO factors VALUES (?, ?, ?, ?, ?, ?)", (factor, *key))
            self._factors[key] = factor
        return factor


def _carbon_free(item: Item) -> tuple[int, int]:
    """Return the carbon-free Wh and of how many Wh that is known; solar energy always is."""
    if item.carbon_free is not None:
        return item.carbon_free, item.wh
    return (item.wh, item.wh) if item.flow is Flow.PV else (0, 0)
