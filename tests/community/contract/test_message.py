"""Footprints that are written and read again are the same, and schema and reader agree."""

from dataclasses import replace
import hashlib
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.decoding import MOST_BYTES
from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    as_object,
    canonical,
)
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.contract.writing import write
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.made import footprints

SCHEMA = schema_of("footprint")


@given(footprints())
@settings(deadline=None)
def test_what_is_written_is_read(footprint: Footprint) -> None:
    topic, payload = write(footprint)
    assert read(topic, payload, footprint.end) == footprint
    assert len(payload) <= MOST_BYTES
    assert is_valid(SCHEMA, json.loads(payload))


@pytest.mark.clause("CM-25")
@given(footprints(), st.integers(0, 9))
@settings(deadline=None)
def test_revisions_share_their_key_alone(footprint: Footprint, revision: int) -> None:
    other = replace(footprint, revision=footprint.revision ^ 1)
    assert other.key == footprint.key
    assert other.digest != footprint.digest
    assert replace(footprint, boot="x", seq=revision + 1, at=revision).digest == footprint.digest


@pytest.mark.clause("CM-26")
@given(footprints())
@settings(deadline=None)
def test_every_other_change_makes_another_digest(footprint: Footprint) -> None:
    item = footprint.items[0]
    changed = [
        replace(footprint, items=(replace(item, wh=item.wh ^ 1), *footprint.items[1:])),
        replace(footprint, items=(replace(item, version=item.version + "x"), *footprint.items[1:])),
        replace(footprint, items=footprint.items[1:]),
        replace(footprint, community=footprint.community + "x"),
        replace(footprint, home=footprint.home + "x"),
        replace(footprint, method=footprint.method + "x"),
        replace(footprint, synced=not footprint.synced),
        replace(footprint, is_final=not footprint.is_final),
        replace(footprint, offset_ms=(footprint.offset_ms or 0) + 1),
    ]
    assert len({footprint.digest, *(other.digest for other in changed)}) == len(changed) + 1


@given(footprints(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_items_means_nothing(footprint: Footprint, random) -> None:
    shuffled = list(footprint.items)
    random.shuffle(shuffled)
    assert replace(footprint, items=tuple(shuffled)).digest == footprint.digest


@given(footprints())
@settings(deadline=None)
def test_the_digest_can_be_computed_from_the_payload(footprint: Footprint) -> None:
    body = json.loads(write(footprint)[1])
    rest = {name: value for name, value in body.items() if name not in {"at", "boot", "seq"}}
    text = json.dumps(
        rest | {"community": footprint.community}, sort_keys=True, separators=(",", ":")
    )
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == footprint.digest


MUTATIONS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, -1, 900, 3600, 10_000, 10_001, 2**40, 2**53, 2**63])
    | st.floats()
    | st.text(max_size=70)
    | st.sampled_from([flow.value for flow in Flow])
    | st.sampled_from(["missing", "measured", "masked", "clear"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


BEYOND_SCHEMA = {
    Code.SIZE,
    Code.ENCODING,
    Code.SYNTAX,
    Code.SOURCE,
    Code.ALIGNMENT,
    Code.FUTURE,
    Code.OLD,
    Code.FINAL,
    Code.ITEMS,
    Code.CARBON_FREE,
}
"""What one object alone does not show: the schema may take it."""


def mutated(value, data: st.DataObject):
    """Return a JSON value of which one part, somewhere, is another one or gone."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        name = data.draw(st.sampled_from(sorted(value)))
        if not data.draw(st.integers(0, 5)):
            return {key: part for key, part in value.items() if key != name}
        return value | {name: mutated(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], mutated(value[place], data), *value[place + 1 :]]
    return data.draw(MUTATIONS)


@given(footprints(), st.data())
@settings(deadline=None, max_examples=400)
def test_what_the_reader_takes_the_schema_takes(footprint: Footprint, data: st.DataObject) -> None:
    topic, _ = write(footprint)
    value = mutated(as_object(footprint), data)
    payload = json.dumps(value).encode()
    try:
        again = read(topic, payload, footprint.end)
    except RefusedError as err:
        code = err.code
    else:
        assert is_valid(SCHEMA, value)
        assert read(*write(again), footprint.end) == again
        return
    is_fraction = code is Code.TYPE and ".0" in payload.decode()
    assert code in BEYOND_SCHEMA or is_fraction or not is_valid(SCHEMA, value)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"home": "#"}, "CM-2"),
        ({"home": "public"}, "CM-2"),
        ({"home": "hub"}, "CM-2"),
        ({"version": 2}, "CM-8"),
        ({"items": ()}, "CM-20"),
        ({"software": "é"}, "CM-13"),
        ({"software": "\ud800"}, "CM-4"),
        ({"start": 1}, "CM-16"),
        ({"start": -3600}, "CM-12"),
        ({"seq": 0}, "CM-12"),
        ({"at": 1.5}, "CM-11"),
        ({"is_final": True, "synced": False}, "CM-19"),
    ],
)
@given(footprint=footprints())
@settings(deadline=None, max_examples=5)
def test_what_would_be_refused_is_not_written(footprint, change, clause) -> None:
    with pytest.raises(RefusedError) as caught:
        write(replace(footprint, **{"duration": 3600} | change))
    if "start" in change or footprint.start % 3600 == 0:
        assert caught.value.clause == clause


def test_the_canonical_form_has_no_room_for_choices() -> None:
    assert canonical({"b": [1, None], "a": {"d": True, "c": "é"}}) == (
        '{"a":{"c":"é","d":true},"b":[1,null]}'.encode()
    )
