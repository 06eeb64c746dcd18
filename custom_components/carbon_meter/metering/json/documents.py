"""The bytes of a page or a message, and the JSON document in them."""

import json
from typing import Any, Final

LARGEST: Final = 1_000_000
"""Bytes; the longest page of a meter has a hundredth of it."""

_FILLING: Final = " \t\r\n\0#"
"""What devices put around a document: TQ's energy managers end theirs with `#`."""


class NotJsonError(ValueError):
    """There is no JSON document, or only a part of one."""


def decode_document(body: bytes) -> Any:
    """Return the JSON document in a body, whatever its content type; NaN is a float.

    Raises NotJsonError for everything else.
    """
    if len(body) > LARGEST:
        raise NotJsonError(f"longer than {LARGEST // 1_000_000} MB")
    text = _text(body).strip(_FILLING)
    try:
        return json.loads(text)
    except json.JSONDecodeError as err:
        raise NotJsonError(f"{err.msg} at character {err.pos}: {text[:40]!r}") from err
    except (ValueError, RecursionError) as err:
        # A number with thousands of digits, brackets in brackets without end.
        raise NotJsonError(f"{type(err).__name__}: {text[:40]!r}") from err


def decode_payload(body: bytes | str) -> Any:
    """Return the document in an MQTT message: JSON, or the bare text.

    Raises NotJsonError for what is too long.
    """
    raw = body.encode() if isinstance(body, str) else bytes(body)
    try:
        return decode_document(raw)
    except NotJsonError:
        if len(raw) > LARGEST:
            raise
        return _text(raw).strip()


def _text(body: bytes) -> str:
    """Return a text in UTF-8, else in the encoding of old devices."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")
