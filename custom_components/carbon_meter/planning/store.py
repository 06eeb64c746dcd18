"""A store with one content, such as a warm room, a tank or a battery, through many slots.

Slot t turns the content x into keep[t] * x + drift[t] + change, where the change is what the
planner decides, between least[t] and most[t]. At the end of each slot the content should lie
between low[t] and high[t].
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts, per_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A store through n slots; all but `start` have one number for each slot.

    Content and changes are in any one unit: Wh of a battery, degrees of a room.
    """

    start: float
    keep: FloatArray
    drift: FloatArray
    least: FloatArray
    most: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(  # noqa: PLR0913  # what a store is
        cls,
        *,
        start: float,
        keep: object,
        drift: object,
        least: object,
        most: object,
        low: object,
        high: object,
    ) -> Self:
        """Return a store of checked numbers; one number stands for all slots.

        Raises ImpossibleAmountError for numbers that cannot be, or do not fit together.
        """
        length = max(np.asarray(part).size for part in (keep, drift, least, most, low, high))

        def fit(name: str, values: object) -> FloatArray:
            return per_interval(name, values, length, signed=True)

        store = cls(
            start=amount("start", start, signed=True),
            keep=fit("keep", amounts("keep", keep)),
            drift=fit("drift", drift),
            least=fit("least", least),
            most=fit("most", most),
            low=fit("low", low),
            high=fit("high", high),
        )
        if (store.keep <= 0.0).any():
            raise ImpossibleAmountError("keep", "a store that keeps nothing stores nothing")
        for name, lower, upper in (
            ("least", store.least, store.most),
            ("low", store.low, store.high),
        ):
            if (lower > upper).any():
                raise ImpossibleAmountError(name, "a lower limit lies above the upper one")
        return store

    def __len__(self) -> int:
        """Return the number of slots."""
        return len(self.keep)

    def follow(self, changes: FloatArray) -> FloatArray:
        """Return the content at the end of each slot."""
        contents = np.empty(len(self))
        content = self.start
        for slot, (keep, drift) in enumerate(zip(self.keep, self.drift, strict=True)):
            content = keep * content + drift + changes[slot]
            contents[slot] = content
        return contents

    def within_reach(self) -> Self:
        """Return the store with the limits that can be kept, widened by the least.

        The upper limit comes first: it is raised to the lowest content that can be. The lower one
        is then brought down to the highest content that can be under it, slot by slot: no path
        comes closer to it in any slot, and one path does so in all of them.
        """
        high = np.maximum(self.high, self.follow(self.least))
        # From above this the upper limit of a later slot could not be kept.
        ceiling = high.copy()
        for slot in range(len(self) - 1, 0, -1):
            may_be = (ceiling[slot] - self.drift[slot] - self.least[slot]) / self.keep[slot]
            ceiling[slot - 1] = min(ceiling[slot - 1], may_be)
        highest = np.empty(len(self))
        content = self.start
        for slot, keep in enumerate(self.keep):
            content = keep * content + self.drift[slot]
            content = min(ceiling[slot], content + self.most[slot])
            highest[slot] = content
        return replace(self, low=np.minimum(self.low, highest), high=high)
