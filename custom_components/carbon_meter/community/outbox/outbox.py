"""The outbox of a home: every footprint is kept until the hub says that it has it.

The clauses CM-25 to CM-33 of the contract in code. Everything here waits for the disk: call it
in a thread, not in the event loop.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
import secrets
from typing import Final

from ..contract.answers import Ack, Nack, Request
from ..contract.message import Footprint
from ..contract.revisions import Standing
from .body import unpacked
from .file import OutboxFile
from .keeping import Place, State, give_up, keep, keep_bound, sender_of, withhold
from .numbers import fits, let_go, mark_out, numbered, spend

MOST: Final = 400 * 24
"""Footprints kept with their contents: 400 days of hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """How full the outbox is."""

    waiting: int
    """Footprints that have not gone out."""

    out: int
    """That went out and are not acknowledged."""

    refused: int
    """That the hub does not take."""

    dropped: int
    """Given up since the file began: beyond the bound, or damaged."""

    size: int
    """Bytes on the disk."""


class Outbox:
    """The footprints of one home or several, for their communities.

    `most` bounds the footprints that are kept with their contents. Each is at most 8 KiB of
    JSON before it is shrunk; docs/community/contract.md has what they take on the disk.
    Every method raises OutboxError if the disk fails; what was put before stays.
    """

    def __init__(self, path: Path, *, most: int = MOST) -> None:
        """Open the file or begin it; `damaged` tells where a damaged one was moved."""
        if most < 1:
            raise ValueError(f"an outbox for {most} footprints")
        self._most = most
        self._file = OutboxFile(path)
        # By community and home: a name for both would tell that two homes are one.
        self._boots: defaultdict[tuple[str, str], str] = defaultdict(_new_boot)
        with self._file.writing() as database:
            database.execute("DELETE FROM run WHERE id NOT IN (SELECT run FROM sending)")

    @property
    def damaged(self) -> Path | None:
        """Return where a damaged file was moved on opening, None if it was sound."""
        return self._file.damaged

    def close(self) -> None:
        """Close the file; everything put is in it."""
        self._file.close()

    def put(self, footprint: Footprint) -> Standing:
        """Keep a footprint for sending; see `put_all`."""
        return self.put_all((footprint,))[0]

    def put_all(self, footprints: Iterable[Footprint]) -> list[Standing]:
        """Keep footprints for sending, all or none; they are on the disk afterwards.

        A newer revision takes the place of an older one. The same one come again or an older
        one changes nothing: SAME or OLDER, also for what lies before all that is remembered.
        `boot` and `seq` are set when a footprint is handed out.

        Raises RefusedError for one that a hub would refuse, with the code `conflict` for another
        content under a revision that was put before.
        """
        with self._file.writing() as database:
            standings = [keep(database, footprint) for footprint in footprints]
            keep_bound(database, self._most)
        return standings

    def revision(self, footprint: Footprint) -> int | None:
        """Return the highest revision of this period that was ever put, None if none is known."""
        with self._file.reading() as database:
            row = database.execute(
                "SELECT revision FROM footprint JOIN sender ON sender.id = sender"
                " WHERE community = ? AND home = ? AND start = ? AND duration = ?",
                footprint.key,
            ).fetchone()
        return None if row is None else row[0]

    def pending(self, limit: int, now: float) -> list[Footprint]:
        """Return what is to be sent now, the earliest period first, with `boot` and `seq`.

        That is what has not gone out, and what went out and was not acknowledged in time.
        `now` is in seconds since 1970 UTC. Until `sent` is told, asking again gives the same.
        """
        with self._file.writing() as database:
            rows = database.execute(
                "SELECT sender, start, duration, community, home, body FROM footprint"
                " JOIN content USING (sender, start, duration) JOIN sender ON sender.id = sender"
                " WHERE state = :waiting OR state = :out AND (due <= :now OR sent_at > :now)"
                " ORDER BY start, duration, sender LIMIT :limit",
                {"waiting": State.WAITING, "out": State.OUT, "now": int(now), "limit": limit},
            ).fetchall()
            result = []
            for sender, start, duration, community, home, body in rows:
                footprint = unpacked(body, community, home, start)
                if footprint is None:
                    give_up(database, Place(sender, start, duration))
                    continue
                boot = self._boots[community, home]
                seq = numbered(database, Place(sender, start, duration), footprint, boot)
                result.append(replace(footprint, boot=boot, seq=seq))
        return result

    def sent(self, footprints: Iterable[Footprint], now: float) -> None:
        """Take note that the broker has these, as `pending` gave them."""
        with self._file.writing() as database:
            for footprint in footprints:
                mark_out(database, footprint, int(now))

    def failed(self, footprints: Iterable[Footprint]) -> None:
        """Take note that nobody knows whether the broker has these: their numbers are used up.

        They are given by `pending` again at once.
        """
        with self._file.writing() as database:
            for footprint in footprints:
                spend(database, footprint)

    def acknowledged(self, ack: Ack) -> int:
        """Let go of what the hub has; return how many footprints that were.

        An ack for messages that were not sent like this is ignored.
        """
        with self._file.writing() as database:
            run = database.execute(
                "SELECT run.id, last, highest, digest FROM run JOIN sender ON sender.id = sender"
                " WHERE boot = ? AND community = ? AND home = ?",
                (ack.boot, ack.community, ack.home),
            ).fetchone()
            if run is None or not fits(database, run, ack):
                return 0
            count = let_go(database, run[0], ack)
        if count:
            self._file.give_back()
        return count

    def refused(self, nack: Nack) -> bool:
        """Keep what the hub does not take from being sent again; return whether it is known."""
        with self._file.writing() as database:
            done = database.execute(
                "UPDATE footprint SET state = ? FROM sender WHERE sender.id = sender"
                " AND community = ? AND home = ? AND start = ? AND duration = ? AND revision = ?"
                " AND state IN (?, ?)",
                (
                    State.REFUSED,
                    nack.community,
                    nack.home,
                    nack.start,
                    nack.duration,
                    nack.revision,
                    State.WAITING,
                    State.OUT,
                ),
            )
            return done.rowcount > 0

    def asked(self, request: Request) -> tuple[int, ...]:
        """Let what the hub misses go out again; return the starts of periods not kept here.

        These were acknowledged or never put. Put again, also under the same revision, they are
        sent.
        """
        absent = []
        with self._file.writing() as database:
            sender = sender_of(database, request.community, request.home)
            for start in request.starts:
                row = database.execute(
                    "UPDATE footprint SET state = iif(state < 3, ?, ?), tries = 0"
                    " WHERE sender = ? AND start = ? AND duration = ? RETURNING state",
                    (State.WAITING, State.WANTED, sender, start, request.duration),
                ).fetchall()
                if row != [(State.WAITING,)]:
                    absent.append(start)
        return tuple(absent)

    def revise(self, change: Callable[[Footprint], Footprint | None]) -> int:
        """Look at all that is kept with its contents again; return how many were changed.

        `change` returns the footprint as it is, a newer revision that takes its place, or None
        for one that must not leave: it is let go, and not counted as given up.
        """
        count = 0
        with self._file.writing() as database:
            rows = database.execute(
                "SELECT sender, start, duration, community, home, body FROM footprint"
                " JOIN content USING (sender, start, duration) JOIN sender ON sender.id = sender"
            ).fetchall()
            for sender, start, duration, community, home, body in rows:
                place = Place(sender, start, duration)
                footprint = unpacked(body, community, home, start)
                if footprint is None:
                    give_up(database, place)
                    continue
                changed = change(footprint)
                if changed is None:
                    withhold(database, place)
                elif changed is not footprint:
                    keep(database, changed)
                else:
                    continue
                count += 1
        if count:
            self._file.give_back()
        return count

    def status(self) -> Status:
        """Return how full the outbox is."""
        with self._file.reading() as database:
            held = dict(
                database.execute(
                    "SELECT state, COUNT(*) FROM footprint WHERE state < 3 GROUP BY state"
                ).fetchall()
            )
            dropped = database.execute(
                "SELECT COALESCE(SUM(value), 0) FROM counter WHERE name = 'dropped'"
            ).fetchone()[0]
        return Status(
            waiting=held.get(State.WAITING, 0),
            out=held.get(State.OUT, 0),
            refused=held.get(State.REFUSED, 0),
            dropped=dropped,
            size=self._file.size(),
        )


def _new_boot() -> str:
    """Return a name that nobody else has."""
    return secrets.token_hex(8)
