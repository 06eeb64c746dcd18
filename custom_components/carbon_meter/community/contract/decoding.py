"""Bytes become a JSON object, or are refused: nothing is guessed and nothing lost silently."""

import json
from typing import Any, Final, NoReturn

from .refusal import Code, RefusedError

MOST_BYTES: Final = 8192
"""Bytes of a payload; more is refused before anything looks into it."""

MOST_LEVELS: Final = 16
"""Objects and lists within each other."""

_MOST_DIGITS: Final = 25
"""Longer numbers are out of every range; reading all of their digits takes time."""


def decoded(payload: bytes) -> dict[str, Any]:
    """Return the object that a payload holds.

    Raises RefusedError for what is too large, no UTF-8, no JSON, ambiguous or too deep.
    """
    if len(payload) > MOST_BYTES:
        raise RefusedError(
            Code.SIZE, "CM-3", f"{len(payload)} bytes are more than {MOST_BYTES} bytes"
        )
    try:
        value = json.loads(
            payload.decode(),
            object_pairs_hook=_object,
            parse_constant=_not_a_number,
            parse_int=_whole,
        )
    except UnicodeDecodeError as err:
        raise RefusedError(Code.ENCODING, "CM-4", f"no UTF-8 at byte {err.start}") from err
    except json.JSONDecodeError as err:
        raise RefusedError(Code.SYNTAX, "CM-5", f"no JSON: {err}") from err
    except RecursionError as err:
        raise RefusedError(
            Code.NESTING, "CM-7", f"nested in more than {MOST_LEVELS} levels"
        ) from err
    if not isinstance(value, dict):
        raise RefusedError(Code.SYNTAX, "CM-5", "the payload is no JSON object")
    _inspect(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a key written twice nobody knows which value is meant."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise RefusedError(Code.DUPLICATE_KEY, "CM-6", f"a key is there twice in {[*result]!a:.80}")
    return result


def _not_a_number(name: str) -> NoReturn:
    raise RefusedError(Code.SYNTAX, "CM-5", f"{name} is no JSON")


def _whole(digits: str) -> int:
    """Return a number, or one that is as far out of every range."""
    return int(digits[:_MOST_DIGITS])


def _inspect(value: Any) -> None:
    """Raise RefusedError for what is nested too deep or holds half a character."""
    ahead = [(value, 1)]
    while ahead:
        part, level = ahead.pop()
        if isinstance(part, str):
            _encodable(part)
            continue
        if not isinstance(part, dict | list):
            continue
        if level > MOST_LEVELS:
            raise RefusedError(Code.NESTING, "CM-7", f"nested in more than {MOST_LEVELS} levels")
        if isinstance(part, dict):
            ahead.extend((key, level) for key in part)
            part = part.values()
        ahead.extend((inner, level + 1) for inner in part)


def _encodable(text: str) -> None:
    """Raise RefusedError for a surrogate without its other half."""
    try:
        text.encode()
    except UnicodeEncodeError as err:
        raise RefusedError(Code.ENCODING, "CM-4", "half of a surrogate pair") from err
