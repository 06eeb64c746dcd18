"""Sums that do not depend on how they are cut: parts add up to the whole exactly.

Each number becomes an integer of 2**-60 (of a gram, of a watt-hour), kept in two halves so that
64 bits hold the sums. Integers have no rounding: the sum over a year is that of its hours in every
bit, in any order. A number above 2**-8 loses nothing on the way in. A sum is rounded once, when it
is told as a float, by half a unit in its last place.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray, ImpossibleAmountError

_HIGH: Final = 20
_LOW: Final = 40
"""Bits behind the binary point in each half."""

_LARGEST: Final = float(2 ** (62 - _HIGH))
"""What the high half can hold: 4.4 million tonnes, or terawatt-hours."""


class ExactSum:
    """The sums over any run of some intervals, each at once."""

    def __init__(self, name: str, values: FloatArray) -> None:
        """Add the numbers up; they are finite.

        Raises ImpossibleAmountError where their sum is beyond what can be kept.
        """
        if float(np.abs(values).sum()) >= _LARGEST:
            raise ImpossibleAmountError(name, f"the sum of it is beyond {_LARGEST:.1e}")
        self._halves: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        if values.any():
            scaled = values * 2.0**_HIGH
            whole = np.rint(scaled)
            scaled -= whole
            scaled *= 2.0**_LOW
            self._halves = _running(whole), _running(np.rint(scaled, out=scaled))

    def between(self, first: int, end: int) -> float:
        """Return the sum of the numbers from `first` up to, not including, `end`."""
        if self._halves is None:
            return 0.0
        high, low = (int(half[end]) - int(half[first]) for half in self._halves)
        return ((high << _LOW) + low) / (1 << (_HIGH + _LOW))


def _running(values: FloatArray) -> NDArray[np.int64]:
    """Return the sums of the first 0, 1, 2 and so on of some whole numbers."""
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values.astype(np.int64), out=sums[1:])
    return sums
