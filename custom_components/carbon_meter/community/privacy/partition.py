"""What all published cells together give away: the partition that they make of the parts.

Parts that lie in exactly the same published cells form a class. Whatever is added and subtracted
of published cells weighs all parts of a class alike, so it is made of whole classes. If each class
has k homes and none that dominates, so has every figure that can be worked out, or it is 0. That
holds for a community less its feeders, for groups that overlap, for hours against their day, and
for a cell before and after it was corrected.

A part is given away in one bucket only, that of its hour or that of its day, so buckets can be
decided one by one; a class once formed is only ever divided.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..ledger.contributions import Whole
from .parts import MIXED, Parts, Some, homes_of, overlapping, periods_of, united
from .rules import Rules
from .sums import ClassSums

type ScopeKey = tuple[str, str]
"""Scope and name."""

type Ratio = tuple[float, float | None]
"""mgCO2eq by Wh, and carbon-free Wh by Wh: how few are weighed like the many."""

type Places = NDArray[np.intp]
"""Where parts stand in the arrays of a partition."""

type Past = Callable[[Whole], Whole]
"""Wh of parts by their keys, also of those that count no longer; -1 where nobody knows them."""

NOBODY: Final = np.empty(0, dtype=np.int64)
"""No parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What a bucket has given away: kept as long as anything in it can change."""

    key: Whole = field(default_factory=NOBODY.copy)
    """All parts that ever were in a class, in order."""

    label: Whole = field(default_factory=NOBODY.copy)
    """The number of the class of each."""

    classes: Mapping[int, ClassSums] = field(default_factory=dict)
    holds: Mapping[ScopeKey, tuple[int, ...]] = field(default_factory=dict)
    """The classes of which the cell of each scope is made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a bucket gives away from now on."""

    given: Given
    label: Whole
    """The class of each of the parts that were asked about, 0 for none."""

    frozen: frozenset[int]
    """Classes that stay as they were shown, though something in them has changed."""

    stale: Whole
    """What has changed in them: parts that are no longer so."""

    waiting: Some
    """Parts that may not be shown yet: of too few homes, or of one that dominates."""


def unknown(key: Whole) -> Whole:
    """Return that nothing is known of the energy of parts."""
    return np.full(len(key), -1, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is to be decided about."""

    parts: Parts
    """All that count now."""

    scopes: Sequence[tuple[ScopeKey, Some]]
    """Which parts each scope has; those first that come first where not all can be shown."""

    blocked: Some | None = None
    """Parts that are in no new class."""

    past: Past = unknown
    """What the parts had that count no longer."""

    ratio: Ratio | None = None
    """How few are weighed where the bucket has no others to weigh them like."""


def decide(before: Given, asked: Asked, rules: Rules) -> Decision:
    """Return of which classes each scope's cell is made now.

    What has changed since is taken over where k homes have changed; otherwise the class stays
    as it was shown.
    """
    partition = _Partition(before, asked, rules)
    if asked.blocked is not None:
        partition.free[partition.at] &= ~asked.blocked
    if rules.clear_only:
        partition.free[partition.at] &= asked.parts.is_clear
    partition.take_over()
    for scope, mask in asked.scopes:
        partition.cover(scope, mask)
    return partition.decision()


def joined(one: Given, other: Given) -> Given:
    """Return what two releases of different parts have given away, without their parts."""
    shift = max(one.classes, default=0)
    holds = dict(one.holds)
    for scope, held in other.holds.items():
        holds[scope] = (*holds.get(scope, ()), *(number + shift for number in held))
    classes = {number + shift: sums for number, sums in other.classes.items()}
    return Given(classes={**one.classes, **classes}, holds=holds)


def balanced(home: Whole, amount: Whole, rules: Rules) -> bool:
    """Return whether no home has more than its part of an amount, of either sign."""
    return enough(home, np.abs(amount), rules)[1]


def enough(home: Whole, wh: Whole, rules: Rules) -> tuple[bool, bool]:
    """Return whether parts are of k homes, and whether none of them dominates."""
    homes, which = np.unique(home, return_inverse=True)
    if not len(homes):
        return False, True
    energy = np.bincount(which.reshape(-1), weights=wh)
    total = float(energy.sum())
    return len(homes) >= rules.k, float(energy.max()) <= rules.dominance * total or total == 0


