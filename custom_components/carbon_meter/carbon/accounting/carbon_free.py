"""The 24/7 score: which part of the load was carbon-free energy, hour by hour.

    score = sum of [C[t] + (L[t] - C[t]) * grid share[t]] / sum of L[t]
    C[t] = min(L[t], own clean energy[t])

(Google's methodology for 24/7 carbon-free energy, as computed by PyPSA's 247-cfe.)
"""

from dataclasses import dataclass

import numpy as np

from ..flow.amounts import ImpossibleAmountError, amounts, per_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class CarbonFreeScore:
    """Parts of the load from 0 to 1, and energy in Wh."""

    score: float
    """Carbon-free with the grid's own carbon-free part."""

    contracted: float
    """Carbon-free by what was contracted, made or stored alone, in the same hour."""

    volumetric: float
    """The same by the sums of the period, as annual matching sees it: never more than all."""

    excess: float
    """Wh of own clean energy in hours that did not need it; it counts in no other hour."""


def carbon_free_score(load: object, clean: object, grid_share: object) -> CarbonFreeScore | None:
    """Return the score of T intervals, None without any load.

    `load` and `clean` are in Wh: consumption, and what own sources, contracts and storage
    delivered of carbon-free energy. `grid_share` is the carbon-free part of the grid's
    energy, 0 to 1. The standard's interval is an hour; finer ones are stricter.

    Raises ImpossibleAmountError for numbers that cannot be or do not fit.
    """
    used = amounts("load", load).reshape(-1)
    own = per_interval("clean", clean, len(used))
    share = per_interval("grid_share", grid_share, len(used))
    if (share > 1.0).any():
        raise ImpossibleAmountError("grid_share", f"{share.max()} is more than all")
    total = float(used.sum())
    if total == 0.0:
        return None
    matched = np.minimum(used, own)
    return CarbonFreeScore(
        score=float((matched + (used - matched) * share).sum()) / total,
        contracted=float(matched.sum()) / total,
        volumetric=min(1.0, float(own.sum()) / total),
        excess=float((own - matched).sum()),
    )
