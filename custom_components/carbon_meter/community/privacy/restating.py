"""Whether what homes tell again may replace what was shown of them.

After less before is the sum of what single homes have changed: nobody may have changed it, or k
homes have and none has most of it. Of the carbon nothing is told by that difference: see `mixes`.
"""

from dataclasses import dataclass

import numpy as np

from ..ledger.contributions import Whole
from .axis import Axis, Places
from .rules import Rules
from .sums import ClassSums


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lost:
    """What is known of homes that have withdrawn: how many, their sum, the most that one had."""

    homes: int
    total: int
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Restated:
    """The parts of a class, and what was told instead of some."""

    here: Places
    """What holds."""

    gone: Places
    fresh: Places
    """What is told now of the times that are gone."""


def may_replace(
    axis: Axis, restated: Restated, whole: ClassSums, past: Whole, rules: Rules
) -> bool:
    """Return whether a class of these sums may tell what it is now.

    `past` are the Wh that gone parts had, -1 where nobody knows it any more.

    Homes that do not tell again count as changed; of those that have withdrawn only the sum is
    known.
    """
    here, gone, fresh = restated.here, restated.gone, restated.fresh
    homes = np.unique(axis.home[gone])

    def by_home(places: Places, amounts: Whole) -> Whole:
        where = np.searchsorted(homes, axis.home[places])
        sums = np.bincount(where, weights=amounts, minlength=len(homes))
        return sums.astype(np.int64)

    is_lost = by_home(gone, (past < 0).astype(np.int64)) > 0
    if is_lost[np.searchsorted(homes, axis.home[fresh])].any():
        return False
    before = by_home(gone, past)[~is_lost]
    change = by_home(fresh, axis.parts.wh[axis.row[fresh]])[~is_lost] - before
    many = int(is_lost.sum())
    if not many and not change.any():
        time = by_home(gone, axis.seconds(gone)) != by_home(fresh, axis.seconds(fresh))
        return not time.any()
    left = whole.wh - int(axis.parts.wh[axis.row[here]].sum()) - int(before.sum()) if many else 0
    lost = _Lost(homes=many, total=left, most=whole.highest if many else 0)
    return _is_of_many(change, lost, rules)


def _is_of_many(change: Whole, lost: _Lost, rules: Rules) -> bool:
    """Return whether nobody has changed an amount, or k homes have and none most of it."""
    change = np.abs(change)
    most = max(int(change.max(initial=0)), lost.most)
    total = int(change.sum()) + lost.total
    if not most and not total:
        return True
    many = int(np.count_nonzero(change)) + lost.homes >= rules.k
    return many and 0 < most <= rules.dominance * total
