"""What all published cells together give away: the partition that they make of the parts.

Parts that lie in exactly the same published cells form a class. Whatever is added and subtracted
of published cells weighs all parts of a class alike, so it is made of whole classes. If each class
has k homes and none that dominates, so has every figure that can be worked out, or it is 0. That
holds for a community less its feeders, for groups that overlap, for hours against their day, and
for a cell before and after it was corrected.

A part is given away in one bucket only, that of its hour or that of its day, so buckets can be
decided one by one; a class once formed is only ever divided.
"""

from collections.abc import Iterable

import numpy as np

from .axis import Axis, Places
from .given import NOBODY, Asked, Decision, Given, ScopeKey
from .parts import MIXED, Some, homes_of, overlapping
from .restating import Restated, may_replace
from .rules import Rules, enough
from .sums import ClassSums
from .weighing import Weighing, remaining


def decide(before: Given, asked: Asked, rules: Rules) -> Decision:
    """Return of which classes each scope's cell is made now.

    What has changed since is taken over where k homes have changed; otherwise the class stays
    as it was shown.
    """
    partition = _Partition(before, asked, rules)
    if asked.blocked is not None:
        partition.free[partition.axis.at] &= ~asked.blocked
    if rules.clear_only:
        partition.free[partition.axis.at] &= asked.parts.is_clear
    partition.take_over()
    for scope, mask in asked.scopes:
        partition.cover(scope, mask)
    return partition.decision()


