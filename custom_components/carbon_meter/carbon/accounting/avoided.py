"""Emissions that did not happen elsewhere: told beside the inventory, never taken off it.

    avoided = sum of (baseline[t] - actual[t]) * intensity[t]

With marginal intensities (MOER) it says what a decision changed (WattTime, avoided emissions);
with average ones what an average of the grid would have emitted. The two are different figures
and each carries its kind.
"""

from ..flow.amounts import amounts, grams, per_interval
from ..intensity.source import IntensityKind
from .figures import Account, Figure, Label


def avoided_by_shift(
    baseline: object, actual: object, intensity: object, *, kind: IntensityKind
) -> Figure:
    """Return the grams that a shifted or saved load avoided; negative where it made things worse.

    `baseline` and `actual` are in Wh by interval, `intensity` in gCO2eq/kWh of the given kind.
    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """
    before = amounts("baseline", baseline).reshape(-1)
    after = per_interval("actual", actual, len(before))
    return _avoided(before - after, per_interval("intensity", intensity, len(before)), kind)


def avoided_by_export(export: object, intensity: object, *, kind: IntensityKind) -> Figure:
    """Return the grams that exported energy in Wh avoided in the grid, by interval.

    What the export itself carries is in the supply mix. Raises ImpossibleAmountError.
    """
    energy = amounts("export", export).reshape(-1)
    return _avoided(energy, per_interval("intensity", intensity, len(energy)), kind)


def _avoided(energy: object, intensity: object, kind: IntensityKind) -> Figure:
    """Return a figure of avoided emissions."""
    saved = amounts("energy", energy, signed=True)
    return Figure(
        label=Label(account=Account.AVOIDED, kind=kind),
        value=float(grams(saved, amounts("intensity", intensity)).sum()),
    )
