"""Footprints and agreements made by hypothesis, within and at the edges of the contract."""

from typing import Any

from hypothesis import strategies as st

from custom_components.carbon_meter.community.contract.answers import Ack, Nack, Request
from custom_components.carbon_meter.community.contract.message import (
    DURATIONS,
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.refusal import Code

ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True).filter(
    lambda name: name not in {"public", "hub"}
)
texts = st.from_regex(r"[!-~]([ -~]{0,62}[!-~])?", fullmatch=True)
methods = st.from_regex(
    r"[a-z0-9][a-z0-9._-]{0,31}@[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}", fullmatch=True
)
numbers = st.integers(0, 2**53 - 1)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
details = st.from_regex(r"[ -~]{0,200}", fullmatch=True)


@st.composite
def items(draw: st.DrawFn, flow: Flow) -> Item:
    quality = draw(st.sampled_from(Quality))
    common: dict[str, Any] = {
        "flow": flow,
        "quality": quality,
        "source": draw(texts),
        "zone": draw(texts),
        "kind": draw(st.sampled_from(Kind)),
        "version": draw(texts),
        "resolution": draw(st.integers(1, 366 * 86400)),
    }
    if quality is Quality.MISSING:
        return Item(**common, wh=0, mg=0, coverage=0)
    wh = draw(st.integers(0, 2**40 - 1))
    return Item(
        **common,
        wh=wh,
        mg=draw(st.integers(1 - 2**40, 2**40 - 1)),
        coverage=draw(st.integers(1 if quality is Quality.MEASURED else 0, 10_000)),
        carbon_free=draw(st.none() | st.integers(0, wh)),
    )


@st.composite
def footprints(draw: st.DrawFn) -> Footprint:
    flows = draw(st.lists(st.sampled_from(Flow), min_size=1, unique=True))
    duration = draw(st.sampled_from(DURATIONS))
    synced = draw(st.booleans())
    return Footprint(
        community=draw(ids),
        home=draw(ids),
        boot=draw(ids),
        seq=draw(st.integers(1, 2**53 - 1)),
        start=draw(st.integers(0, 99_999_999_999 // duration)) * duration,
        duration=duration,
        revision=draw(st.integers(0, 2**31 - 1)),
        at=draw(numbers),
        items=tuple(draw(items(flow)) for flow in sorted(flows)),
        method=draw(methods),
        software=draw(texts),
        synced=synced,
        offset_ms=draw(st.none() | st.integers(-86_400_000, 86_400_000)),
        level=draw(st.sampled_from(Level)),
        is_final=draw(st.booleans()) and synced,
    )


@st.composite
def ranges(draw: st.DrawFn, before: int) -> tuple[tuple[int, int], ...]:
    """Return ranges of numbers, none of which touches the one before."""
    result = []
    for gap, length in draw(
        st.lists(st.tuples(st.integers(2, 1000), st.integers(0, 1000)), max_size=128)
    ):
        result.append((before + gap, before + gap + length))
        before += gap + length
    return tuple(result)


@st.composite
def acks(draw: st.DrawFn) -> Ack:
    upto = draw(st.integers(0, 2**40))
    also = draw(ranges(upto))
    return Ack(
        community=draw(ids),
        home=draw(ids),
        boot=draw(ids),
        upto=upto if upto or also else 1,
        also=also,
        digest=draw(digests),
    )


nacks = st.builds(
    Nack,
    community=ids,
    home=ids,
    code=st.sampled_from(Code),
    clause=st.integers(1, 999).map("CM-{}".format),
    detail=details,
    boot=st.none() | ids,
    seq=st.none() | st.integers(1, 2**53 - 1),
    start=st.none() | numbers,
    duration=st.none() | st.integers(1, 2**53 - 1),
    revision=st.none() | st.integers(0, 2**31 - 1),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    duration = draw(st.sampled_from(DURATIONS))
    blocks = draw(
        st.lists(st.tuples(st.integers(0, 50), st.integers(1, 200)), min_size=1, max_size=128)
    )
    missing, place = [], draw(st.integers(0, 10**6))
    for gap, count in blocks:
        missing.append(((place + gap) * duration, count))
        place += gap + count
    return Request(community=draw(ids), home=draw(ids), duration=duration, missing=tuple(missing))
