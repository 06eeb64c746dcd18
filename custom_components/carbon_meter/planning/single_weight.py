"""One weight for each slot where a method takes no more than one."""

from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .objective import Weights, ranks

_PART: Final = 1e-7
"""By how much the second key moves a weight at the most, as a part of the mean weight."""


def single_weights(weights: Weights) -> FloatArray:
    """Return what a Wh adds in each slot, the second key worked into the first.

    It moves no slot past another whose first key is not the same. A slot of which nothing is
    known counts as the worst that is known, and as 1 where nothing is.
    """
    if not weights.known.any():
        return np.ones(len(weights.first))
    first, second = weights.first, weights.second
    known = first[weights.known]
    filled: FloatArray = np.where(weights.known, first, known.max())
    spread = float(np.ptp(second))
    if spread == 0.0:
        return filled
    order = ranks(filled)
    # One for each rank: its smallest.
    distinct = np.sort(filled)[np.unique(np.sort(order), return_index=True)[1]]
    apart = float(np.diff(distinct).min()) / 4.0 if len(distinct) > 1 else np.inf
    room = min(apart, _PART * float(np.abs(known).mean()) or apart)
    more: FloatArray = second - second.min()
    found: FloatArray = filled + more * (room / spread) if np.isfinite(room) else more
    return found
