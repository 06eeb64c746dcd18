"""The load of one reporting period, interval by interval."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts, per_interval


@dataclass(frozen=True, kw_only=True)
class ReportedLoad:
    """Gross import of a site in one reporting period; export is no part of it.

    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """

    load: object
    """[T] Wh."""

    start_times: object
    """[T] seconds since 1970 UTC."""

    seconds: float
    """The length of each interval."""

    market: str
    """The boundary within which contracts can deliver to the site."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if amount("seconds", self.seconds) == 0.0:
            raise ImpossibleAmountError("seconds", "an interval has a length")
        _ = self.energy

    @cached_property
    def starts(self) -> FloatArray:
        """Return the beginnings of the intervals."""
        return amounts("start_times", self.start_times, signed=True).reshape(-1)

    @cached_property
    def energy(self) -> FloatArray:
        """Return the load, checked."""
        return per_interval("load", self.load, self.length)

    @property
    def length(self) -> int:
        """Return how many intervals there are."""
        return len(self.starts)

    def blocks(self, seconds: float) -> NDArray[np.intp]:
        """Return to which stretch of so many seconds, or of one interval, each interval belongs."""
        whole = np.floor_divide(self.starts, max(seconds, self.seconds))
        return np.unique(whole, return_inverse=True)[1]
