"""A forecast as it is handed on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from .history import Values


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Carbon intensity ahead, in gCO2eq/kWh, in steps of `step` seconds from `start` on.

    In eight of ten cases what comes lies between `p10` and `p90`; it is as often above `p50` as
    below. The three are arrays of the same length, never negative and in order. Times are seconds
    since 1970 UTC.
    """

    made: float
    start: int
    step: int
    p10: Values
    p50: Values
    p90: Values

    @property
    def end(self) -> int:
        """Return where the last step ends."""
        return self.start + self.step * len(self.p50)

    def until(self, end: float) -> Self:
        """Return the steps that end by a moment."""
        count = max(0, int((end - self.start) // self.step))
        return replace(self, p10=self.p10[:count], p50=self.p50[:count], p90=self.p90[:count])

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart, to a tenth of a gram."""
        return {
            "made": self.made,
            "start": self.start,
            "step": self.step,
            **{name: [round(float(value), 1) for value in values] for name, values in self._rows()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the forecast that `as_dict` gave.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        made, start, step = float(data["made"]), int(data["start"]), int(data["step"])
        rows = np.array([data["p10"], data["p50"], data["p90"]], dtype=np.float64)
        if rows.ndim != 2 or step <= 0 or not np.isfinite(rows).all() or (rows < 0).any():
            raise ValueError("a forecast has three rows of numbers that are at least 0")
        p10, p50, p90 = np.sort(rows, axis=0)
        return cls(made=made, start=start, step=step, p10=p10, p50=p50, p90=p90)

    def _rows(self) -> tuple[tuple[str, Values], ...]:
        return ("p10", self.p10), ("p50", self.p50), ("p90", self.p90)
