"""What all published cells together give away: the partition that they make of the parts.

Parts that lie in exactly the same published cells form a class. Whatever is added and subtracted
of published cells weighs all parts of a class alike, so it is made of whole classes. If each class
has k homes, every figure that can be worked out has k homes too, or is 0. That holds for a
community less its feeders, for groups that overlap, for hours against their day, and for a cell
before and after it was corrected.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..ledger.contributions import Whole
from .members import Members
from .rules import Rules

type Places = NDArray[np.intp]
"""Where parts stand in the arrays of the partition."""


class Partition:
    """The classes of parts of one flow and one kind of carbon intensity."""

    def __init__(self, members: Iterable[Members], rules: Rules) -> None:
        """Take all parts that will ever be asked for; none is published yet."""
        every = list(members)
        parts = _joined([each.part for each in every])
        self._rules = rules
        self._parts, first = np.unique(parts, return_index=True)
        homes = _joined([each.home for each in every])[first]
        # Homes as numbers from 0 on, to count with.
        self._homes = np.unique(homes, return_inverse=True)[1].reshape(-1)
        self._wh = _joined([each.wh for each in every])[first]
        self._class = np.zeros(len(self._parts), dtype=np.int64)
        self._classes: dict[int, Places] = {}
        self._next = 1

    def admit(self, parts: Whole) -> bool:
        """Publish a cell of these parts if every class stays large enough; say whether it was."""
        return self._add(parts, checked=True)

    def force(self, parts: Whole) -> None:
        """Take note of a cell that was published before: it is known, whatever the rules say."""
        self._add(parts, checked=False)

    def enough(self, parts: Whole) -> tuple[bool, bool]:
        """Return whether these parts are of k homes, and whether none of them dominates."""
        return self._enough(self._places(parts))

    def classes(self) -> list[int]:
        """Return of how many homes each class is that something published gives away."""
        return [len(np.unique(self._homes[places])) for places in self._classes.values()]

    def _places(self, parts: Whole) -> Places:
        return np.searchsorted(self._parts, np.unique(parts))

    def _add(self, parts: Whole, *, checked: bool) -> bool:
        """Split the classes along a cell, unless that makes one too small."""
        places = self._places(parts)
        order = np.argsort(self._class[places], kind="stable")
        places = places[order]
        numbers, starts = np.unique(self._class[places], return_index=True)
        splits: list[tuple[int, Places, Places]] = []
        for number, inside in zip(numbers.tolist(), np.split(places, starts[1:]), strict=True):
            whole = self._classes.get(number)
            if whole is not None and len(whole) == len(inside):
                continue
            outside = (
                np.empty(0, dtype=np.intp)
                if whole is None
                else np.setdiff1d(whole, inside, assume_unique=True)
            )
            if checked and not all(
                all(self._enough(side)) for side in (inside, outside) if len(side)
            ):
                return False
            splits.append((number, inside, outside))
        for number, inside, outside in splits:
            if len(outside):
                self._classes[number] = outside
            self._classes[self._next] = inside
            self._class[inside] = self._next
            self._next += 1
        return True

    def _enough(self, places: Places) -> tuple[bool, bool]:
        homes, which = np.unique(self._homes[places], return_inverse=True)
        energy = np.bincount(which.reshape(-1), weights=self._wh[places])
        total = float(energy.sum())
        dominates = total > 0 and float(energy.max()) > self._rules.dominance * total
        return len(homes) >= self._rules.k, not dominates


def _joined(arrays: list[Whole]) -> Whole:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)
