"""A batch of messages on its way into the ledger, the books and the desk, in their order."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from ..contract.answers import Ack, Nack, Request, nack_of, write_answer
from ..contract.bounds import MOST_INTENSITIES, MOST_REVISIONS
from ..contract.certificates import Declined, read_signing, write_certificate
from ..contract.consent import (
    Consent,
    Deleted,
    Withdrawal,
    check_consent,
    latest,
    read_agreement,
    write_deleted,
)
from ..contract.decoding import decoded
from ..contract.fields import printable
from ..contract.message import Footprint
from ..contract.reading import read
from ..contract.refusal import Code, RefusedError
from ..contract.topics import RESERVED_HOMES, ROOT, Channel, Topic, checked_id, parse
from ..ledger.cells import WATERMARK
from ..ledger.database import TooLargeError
from ..ledger.intake import Outcome
from .arrived import PASSING, Arrived, Reply
from .deleting import delete_home
from .desk import DeskError
from .limits import MOST_SENDERS
from .parts import Parts

_TAKEN: Final = {
    Outcome.ACCEPTED: "accepted",
    Outcome.DUPLICATE: "duplicates",
    Outcome.SUPERSEDED: "superseded",
}
"""What is acknowledged, by the field of Counts."""

_RESERVED: Final = frozenset({Channel.WITHDRAWAL, Channel.SIGNING})
"""What a home that floods must not lose: the end of its consent, and its certificate."""

_FOOTPRINT: Final = f"{Channel.FOOTPRINT}/"


class Batch:
    """Messages that reach the disk together."""

    def __init__(self, parts: Parts, now: float) -> None:
        """Begin with none."""
        self._parts = parts
        self._now = now
        self._present = int(now * 1000)
        """In milliseconds, as agreements tell it."""

        self._community = parts.ledger.community
        self._below = f"{ROOT}/{self._community}/"
        self._footprints: list[Footprint] = []
        self._replies: list[Reply] = []

    def run(self, batch: Sequence[Arrived]) -> list[Reply]:
        """Take all messages; when this returns, they are on the disk."""
        counting = self._parts.counting
        counting.add("messages", len(batch))
        for arrived in batch:
            if arrived.retained:
                counting.add("retained")
            else:
                self._sort(arrived.topic, arrived.payload)
        self._flush()
        self._parts.books.commit(counting.refusals)
        counting.cut(self._parts.cutting.homes)
        counting.keep(self._now)
        return self._replies

    def _sort(self, topic: str, payload: bytes) -> None:
        """Look at whose message it is, and of what kind."""
        parts = self._parts
        home, _, channel = topic.removeprefix(self._below).partition("/")
        if not topic.startswith(self._below) or not _is_home(home, parts.heard):
            parts.counting.add("strangers")
        elif not self._admits(home, channel):
            parts.counting.flood(home, self._now)
            parts.cutting.drop(home, self._now)
        else:
            if home not in parts.heard and channel != Channel.SIGNING:
                self._hear(home)
            try:
                self._read(home, channel, topic, payload)
            except RefusedError as err:
                self._refuse(err, home, topic, payload)

    def _admits(self, home: str, channel: str) -> bool:
        """Return whether a home may say one more of this kind, and count it."""
        parts = self._parts
        return parts.budgets.admit(home, self._now) or (
            channel in _RESERVED and parts.reserved.admit(f"{home}/{channel}", self._now)
        )

    def _hear(self, home: str) -> None:
        """Tell the desk once that a home speaks; if not now, then with its next message."""
        with suppress(DeskError):
            self._parts.desk.heard(home, self._now)
            if len(self._parts.heard) >= MOST_SENDERS:
                self._parts.heard.clear()
            self._parts.heard.add(home)

    def _read(self, home: str, channel: str, topic: str, payload: bytes) -> None:
        """Take a message; raises RefusedError."""
        if channel.startswith(_FOOTPRINT):
            footprint = read(topic, payload, self._now)
            check_consent(footprint, self._parts.books.agreement(home))
            self._footprints.append(footprint)
        elif channel in {Channel.CONSENT, Channel.WITHDRAWAL}:
            agreement = read_agreement(topic, payload)
            if isinstance(agreement, Consent):
                self._agree(agreement)
            else:
                self._withdraw(agreement)
        elif channel == Channel.SIGNING:
            self._sign(home, topic, payload)
        else:
            parse(topic)
            raise RefusedError(Code.TOPIC, "CM-1", "no message of a home")

    # Footprints

    def _flush(self) -> None:
        """Put the footprints so far into the ledger, and their numbers into the books."""
        parts, footprints = self._parts, self._footprints
        if not footprints:
            return
        self._footprints = []
        if parts.books.has_agreed:
            # What a home tells is not on the disk before its consent is.
            parts.books.commit()
        durations = {}
        for footprint, outcome in zip(footprints, self._taken(footprints), strict=True):
            if outcome in _TAKEN:
                parts.counting.add(_TAKEN[outcome])
                parts.books.received(
                    footprint.home, footprint.boot, footprint.seq, footprint.digest, self._now
                )
                durations[footprint.home] = footprint.duration
                if outcome is Outcome.ACCEPTED and footprint.end + WATERMARK < self._now:
                    parts.counting.add("late")
            else:
                self._set_apart(footprint, outcome)
        for home, duration in durations.items():
            parts.backfill.heard(home, duration, self._now)

    def _taken(self, footprints: list[Footprint]) -> list[Outcome | None]:
        """Return what became of footprints, None for one that no sum can hold."""
        try:
            return [*self._parts.ledger.take(footprints, int(self._now))]
        except TooLargeError:
            if len(footprints) == 1:
                return [None]
        half = len(footprints) // 2
        return self._taken(footprints[:half]) + self._taken(footprints[half:])

    def _set_apart(self, footprint: Footprint, outcome: Outcome | None) -> None:
        """Tell a home that the ledger does not take what it says."""
        match outcome:
            case Outcome.QUARANTINED:
                self._parts.counting.add("quarantined")
                code, clause = Code.CONFLICT, "CM-26"
                detail = f"another content under revision {footprint.revision} is held"
            case Outcome.TOO_MANY_REVISIONS:
                code, clause = Code.REVISIONS, "CM-49"
                detail = f"{MOST_REVISIONS} revisions of the period are held"
            case Outcome.TOO_MANY_INTENSITIES:
                code, clause = Code.INTENSITIES, "CM-50"
                detail = f"more than {MOST_INTENSITIES} different ci"
            case Outcome.STRANGER:
                code, clause = Code.CONSENT, "CM-36"
                detail = f"{footprint.home} is no member"
            case _:
                code, clause, detail = Code.RANGE, "CM-34", "no sum of 64 bits holds it"
        self._parts.counting.refuse(code)
        self._replies.append(
            reply(
                Nack(
                    community=self._community,
                    home=footprint.home,
                    code=code,
                    clause=clause,
                    detail=detail,
                    boot=footprint.boot,
                    seq=footprint.seq,
                    start=footprint.start,
                    duration=footprint.duration,
                    revision=footprint.revision,
                )
            )
        )

    def _refuse(self, err: RefusedError, home: str, topic: str, payload: bytes) -> None:
        """Tell a home why a message of it is refused."""
        self._parts.counting.refuse(err.code)
        place = Topic(community=self._community, home=home, channel=Channel.FOOTPRINT)
        value: Any = None
        with suppress(RefusedError):
            place = replace(place, start=parse(topic).start)
            # Of what is no footprint nothing is told back: fields of it mean something else.
            value = None if place.start is None else decoded(payload)
        self._replies.append(reply(nack_of(err, place, value)))

    # Agreements

    def _agree(self, consent: Consent) -> None:
        """Let a consent hold, if it is the latest and of a member; raises RefusedError."""
        parts, home = self._parts, consent.home
        parts.counting.add("consents")
        held = parts.books.agreement(home)
        if isinstance(held, Withdrawal):
            raise RefusedError(Code.CONSENT, "CM-37", f"{home} has withdrawn")
        if consent.at > self._present:
            # One of the future would hold against every later one of a clock put right.
            consent = replace(consent, at=0)
        elif held is not None and held != consent and latest(held, consent) is held:
            raise _overtaken(held)
        if home not in parts.admitted or held != consent:
            if not parts.desk.consented(home, self._now):
                raise RefusedError(Code.CONSENT, "CM-36", f"{home} is no member")
            parts.admitted.add(home)
        if held != consent:
            parts.books.agree(consent)

    def _withdraw(self, withdrawal: Withdrawal) -> None:
        """Delete a home, and what it has told under earlier ids; tell it so."""
        parts, home = self._parts, withdrawal.home
        parts.counting.add("withdrawals")
        held = parts.books.agreement(home)
        if isinstance(held, Consent) and held.at > withdrawal.at:
            raise _overtaken(held)
        withdrawal = replace(withdrawal, at=min(withdrawal.at, self._present))
        gone = [home] if isinstance(held, Consent) or home in self._members else []
        gone += [
            earlier
            for earlier, secret in withdrawal.also
            if earlier not in gone and parts.books.is_proven(earlier, secret)
        ]
        if gone:
            # Not for one come again: others' messages go to the disk together.
            self._flush()
        for each in gone:
            self._members.discard(each)
            delete_home(parts, each, withdrawal, self._now)
        deleted = Deleted(community=self._community, home=home, at=self._present, homes=len(gone))
        self._replies.append(Reply(*write_deleted(deleted)))

    @cached_property
    def _members(self) -> set[str]:
        """Return whom the ledger has; it takes a while, and is not worth it for each message."""
        return set(self._parts.ledger.homes)

    # Certificates

    def _sign(self, home: str, topic: str, payload: bytes) -> None:
        """Answer who asks for a certificate; who cannot be answered now asks again."""
        self._parts.counting.add("certificates")
        try:
            answer = self._parts.desk.signing(read_signing(topic, payload), self._now)
        except RefusedError as err:
            self._parts.counting.refuse(err.code)
            answer = Declined(
                community=self._community,
                home=home,
                code=err.code,
                detail=printable(err.detail),
            )
        except DeskError:
            return
        self._replies.append(Reply(*write_certificate(answer)))


def reply(answer: Ack | Nack | Request) -> Reply:
    """Return an answer as the message that it is."""
    return Reply(*write_answer(answer), expires=None if isinstance(answer, Request) else PASSING)


def _overtaken(held: Consent) -> RefusedError:
    """Return what is said to an agreement that a consent of later keeps from holding."""
    return RefusedError(Code.CONSENT, "CM-47", f"the consent of {held.at} holds")


def _is_home(home: str, known: set[str]) -> bool:
    """Return whether a part of a topic can be a home's id."""
    if home in known:
        return True
    try:
        return checked_id(home) not in RESERVED_HOMES
    except RefusedError:
        return False
