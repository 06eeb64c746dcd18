"""How efficient a battery is, from what its own meter counted."""

from dataclasses import dataclass
import math
from typing import Final

from ..flow.amounts import amount

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class EfficiencyEstimate:
    """The efficiency of each direction, above 0 up to 1, and the bounds it is known within."""

    one_way: float
    low: float
    high: float

    @property
    def round_trip(self) -> float:
        """Return the part of the charged energy that comes back."""
        return self.one_way**2


def estimate_efficiency(
    *,
    charged: float,
    discharged: float,
    capacity: float,
    stored_change: float | None = None,
    standby: float = 0.0,
) -> EfficiencyEstimate | None:
    """Estimate a battery's efficiency from its energies over some time, all in Wh.

    The content has risen by e * charged - discharged / e - standby, with the same efficiency
    e both ways; that is solved for e. Where the rise is not told (`stored_change` None), it
    lies within the `capacity` either way, and the bounds say what that leaves open: the more
    has flowed, the less.

    Returns None where nothing is to be learnt: nothing flowed, or no efficiency above 0 up to
    1 fits. Raises ImpossibleAmountError for figures that cannot be.
    """
    charged, discharged = amount("charged", charged), amount("discharged", discharged)
    capacity, standby = amount("capacity", capacity), amount("standby", standby)
    if charged == 0.0 or discharged == 0.0:
        return None
    if stored_change is None:
        rises = (0.0, -capacity, capacity)
    else:
        rises = (amount("stored_change", stored_change, signed=True),) * 3
    middle, low, high = (_solve(charged, discharged, rise + standby) for rise in rises)
    if low > 1.0 + _ROUNDING:
        return None
    low, middle, high = min(low, 1.0), min(middle, 1.0), min(high, 1.0)
    return EfficiencyEstimate(one_way=middle, low=low, high=high)


def _solve(charged: float, discharged: float, gain: float) -> float:
    """Return the positive e with e * charged - discharged / e = gain."""
    root = math.sqrt(gain * gain + 4.0 * charged * discharged)
    if gain >= 0.0:
        return (gain + root) / (2.0 * charged)
    # The same without the difference of two nearly equal numbers.
    return 2.0 * discharged / (root - gain)
