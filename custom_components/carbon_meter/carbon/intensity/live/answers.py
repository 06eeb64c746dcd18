"""Parts of an answer, taken only where they are what is documented."""

from collections.abc import Iterable, Mapping, Sequence
import math
from typing import Any

from .errors import ProviderChangedError, ProviderTemporaryError


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object of an answer.

    Raises ProviderTemporaryError for `null`, which providers send when they know nothing now, and
    ProviderChangedError for anything else that is no object.
    """
    if value is None:
        raise ProviderTemporaryError(f"{name} is null")
    if not isinstance(value, Mapping):
        raise ProviderChangedError(f"{name} is {_kind(value)} instead of an object")
    return value


def sequence(value: Any, name: str) -> Sequence[Any]:
    """Return a list of an answer; raises as `mapping` does."""
    if value is None:
        raise ProviderTemporaryError(f"{name} is null")
    if not isinstance(value, list):
        raise ProviderChangedError(f"{name} is {_kind(value)} instead of a list")
    return value


def part(value: Any, key: str, name: str) -> Any:
    """Return what an object has under a key; raises as `mapping` does, also where it has none."""
    document = mapping(value, name)
    if key not in document:
        raise ProviderChangedError(f"{name} has no {key!r}")
    return document[key]


def number(value: Any) -> float | None:
    """Return a finite number, also one that is written as a text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError, OverflowError:
        return None
    return found if math.isfinite(found) else None


def first(document: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """Return what stands under the first of some keys that is there and not null."""
    return next((document[key] for key in keys if document.get(key) is not None), None)


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
