"""What a bucket has given away, what is asked about it, and what is decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ..ledger.contributions import Whole
from .parts import Parts, Some
from .sums import ClassSums

type ScopeKey = tuple[str, str]
"""Scope and name."""

type Ratio = tuple[float, float | None]
"""mgCO2eq by Wh, and carbon-free Wh by Wh: how few are weighed like the many."""

NOBODY: Final = np.empty(0, dtype=np.int64)
"""No parts."""


type Past = Callable[[Whole], Whole]
"""The Wh of parts by their keys, whether or not they still count; -1 where nobody knows it."""


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
    """Return that nothing is known of parts."""
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


def joined(one: Given, other: Given) -> Given:
    """Return what two releases of different parts have given away, without their parts."""
    shift = max(one.classes, default=0)
    holds = dict(one.holds)
    for scope, held in other.holds.items():
        holds[scope] = (*holds.get(scope, ()), *(number + shift for number in held))
    classes = {number + shift: sums for number, sums in other.classes.items()}
    return Given(classes={**one.classes, **classes}, holds=holds)
