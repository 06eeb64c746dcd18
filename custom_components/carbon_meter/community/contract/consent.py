"""What a home agrees to show its community, and that it no longer does."""

from dataclasses import dataclass
import hashlib
from typing import Any, Final

from .decoding import decoded
from .fields import DIGEST, ID, LARGEST_NUMBER, METHOD, Fields
from .message import VERSION, Flow, Footprint, Level, canonical
from .reading import duration_in, level_in
from .refusal import Code, RefusedError
from .topics import RESERVED_HOMES, Channel, Topic, build, parse, parse_as

MOST_EARLIER: Final = 60
"""Earlier ids in one withdrawal: five years of months."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """Somebody at home has agreed to this, and to nothing more."""

    community: str
    home: str
    at: int
    """Milliseconds since 1970 UTC; of all consents and withdrawals the latest holds."""

    text: str
    """`id@version` of the words that were agreed to."""

    level: Level
    duration: int
    """Seconds: no shorter period is told."""

    flows: tuple[Flow, ...]
    """No other flow is told."""

    proof: str | None = None
    """Of a secret made at home for this id, see `proof_of`: who knows the secret later can have
    deleted what was told under it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """The home leaves: what it told is deleted, and the sums are made without it."""

    community: str
    home: str
    at: int
    """Milliseconds since 1970 UTC."""

    also: tuple[tuple[str, str], ...] = ()
    """Earlier ids of the home, each with the secret behind the proof in its consent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    """The hub has deleted what a home told: none of it is in its store or its sums."""

    community: str
    home: str
    """Who has withdrawn."""

    at: int
    """Milliseconds since 1970 UTC."""

    homes: int
    """Ids that were deleted now, this one and earlier ones; 0 if all were gone before."""


type Agreement = Consent | Withdrawal


def read_agreement(topic: str, payload: bytes) -> Agreement:
    """Return a consent or a withdrawal; raises RefusedError for what is neither."""
    place = parse(topic)
    if place.channel not in {Channel.CONSENT, Channel.WITHDRAWAL}:
        raise RefusedError(Code.TOPIC, "CM-1", f"{place.channel} is no agreement")
    fields = Fields(decoded(payload))
    fields.check_version()
    fields.check_source(place.home)
    at = fields.whole("at", 0, LARGEST_NUMBER)
    if place.channel is Channel.WITHDRAWAL:
        return Withdrawal(
            community=place.community, home=place.home, at=at, also=_also(fields, place.home)
        )
    return Consent(
        community=place.community,
        home=place.home,
        at=at,
        text=fields.text("text", METHOD),
        level=level_in(fields),
        duration=duration_in(fields),
        flows=read_flows(fields.rows("flows")),
        proof=fields.text("proof", DIGEST) if fields.has("proof") else None,
    )


def write_agreement(agreement: Agreement) -> tuple[str, bytes]:
    """Return topic and payload; raises RefusedError for what a hub would refuse."""
    body: dict[str, Any] = {"v": VERSION, "src": agreement.home, "at": agreement.at}
    channel = Channel.WITHDRAWAL
    if isinstance(agreement, Consent):
        channel = Channel.CONSENT
        body |= {
            "text": agreement.text,
            "level": agreement.level.value,
            "dur": agreement.duration,
            "flows": [flow.value for flow in agreement.flows],
        }
        if agreement.proof is not None:
            body["proof"] = agreement.proof
    elif agreement.also:
        body["also"] = [list(pair) for pair in agreement.also]
    topic = build(Topic(community=agreement.community, home=agreement.home, channel=channel))
    payload = canonical(body)
    read_agreement(topic, payload)
    return topic, payload


def read_deleted(topic: str, payload: bytes) -> Deleted:
    """Return what the hub has deleted; raises RefusedError."""
    place = parse_as(topic, Channel.DELETED)
    fields = Fields(decoded(payload))
    fields.check_version()
    return Deleted(
        community=place.community,
        home=place.home,
        at=fields.whole("at", 0, LARGEST_NUMBER),
        homes=fields.whole("homes", 0, MOST_EARLIER + 1),
    )


def write_deleted(deleted: Deleted) -> tuple[str, bytes]:
    """Return topic and payload; raises RefusedError for what a home would refuse."""
    topic = build(Topic(community=deleted.community, home=deleted.home, channel=Channel.DELETED))
    payload = canonical({"v": VERSION, "at": deleted.at, "homes": deleted.homes})
    read_deleted(topic, payload)
    return topic, payload


def proof_of(secret: str) -> str:
    """Return what a consent tells of a secret of 64 hexadecimal digits.

    It is the SHA-256 of these digits as ASCII text, in hexadecimal digits.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def latest(held: Agreement | None, new: Agreement) -> Agreement:
    """Return which of two agreements of a home holds, in whatever order they came."""
    return new if held is None else max(held, new, key=_rank)


def _rank(agreement: Agreement) -> tuple[int, bool, bytes]:
    """Return what decides; of two consents of one moment any, but always the same one."""
    is_withdrawal = isinstance(agreement, Withdrawal)
    return (agreement.at, is_withdrawal, write_agreement(agreement)[1])


def check_consent(footprint: Footprint, agreement: Agreement | None) -> None:
    """Raise RefusedError for a footprint that shows more than its home has agreed to."""
    if not isinstance(agreement, Consent):
        raise RefusedError(Code.CONSENT, "CM-36", f"{footprint.home} has not agreed")
    if footprint.level is Level.CLEAR and agreement.level is not Level.CLEAR:
        raise RefusedError(Code.CONSENT, "CM-35", f"{footprint.level} instead of {agreement.level}")
    if footprint.duration < agreement.duration:
        raise RefusedError(
            Code.CONSENT, "CM-35", f"{footprint.duration} s, shortest is {agreement.duration} s"
        )
    if more := {item.flow for item in footprint.items}.difference(agreement.flows):
        raise RefusedError(Code.CONSENT, "CM-35", f"not agreed: {', '.join(sorted(more))}")


def read_flows(rows: list[Any]) -> tuple[Flow, ...]:
    """Return the flows, each once; raises RefusedError."""
    if not 1 <= len(rows) <= len(Flow):
        raise RefusedError(Code.ITEMS, "CM-35", f"{len(rows)} flows, not 1 to {len(Flow)}")
    flows = [Fields({"flow": row}).choice("flow", Flow) for row in rows]
    if len(set(flows)) != len(flows):
        raise RefusedError(Code.ITEMS, "CM-35", "a flow is there twice")
    return tuple(flows)


def _also(fields: Fields, home: str) -> tuple[tuple[str, str], ...]:
    """Return earlier ids with their secrets, each once; raises RefusedError."""
    rows = fields.rows("also") if fields.has("also") else []
    if len(rows) > MOST_EARLIER:
        raise RefusedError(Code.RANGE, "CM-12", f"also has {len(rows)} rows")
    pairs = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            raise RefusedError(Code.TYPE, "CM-11", "also holds what is no pair")
        pair = Fields({"id": row[0], "secret": row[1]}, "also")
        pairs.append((pair.text("id", ID), pair.text("secret", DIGEST)))
    names = {name for name, _ in pairs}
    if len(names) != len(pairs) or home in names or names & RESERVED_HOMES:
        raise RefusedError(Code.ITEMS, "CM-38", "an id that is there twice or is no earlier one")
    return tuple(pairs)
