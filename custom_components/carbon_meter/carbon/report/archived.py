"""From a site's archive to the intervals of a report.

The hourly figures of the book are what was told: sums of intervals are those of its hours, so that
a report and the record say the same. Energies by five minutes tell how an hour is spread; what
is known by the hour alone goes with the energy that it is of.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..accounting.figures import Label
from ..archive.archive import Archive
from ..archive.rows import UNKNOWN_GRADE
from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST
from ..intervals import HOUR, INTERVAL, floor
from ..site import figures as names
from ..site.book import SITE_OWNER, TIME
from ..site.kept_plans import KeptPlans
from ..site.meters import Role
from ..site.plan import Arrangement
from .series import UNKNOWN, CarrierSeries, SiteSeries

_PER_HOUR: Final = HOUR // INTERVAL

_ROUNDING: Final = 1e-9
"""Relative difference that is none."""

_COUNTED: Final = (
    names.IMPORT,
    names.EXPORT,
    names.GENERATION,
    names.CHARGE,
    names.DISCHARGE,
)
_TOLD: Final = (
    *_COUNTED,
    names.CARBON,
    names.CONSUMPTION,
    names.CONSUMPTION_CARBON,
    names.EXPORT_CARBON,
)


@dataclass(frozen=True, kw_only=True)
class CarrierUse:
    """A meter of gas, heat, water or fuel, and how what it counts is weighed."""

    meter: str
    unit: str
    """Of what it counts: Wh or L."""

    factors: Mapping[Label, Callable[[FloatArray], FloatArray]]
    """gCO2eq per unit at some moments; NaN where no factor is known."""


@dataclass(frozen=True, kw_only=True)
class CarrierUses:
    """The meters of other carriers than electricity."""

    present: Sequence[CarrierUse]
    removed: Mapping[str, Mapping[str, Label]]
    """Meters that are gone: what the figures that are kept of them are."""


@dataclass(frozen=True, kw_only=True)
class ArchivedSite:
    """The intervals of a site, and what the archive tells beside them: [T] each."""

    series: SiteSeries
    sources: NDArray[np.object_]
    """What told the intensity, empty where nothing did."""

    measured: FloatArray
    """Seconds that readings of the meters at the connection account for."""

    annual: FloatArray
    """g of the import by the yearly factors that held when it was weighed."""


def archived_site(
    archive: Archive,
    start: int,
    end: float,
    *,
    carriers: CarrierUses | None = None,
    carbon_free: float | None = None,
) -> ArchivedSite:
    """Return the intervals that begin in [start, end), `start` being a full hour.

    `carbon_free` is the part of the grid's energy that is so, 0 to 1, None if nobody tells it.
    Raises ArchiveError where the archive cannot be used.
    """
    stop = floor(end, HOUR) + (HOUR if end % HOUR else 0)
    whole = _Hours(archive, start, max(stop, start), end)
    counted = whole.counted
    came = counted[names.IMPORT] + counted[names.GENERATION] + counted[names.DISCHARGE]
    left = counted[names.EXPORT] + counted[names.CHARGE]
    home = whole.told(names.CONSUMPTION, np.maximum(came - left, 0.0))
    value, grade, source = whole.grid()
    of_import, places = _at_import(value, grade, counted[names.IMPORT], counted[names.CARBON])
    margin = archive.grid(whole.start, whole.end, "marginal").value[: whole.begun]
    series = SiteSeries(
        starts=whole.starts,
        seconds=INTERVAL,
        grid_import=counted[names.IMPORT],
        intensity=of_import,
        grade=places,
        grid_export=counted[names.EXPORT],
        solar=counted[names.GENERATION],
        charge=counted[names.CHARGE],
        discharge=counted[names.DISCHARGE],
        consumption=home,
        solar_charge=whole.solar_charge(came),
        consumption_carbon=whole.weighed(names.CONSUMPTION_CARBON, home),
        export_carbon=whole.weighed(names.EXPORT_CARBON, counted[names.EXPORT]),
        export_intensity=value,
        marginal=margin if np.isfinite(margin).any() else None,
        carbon_free=np.full((), np.nan if carbon_free is None else carbon_free),
        carriers=() if carriers is None else tuple(whole.carriers(carriers)),
    )
    return ArchivedSite(
        series=series,
        sources=source,
        measured=whole.measured(),
        annual=whole.told(names.CARBON_ANNUAL, counted[names.IMPORT]),
    )


class _Hours:
    """Whole hours of an archive, of which the intervals that have begun are told."""

    def __init__(self, archive: Archive, start: int, end: int, now: float) -> None:
        """Read what the meters of each time have counted in [start, end)."""
        self._archive = archive
        self.start, self.end = start, end
        starts = np.arange(start, end, INTERVAL, dtype=np.float64)
        self.begun = int(np.searchsorted(starts, now))
        self.starts: FloatArray = starts[: self.begun]
        figures = (*_TOLD, names.CARBON_ANNUAL)
        hourly = archive.hourly(SITE_OWNER, figures, start, end).dense(start, end)
        self._told = dict(zip(figures, hourly, strict=True))
        self._rooted = np.zeros(len(starts), dtype=np.bool_)
        self._one_node = np.zeros(len(starts), dtype=np.bool_)
        self._seconds = np.zeros((end - start) // HOUR)
        shapes = {name: np.zeros(len(starts)) for name in (*_COUNTED, names.CARBON)}
        for first, stop, plan in _plans(archive, start, end):
            self._read(first, stop, plan, shapes)
        self.counted: dict[str, FloatArray] = {
            name: self.told(name, shape) for name, shape in shapes.items()
        }

    def _read(
        self, first: int, stop: int, plan: Arrangement, shapes: Mapping[str, FloatArray]
    ) -> None:
        """Read consecutive hours of one plan."""
        meters = plan.meters
        grids = meters.grids
        sources = [*meters.with_role(Role.SOLAR), *meters.with_role(Role.BATTERY)]
        part = slice((first - self.start) // INTERVAL, (stop - self.start) // INTERVAL)
        hours = slice((first - self.start) // HOUR, (stop - self.start) // HOUR)
        energy = self._archive.energy([*grids, *sources], first, stop)
        for row, meter_id in enumerate(energy.meters):
            imported, exported = energy.imported[row], energy.exported[row]
            if meters.is_reversed(meter_id):
                imported, exported = exported, imported
            match meters.role(meter_id):
                case Role.GRID:
                    shapes[names.IMPORT][part] += imported
                    shapes[names.EXPORT][part] += exported
                    shapes[names.CARBON][part] += energy.grid_carbon[row]
                case Role.SOLAR:
                    shapes[names.GENERATION][part] += exported
                case Role.BATTERY:
                    shapes[names.CHARGE][part] += imported
                    shapes[names.DISCHARGE][part] += exported
        self._rooted[part] = bool(grids)
        self._one_node[part] = plan.network is None and all(
            meters.feeder(source) in meters.roots for source in sources
        )
        for meter_id in grids:
            found = self._archive.hourly(meter_id + TIME, [names.MEASURED_TIME], first, stop)
            self._seconds[hours] += found.dense(first, stop)[0] / len(grids)

    def told(self, figure: str, shape: FloatArray) -> FloatArray:
        """Return a figure of the site: in each hour as it was told, spread as `shape` is."""
        return self._begun(_summed_to(self._whole(shape), self._told[figure]))

    def weighed(self, figure: str, of: FloatArray) -> FloatArray:
        """Return carbon by the supply mix, spread as the energy that it is of; NaN for unknown."""
        return np.where(self._rooted[: self.begun], self.told(figure, of), np.nan)

    def grid(self) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.object_]]:
        """Return the grid's intensity, its grade (UNKNOWN for none) and what told it."""
        grid = self._archive.grid(self.start, self.end)
        grade = grid.grade.astype(np.int64)
        grade[grid.grade == UNKNOWN_GRADE] = UNKNOWN
        return grid.value[: self.begun], grade[: self.begun], grid.source[: self.begun]

    def solar_charge(self, came: FloatArray) -> FloatArray:
        """Return how much of the charging is solar.

        Where everything feeds one node the charge has the mix of what came in. Elsewhere it is
        what neither import nor export can have been: too little rather than too much.
        """
        solar, charge = self.counted[names.GENERATION], self.counted[names.CHARGE]
        share = np.divide(solar, came, out=np.zeros_like(came), where=came > 0.0)
        certain = np.minimum(
            np.maximum(charge - self.counted[names.IMPORT], 0.0),
            np.maximum(solar - self.counted[names.EXPORT], 0.0),
        )
        return np.where(self._one_node[: self.begun], charge * share, certain)

    def carriers(self, uses: CarrierUses) -> Iterator[CarrierSeries]:
        """Yield the carbon of other carriers than electricity."""
        yield from self._weighed_by_factors(uses.present)
        yield from self._removed(uses.removed)

    def _weighed_by_factors(self, uses: Sequence[CarrierUse]) -> Iterator[CarrierSeries]:
        """Yield the carbon of each meter, by what its factors weigh."""
        energy = self._archive.energy([use.meter for use in uses], self.start, self.end)
        for row, use in enumerate(uses):
            used = self._begun(energy.imported[row])
            for label, factor in use.factors.items():
                yield CarrierSeries(
                    label=label,
                    carbon=used * factor(self.starts),
                    quantity=used,
                    unit=use.unit,
                )

    def _removed(self, meters: Mapping[str, Mapping[str, Label]]) -> Iterator[CarrierSeries]:
        """Yield the carbon of meters that are gone, as it was told; nobody knows of how much."""
        energy = self._archive.energy(list(meters), self.start, self.end)
        found: dict[Label, FloatArray] = {}
        for row, (meter_id, labels) in enumerate(meters.items()):
            hourly = self._archive.hourly(meter_id, list(labels), self.start, self.end)
            told = hourly.dense(self.start, self.end)
            for label, hours in zip(labels.values(), told, strict=True):
                if hours.any():
                    carbon = _summed_to(energy.imported[row], hours)
                    found[label] = found.get(label, 0.0) + carbon
        for label, carbon in found.items():
            yield CarrierSeries(
                label=label, carbon=self._begun(carbon), quantity=np.zeros(self.begun)
            )

    def measured(self) -> FloatArray:
        """Return the seconds that readings account for, spread over what has begun of each hour."""
        hours = (self.starts - self.start) // HOUR
        begun = np.bincount(hours.astype(np.intp), minlength=len(self._seconds))
        spread = self._seconds / np.maximum(begun, 1)
        measured: FloatArray = np.minimum(np.repeat(spread, begun), INTERVAL)
        return measured

    def _whole(self, begun: FloatArray) -> FloatArray:
        """Return whole hours from what has begun of them."""
        missing = (self.end - self.start) // INTERVAL - len(begun)
        return np.concatenate([begun, np.zeros(missing)]) if missing else begun

    def _begun(self, whole: FloatArray) -> FloatArray:
        """Return what has begun of whole hours; what lies beyond belongs to the last of it."""
        begun = whole[: self.begun]
        beyond = float(whole[self.begun :].sum())
        if beyond and self.begun:
            begun = begun.copy()
            begun[-1] += beyond
        return begun