class _Partition:
    """The classes of one bucket while they are decided."""

    def __init__(self, before: Given, asked: Asked, rules: Rules) -> None:
        """Lay what was given away and what counts now on one axis."""
        self._rules = rules
        self._parts = parts = asked.parts
        self._ratio = asked.ratio
        self._past = asked.past
        self.key = united((before.key, parts.key))
        self.home = homes_of(self.key)
        self.at: Places = np.searchsorted(self.key, parts.key)
        """Where the parts that count now stand on the axis."""

        self._row = np.full(len(self.key), -1, dtype=np.int64)
        self._row[self.at] = np.arange(len(parts))
        self.live = self._row >= 0
        self.label = np.zeros(len(self.key), dtype=np.int64)
        self.label[np.searchsorted(self.key, before.key)] = before.label
        self.wh = np.zeros(len(self.key), dtype=np.int64)
        self.wh[self.at] = parts.wh
        self.free = self.live & (self.label == 0)
        """What may be in a new class."""

        self.classes = dict(before.classes)
        self._before: dict[ScopeKey, set[int]] = {
            scope: set(held) for scope, held in before.holds.items()
        }
        self._holds: dict[ScopeKey, set[int]] = {}
        self._frozen: set[int] = set()
        self._next = max(self.classes, default=0) + 1

    def take_over(self) -> None:
        """Divide or replace the classes of which something has changed, where that may be."""
        held = set().union(*self._before.values())
        changed = [
            number for number in np.unique(self.label[~self.live]).tolist() if number in held
        ]
        parts_of = {number: self.key[(self.label == number) & ~self.live] for number in changed}
        for number in changed:
            others = [key for other, key in parts_of.items() if other != number]
            self._take_over(number, united(others))
        # What replaces something that was shown tells nearly the same again: less what was
        # shown before it is a difference of homes, so it is shown by taking over alone.
        gone = self.key[(self.label > 0) & ~self.live]
        self.free[self.free & (self.label == 0) & overlapping(self.key, gone)] = False

    def cover(self, scope: ScopeKey, mask: Some) -> None:
        """Decide of which classes the cell of a scope is made; `mask` says which parts it has."""
        mine = np.zeros(len(self.key), dtype=np.bool_)
        mine[self.at] = mask
        before = self._before.setdefault(scope, set())
        holds = self._holds[scope] = before & self._frozen
        sizes = np.bincount(self.label, minlength=self._next)
        inside = np.bincount(self.label[mine], minlength=self._next)
        inside[0] = 0
        for number in np.flatnonzero(inside).tolist():
            if number in self._frozen:
                continue
            if inside[number] == sizes[number]:
                holds.add(number)
                continue
            here = np.flatnonzero(mine & (self.label == number))
            if self._may_split(number, here):
                holds.add(self._split(number, here))
            elif number in before:
                holds.add(number)
        fresh = np.flatnonzero(mine & self.free & (self.label == 0))
        if len(fresh):
            holds.update(self._form(fresh))

    def decision(self) -> Decision:
        """Return what has come of it."""
        known = self.label > 0
        kept = known & ~self.live & np.isin(self.label, list(self._frozen))
        return Decision(
            given=Given(
                key=self.key[known],
                label=self.label[known],
                classes=self.classes,
                holds={scope: tuple(sorted(held)) for scope, held in self._holds.items() if held},
            ),
            label=self.label[self.at],
            frozen=frozenset(self._frozen),
            stale=self.key[kept],
            waiting=(self.free & ~known)[self.at],
        )

    def _take_over(self, number: int, elsewhere: Whole) -> None:
        """Divide a class into what still holds and what does not, with what replaces that.

        `elsewhere` is what no longer holds of other classes: what replaces parts of two classes
        can be weighed against neither.
        """
        own = self.label == number
        here, gone = np.flatnonzero(own & self.live), np.flatnonzero(own & ~self.live)
        candidates = np.flatnonzero(self.free & (self.label == 0))
        candidates = candidates[np.isin(self.home[candidates], self.home[gone])]
        fresh = candidates[overlapping(self.key[candidates], self.key[gone])]
        may = not len(here) or self._may_split(number, here)
        if may and len(fresh):
            may = (
                all(self._enough(fresh))
                and not overlapping(self.key[fresh], elsewhere).any()
                and self._may_replace(number, gone, fresh)
            )
        if not may:
            self._frozen.add(number)
            self.free[fresh] = False
            return
        if len(here):
            self._split(number, here)
        instead = set(self._form(fresh)) if len(fresh) else set()
        for held in self._before.values():
            if number in held:
                held.discard(number)
                held.update(instead)

    def _may_split(self, number: int, here: Places) -> bool:
        """Return whether both sides of a class are large enough; `here` is what holds now.

        What a part that no longer holds has told is not known any more, only what the largest
        home of the class had: the other side is balanced for sure if even that does not dominate.
        """
        rules = self._rules_of(number)
        if not all(enough(self.home[here], self.wh[here], rules)):
            return False
        whole = self.classes[number]
        there = self._others(number, here)
        if self.live[there].all():
            return all(enough(self.home[there], self.wh[there], rules))
        rest = whole.wh - int(self.wh[here].sum())
        many = len(np.unique(self.home[there])) >= rules.k
        return many and (rest == 0 or whole.highest <= rules.dominance * rest)

    def _may_replace(self, number: int, gone: Places, fresh: Places) -> bool:
        """Return whether nobody has changed anything but carbon, or enough homes have.

        After less before is the sum of what single homes have changed their energy by: it has to
        be of k homes, and none may have most of it. Homes that do not tell the time again count
        as well; of those that have withdrawn only the sum is known, and the most that one had.
        """
        homes = np.unique(self.home[gone])

        def by_home(here: Places, amounts: Whole) -> Whole:
            where = np.searchsorted(homes, self.home[here])
            sums = np.bincount(where, weights=amounts, minlength=len(homes))
            return sums.astype(np.int64)

        past = self._past(self.key[gone])
        is_lost = by_home(gone, (past < 0).astype(np.int64)) > 0
        if is_lost[np.searchsorted(homes, self.home[fresh])].any():
            return False
        before = by_home(gone, np.maximum(past, 0))
        change = np.abs(by_home(fresh, self.wh[fresh]) - before)
        time = by_home(gone, self._time(gone)) != by_home(fresh, self._time(fresh))
        has_changed = is_lost | time | (change > 0)
        if not has_changed.any():
            return True
        rules, whole = self._rules_of(number), self.classes[number]
        known = change[~is_lost]
        most, total = int(known.max(initial=0)), int(known.sum())
        if is_lost.any():
            here = (self.label == number) & self.live
            most = max(most, whole.highest)
            total += whole.wh - int(self.wh[here].sum()) - int(before[~is_lost].sum())
        return int(has_changed.sum()) >= rules.k and 0 < most <= rules.dominance * total

    def _time(self, here: Places) -> Whole:
        """Return how many seconds each part is long."""
        return periods_of(self.key[here], 0)[1]

    def _others(self, number: int, here: Places) -> Places:
        """Return the parts of a class that are not among these."""
        others = self.label == number
        others[here] = False
        return np.flatnonzero(others)

    def _rules_of(self, number: int) -> Rules:
        """Return the rules for dividing a class: lax ones are for homes that have consented."""
        rules, own = self._rules, self.label == number
        if not rules.clear_only or self.classes[number].is_clear:
            return rules
        if self.live[own].all() and self._parts.is_clear[self._row[own]].all():
            return rules
        return rules.without_consent()

    def _split(self, number: int, here: Places) -> int:
        """Make these parts of a class one of their own; return its number."""
        whole = self.classes[number]
        one = self._sums_of_part(whole, here, self._others(number, here))
        new = self._add(here, one)
        self.classes[number] = _less(whole, one, len(np.unique(self.home[self.label == number])))
        for holds in (*self._holds.values(), *self._before.values()):
            if number in holds:
                holds.add(new)
        return new

    def _form(self, fresh: Places) -> list[int]:
        """Return new classes of parts that nobody knows yet; what is too little of them waits.

        Each stratum is a class if it is large enough. What remains is one together, or goes with
        the largest stratum; its carbon is then only said as if it were weighed like that.
        """
        rules, rows = self._rules, self._row[fresh]
        strata, which, sizes = np.unique(
            self._parts.stratum[rows], return_inverse=True, return_counts=True
        )
        which = which.reshape(-1)
        good: list[Places] = []
        for each in np.flatnonzero((sizes >= rules.k) & (strata != MIXED)).tolist():
            some = fresh[which == each]
            if all(self._enough(some)):
                good.append(some)
        good.sort(key=len, reverse=True)
        rest = np.setdiff1d(fresh, np.concatenate([NOBODY, *good]), assume_unique=True)
        mixed: list[Places] = []
        if len(rest) and all(self._enough(rest)):
            mixed = [rest]
        elif len(rest) and good:
            together = np.concatenate([good[0], rest])
            if all(self._enough(together)):
                mixed, main = [together], good.pop(0)
                return self._pure(good) + self._together(mixed, self._ratio_of(main))
        return self._pure(good) + self._together(
            mixed, self._ratio_of(good[0]) if good else self._ratio
        )

    def _pure(self, strata: Iterable[Places]) -> list[int]:
        """Add a class for each stratum, two where enough have measured and enough estimated."""
        result = []
        for here in strata:
            is_estimated = self._parts.is_estimated[self._row[here]]
            sides = [here[~is_estimated], here[is_estimated]]
            if not all(len(side) and all(self._enough(side)) for side in sides):
                sides = [here]
            for side in sides:
                rows = self._row[side]
                knows = self._parts.knows_free[rows].all()
                mg, free = self._parts.mg[rows].sum(), self._parts.carbon_free[rows].sum()
                # Homes weigh some flows by a mix of their own: few may have most of the carbon.
                mg_said, free_said = self._carbon_balanced(side)
                usual = None if mg_said else self._usual_intensity(side)
                said = int(mg) if mg_said else None
                if usual is not None:
                    said = round(int(self.wh[side].sum()) * usual)
                result.append(
                    self._add(
                        side,
                        self._sums(
                            side,
                            mg=said,
                            carbon_free=int(free) if knows and free_said else None,
                            is_exact=usual is None,
                        ),
                    )
                )
        return result

    def _together(self, mixed: Iterable[Places], ratio: Ratio | None) -> list[int]:
        """Add a class of several strata, its carbon weighed by a ratio that others have."""
        result = []
        for here in mixed:
            wh = int(self.wh[here].sum())
            mg, carbon_free = _weighed(wh, ratio)
            result.append(
                self._add(here, self._sums(here, mg=mg, carbon_free=carbon_free, is_exact=False))
            )
        return result

    def _ratio_of(self, here: Places) -> Ratio | None:
        """Return carbon and carbon-free energy by the energy of a stratum."""
        rows, wh = self._row[here], int(self.wh[here].sum())
        mg_said, free_said = self._carbon_balanced(here)
        usual = None if mg_said else self._usual_intensity(here)
        if not wh or (not mg_said and usual is None):
            return self._ratio
        free = None
        if free_said and self._parts.knows_free[rows].all():
            free = float(self._parts.carbon_free[rows].sum()) / wh
        return float(self._parts.mg[rows].sum()) / wh if usual is None else usual, free

    def _add(self, here: Places, sums: ClassSums) -> int:
        """Give parts a class; return its number."""
        number = self._next
        self._next += 1
        self.label[here] = number
        self.classes[number] = sums
        return number

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
        parts, rows = self._parts, self._row[here]
        homes, which = np.unique(self.home[here], return_inverse=True)
        energy = np.bincount(which.reshape(-1), weights=self.wh[here])
        wh = int(self.wh[here].sum())
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

    def _sums_of_part(self, whole: ClassSums, here: Places, there: Places) -> ClassSums:
        """Return the sums of some parts of a class: exact where those of the class are.

        They are not where a home would have too much of the carbon on one of both sides.
        """
        rows, wh = self._row[here], int(self.wh[here].sum())
        mg: int | None = int(self._parts.mg[rows].sum())
        free: int | None = int(self._parts.carbon_free[rows].sum())
        shared = None if whole.mg is None else _share(whole.mg, wh, whole.wh)
        free_shared = None if whole.carbon_free is None else _share(whole.carbon_free, wh, whole.wh)
        is_exact = whole.is_exact and all(self._carbon_balanced(here))
        if is_exact and self.live[there].all():
            is_exact = all(self._carbon_balanced(there))
        elif is_exact:
            # Nobody knows who of the others had how much: both sides have their share, rounded.
            ratio = 1.0 if whole.mg is None or not whole.wh else 1 + abs(whole.mg) / whole.wh
            is_exact = (shared is None or abs(shared - (mg or 0)) <= len(here) * ratio) and (
                free_shared is None or abs(free_shared - (free or 0)) <= len(here)
            )
        return self._sums(
            here,
            mg=None if shared is None else mg if is_exact else shared,
            carbon_free=None if free_shared is None else free if is_exact else free_shared,
            is_exact=is_exact,
            is_clear=whole.is_clear,
        )

    def _carbon_balanced(self, here: Places) -> tuple[bool, bool]:
        """Return whether no home has too much of the carbon, of the carbon-free energy and rest."""
        rows, home = self._row[here], self.home[here]
        free = self._parts.carbon_free[rows]
        return (
            balanced(home, self._parts.mg[rows], self._rules) and self._mixes_are_hidden(here),
            balanced(home, free, self._rules)
            and balanced(home, self.wh[here] - free, self._rules)
            and self._shares_are_hidden(here),
        )

    def _mixes_are_hidden(self, here: Places) -> bool:
        """Return whether no few homes weigh by another intensity than most.

        Less what the usual intensity gives, the carbon would tell what those have used.
        """
        _, others, rest = self._beside_usual(here)
        if not others.any() or 2 * np.count_nonzero(others) > len(others):
            return True
        return all(enough(self.home[here[others]], rest[others], self._rules))

    def _usual_intensity(self, here: Places) -> float | None:
        """Return the intensity that most homes share where few do not; None if that is few."""
        if not balanced(self.home[here], self._parts.mg[self._row[here]], self._rules):
            return None
        usual, others, _ = self._beside_usual(here)
        many = len(np.unique(self.home[here[~others]])) >= self._rules.k
        return usual if many and not self._mixes_are_hidden(here) else None

    def _beside_usual(self, here: Places) -> tuple[float, Some, Whole]:
        """Return the usual mgCO2eq by Wh, who has another, and how much carbon that makes."""
        mg, wh = self._parts.mg[self._row[here]], self.wh[here]
        uses = wh > 0
        usual = float(np.median(mg[uses] / wh[uses])) if uses.any() else 0.0
        rest = np.abs(mg - usual * wh)
        # Energy is rounded to whole Wh, carbon to whole mg.
        return usual, rest > 1.0 + abs(usual), rest.astype(np.int64)

    def _shares_are_hidden(self, here: Places) -> bool:
        """Return whether no few homes have another carbon-free share than the others.

        Less what the usual share gives, the carbon-free energy would tell what those have used.
        """
        free, wh = self._parts.carbon_free[self._row[here]], self.wh[here]
        if not wh.any():
            return True
        usual = float(np.median(free[wh > 0] / wh[wh > 0]))
        # Both are rounded to whole Wh.
        others = np.abs(free - usual * wh) > 1.0
        return not others.any() or all(self._enough(here[others]))

    def _enough(self, here: Places) -> tuple[bool, bool]:
        return enough(self.home[here], self.wh[here], self._rules)


def _weighed(wh: int, ratio: Ratio | None) -> tuple[int | None, int | None]:
    """Return mgCO2eq and carbon-free Wh by a ratio."""
    if ratio is None:
        return None, None
    mg, free = ratio
    return round(wh * mg), None if free is None else min(wh, int(wh * free))


def _less(whole: ClassSums, part: ClassSums, homes: int) -> ClassSums:
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


def _minus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _share(amount: int, part: int, whole: int) -> int:
    return amount * part // whole if whole else 0
