"""What a class says of energy and carbon: exactly, in steps, as most are weighed, or not at all.

Homes weigh some flows by a mix of their own. Energy is shown only of homes none of which dominates;
of the carbon one may have nearly all, and then it is said as if all were weighed alike.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..ledger.contributions import Whole
from .axis import Axis, Places
from .given import Ratio
from .mixes import Mixes
from .rules import Rules
from .sums import ClassSums


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """What is said of an amount; None for nothing."""

    amount: int | None = None
    is_exact: bool = True
    is_alike: bool = False
    """Whether it says no more than the energy, and how homes are weighed."""


class Weighing:
    """The sums of classes of one bucket."""

    def __init__(self, axis: Axis, rules: Rules, ratio: Ratio | None) -> None:
        """Keep them; `ratio` is how few are weighed where there are no others."""
        self._axis = axis
        self._parts = axis.parts
        self._rules = rules
        self._ratio = ratio

    def of_stratum(self, here: Places) -> ClassSums:
        """Return the sums of parts that are weighed alike, but for a few maybe."""
        mg, free = self._said(here)
        return self._sums(
            here,
            mg=mg.amount,
            carbon_free=free.amount,
            is_exact=mg.is_exact and free.is_exact,
        )

    def of_mixture(self, here: Places, like: Places | None) -> ClassSums:
        """Return the sums of several strata, their carbon weighed like another's."""
        wh = int(self._axis.wh[here].sum())
        if like is not None and self._axis.wh[like].any():
            mg, free = self._said(like, wh)
            if mg.amount is not None:
                return self._sums(here, mg=mg.amount, carbon_free=free.amount, is_exact=False)
        mg_alone, free_alone = _weighed(wh, self._ratio)
        return self._sums(here, mg=mg_alone, carbon_free=free_alone, is_exact=False)

    def of_some(self, whole: ClassSums, here: Places, there: Places) -> ClassSums:
        """Return the sums of some parts of a class: exact where those of the class are.

        They are not where a home would have too much of the carbon on one of both sides.
        """
        rows, wh = self._axis.row[here], int(self._axis.wh[here].sum())
        seconds = int(self._parts.seconds[rows].sum())
        mg, free = int(self._parts.mg[rows].sum()), int(self._parts.carbon_free[rows].sum())
        shared = _share(whole.mg, wh, seconds, whole)
        free_shared = _share(whole.carbon_free, wh, seconds, whole)
        is_exact = whole.is_exact and self._may_say(whole, here)
        if is_exact and self._axis.live[there].all():
            is_exact = self._may_say(whole, there)
        elif is_exact and not whole.wh:
            # Nobody knows who of the others had how much.
            is_exact = not whole.mg
        elif is_exact:
            # Nobody knows who of the others had how much: both sides have their share, rounded.
            ratio = 1.0 if whole.mg is None or not whole.wh else 1 + abs(whole.mg) / whole.wh
            is_exact = (shared is None or abs(shared - mg) <= len(here) * ratio) and (
                free_shared is None or abs(free_shared - free) <= len(here)
            )
        return self._sums(
            here,
            mg=None if whole.mg is None else mg if is_exact else shared,
            carbon_free=None if whole.carbon_free is None else free if is_exact else free_shared,
            is_exact=is_exact,
            is_clear=whole.is_clear,
        )

    def instead(self, sums: ClassSums, here: Places, before: ClassSums) -> ClassSums:
        """Return the sums of parts in the place of others.

        Their amounts are said where they follow from the energy. Otherwise the difference to what
        was said before would be what few have changed: they are said as most homes are weighed
        now, or as it was before.
        """
        mg, free = self._said(here)
        if mg.is_alike and (free.is_alike or free.amount is None):
            return sums
        said_mg, said_free = sums.mg, sums.carbon_free
        if not mg.is_alike:
            usual = self._mixes(here, self._parts.mg).usual(self._rules)
            said_mg = _share(before.mg, sums.wh, sums.seconds, before)
            if usual is not None:
                said_mg = round(sums.wh * usual)
        if not free.is_alike:
            said_free = _share(before.carbon_free, sums.wh, sums.seconds, before)
        return replace(sums, mg=said_mg, carbon_free=said_free, is_exact=False)

    def _mixes(self, here: Places, amounts: Whole) -> Mixes:
        """Return what each home has of an amount, and of energy."""
        homes, which = np.unique(self._axis.home[here], return_inverse=True)
        which, many = which.reshape(-1), len(homes)
        amount = np.bincount(which, weights=amounts[self._axis.row[here]], minlength=many)
        wh = np.bincount(which, weights=self._axis.wh[here], minlength=many)
        return Mixes(amount=amount.astype(np.int64), wh=wh.astype(np.int64))

    def _said(self, here: Places, wh: int | None = None) -> tuple[_Said, _Said]:
        """Return what may be said of carbon and of carbon-free energy of parts that hold.

        `wh` is of which energy, weighed like these, if not of theirs.
        """
        mixes = self._mixes(here, self._parts.mg)
        wh = int(mixes.wh.sum()) if wh is None else wh
        mg = self._of(mixes, wh)
        usual = None
        if mg.amount is None and mixes.is_balanced(self._rules):
            usual = mixes.usual(self._rules)
        if usual is not None:
            mg = _Said(amount=round(wh * usual), is_exact=False)
        if not self._parts.knows_free[self._axis.row[here]].all():
            return mg, _Said()
        # Of two sums of homes with mixes of their own one may tell what the other does not.
        is_one = mg.is_exact and not mg.is_alike
        free = self._of(self._mixes(here, self._parts.carbon_free), wh, may_be_exact=not is_one)
        if free.amount is not None:
            free = replace(free, amount=min(free.amount, wh))
        return mg, free

    def _of(self, mixes: Mixes, wh: int, *, may_be_exact: bool = True) -> _Said:
        """Return what may be said of a sum, or of other energy that is weighed alike."""
        total = int(mixes.amount.sum())
        if wh != int(mixes.wh.sum()):
            total = round(mixes.ratio * wh)
        if mixes.are_alike:
            return _Said(amount=total, is_alike=True)
        if may_be_exact and mixes.are_many(self._rules):
            return _Said(amount=total)
        amount = mixes.stepped(self._rules, total)
        return _Said(amount=amount, is_exact=amount is None)

    def _sums(
        self,
        here: Places,
        *,
        mg: int | None,
        carbon_free: int | None,
        is_exact: bool = True,
        is_clear: bool = False,
    ) -> ClassSums:
        """Return the sums of parts that hold now."""
        parts, rows = self._parts, self._axis.row[here]
        homes, which = np.unique(self._axis.home[here], return_inverse=True)
        energy = np.bincount(which.reshape(-1), weights=self._axis.wh[here])
        wh = int(self._axis.wh[here].sum())
        is_estimated = parts.is_estimated[rows]
        estimated: int | None = 0
        if is_estimated.any():
            estimated = wh if is_estimated.all() else None
        return ClassSums(
            homes=len(homes),
            parts=len(here),
            periods=int(parts.periods[rows].sum()),
            seconds=int(parts.seconds[rows].sum()),
            covered=int(parts.covered[rows].sum()),
            wh=wh,
            highest=int(energy.max()),
            mg=mg,
            carbon_free=carbon_free,
            estimated=estimated,
            is_exact=is_exact,
            is_clear=is_clear or bool(parts.is_clear[rows].all()),
        )

    def _may_say(self, whole: ClassSums, here: Places) -> bool:
        """Return whether some parts of a class may say exactly what the class says."""
        mg, free = self._said(here)
        return (whole.mg is None or (mg.is_exact and mg.amount is not None)) and (
            whole.carbon_free is None or (free.is_exact and free.amount is not None)
        )


