"""Energy of a period: what came, what left, what of it stayed, and how far meters disagree."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST, Grade
from .figures import Window, kilo, part
from .series import UNKNOWN, SiteSeries
from .sums import ExactSum

_ROUNDING: Final = 1e-12
"""The part of all energy of an interval below which a difference is one of rounding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergyReport:
    """Energy in Wh."""

    grid_import: float
    grid_export: float
    solar: float
    charge: float
    discharge: float
    consumption: float
    unmetered: float
    """What left without having come in: a meter of what came is missing or wrong."""

    unaccounted: float
    """What came in without leaving."""

    by_grade: dict[Grade, float]
    """Import by how well the intensity of the grid was known, best first."""

    unweighed: float
    """Import for which no intensity was known."""

    @property
    def residual(self) -> float:
        """Return by how much the meters disagree: what came in less what left."""
        return self.unaccounted - self.unmetered

    @property
    def coverage(self) -> float | None:
        """Return the part of the import that has an intensity, None without an import."""
        return _part(self.grid_import - self.unweighed, self.grid_import)

    @property
    def self_consumption(self) -> float | None:
        """Return (solar - export) / solar, None without solar; what a battery sends is export."""
        return _part(self.solar - self.grid_export, self.solar)

    @property
    def self_sufficiency(self) -> float | None:
        """Return (consumption - import) / consumption, None without a consumption."""
        return _part(self.consumption - self.grid_import, self.consumption)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "import_kwh": kilo(self.grid_import),
            "export_kwh": kilo(self.grid_export),
            "solar_kwh": kilo(self.solar),
            "charge_kwh": kilo(self.charge),
            "discharge_kwh": kilo(self.discharge),
            "consumption_kwh": kilo(self.consumption),
            "residual_kwh": kilo(self.residual),
            "unmetered_kwh": kilo(self.unmetered),
            "unaccounted_kwh": kilo(self.unaccounted),
            "self_consumption": part(self.self_consumption),
            "self_sufficiency": part(self.self_sufficiency),
            "import_by_grade_kwh": {grade.value: kilo(wh) for grade, wh in self.by_grade.items()},
            "unweighed_import_kwh": kilo(self.unweighed),
            "coverage": part(self.coverage),
        }


class EnergySeries:
    """Energy by interval, to be told over any period."""

    def __init__(self, series: SiteSeries) -> None:
        """Take what the meters counted."""
        came = series.grid_import + series.solar + series.discharge
        left = series.grid_export + series.charge
        home = came - left if series.consumption is None else series.consumption
        difference = came - left - (np.maximum(home, 0.0))
        difference[np.abs(difference) <= _ROUNDING * (came + left + np.abs(home))] = 0.0
        self.consumption: FloatArray = np.maximum(home, 0.0)
        """[T] Wh; what the meters leave where none counts it."""

        metered = {
            "grid_import": series.grid_import,
            "grid_export": series.grid_export,
            "solar": series.solar,
            "charge": series.charge,
            "discharge": series.discharge,
            "consumption": self.consumption,
            "unmetered": np.maximum(-difference, 0.0),
            "unaccounted": np.maximum(difference, 0.0),
            "unweighed": np.where(series.grades == UNKNOWN, series.grid_import, 0.0),
        }
        self.sums = {name: ExactSum(name, wh) for name, wh in metered.items()}
        """By the names of `EnergyReport`."""

        self._by_grade = {
            grade: ExactSum(grade, np.where(series.grades == place, series.grid_import, 0.0))
            for place, grade in enumerate(BEST_FIRST)
        }

    def over(self, window: Window) -> EnergyReport:
        """Return the energy of a period."""
        by_grade = {grade: window.of(total) for grade, total in self._by_grade.items()}
        return EnergyReport(
            by_grade=by_grade,
            **{name: window.of(total) for name, total in self.sums.items()},
        )


def _part(some: float, whole: float) -> float | None:
    """Return some of a whole as a part from 0 to 1."""
    return min(1.0, max(0.0, some / whole)) if whole > 0.0 else None
