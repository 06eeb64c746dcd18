"""What was given away of a bucket and what counts now, on one axis."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..ledger.contributions import Whole
from .parts import Parts, Some, homes_of, periods_of, united
from .rules import Rules, enough

type Places = NDArray[np.intp]
"""Where parts stand on an axis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Arrays with a place for each part that counts now or was given away, by key."""

    parts: Parts
    """Those that count now."""

    key: Whole
    home: Whole
    at: Places
    """Where the parts that count now stand."""

    row: Whole
    """Where each stands among the parts that count now, -1 if it does not."""

    live: Some
    """Which count now."""

    wh: Whole
    """0 of what counts no longer."""

    @classmethod
    def of(cls, before: Whole, parts: Parts) -> Self:
        """Lay keys of before and the parts of now on one axis."""
        key = united((before, parts.key))
        at = np.searchsorted(key, parts.key)
        row = np.full(len(key), -1, dtype=np.int64)
        row[at] = np.arange(len(parts))
        wh = np.zeros(len(key), dtype=np.int64)
        wh[at] = parts.wh
        home, live = homes_of(key), row >= 0
        return cls(parts=parts, key=key, home=home, at=at, row=row, live=live, wh=wh)

    def __len__(self) -> int:
        return len(self.key)

    def enough(self, here: Places, rules: Rules) -> tuple[bool, bool]:
        """Return whether these are of k homes, and whether none of them dominates."""
        return enough(self.home[here], self.wh[here], rules)

    def seconds(self, here: Places) -> Whole:
        """Return how long these are."""
        return periods_of(self.key[here], 0)[1]
