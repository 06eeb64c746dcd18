"""What the hub says: written and read again the same, and nacks of anything."""

import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.answers import (
    Ack,
    Answer,
    Nack,
    Request,
    nack_of,
    read_answer,
    write_answer,
)
from custom_components.carbon_meter.community.contract.decoding import decoded
from custom_components.carbon_meter.community.contract.reading import footprint_of
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.contract.topics import Channel, parse
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.made import acks, nacks, requests
from tests.community.contract.vectors import all_vectors

NAMES = {Ack: "ack", Nack: "nack", Request: "request"}


@given(acks() | nacks | requests())
@settings(deadline=None)
def test_what_is_written_is_read(answer: Answer) -> None:
    topic, payload = write_answer(answer)
    assert read_answer(topic, payload) == answer
    assert is_valid(schema_of(NAMES[type(answer)]), json.loads(payload))


@pytest.mark.clause("CM-28")
@given(acks())
@settings(deadline=None)
def test_an_ack_covers_its_numbers_and_no_other(ack: Ack) -> None:
    assert ack.covers(ack.highest)
    assert not ack.covers(ack.highest + 1)
    assert not ack.covers(ack.upto + 1) or ack.also[0][0] == ack.upto + 1
    for first, last in ack.also:
        assert ack.covers(first)
        assert ack.covers(last)
        assert not ack.covers(first - 1)
        assert not ack.covers(last + 1)


@pytest.mark.clause("CM-31")
@given(requests())
@settings(deadline=None)
def test_a_request_names_each_period_once(request: Request) -> None:
    assert len(set(request.starts)) == sum(count for _, count in request.missing)
    assert sorted(request.starts) == [*request.starts]
    assert all(start % request.duration == 0 for start in request.starts)


@pytest.mark.parametrize(
    "answer",
    [
        Ack(community="c", home="h", boot="b", upto=0, digest="a" * 64),
        Ack(community="c", home="h", boot="b", upto=2, also=((3, 4),), digest="a" * 64),
        Ack(community="c", home="h", boot="B", upto=2, digest="a" * 64),
        Ack(community="c", home="+", boot="b", upto=2, digest="a" * 64),
        Nack(community="c", home="h", code=Code.RANGE, clause="12", detail=""),
        Nack(community="c", home="h", code=Code.RANGE, clause="CM-12", detail="é"),
        Request(community="c", home="h", duration=3600, missing=()),
        Request(community="c", home="h", duration=60, missing=((0, 1),)),
        Request(community="c", home="h", duration=3600, missing=((1, 1),)),
    ],
)
def test_what_a_home_would_refuse_is_not_written(answer: Answer) -> None:
    with pytest.raises(RefusedError):
        write_answer(answer)


REFUSED = [
    vector
    for vector in all_vectors()
    if vector.kind == "footprint" and vector.outcome == "refused" and vector.code != Code.TOPIC
]


@pytest.mark.clause("CM-8", "CM-30")
@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector.id)
def test_every_refusal_can_be_told_to_the_sender(vector) -> None:
    place = parse(vector.topic)
    value = None
    try:
        value = decoded(vector.payload)
        footprint_of(value, place)
    except RefusedError as err:
        error = err
    else:
        error = RefusedError(Code(vector.code), vector.clause, "by the clock")
    nack = nack_of(error, place, value)
    assert read_answer(*write_answer(nack)) == nack
    assert (nack.code, nack.clause, nack.start) == (vector.code, vector.clause, place.start)


@given(st.text(), st.dictionaries(st.sampled_from(["boot", "seq", "dur", "rev"]), st.text()))
@settings(deadline=None)
def test_a_nack_carries_nothing_that_harms(detail: str, value: dict[str, str]) -> None:
    place = parse("cm/v1/street/home/up/fp/3600")
    nack = nack_of(RefusedError(Code.TEXT, "CM-13", detail), place, value)
    assert read_answer(*write_answer(nack)) == nack


@pytest.mark.parametrize("channel", [Channel.CONSENT, Channel.WITHDRAWAL])
def test_a_home_does_not_answer_itself(channel: Channel) -> None:
    with pytest.raises(RefusedError) as caught:
        read_answer(f"cm/v1/street/home/{channel}", b"{}")
    assert caught.value.clause == "CM-1"


@given(st.sampled_from(["ack", "nack", "req"]), st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_refused_in_words(channel: str, payload: bytes) -> None:
    with pytest.raises(RefusedError):
        read_answer(f"cm/v1/street/home/down/{channel}", payload)
