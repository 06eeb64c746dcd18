"""What filling in a site's past has brought, for whoever asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .carbon.archive.archive import Archive
from .carbon.grade import BEST_FIRST
from .carbon.intervals import HOUR
from .carbon.site import figures as names
from .carbon.site.book import SitePlan
from .figure_series import moment
from .past_energy import PastEnergy

_THOUSAND: Final = 1000.0

_DIGITS: Final = 6
"""Of kWh, m³ and kg: milligrams and less are noise."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """One meter whose past is filled in, all before `end`."""

    meter_id: str
    name: str
    end: int
    past: PastEnergy
    is_volume: bool = False


def report_of(archive: Archive, plan: SitePlan, filled: Sequence[Filled]) -> dict[str, Any]:
    """Return what has come of meters: hours, energies in kWh or m³, carbon in kg, grades.

    Reads the archive: call it in an executor. Raises ArchiveError.
    """
    hours = sorted({hour for one in filled for hour in one.past.hours.tolist()})
    meters = [_meter(archive, plan, one) for one in filled]
    return {
        "hours": len(hours),
        "start": moment(hours[0]).isoformat(),
        "end": moment(hours[-1] + HOUR).isoformat(),
        "import_by_grade": {
            grade.value: _rounded(sum(one["import_by_grade"].get(grade, 0.0) for one in meters))
            for grade in BEST_FIRST
            if any(grade in one["import_by_grade"] for one in meters)
        },
        "meters": meters,
    }


def _meter(archive: Archive, plan: SitePlan, one: Filled) -> dict[str, Any]:
    """Return what has come of one meter."""
    carriers = plan.carriers.get(one.meter_id, {})
    wanted = (names.IMPORT, names.EXPORT, names.CARBON, *names.GRADED, *carriers)
    start, end = int(one.past.hours[0]), int(one.past.hours[-1]) + HOUR
    series = archive.hourly(one.meter_id, wanted, start, end)
    sums = dict(zip(wanted, series.values.sum(axis=1).tolist(), strict=True))
    found: dict[str, Any] = {
        "meter": one.meter_id,
        "name": one.name,
        "hours": len(one.past.hours),
        "start": moment(start).isoformat(),
        "end": moment(end).isoformat(),
        "unit": "m³" if one.is_volume else "kWh",
        "import": _rounded(sums[names.IMPORT] / _THOUSAND),
        "export": _rounded(sums[names.EXPORT] / _THOUSAND),
        "carbon_kg": _rounded(sums[names.CARBON] / _THOUSAND),
        "import_by_grade": {
            grade.value: _rounded(sums[names.graded(grade)] / _THOUSAND)
            for grade in BEST_FIRST
            if sums[names.graded(grade)]
        },
        "hours_spread": int(one.past.spread.sum()),
        "hours_left_out": dict(one.past.left_out),
    }
    if carriers:
        found["carbon_kg"] = {name: _rounded(sums[name] / _THOUSAND) for name in carriers}
    return found


def _rounded(value: float) -> float:
    return round(value, _DIGITS)
