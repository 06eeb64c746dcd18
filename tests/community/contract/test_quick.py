"""The quick way to read: it takes only what the strict one takes, with the same result."""

from dataclasses import replace
import json

from hypothesis import given, settings, strategies as st

from custom_components.carbon_meter.community.contract.decoding import decoded
from custom_components.carbon_meter.community.contract.message import Footprint
from custom_components.carbon_meter.community.contract.quick import read_quickly
from custom_components.carbon_meter.community.contract.reading import footprint_of
from custom_components.carbon_meter.community.contract.refusal import RefusedError
from custom_components.carbon_meter.community.contract.topics import Channel, parse_as
from custom_components.carbon_meter.community.contract.writing import write
from tests.community.contract.made import footprints
from tests.community.contract.vectors import all_vectors


def strictly(topic: str, payload: bytes) -> Footprint | None:
    try:
        return footprint_of(decoded(payload), parse_as(topic, Channel.FOOTPRINT))
    except RefusedError:
        return None


def is_the_same(topic: str, payload: bytes) -> bool:
    """Return whether the quick way has taken it, having checked that the strict one agrees."""
    quick = read_quickly(topic, payload)
    if quick is None:
        return False
    strict = strictly(topic, payload)
    assert quick == strict
    assert quick.digest == strict.digest
    return True


@given(footprints())
def test_what_homes_write_is_the_same_both_ways(footprint: Footprint) -> None:
    is_the_same(*write(footprint))


def test_what_homes_usually_write_is_read_quickly() -> None:
    example = json.loads(
        '{"at":1800000060000,"boot":"9f2c41d07be85a36","clk":{"offset_ms":-12,"synced":true},'
        '"dur":3600,"final":false,"items":[{"cf":600,"ci":{"kind":"average","resolution":900,'
        '"source":"energy-charts","version":"2026-11","zone":"DE"},"cov":10000,'
        '"flow":"grid_import","mg":437500,"q":"measured","wh":1250}],"level":"pseudonym",'
        '"method":"location@2","rev":0,"seq":7,"src":"home_17","start":1799996400,'
        '"sw":"carbon_meter 0.1.0","v":1}'
    )
    topic = "cm/v1/village/home_17/up/fp/1799996400"
    text = json.dumps(example, sort_keys=True, separators=(",", ":"))
    assert is_the_same(topic, text.encode())
    assert not is_the_same(topic, json.dumps(example).encode())  # left to the strict reader


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a message of which some bytes were cut, doubled, swapped or replaced."""
    topic, payload = write(draw(footprints()))
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(payload)))
        last = draw(st.integers(first, min(first + 40, len(payload))))
        piece = draw(
            st.sampled_from(
                [
                    b"", b" ", b"0", b"-", b"1.0", b"1e3", b"9" * 20, b"null", b"true", b"\x00",
                    b'"', b"\\", b"]", b"}", b"},{", b",", b'"a":1,', b'"v":1,"v":1', b"\xc3\xa9",
                    b"\\ud800", b"missing", b"measured", b"grid_import", payload[first:last] * 2,
                ]
            )
        )  # fmt: skip
        payload = payload[:first] + piece + payload[last:]
    return topic, payload


@settings(max_examples=200)
@given(damaged())
def test_what_is_damaged_is_never_taken_against_the_strict_reader(
    message: tuple[str, bytes],
) -> None:
    is_the_same(*message)


@st.composite
def beside(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a message in the right form with one value that may be out of its limits."""
    topic, payload = write(draw(footprints()))
    body = json.loads(payload)
    item = draw(st.sampled_from(body["items"]))
    edges = st.sampled_from([-(2**63), -(2**40), -1, 0, 1, 10_000, 10_001, 2**40, 2**53, 2**64])
    words = st.sampled_from(["", "a", "A b", "masked", "clear", "missing", "pv", "é", "x" * 65])
    where = draw(st.sampled_from(["body", "item", "ci", "clk"]))
    part = {"body": body, "item": item, "ci": item["ci"], "clk": body["clk"]}[where]
    name = draw(st.sampled_from(sorted(part)))
    if not isinstance(part[name], dict | list):
        part[name] = draw(st.one_of(edges, words, st.booleans(), st.none()))
    return topic, json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


@settings(max_examples=200)
@given(beside())
def test_values_at_the_edges_are_never_taken_against_the_strict_reader(
    message: tuple[str, bytes],
) -> None:
    is_the_same(*message)


def test_no_vector_is_taken_against_its_outcome() -> None:
    quick = [each for each in all_vectors() if is_the_same(each.topic, each.payload)]
    # Some are refused for the time that it is, by whichever way they were read.
    assert {each.outcome for each in quick} <= {"accepted", "refused"}
    assert {each.code for each in quick} <= {None, "future", "old", "final"}


@given(footprints(), st.integers(0, 99))
def test_a_changed_copy_has_its_own_digest(footprint: Footprint, revision: int) -> None:
    before = footprint.digest
    other = replace(footprint, revision=revision)
    assert (other.digest == before) == (revision == footprint.revision)
    assert replace(footprint, boot="other", seq=9, at=1).digest == before
