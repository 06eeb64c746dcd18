"""The main fuse of a site: how much it lets through, and what is not planned of it."""

from collections.abc import Iterable

import numpy as np

from ..carbon.flow.amounts import FloatArray
from ..drivers.clock import now as clock
from ..planning.slots import Slots
from .load import Load
from .options import PlanningOptions
from .surroundings import Surroundings


class MainFuse:
    """The limit that all loads of a site keep together; none where the options tell none."""

    def __init__(self, options: PlanningOptions, surroundings: Surroundings) -> None:
        """Take what the options tell, and where the usual consumption is known."""
        self.limit = options.fuse
        self._base_load = options.base_load
        self._surroundings = surroundings

    def base(self, slots: Slots) -> FloatArray | None:
        """Return the W that are not planned in each slot: as told, else as it was lately."""
        if self._base_load is not None:
            return np.full(len(slots), self._base_load)
        return self._surroundings.greatest(slots)

    def has_room(self, load: Load, power: float, loads: Iterable[Load]) -> bool:
        """Return whether a load may draw so many W now, beside what the others draw."""
        if self.limit is None:
            return True
        drawn = sum(
            max(other.target.power or 0.0, 0.0)
            for other in loads
            if other is not load and other.target.run
        )
        now = clock()
        base = self.base(Slots.of(now, now + 1.0, 1.0))
        drawn += 0.0 if base is None else float(np.nan_to_num(base[0]))
        return drawn + power <= self.limit
