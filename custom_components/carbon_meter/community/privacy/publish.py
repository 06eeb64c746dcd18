"""A cell as everybody may see it, or why nobody may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from ..ledger.cells import CellKey, State
from ..ledger.contributions import Whole
from .parts import Parts
from .rules import Rules

COMPLETE: Final = 0.9
"""The least part of what was told that a shown cell holds; one with less would mislead."""


class Reason(StrEnum):
    """Why a cell is suppressed."""

    FEW = "few"
    """It has fewer than k homes."""

    DIFFERENCE = "difference"
    """It would show fewer than k homes, or one with too large a part of it.

    By itself, with other cells, or with what it was before: one word for all, as homes that correct
    their own figures would learn from two words how much the largest has used.
    """

    CONSENT = "consent"
    """Not all of its homes have consented to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicCell:
    """A published cell; of a suppressed one there is the reason, and no figure."""

    key: CellKey
    end: int
    suppressed: Reason | None = None
    homes: int | None = None
    expected: int | None = None
    wh: int | None = None
    mg: int | None = None
    """mgCO2eq; None where it would tell few homes apart."""

    carbon_free: int | None = None
    """Wh, None unless all homes know theirs."""

    estimated: int | None = None
    """Wh estimated or substituted; None where that would show the few homes that estimate."""

    is_approximate: bool = False
    """Whether few homes were weighed by another intensity than the others.

    Energy and exact carbon together would tell what those few have used, so they count in
    `mg` and `carbon_free` as if they were weighed like the others.
    """

    coverage: int | None = None
    """Percent of the told periods that were measured, rounded down."""

    seconds: int | None = None
    """Time that homes have told and the figures hold, of all homes together."""

    told: int | None = None
    """Percent of the time that homes have told that the figures hold, rounded down.

    The rest waits until enough homes have told late, or have corrected the same cell. None where
    the figures hold more than homes still tell: some have withdrawn since.
    """

    is_current: bool = True
    """Whether all that few homes have corrected or taken back since is in the figures.

    Where it is not, they stay as they were shown until enough homes have changed.
    """

    quantiles: Mapping[float, float] = field(default_factory=dict)
    """Wh of a home, as `safe_quantiles` gives them."""

    revision: int | None = None
    """Of what is published, from 0 upwards."""

    state: State | None = None
    """Provisional or final, None of a suppressed one."""


def reason_of(parts: Parts, rules: Rules) -> Reason:
    """Return why a cell of these parts is not shown."""
    if rules.clear_only and not parts.is_clear.all():
        return Reason.CONSENT
    return reason_of_homes(parts.home, rules)


def reason_of_homes(home: Whole, rules: Rules) -> Reason:
    """Return why a cell is not shown to which these homes have added something."""
    return Reason.FEW if len(np.unique(home)) < rules.k else Reason.DIFFERENCE
