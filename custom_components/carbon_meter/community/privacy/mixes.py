"""What carbon tells beside energy: nothing where homes are weighed alike, else what they have used.

With a class's energy at hand its carbon is one more equation. Where all have one intensity, it
follows from the energy. Where some share an intensity and few do not, it tells what those have
used. It is a sum of many only where many are weighed by a mix that few share, or after rounding
to steps so wide that no few homes make one. The same holds of the carbon-free part.

Amounts are of one home each, in mgCO2eq or Wh; energy is in Wh. Both are rounded to whole numbers,
so that homes are weighed alike as far as one Wh and one unit of the amount can hide.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..ledger.contributions import Whole
from .parts import Some
from .rules import Rules, balanced, enough

WIDEST_STEP: Final = 0.2
"""The step of a rounded amount by the amount: it is said within a tenth, or not like that."""

FINER: Final = (8, 4, 0)
"""By how many powers of two a step is finer than the widest: its size follows from the amount.

If it followed from the home that differs most, the steps of a month would add up to that home.
"""

type _Ratios = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixes:
    """Homes of which something is to be said together: arrays of one length, a place for each."""

    amount: Whole
    wh: Whole

    @property
    def ratio(self) -> float:
        """Return the amount by Wh; 0 where nothing was used."""
        wh = int(self.wh.sum())
        return int(self.amount.sum()) / wh if wh else 0.0

    @property
    def are_alike(self) -> bool:
        """Return whether all are weighed by one ratio: the sum says no more than the energy."""
        return bool(self._are_weighed_by(self.ratio).all())

    def is_balanced(self, rules: Rules) -> bool:
        """Return whether no home has most of the amount."""
        return balanced(np.arange(len(self.wh)), self.amount, rules)

    def are_many(self, rules: Rules) -> bool:
        """Return whether the sum is hidden by k homes, each weighed by a mix that few share.

        Whatever is known of the others' energy: these are left. Where most are weighed like others,
        none of these has most of what they differ by, either.
        """
        homes = np.arange(len(self.wh))
        own = self._sharing() < max(2.0, rules.k / 4)
        beside = self._beside(self.ratio)[own].astype(np.int64)
        has_k, is_balanced = enough(homes[own], beside, rules)
        is_most = 2 * np.count_nonzero(own) > len(own)
        return self.is_balanced(rules) and has_k and (is_balanced or bool(is_most))

    def stepped(self, rules: Rules, total: int | None = None) -> int | None:
        """Return the sum in steps of twice what k homes can differ by; None if that is too wide.

        Whoever works out of it what some have used does not know it better than within k homes.
        `total` is what is rounded: the sum, or that of other energy weighed alike. A rounded sum
        that is scaled to other energy would tell how much that is.
        """
        total = int(self.amount.sum()) if total is None else total
        most = float(self._beside(self.ratio).max(initial=0.0))
        widest = int(WIDEST_STEP * abs(total)).bit_length() - 1
        for finer in FINER:
            step = 1 << max(0, widest - finer)
            if widest >= finer and step >= 2.0 * rules.k * max(most, 1.0):
                return round(total / step) * step
        return None

    def usual(self, rules: Rules) -> float | None:
        """Return the ratio that k homes share, and half of all; what it is tells none of them."""
        uses = self.wh > 0
        if not uses.any():
            return None
        alike = uses & self._are_weighed_by(float(np.median(self.amount[uses] / self.wh[uses])))
        many = int(np.count_nonzero(alike))
        if many < rules.k or 2 * many < np.count_nonzero(uses):
            return None
        return int(self.amount[alike].sum()) / int(self.wh[alike].sum())

    def _beside(self, ratio: float) -> _Ratios:
        """Return by how much each differs from a ratio."""
        beside: _Ratios = np.abs(self.amount - ratio * self.wh)
        return beside

    def _are_weighed_by(self, ratio: float) -> Some:
        return self._beside(ratio) <= 1.0 + abs(ratio)

    def _sharing(self) -> _Ratios:
        """Return how many can be weighed as each is.

        Who has used nothing can be weighed like anybody who has. Where nobody has, energy tells
        nothing, and each amount is one of its own.
        """
        uses = self.wh > 0
        if not uses.any():
            return np.zeros(len(self.wh))
        own = self.amount[uses] / self.wh[uses]
        margin = (1.0 + np.abs(own)) / self.wh[uses]
        begun = np.searchsorted(np.sort(own - margin), own, side="right")
        ended = np.searchsorted(np.sort(own + margin), own, side="left")
        sharing = np.full(len(self.wh), np.inf)
        sharing[uses] = begun - ended
        return sharing
