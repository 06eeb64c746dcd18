"""When a load may run, and the slots of a signal between."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray
from .objective import Objective
from .plan import Weighing
from .signal import Signal
from .slots import Slots


class WindowError(ValueError):
    """A window whose moments are no numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From `start` to `end` in seconds since 1970 UTC, if possible not in the `quiet` stretches.

    A window that ends before it begins is empty: its deadline has passed. Raises WindowError for
    moments that are not finite.
    """

    start: float
    end: float
    quiet: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse moments that are no numbers."""
        moments = (self.start, self.end, *(moment for part in self.quiet for moment in part))
        if not all(math.isfinite(moment) for moment in moments):
            raise WindowError("a moment of the window is not a finite number")

    @property
    def seconds(self) -> float:
        """Return how long it is, 0 for an empty one."""
        return max(0.0, self.end - self.start)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Course:
    """The slots of a window, split where quiet hours begin and end, with what they weigh."""

    weighing: Weighing
    quiet: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        signal: Signal,
        objective: Objective,
        window: Window,
        *,
        per_start: float = 0.0,
        marks: Sequence[float] = (),
    ) -> Self:
        """Return the slots of a window, split also at some `marks`.

        See `Signal.over` for where the signal does not reach.
        """
        over = signal.over(window.start, window.end)
        marks = [*marks, *(moment for part in window.quiet for moment in part)]
        if marks:
            over = over.split(np.array(marks))
        return cls(
            weighing=Weighing.of(over, objective, per_start),
            quiet=inside(over.slots, window.quiet),
        )


def inside(slots: Slots, stretches: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
    """Return which slots lie in some stretches of time, by their middles."""
    middles = (slots.starts + slots.ends) / 2.0
    found = np.zeros(len(middles), dtype=np.bool_)
    for start, end in stretches:
        found |= (middles >= start) & (middles < end)
    return found


def on_slots(known: Slots, figures: FloatArray, slots: Slots, beyond: float) -> FloatArray:
    """Return figures of slots for other slots, each for the slot it begins in."""
    if len(known) == 0:
        return np.full(len(slots), beyond)
    places = np.searchsorted(known.ends, slots.starts, side="right")
    within = (places < len(known)) & (slots.starts >= known.start)
    return np.where(within, figures[np.minimum(places, len(known) - 1)], beyond)
