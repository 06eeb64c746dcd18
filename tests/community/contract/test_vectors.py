"""The published vectors: what another vendor tests with is what this receiver does."""

from collections import Counter
import json

import pytest

from custom_components.carbon_meter.community.authority.keys import key_asked_for
from custom_components.carbon_meter.community.contract.answers import read_answer
from custom_components.carbon_meter.community.contract.certificates import (
    read_certificate,
    read_signing,
)
from custom_components.carbon_meter.community.contract.clauses import CLAUSES
from custom_components.carbon_meter.community.contract.consent import (
    read_agreement,
    read_deleted,
)
from custom_components.carbon_meter.community.contract.message import Footprint
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.contract.topics import Channel, parse
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.vectors import Vector, all_vectors

VECTORS = all_vectors()


def received(vector: Vector) -> object:
    """Return what the receiver that is named makes of a message."""
    return at_hub(vector) if vector.to == "hub" else at_home(vector)


def at_hub(vector: Vector) -> object:
    """Return what a hub makes of a message."""
    match parse(vector.topic).channel:
        case Channel.FOOTPRINT:
            return read(vector.topic, vector.payload, vector.now)
        case Channel.CONSENT | Channel.WITHDRAWAL:
            return read_agreement(vector.topic, vector.payload)
        case Channel.SIGNING:
            request = read_signing(vector.topic, vector.payload)
            return key_asked_for(request.csr)
    # No home says this: each reader of a hub refuses it by its topic.
    for reads in (read_agreement, read_signing):
        with pytest.raises(RefusedError):
            reads(vector.topic, vector.payload)
    return read(vector.topic, vector.payload, vector.now)


def at_home(vector: Vector) -> object:
    """Return what a home makes of a message."""
    match parse(vector.topic).channel:
        case Channel.DELETED:
            return read_deleted(vector.topic, vector.payload)
        case Channel.CERTIFICATE:
            return read_certificate(vector.topic, vector.payload)
    return read_answer(vector.topic, vector.payload)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_a_receiver_does_what_the_vector_says(vector: Vector) -> None:
    if vector.outcome == "refused":
        with pytest.raises(RefusedError) as caught:
            received(vector)
        assert (caught.value.code, caught.value.clause) == (vector.code, vector.clause)
        assert caught.value.detail
    else:
        message = received(vector)
        if isinstance(message, Footprint):
            assert message.digest == vector.digest


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if vector.schema], ids=lambda vector: vector.id
)
def test_the_schema_alone_says_what_the_vector_says(vector: Vector) -> None:
    value = json.loads(vector.payload)
    assert is_valid(schema_of(vector.kind), value) == (vector.schema == "valid")


def test_vectors_say_everything_they_need() -> None:
    for vector in VECTORS:
        assert vector.clause in CLAUSES
        assert vector.to in {"hub", "home"}
        assert vector.outcome in {"accepted", "refused"}
        assert (vector.code is None) == (vector.outcome == "accepted")
        assert vector.schema in {None, "valid", "invalid"}
        if vector.outcome == "accepted":
            assert vector.schema in {None, "valid"}
            assert (vector.digest is None) == (vector.kind != "footprint")
    assert max(Counter(vector.id for vector in VECTORS).values()) == 1


def test_every_code_of_a_single_message_is_shown() -> None:
    shown = {vector.code for vector in VECTORS} - {None}
    of_several = {Code.CONFLICT, Code.REVISIONS, Code.INTENSITIES}
    assert shown == set(Code) - of_several - {Code.CONSENT}


def test_revisions_that_are_alike_have_one_digest() -> None:
    digests = {vector.name: vector.digest for vector in VECTORS if vector.digest}
    first = digests["an hour with import and pv"]
    assert digests["the same sent again in another run: one digest"] == first
    assert digests["the same items in another order: one digest"] == first
    assert digests["another revision has another digest"] != first
    assert digests["final is another content than provisional"] not in {
        first,
        digests["another revision has another digest"],
    }
