"""Chance that repeats: random numbers as a function of a seed, a name and an index.

A household must do the same at the same moment however often, in whatever order
and at whatever speed it is asked. A generator with a state cannot do that, a hash can.
"""

from typing import Final
import zlib

import numpy as np
import numpy.typing as npt

type Array = npt.NDArray[np.float64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_UNIT: Final = 2.0**-53


def uniform(seed: int, name: str, index: Array) -> Array:
    """Return numbers from 0 to below 1, one for each whole index (SplitMix64 finalizer)."""
    key = np.uint64((seed << 32 | zlib.crc32(name.encode())) & 0xFFFFFFFFFFFFFFFF)
    state = np.asarray(index).astype(np.int64).astype(np.uint64)
    state = (state ^ key) * _GOLDEN + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    state ^= state >> np.uint64(31)
    numbers: Array = (state >> np.uint64(11)).astype(np.float64) * _UNIT
    return numbers


def between(seed: int, name: str, index: Array, low: float, high: float) -> Array:
    """Return numbers from `low` to below `high`, one for each whole index."""
    return low + (high - low) * uniform(seed, name, index)


def smooth(seed: int, name: str, position: Array) -> Array:
    """Return numbers from 0 to 1 that change linearly between the whole positions."""
    floor = np.floor(position)
    share = position - floor
    numbers: Array = uniform(seed, name, floor) * (1 - share)
    numbers += uniform(seed, name, floor + 1) * share
    return numbers
