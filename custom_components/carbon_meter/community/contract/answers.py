"""What the hub says to a home: what it has, what it refuses, what it misses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .decoding import decoded
from .fields import CLAUSE, DIGEST, ID, LARGEST_NUMBER, LARGEST_REVISION, Fields, printable, whole
from .message import VERSION, canonical
from .reading import duration_in
from .refusal import Code, RefusedError
from .topics import Channel, Topic, build, parse

MOST_RANGES: Final = 128
"""In one answer; what does not fit is acknowledged or asked for in the next."""

MOST_MISSING: Final = 38_400
"""Periods in one request: 400 days of quarters of an hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ack:
    """What the hub has committed to its store of one run of a home."""

    community: str
    home: str
    boot: str
    upto: int
    """Every number from 1 to this one has come; 0 if the first has not."""

    also: tuple[tuple[int, int], ...] = ()
    """First and last of further numbers that have come, ascending, with gaps between."""

    digest: str
    """Of the footprint with the highest number of all these."""

    @property
    def highest(self) -> int:
        """Return the highest number that has come."""
        return self.also[-1][1] if self.also else self.upto

    def covers(self, seq: int) -> bool:
        """Return whether the hub has the message of that number."""
        return seq <= self.upto or any(first <= seq <= last for first, last in self.also)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nack:
    """A message that the hub does not take, as far as it could be read."""

    community: str
    home: str
    code: Code
    clause: str
    detail: str
    """For people: printable ASCII, shortened."""

    boot: str | None = None
    seq: int | None = None
    start: int | None = None
    duration: int | None = None
    revision: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Periods that the hub has nothing of."""

    community: str
    home: str
    duration: int
    """Seconds."""

    missing: tuple[tuple[int, int], ...]
    """Start of the first period in seconds since 1970 UTC, and how many follow each other."""

    @property
    def starts(self) -> tuple[int, ...]:
        """Return when each period starts."""
        return tuple(
            start + number * self.duration
            for start, count in self.missing
            for number in range(count)
        )


type Answer = Ack | Nack | Request


def read_answer(topic: str, payload: bytes) -> Answer:
    """Return what the hub says; raises RefusedError for what is no answer."""
    place = parse(topic)
    reader = _READERS.get(place.channel)
    if reader is None:
        raise RefusedError(Code.TOPIC, "CM-1", f"{place.channel} is no answer to a footprint")
    fields = Fields(decoded(payload))
    fields.check_version()
    return reader(place, fields)


def write_answer(answer: Answer) -> tuple[str, bytes]:
    """Return topic and payload; raises RefusedError for what a home would refuse."""
    match answer:
        case Ack():
            channel, body = Channel.ACK, _ack_body(answer)
        case Nack():
            channel, body = Channel.NACK, _nack_body(answer)
        case Request():
            channel, body = Channel.REQUEST, _request_body(answer)
    topic = build(Topic(community=answer.community, home=answer.home, channel=channel))
    payload = canonical({"v": VERSION} | body)
    read_answer(topic, payload)
    return topic, payload


def nack_of(err: RefusedError, place: Topic, value: Any = None) -> Nack:
    """Return the nack for a refused footprint.

    `place` is its topic, `value` its decoded payload as far as there is one: what of it can
    be told back is.
    """
    known = value if isinstance(value, dict) else {}
    return Nack(
        community=place.community,
        home=place.home,
        code=err.code,
        clause=err.clause,
        detail=printable(err.detail),
        boot=_id_or_none(known.get("boot")),
        seq=_whole_or_none(known.get("seq"), 1, LARGEST_NUMBER),
        start=place.start,
        duration=_whole_or_none(known.get("dur"), 1, LARGEST_NUMBER),
        revision=_whole_or_none(known.get("rev"), 0, LARGEST_REVISION),
    )


def _ack_body(ack: Ack) -> dict[str, Any]:
    """Return an ack as it goes over the wire."""
    also = [list(numbers) for numbers in ack.also]
    return {"boot": ack.boot, "upto": ack.upto, "also": also, "hash": ack.digest}


def _nack_body(nack: Nack) -> dict[str, Any]:
    """Return a nack as it goes over the wire."""
    return {
        "code": nack.code.value,
        "clause": nack.clause,
        "detail": nack.detail,
        "boot": nack.boot,
        "seq": nack.seq,
        "start": nack.start,
        "dur": nack.duration,
        "rev": nack.revision,
    }


def _request_body(request: Request) -> dict[str, Any]:
    """Return a request as it goes over the wire."""
    return {"dur": request.duration, "missing": [list(numbers) for numbers in request.missing]}


def _read_ack(place: Topic, fields: Fields) -> Ack:
    """Return an ack of which the numbers are in order; raises RefusedError."""
    upto = fields.whole("upto", 0, LARGEST_NUMBER)
    also = _pairs(fields, "also", LARGEST_NUMBER)
    before = upto
    for first, last in also:
        if first <= before + 1 or last < first:
            raise RefusedError(Code.RANGE, "CM-28", f"{first} to {last} after {before}")
        before = last
    if not before:
        raise RefusedError(Code.RANGE, "CM-28", "an ack of nothing")
    return Ack(
        community=place.community,
        home=place.home,
        boot=fields.text("boot", ID),
        upto=upto,
        also=also,
        digest=fields.text("hash", DIGEST),
    )


def _read_nack(place: Topic, fields: Fields) -> Nack:
    """Return a nack; raises RefusedError."""
    return Nack(
        community=place.community,
        home=place.home,
        code=fields.choice("code", Code),
        clause=fields.text("clause", CLAUSE),
        detail=fields.detail("detail"),
        boot=fields.text("boot", ID) if fields.has("boot") else None,
        seq=fields.whole_or_none("seq", 1, LARGEST_NUMBER),
        start=fields.whole_or_none("start", 0, LARGEST_NUMBER),
        duration=fields.whole_or_none("dur", 1, LARGEST_NUMBER),
        revision=fields.whole_or_none("rev", 0, LARGEST_REVISION),
    )


def _read_request(place: Topic, fields: Fields) -> Request:
    """Return a request for periods that can be; raises RefusedError."""
    duration = duration_in(fields)
    missing = _pairs(fields, "missing", LARGEST_NUMBER)
    before = -duration
    for start, count in missing:
        if start % duration or not count or start <= before:
            raise RefusedError(Code.RANGE, "CM-31", f"{count} periods from {start}")
        before = start + (count - 1) * duration
    if not 1 <= sum(count for _, count in missing) <= MOST_MISSING:
        raise RefusedError(Code.RANGE, "CM-31", f"not 1 to {MOST_MISSING} periods")
    return Request(community=place.community, home=place.home, duration=duration, missing=missing)


def _pairs(fields: Fields, name: str, most: int) -> tuple[tuple[int, int], ...]:
    """Return a list of pairs of whole numbers; raises RefusedError."""
    rows = fields.rows(name)
    if len(rows) > MOST_RANGES:
        raise RefusedError(Code.RANGE, "CM-12", f"{name} has {len(rows)} rows")
    pairs = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            raise RefusedError(Code.TYPE, "CM-11", f"{name} holds what is no pair")
        pairs.append((whole(row[0], name, 0, most), whole(row[1], name, 0, most)))
    return tuple(pairs)


def _id_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and ID.fullmatch(value) else None


def _whole_or_none(value: Any, low: int, high: int) -> int | None:
    return value if type(value) is int and low <= value <= high else None


_READERS: Final[Mapping[Channel, Callable[[Topic, Fields], Answer]]] = {
    Channel.ACK: _read_ack,
    Channel.NACK: _read_nack,
    Channel.REQUEST: _read_request,
}