def remaining(whole: ClassSums, part: ClassSums, homes: int) -> ClassSums:
    """Return what remains of a class, of so many homes."""
    return ClassSums(
        homes=homes,
        parts=whole.parts - part.parts,
        periods=whole.periods - part.periods,
        seconds=whole.seconds - part.seconds,
        covered=whole.covered - part.covered,
        wh=whole.wh - part.wh,
        highest=min(whole.highest, whole.wh - part.wh),
        mg=_minus(whole.mg, part.mg),
        carbon_free=_minus(whole.carbon_free, part.carbon_free),
        estimated=_minus(whole.estimated, part.estimated),
        is_exact=part.is_exact,
        is_clear=whole.is_clear,
    )


def _weighed(wh: int, ratio: Ratio | None) -> tuple[int | None, int | None]:
    """Return mgCO2eq and carbon-free Wh by a ratio."""
    if ratio is None:
        return None, None
    mg, free = ratio
    return round(wh * mg), None if free is None else min(wh, int(wh * free))


def _minus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _share(amount: int | None, wh: int, seconds: int, whole: ClassSums) -> int | None:
    """Return the part of an amount that goes with energy, or with time where there is none."""
    if amount is None:
        return None
    if whole.wh:
        return amount * wh // whole.wh
    return amount * seconds // whole.seconds if whole.seconds else 0
