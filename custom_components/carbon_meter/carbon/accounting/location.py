"""Location-based scope 2: load times the average of the grid that delivers it.

    hourly: sum of load[t] * intensity[t]        annual: (sum of load) * factor of the year

(GHG Protocol Scope 2 Guidance 2015; the hourly form is that of its proposed revision.)
"""

from ..flow.amounts import amount, amounts, grams, per_interval
from .figures import Account, Figure, Label, Matching


def location_hourly(load: object, intensity: object) -> Figure:
    """Return the grams of gross import in Wh, by the intensity of each interval in gCO2eq/kWh.

    Export has no place here: an inventory has no negative energy. Raises
    ImpossibleAmountError for numbers that are negative, not finite or of another count.
    """
    energy = amounts("load", load).reshape(-1)
    factor = per_interval("intensity", intensity, len(energy))
    return Figure(
        label=Label(account=Account.LOCATION_BASED, matching=Matching.HOURLY),
        value=float(grams(energy, factor).sum()),
    )


def location_annual(load: object, factor: float) -> Figure:
    """Return the grams of gross import in Wh, by one factor in gCO2eq/kWh for all of it.

    Raises ImpossibleAmountError for numbers that are negative or not finite.
    """
    energy = float(amounts("load", load).sum())
    return Figure(
        label=Label(account=Account.LOCATION_BASED, matching=Matching.ANNUAL),
        value=float(grams(energy, amount("factor", factor))),
    )


def weighted_intensity(load: object, intensity: object) -> float | None:
    """Return the mean intensity in gCO2eq/kWh of what was really used, None without a load."""
    energy = float(amounts("load", load).sum())
    return location_hourly(load, intensity).value / energy * 1000.0 if energy > 0.0 else None
