"""The twelve intervals of an hour as few bytes, to the last bit; ledgers of batteries as well.

What is the same throughout an hour, half an hour or quarters is written once for each of these.
"""

from collections.abc import Iterable, Mapping
import json
from typing import Any, Final
import zlib

import numpy as np
from numpy.typing import NDArray

from .rows import SLOTS

_WIDTH: Final = 8
"""Bytes of a number."""

_WHOLE: Final = SLOTS * _WIDTH

_RUNS: Final = (SLOTS, SLOTS // 2, SLOTS // 4)
"""Intervals that may be alike, the longest run first."""

_QUIET: Final = bytes(_WHOLE)
"""Twelve zeros."""

_SMALLEST: Final = 6
"""zlib's usual level; ledgers shrink to a third."""


def pack(numbers: NDArray[np.float64]) -> bytes:
    """Return twelve numbers as 0, 8, 16, 32 or 96 bytes."""
    whole = np.ascontiguousarray(numbers, dtype="<f8").tobytes()
    if whole == _QUIET:
        return b""
    if whole[:_WIDTH] != whole[_WIDTH : 2 * _WIDTH]:
        return whole
    for run in _RUNS:
        step = run * _WIDTH
        heads = [whole[place : place + _WIDTH] for place in range(0, _WHOLE, step)]
        if whole == b"".join(head * run for head in heads):
            return b"".join(heads)
    return whole


def unpack(packed: Iterable[bytes]) -> NDArray[np.float64]:
    """Return [N, 12] from what `pack` gave."""
    joined = b"".join(map(_unpacked, packed))
    return np.frombuffer(joined, dtype="<f8").reshape(-1, SLOTS)


def _unpacked(packed: bytes) -> bytes:
    """Return the bytes of all twelve numbers.

    Raises ValueError for a length that `pack` never gives.
    """
    if len(packed) == _WHOLE:
        return packed
    if not packed:
        return _QUIET
    count, rest = divmod(len(packed), _WIDTH)
    if rest or count not in {SLOTS // run for run in _RUNS}:
        raise ValueError(f"{len(packed)} bytes are not the numbers of an hour")
    run = SLOTS // count
    return b"".join(packed[place : place + _WIDTH] * run for place in range(0, len(packed), _WIDTH))


def pack_flags(flags: NDArray[np.bool_]) -> int:
    """Return twelve flags as the bits of a number, the first interval in the lowest."""
    return int(np.packbits(flags, bitorder="little").view("<u2")[0])


def unpack_flags(packed: Iterable[int]) -> NDArray[np.bool_]:
    """Return [N, 12] from what `pack_flags` gave."""
    bits = np.fromiter(packed, dtype=np.uint16)[:, np.newaxis] >> np.arange(SLOTS, dtype=np.uint16)
    return (bits & 1).astype(np.bool_)


def pack_states(states: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the ledgers of batteries (`Battery.as_dict`), shrunk.

    Raises ValueError for what JSON cannot tell, NaN among it.
    """
    return zlib.compress(to_json(states).encode(), _SMALLEST)


def unpack_states(packed: bytes) -> dict[str, Any]:
    """Return the ledgers that `pack_states` took, for `Battery.restore`.

    Raises ValueError for bytes that are damaged.
    """
    try:
        states: dict[str, Any] = json.loads(zlib.decompress(packed))
    except zlib.error as err:
        raise ValueError(f"the ledgers of batteries are damaged ({err})") from err
    return states


def to_json(value: Any) -> str:
    """Return a value as JSON; numbers come back to the last bit.

    Raises ValueError for what JSON cannot tell, NaN among it.
    """
    try:
        return json.dumps(
            value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain
        )
    except TypeError as err:
        raise ValueError(f"{value!r} cannot be kept: {err}") from err


def _plain(value: Any) -> Any:
    """Return what JSON knows in place of a mapping of another kind or a number of numpy."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not known to JSON")
