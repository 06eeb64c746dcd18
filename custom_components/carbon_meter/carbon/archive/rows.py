"""What goes into the archive and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ..intervals import HOUR, INTERVAL

SLOTS: Final = HOUR // INTERVAL
"""Five-minute intervals of an hour."""

UNKNOWN_GRADE: Final = 255
"""In the place of an index into BEST_FIRST: no intensity is known."""

type Series = Literal["average", "marginal"]
"""Which intensity of the grid: of all it generates, or of what one kWh more or less changes."""

type Numbers = Sequence[float] | NDArray[np.float64]
type Flags = Sequence[bool] | NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterHour:
    """One hour of one meter in five-minute intervals: SLOTS numbers each."""

    meter: str
    hour: int
    """Start, seconds since 1970 UTC, a multiple of 3600."""

    imported: Numbers
    """Wh."""

    exported: Numbers
    """Wh."""

    grid_carbon: Numbers
    """g."""

    known: Flags
    """Whether the meter was read in the interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GridHour:
    """The carbon intensity of the grid in one hour: SLOTS entries each."""

    hour: int
    """Start, seconds since 1970 UTC, a multiple of 3600."""

    value: Numbers
    """gCO2eq/kWh; NaN where it is unknown."""

    grade: Sequence[int] | NDArray[np.uint8]
    """Indices into BEST_FIRST; UNKNOWN_GRADE where the value is unknown."""

    source: Sequence[str]
    """What told the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergySeries:
    """Energies of meters in [start, end), by meter and five-minute interval: [M, T] each."""

    meters: tuple[str, ...]
    start: int
    end: int
    imported: NDArray[np.float64]
    """Wh; 0 where nothing is known."""

    exported: NDArray[np.float64]
    """Wh; 0 where nothing is known."""

    grid_carbon: NDArray[np.float64]
    """g; 0 where nothing is known."""

    known: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class GridSeries:
    """The intensity of the grid in [start, end) by five-minute interval: [T] each."""

    start: int
    end: int
    value: NDArray[np.float64]
    """gCO2eq/kWh; NaN where it is unknown."""

    grade: NDArray[np.uint8]
    """Indices into BEST_FIRST; UNKNOWN_GRADE where the value is unknown."""

    source: NDArray[np.object_]
    """What told the value, a text; empty where it is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HourlySeries:
    """Figures of one owner by hour."""

    figures: tuple[str, ...]
    hours: NDArray[np.int64]
    """[T], ascending: the starts of the hours in which any of these figures is not 0."""

    values: NDArray[np.float64]
    """[F, T]"""

    def dense(self, start: int, end: int) -> NDArray[np.float64]:
        """Return [F, (end - start) / 3600]: every hour of [start, end), 0 where nothing is kept."""
        result = np.zeros((len(self.figures), (end - start) // HOUR))
        inside = (self.hours >= start) & (self.hours < end)
        result[:, (self.hours[inside] - start) // HOUR] = self.values[:, inside]
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One line of the audit trail: figures that were told and have changed since."""

    when: float
    """Seconds since 1970 UTC."""

    reason: str
    """A key."""

    detail: str
    start: int
    end: int
    owners: tuple[str, ...]
    before: Mapping[str, float] = field(default_factory=dict)
    """g by figure: the sums over [start, end) as they were told."""

    after: Mapping[str, float] = field(default_factory=dict)
    """g by figure: the same as they are now."""

    id: int | None = None
    """Given by the archive; rising."""


def check_span(start: int, end: int) -> None:
    """Refuse a stretch of time that is not made of whole hours."""
    if start % HOUR or end % HOUR or end < start:
        raise ValueError(f"[{start}, {end}) is not a number of whole hours")


def check_hour(hour: int) -> None:
    """Refuse a moment that is not the start of an hour."""
    if hour % HOUR:
        raise ValueError(f"{hour} is not the start of an hour")
