"""One value for all time as a rung."""

from collections.abc import Sequence
from typing import override

from ..carbon.intensity.fixed import FixedSource
from ..carbon.intensity.source import IntensityInterval, SourceInfo
from .rung import Rung


class FixedRung(Rung):
    """A value of the user. It tells nothing that a forecast could learn from."""

    tells = False
    forecasts = False

    def __init__(self, value: float) -> None:
        """Take the value in gCO2eq/kWh; raises ValueError for one that cannot be."""
        self._source = FixedSource(value)

    @property
    @override
    def info(self) -> SourceInfo:
        return self._source.info

    @override
    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        return self._source.intervals(start, end)
