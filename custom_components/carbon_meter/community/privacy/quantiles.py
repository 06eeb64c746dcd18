"""How a cell's energy is spread over its homes, without showing any of them.

A quantile proper is what one home has used, or two. Three things are done instead. It is a mean
over at least k homes around it, no home in two of the means, and no mean where one of its homes
dominates or where fewer than k homes are left over. It is rounded to the preferred numbers of
ISO 3, series R10: their steps of 26 % are wider than what one home of 15 can move a mean by, so
neither of two means that differ by a home tells it. And it is worked out anew only when what the
cell shows has changed, which is by k homes at least.
"""

from collections.abc import Sequence
import math
from typing import Final

import numpy as np

from ..ledger.contributions import Whole
from .rules import Rules

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_FEWER: Final = ((0.1, 0.25, 0.5, 0.75, 0.9), (0.25, 0.5, 0.75), (0.5,))
"""What is said of many homes, of fewer and of few."""

_R10: Final = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0, 10.0)


def safe_quantiles(wh: Whole, rules: Rules) -> dict[float, float]:
    """Return quantiles of the energy of homes, in Wh: of as many as there are homes for.

    `wh` is the energy of each home. Nothing is returned for fewer than 2 k homes.
    """
    ordered = np.sort(wh)
    for wanted in _FEWER:
        windows = _windows(len(ordered), wanted, rules.k)
        if windows is None:
            continue
        found = {
            quantile: rounded(float(ordered[first:last].mean()))
            for quantile, (first, last) in zip(wanted, windows, strict=True)
            if _is_balanced(ordered[first:last], rules)
        }
        if found:
            return found
    return {}


def rounded(amount: float) -> float:
    """Return the nearest preferred number of the series R10; 0 stays 0."""
    if amount <= 0:
        return 0.0
    decade = math.floor(math.log10(amount))
    scaled = amount / 10.0**decade
    return float(min(_R10, key=lambda each: abs(math.log(each / scaled)))) * 10.0**decade


def _windows(homes: int, wanted: Sequence[float], k: int) -> list[tuple[int, int]] | None:
    """Return from where to where in the order of homes each mean reaches, None if they meet."""
    half = (k - 1) / 2
    result = []
    for quantile in wanted:
        middle = min(max(quantile * (homes - 1), half), homes - 1 - half)
        first = math.floor(middle - half)
        result.append((first, first + k))
    edges = [0, *(edge for window in result for edge in window), homes]
    spaces = [after - before for before, after in zip(edges[::2], edges[1::2], strict=True)]
    left = sum(spaces)
    return None if min(spaces) < 0 or left < k else result


def _is_balanced(wh: Whole, rules: Rules) -> bool:
    return float(wh[-1]) <= rules.dominance * float(wh.sum())
