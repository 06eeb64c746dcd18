"""What is never done, such as a warm house or a battery: planned from now on, again and again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from ...carbon.flow.amounts import FloatArray
from ..alternatives import Member
from ..objective import Objective
from ..plan import NO_MARGIN, Margin
from ..signal import Signal
from ..slots import Slots
from ..window import on_slots
from .job import Around, Planned

QUARTER: Final = 900.0
"""s. Slots of a plan that switches are no longer, and begin with the quarters of an hour."""

type Planner = Callable[[Signal, Objective, Margin], Planned]
"""Plans a load in the slots of a signal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RollingTask:
    """What a store or a zone has to do from `start` to `end`.

    `deadline` and `run_time` are those of what is due once, such as hot water against legionella.
    """

    start: float
    end: float
    made: Callable[[], Member]
    """Makes what takes part in a simulation: only simulations need it."""

    planner: Planner
    fine: bool = True
    """Whether it is planned in quarters of an hour, in the slots of the signal otherwise."""

    marks: tuple[float, ...] = ()
    """Where slots have to end."""

    deadline: float | None = None
    run_time: float = 0.0
    load: ClassVar[None] = None
    is_rolling: ClassVar[bool] = True

    @property
    def member(self) -> Member:
        """Return what takes part in a simulation over the signal."""
        return self.made()

    def planned(
        self, signal: Signal, objective: Objective, *, margin: Margin = NO_MARGIN
    ) -> Planned:
        """Return its plan by itself; it computes."""
        within = signal.over(self.start, self.end)
        marks = np.array(self.marks)
        if self.fine:
            first = np.floor(self.start / QUARTER) + 1.0
            quarters = np.arange(first, self.end / QUARTER) * QUARTER
            marks = np.union1d(marks, quarters)
        return self.planner(within.split(marks) if len(marks) else within, objective, margin)


def reach(signal: Signal, now: float, hours: float) -> float:
    """Return until when something that is never done is planned.

    That is so many hours, or to the end of what is known; so many hours, where nothing is.
    """
    known = np.isfinite(signal.carbon)
    if signal.price is not None:
        known |= np.isfinite(signal.price)
    ends = signal.slots.ends[known & (signal.slots.ends > now)]
    horizon = now + hours * 3600.0
    return min(horizon, float(ends[-1])) if len(ends) else horizon


def fitted(around: Around, figures: FloatArray | None, slots: Slots, unknown: float) -> FloatArray:
    """Return figures of what is around in other slots; what is not known is the last that was.

    Before the first that is known it counts as that one, and as `unknown` where none is.
    """
    if figures is None or len(figures) != len(around.signal.slots):
        return np.full(len(slots), unknown)
    known = np.isfinite(figures)
    if not known.any():
        return np.full(len(slots), unknown)
    places = np.maximum.accumulate(np.where(known, np.arange(len(figures)), -1))
    filled = figures[np.where(places < 0, int(np.argmax(known)), places)]
    return on_slots(around.signal.slots, filled, slots, float(filled[-1]))


def figure_at(around: Around, figures: FloatArray | None, moment: float, unknown: float) -> float:
    """Return the figure of a moment; see `fitted`."""
    return float(fitted(around, figures, Slots.of(moment, moment + 1.0, 1.0), unknown)[0])
