"""The rules by which cells are published, presets for them, and who is enough by them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..ledger.contributions import Whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How much must be added up before anybody outside may see it."""

    k: int = 15
    """Homes at least, in each cell and in whatever follows from several cells."""

    dominance: float = 0.15
    """The largest part of the energy that one home may have, from 0 to 1."""

    clear_only: bool = False
    """Only cells all of whose homes have consented to be shown one by one."""

    def __post_init__(self) -> None:
        """Refuse rules that protect nobody by mistake."""
        if self.k < 1 or not 0 < self.dominance <= 1:
            raise ValueError(f"k = {self.k}, dominance = {self.dominance}: no rules")
        if self.k * self.dominance < 1:
            raise ValueError(f"{self.k} homes of at most {self.dominance} each are never all")
        if (self.k < STRICT_K or self.dominance > STRICT_DOMINANCE) and not self.clear_only:
            raise ValueError(
                f"fewer than {STRICT_K} homes, or one above {STRICT_DOMINANCE:.0%},"
                " only where all of them have consented"
            )

    def without_consent(self) -> Rules:
        """Return what holds of homes that have not consented: never less than the usual rule."""
        return Rules(k=max(self.k, STRICT_K), dominance=min(self.dominance, STRICT_DOMINANCE))


STRICT_K: Final = 15
"""The least k without consent: the customary 15/15 rule."""

STRICT_DOMINANCE: Final = 0.15
"""The most that one home may have of a cell without consent, by the same rule."""

STANDARD: Final = Rules()

PUBLIC: Final = Rules(k=100)
"""For release to everybody: California's building reports leave out what has fewer than 100
service accounts (CPUC Resolution E-5105)."""

PILOT: Final = Rules(k=1, dominance=1.0, clear_only=True)
"""For pilots: homes that have consented to be seen (level `clear`), and no others."""

PRESETS: Final = {"standard": STANDARD, "public": PUBLIC, "pilot": PILOT}


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
