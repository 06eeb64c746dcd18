"""One value for all time, given by the user: a supplier's figure, for example."""

from collections.abc import Sequence
import math

from ..grade import Grade
from .source import IntensityInterval, SourceInfo


class FixedSource:
    """A constant intensity in gCO2eq/kWh.

    Raises ValueError for a value that is not a finite number of at least zero.
    """

    refresh_after: float | None = None

    def __init__(self, value: float, *, name: str = "Fixed value") -> None:
        """Take the value."""
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"an intensity is a number of at least 0, not {value}")
        self._value = value
        self.info = SourceInfo(id="fixed", name=name)

    async def refresh(self) -> None:
        """There is nothing to fetch."""

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return the one value over the whole stretch."""
        if start >= end:
            return ()
        return (
            IntensityInterval(
                start=start, end=end, value=self._value, grade=Grade.YEARLY, source=self.info.id
            ),
        )
