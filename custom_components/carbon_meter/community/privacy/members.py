"""Whose parts a cell is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..ledger.calendar import Calendar, Grain
from ..ledger.cells import CellKey
from ..ledger.contributions import Contributions, Whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Members:
    """The parts of one cell: arrays of one length, a row for each period of each home."""

    home: Whole
    """Who: any number that stands for one home."""

    part: Whole
    """What: a number for home, period and revision, the same in every cell that holds it."""

    wh: Whole
    """Wh, never negative."""

    estimated: NDArray[np.bool_]
    factor: Whole
    """A number for the carbon intensity that weighed it."""

    clear: bool
    """Whether every home has consented to be shown."""

    def only(self, parts: Whole) -> Self:
        """Return these parts alone."""
        chosen = np.isin(self.part, parts)
        return replace(
            self,
            home=self.home[chosen],
            part=self.part[chosen],
            wh=self.wh[chosen],
            estimated=self.estimated[chosen],
            factor=self.factor[chosen],
        )


def members_of(
    keys: Iterable[CellKey], contributions: Contributions, calendar: Calendar
) -> dict[CellKey, Members]:
    """Return the parts of each cell of one flow and kind of carbon intensity.

    `contributions` must hold all local days of the longest of the cells.
    """
    result = {}
    for key in keys:
        if (key.flow, key.kind) != (contributions.flow, contributions.kind):
            continue
        places = [
            place
            for place, scopes in contributions.scopes.items()
            if (key.scope, key.name) in scopes
        ]
        if key.grain is Grain.HOUR:
            inside = contributions.hour == key.begin
        else:
            end = calendar.end(key.grain, key.begin)
            inside = (contributions.day >= key.begin) & (contributions.day < end)
        chosen = np.flatnonzero(inside & np.isin(contributions.place, places))
        result[key] = Members(
            home=contributions.home[chosen],
            part=contributions.part[chosen],
            wh=contributions.wh[chosen],
            estimated=contributions.estimated[chosen],
            factor=contributions.factor[chosen],
            clear=bool(contributions.clear[chosen].all()),
        )
    return result