def _plans(archive: Archive, start: int, end: int) -> Iterator[tuple[int, int, Arrangement]]:
    """Yield the parts of [start, end) in which one plan held; none of an archive without any."""
    kept = KeptPlans(archive)
    kept.load()
    if archive.plans():
        yield from kept.stretches(start, end)


def _summed_to(shape: FloatArray, hours: FloatArray) -> FloatArray:
    """Return intervals whose sums are those of their hours; evenly where nothing has a shape."""
    blocks = shape.reshape(-1, _PER_HOUR)
    sums = blocks.sum(axis=1)
    fits = np.isclose(sums, hours, rtol=_ROUNDING, atol=0.0)
    if fits.all():
        return shape
    factor = np.divide(hours, sums, out=np.zeros_like(hours), where=sums > 0.0)
    scaled = np.where((sums > 0.0)[:, None], blocks * factor[:, None], hours[:, None] / _PER_HOUR)
    return np.where(fits[:, None], blocks, scaled).reshape(-1)


def _at_import(
    value: FloatArray, grade: NDArray[np.int64], energy: FloatArray, carbon: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the intensity and the grade of what was imported.

    While something flows it is that of the moments in which it did, else the mean of the
    interval. What was weighed without anybody having told an intensity is graded as the worst.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exact = carbon / energy * 1000.0
    weighed = np.isfinite(exact) & ((carbon > 0.0) | np.isfinite(value))
    untold = weighed & (grade == UNKNOWN)
    return np.where(weighed, exact, value), np.where(untold, len(BEST_FIRST) - 1, grade)
