"""Whatever comes, a receiver takes it or says why not; nothing else happens."""

import json
import threading

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.decoding import MOST_BYTES, decoded
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from tests.community.contract.vectors import all_vectors

GOOD = next(vector for vector in all_vectors() if vector.file == "footprint-accepted")


def refusal(topic: str, payload: bytes, now: float = GOOD.now) -> RefusedError | None:
    """Return why a message is refused, None if it is taken; every other error is the test's."""
    try:
        read(topic, payload, now)
    except RefusedError as err:
        return err
    return None


@given(st.text(max_size=60), st.binary(max_size=300))
@settings(deadline=None)
def test_any_topic_and_any_bytes_are_refused_in_words(topic: str, payload: bytes) -> None:
    assert refusal(topic, payload) is not None
    err = refusal(GOOD.topic, payload)
    assert err is not None
    assert err.code in {Code.SYNTAX, Code.ENCODING, Code.ABSENT, Code.DUPLICATE_KEY, Code.TYPE}


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_any_damage_to_a_message_raises_nothing_else(data: st.DataObject) -> None:
    payload = bytearray(GOOD.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    err = refusal(GOOD.topic, bytes(payload))
    assert err is None or (err.clause.startswith("CM-") and err.detail)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(deadline=None)
def test_json_of_any_shape_is_refused_in_words(value: object) -> None:
    assert refusal(GOOD.topic, json.dumps(value).encode()) is not None


@pytest.mark.clause("CM-7")
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_depth_is_refused_on_a_small_stack_too(opening: bytes) -> None:
    """A worker's stack is smaller than that of the main thread."""
    payload = opening * (MOST_BYTES // len(opening))
    found: list[RefusedError | None] = []
    size = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(refusal(GOOD.topic, payload)))
        thread.start()
    finally:
        threading.stack_size(size)
    thread.join()
    assert [err.code for err in found if err] in ([Code.NESTING], [Code.SYNTAX])


@pytest.mark.clause("CM-3")
def test_size_is_looked_at_before_anything_else() -> None:
    err = refusal(GOOD.topic, b"\xff" * 10_000_000)
    assert err is not None
    assert (err.code, err.detail) == (Code.SIZE, "10000000 bytes are more than 8192 bytes")


@pytest.mark.clause("CM-17", "CM-18")
@given(st.integers(-(400 * 86400) - 2, 302))
@settings(deadline=None)
def test_a_period_is_taken_within_its_window_only(age: int) -> None:
    start = int(GOOD.topic.rpartition("/")[2])
    err = refusal(GOOD.topic, GOOD.payload, start - age)
    if age > 300:
        assert err is not None
        assert err.clause == "CM-17"
    elif age < -400 * 86400:
        assert err is not None
        assert err.clause == "CM-18"
    else:
        assert err is None


def test_the_words_of_a_refusal_lead_to_the_place() -> None:
    payload = GOOD.payload.replace(b'"wh":1250', b'"wh":-1')
    assert str(refusal(GOOD.topic, payload)) == (
        "CM-12 (range): items[0].wh is -1, not 0 to 1099511627775"
    )


def test_decoding_keeps_what_is_not_known() -> None:
    assert decoded(b'{"a": 1e400, "b": [1.5, "x"]}') == {"a": float("inf"), "b": [1.5, "x"]}