class _Partition:
    """The classes of one bucket while they are decided."""

    def __init__(self, before: Given, asked: Asked, rules: Rules) -> None:
        """Lay what was given away and what counts now on one axis."""
        self._rules = rules
        self._past = asked.past
        self.axis = axis = Axis.of(before.key, asked.parts)
        self._weighing = Weighing(axis, rules, asked.ratio)
        self.label = np.zeros(len(axis), dtype=np.int64)
        self.label[np.searchsorted(axis.key, before.key)] = before.label
        self.free = axis.live & (self.label == 0)
        """What may be in a new class."""

        self.classes = dict(before.classes)
        self._before: dict[ScopeKey, set[int]] = {
            scope: set(held) for scope, held in before.holds.items()
        }
        self._holds: dict[ScopeKey, set[int]] = {}
        self._frozen: set[int] = set()
        self._next = max(self.classes, default=0) + 1
        self._replaced: dict[int, tuple[Places, Rules]] = {}
        """Of the classes that take the place of others now: what was shown, by which rules."""

    def take_over(self) -> None:
        """Divide or replace the classes of which something has changed, where that may be."""
        key, is_gone = self.axis.key, ~self.axis.live
        held = set().union(*self._before.values())
        changed = [number for number in np.unique(self.label[is_gone]).tolist() if number in held]
        fresh_of = {number: self._instead(number) for number in changed}
        # First all, then the first: what is frozen stays so, whichever comes first.
        for number, fresh in fresh_of.items():
            if self._is_entangled(number, fresh):
                self._freeze(number, fresh)
        for number, fresh in fresh_of.items():
            if number not in self._frozen:
                self._take_over(number, fresh)
        # What replaces something that was shown tells nearly the same again: less what was
        # shown before it is a difference of homes, so it is shown by taking over alone.
        gone = key[(self.label > 0) & is_gone]
        self.free[self.free & (self.label == 0) & overlapping(key, gone)] = False

    def cover(self, scope: ScopeKey, mask: Some) -> None:
        """Decide of which classes the cell of a scope is made; `mask` says which parts it has."""
        mine = np.zeros(len(self.axis), dtype=np.bool_)
        mine[self.axis.at] = mask
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
        axis, known = self.axis, self.label > 0
        kept = known & ~axis.live & np.isin(self.label, list(self._frozen))
        return Decision(
            given=Given(
                key=axis.key[known],
                label=self.label[known],
                classes=self.classes,
                holds={scope: tuple(sorted(held)) for scope, held in self._holds.items() if held},
            ),
            label=self.label[axis.at],
            frozen=frozenset(self._frozen),
            stale=axis.key[kept],
            waiting=(self.free & ~known)[axis.at],
        )

    def _instead(self, number: int) -> Places:
        """Return what homes tell now of the times that no longer hold in a class."""
        axis = self.axis
        gone = np.flatnonzero((self.label == number) & ~axis.live)
        candidates = np.flatnonzero(self.free & (self.label == 0))
        candidates = candidates[np.isin(axis.home[candidates], axis.home[gone])]
        return candidates[overlapping(axis.key[candidates], axis.key[gone])]

    def _is_entangled(self, number: int, fresh: Places) -> bool:
        """Return whether these replace parts of other classes, too: they compare with neither.

        Of classes that nothing shows any more as well, but for what this one had in their place.
        """
        if not len(fresh):
            return False
        axis, is_gone = self.axis, (self.label > 0) & ~self.axis.live
        own = self.label == number
        others = axis.key[is_gone & ~own]
        others = others[np.isin(homes_of(others), axis.home[fresh])]
        is_earlier = overlapping(others, axis.key[is_gone & own])
        return bool(overlapping(axis.key[fresh], others[~is_earlier]).any())

    def _freeze(self, number: int, fresh: Places) -> None:
        """Leave a class as it was shown; what would replace parts of it is not."""
        self._frozen.add(number)
        self.free[fresh] = False

    def _take_over(self, number: int, fresh: Places) -> None:
        """Divide a class into what still holds and what does not, with what replaces that."""
        axis, own = self.axis, self.label == number
        here, gone = np.flatnonzero(own & axis.live), np.flatnonzero(own & ~axis.live)
        whole, rules = self.classes[number], self._rules_of(number)
        may = not len(here) or self._may_split(number, here)
        if may and len(fresh):
            may = all(self._enough(fresh)) and may_replace(
                axis,
                Restated(here=here, gone=gone, fresh=fresh),
                whole,
                self._past(axis.key[gone]),
                rules,
            )
        if not may:
            self._freeze(number, fresh)
            return
        if len(here):
            self._split(number, here)
        instead = set(self._form(fresh)) if len(fresh) else set()
        sides = [np.flatnonzero(self.label == new) for new in instead]
        if len(sides) > 1 and not all(self._was_enough(gone, side, rules) for side in sides):
            # What was shown less some of them would be what few had before.
            instead = {self._one_of(instead, fresh)}
        for new in instead:
            self._replaced[new] = (gone, rules)
            self.classes[new] = self._weighing.instead(
                self.classes[new], np.flatnonzero(self.label == new), whole
            )
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
        if not all(self.axis.enough(here, rules)):
            return False
        whole = self.classes[number]
        there = self._others(number, here)
        before = self._replaced.get(number)
        if before is not None and not all(
            self._was_enough(before[0], side, before[1]) for side in (here, there)
        ):
            return False
        if self.axis.live[there].all():
            return all(self.axis.enough(there, rules))
        rest = whole.wh - int(self.axis.wh[here].sum())
        many = len(np.unique(self.axis.home[there])) >= rules.k
        return many and (rest == 0 or whole.highest <= rules.dominance * rest)

    def _was_enough(self, gone: Places, instead: Places, rules: Rules) -> bool:
        """Return whether it was enough what parts that are gone had told in the place of these.

        With it counts what nothing replaces: it is in the same difference.
        """
        axis, fresh = self.axis, np.flatnonzero(self.axis.live)
        key = axis.key[gone]
        past = self._past(key)
        old = overlapping(key, axis.key[instead]) | ~overlapping(key, axis.key[fresh])
        return bool((past[old] >= 0).all()) and all(enough(axis.home[gone[old]], past[old], rules))

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
        if self.axis.live[own].all() and self.axis.parts.is_clear[self.axis.row[own]].all():
            return rules
        return rules.without_consent()

    def _split(self, number: int, here: Places) -> int:
        """Make these parts of a class one of their own; return its number."""
        whole = self.classes[number]
        one = self._weighing.of_some(whole, here, self._others(number, here))
        new = self._add(here, one)
        if number in self._replaced:
            self._replaced[new] = self._replaced[number]
        left = len(np.unique(self.axis.home[self.label == number]))
        self.classes[number] = remaining(whole, one, left)
        for holds in (*self._holds.values(), *self._before.values()):
            if number in holds:
                holds.add(new)
        return new

    def _form(self, fresh: Places) -> list[int]:
        """Return new classes of parts that nobody knows yet; what is too little of them waits.

        Each stratum is a class if it is large enough. What remains is one together, or goes with
        the largest strata, with as few as it takes; its carbon is then only said as if it were
        weighed like the largest. Nothing waits that would be enough with all others: what was shown
        before less the rest would be what waits.
        """
        rules, rows = self._rules, self.axis.row[fresh]
        strata, which, sizes = np.unique(
            self.axis.parts.stratum[rows], return_inverse=True, return_counts=True
        )
        which = which.reshape(-1)
        good: list[Places] = []
        for each in np.flatnonzero((sizes >= rules.k) & (strata != MIXED)).tolist():
            some = fresh[which == each]
            if all(self._enough(some)):
                good.append(some)
        good.sort(key=len, reverse=True)
        rest = np.setdiff1d(fresh, np.concatenate([NOBODY, *good]), assume_unique=True)
        main = good[0] if good else None
        mixed: Places | None = None
        if len(rest) and all(self._enough(rest)):
            mixed = rest
        elif len(rest):
            for many in range(1, len(good) + 1):
                together = np.concatenate([*good[:many], rest])
                if all(self._enough(together)):
                    mixed = together
                    del good[:many]
                    break
        result = self._pure(good)
        if mixed is not None:
            result.append(self._add(mixed, self._weighing.of_mixture(mixed, main)))
        return result

    def _one_of(self, classes: Iterable[int], fresh: Places) -> int:
        """Make one class of several that were just formed of parts; return its number."""
        main = max((np.flatnonzero(self.label == number) for number in classes), key=len)
        for number in classes:
            del self.classes[number]
        return self._add(fresh, self._weighing.of_mixture(fresh, main))

    def _pure(self, strata: Iterable[Places]) -> list[int]:
        """Add a class for each stratum, two where enough have measured and enough estimated."""
        axis, result = self.axis, []
        for here in strata:
            is_estimated = axis.parts.is_estimated[axis.row[here]]
            sides = [here[~is_estimated], here[is_estimated]]
            if not all(len(side) and all(self._enough(side)) for side in sides):
                sides = [here]
            result += [self._add(side, self._weighing.of_stratum(side)) for side in sides]
        return result

    def _add(self, here: Places, sums: ClassSums) -> int:
        """Give parts a class; return its number."""
        number = self._next
        self._next += 1
        self.label[here] = number
        self.classes[number] = sums
        return number

    def _enough(self, here: Places) -> tuple[bool, bool]:
        return self.axis.enough(here, self._rules)
