"""A figure that holds from one moment to the next: a factor over the years."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..flow.amounts import FloatArray


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Values by the moment from which each holds, seconds since 1970 UTC, in order.

    Before the first moment the first value holds: a factor's first edition stands in for the
    time before it.
    """

    moments: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, steps: Iterable[tuple[float, float]]) -> Self:
        """Return the schedule of (moment, value) pairs; raises ValueError without any."""
        pairs = sorted(steps)
        if not pairs:
            raise ValueError("a schedule needs at least one value")
        table = np.array(pairs, dtype=np.float64)
        return cls(moments=table[:, 0], values=table[:, 1])

    @classmethod
    def constant(cls, value: float) -> Self:
        """Return the schedule of one value for all time."""
        return cls.of([(0.0, value)])

    def at(self, moments: FloatArray) -> FloatArray:
        """Return the value that holds at each moment."""
        places = np.searchsorted(self.moments, moments, side="right") - 1
        found: FloatArray = self.values[np.maximum(places, 0)]
        return found
