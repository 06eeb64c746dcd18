"""Bytes that are JSON, nearly JSON, or something else."""

from contextlib import suppress
import json
import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.json.documents import (
    LARGEST,
    NotJsonError,
    decode_document,
    decode_payload,
)


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'  {"a": 1}#\r\n\0', {"a": 1}),
        ('{"a": "°"}'.encode(), {"a": "°"}),
        ('{"a": "°"}'.encode("latin-1"), {"a": "°"}),
        (b"1e999", math.inf),
        (b"[1.50]", [1.5]),
    ],
)
def test_documents(body, document) -> None:
    assert decode_document(body) == document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1',
        b"<html>",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"a": 1}{"b": 2}',
        b" " * (LARGEST + 1),
        b"\xff\xfe\x00",
        b"[1,,2]",
    ],
)
def test_what_is_none(body) -> None:
    with pytest.raises(NotJsonError):
        decode_document(body)


def test_a_message_may_be_a_bare_text() -> None:
    assert decode_payload("1.5") == 1.5
    assert decode_payload(b" on ") == "on"
    assert decode_payload(b"NaN") != decode_payload(b"NaN")
    with pytest.raises(NotJsonError):
        decode_payload(b"x" * (LARGEST + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["", "#", "\r\n", " \0"]))
def test_every_document_comes_through(document, behind) -> None:
    assert decode_document((json.dumps(document) + behind).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_are_refused(body) -> None:
    with suppress(NotJsonError):
        json.dumps(decode_document(body))
