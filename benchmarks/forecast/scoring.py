"""What a forecast is worth: how far it is off, and what a plan made by it saves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from custom_components.carbon_meter.carbon.forecast.history import Values

DAY: Final = 24
_BLOCK: Final = 3
"""Hours of the block that is planned into a day."""


class Plan(StrEnum):
    """From when a block is planned into 24 hours, and against what its saving counts."""

    DAY = "local day, against its worst block"
    RANGE = "from any hour, against the worst block"
    AT_ONCE = "from any hour, against running at once"


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """What moving a block of three hours within the next 24 saves."""

    oracle: float
    """With perfect foresight, as a part of the carbon without moving."""

    kept: float
    """Which part of that a plan by the forecast saves."""


def mean_error(forecast: Values, truth: Values) -> float:
    """Return the mean absolute error."""
    return float(np.abs(forecast - truth).mean())


def coverage(low: Values, high: Values, truth: Values) -> float:
    """Return which part of the truth lies in the band."""
    return float(((low <= truth) & (truth <= high)).mean())


def savings(forecast: Values, truth: Values, midnight: NDArray[np.intp]) -> Mapping[Plan, Saving]:
    """Return what plans save; rows of 24 hours, `midnight` are those that begin a local day."""
    blocks = _blocks(truth)
    chosen: NDArray[np.intp] = _blocks(forecast).argmin(axis=1)
    worst = blocks.max(axis=1)
    return {
        Plan.DAY: _saving(chosen[midnight], blocks[midnight], worst[midnight]),
        Plan.RANGE: _saving(chosen, blocks, worst),
        Plan.AT_ONCE: _saving(chosen, blocks, blocks[:, 0]),
    }


def _saving(chosen: NDArray[np.intp], blocks: Values, without: Values) -> Saving:
    """Return the saving of the chosen blocks beside what is emitted without a plan."""
    planned = blocks[np.arange(len(blocks)), chosen]
    possible = float((without - blocks.min(axis=1)).sum())
    return Saving(
        oracle=possible / float(without.sum()),
        kept=float((without - planned).sum()) / possible,
    )


def _blocks(rows: Values) -> Values:
    """Return the mean of each block that fits in."""
    means: Values = np.lib.stride_tricks.sliding_window_view(rows, _BLOCK, axis=1).mean(axis=2)
    return means


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One grid, one way of fitting; errors in gCO2eq/kWh over the first 24 hours."""

    zone: str
    mae: float
    persistence: float
    coverage: float
    savings: Mapping[Plan, Saving]
    persistence_savings: Mapping[Plan, Saving]
    fit_seconds: Sequence[float]

    @property
    def ratio(self) -> float:
        """Return our error over that of persistence."""
        return self.mae / self.persistence
