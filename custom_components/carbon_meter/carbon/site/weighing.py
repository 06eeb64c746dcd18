"""Intervals of a whole site: each meter weighed with the mix at its own place.

What came from the grid is weighed meter by meter with the exact integral of power times
intensity; the mix says which part came from elsewhere, and what that carried:

    carbon = grid share * integral + energy * sum over other sources of share * intensity

(Carbon emission flow with proportional sharing, see `carbon.flow.equations`; GHG Protocol Scope 2
Guidance, location-based method, for what comes from the grid.)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray, intensity_of
from ..flow.network import UNMETERED as UNMETERED_KIND
from ..flow.tree import GRID
from ..grade import BEST_FIRST, Grade
from ..intervals import HOUR, INTERVAL
from ..supply.battery import Battery
from ..supply.tree import TreeIntensity, TreeSupply, WeighedTree
from . import figures as names
from .meters import SITE, Role, SiteMeters
from .schedule import Schedule

PER_HOUR: Final = HOUR // INTERVAL

type Figures = dict[str, FloatArray]
"""By name: [T] sums of intervals, or of hours."""


@dataclass(frozen=True, kw_only=True)
class SiteFactors:
    """What does not come from the live sources: yearly factors, in gCO2eq/kWh."""

    solar: Schedule = field(default_factory=lambda: Schedule.constant(0.0))
    """Of what generators make: 0 with direct factors."""

    annual: Schedule | None = None
    """Of the grid, by the year."""

    transmission: Schedule | None = None
    upstream: Schedule | None = None
    """What every kWh of import emits on its way and before; None is not known, or in the
    intensity already."""


@dataclass(frozen=True, kw_only=True)
class SiteIntervals:
    """T consecutive five-minute intervals of M meters, in the order of `SiteMeters.ids`."""

    starts: FloatArray
    """[T] seconds since 1970 UTC; the first is a full hour, and the hours are whole."""

    imported: FloatArray
    """[M, T] Wh."""

    exported: FloatArray
    """[M, T] Wh."""

    grid_carbon: FloatArray
    """[M, T] g: what the import would carry if all of it came from the grid."""

    grid: FloatArray
    """[T] gCO2eq/kWh, the mean of the interval."""

    grades: NDArray[np.intp]
    """[T] places in `BEST_FIRST`."""

    marginal: FloatArray | None = None
    """[T] gCO2eq/kWh, NaN where it is not known."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is mixed at one place of the site, interval by interval."""

    grid_share: FloatArray
    """[T] part that comes from the grid, or is taken to."""

    others: FloatArray
    """[T] gCO2eq that the other sources bring into one kWh of the mix."""

    quality: FloatArray
    """[T, grade] part of the mix that is known so well."""


class SiteSupply:
    """Weighs the intervals of a site's electricity meters."""

    def __init__(self, meters: SiteMeters, factors: SiteFactors) -> None:
        """Take the meters and the factors that hold over years."""
        self.meters = meters
        self.factors = factors

    def weigh(self, intervals: SiteIntervals, batteries: Mapping[str, Battery]) -> WeighedIntervals:
        """Weigh consecutive intervals and carry the batteries on through them.

        `batteries` are the ledgers by the ids of their meters, those of `SiteMeters.sources`.
        Raises ImpossibleAmountError for figures that cannot be, before a battery is changed.
        """
        meters = self.meters
        submeters = meters.with_role(Role.SUBMETER)
        sending = [one for one in submeters if intervals.exported[meters.place[one]].any()]
        if not meters.roots or not (meters.sources or sending):
            return WeighedIntervals(supply=self, intervals=intervals, places={}, tree=None)
        inner = meters.inner(sending)
        down, up = self._energies(intervals, inner)
        own = {name: battery for name, battery in batteries.items() if name in meters.sources}
        solar = self.factors.solar.at(intervals.starts)
        of_grid = self._of_import(intervals)
        tree = TreeSupply(meters.tree(inner), own).weigh(
            down=down,
            up=up,
            intensity=TreeIntensity(
                grid=of_grid,
                sources={name: solar for name in meters.sources if name not in own},
                grid_grade=[BEST_FIRST[place] for place in intervals.grades],
                # Direct emissions of none are certain; a life cycle's are an average.
                source_grade=Grade.YEARLY if solar.any() else Grade.MEASURED,
            ),
            starts=intervals.starts,
            seconds=INTERVAL,
        )
        places = {name: _place(tree, name, of_grid, intervals.grades) for name in inner}
        return WeighedIntervals(supply=self, intervals=intervals, places=places, tree=tree)

    def _of_import(self, intervals: SiteIntervals) -> FloatArray:
        """Return the intensity of what the grid delivered: exact where it delivered."""
        rows = [self.meters.place[meter_id] for meter_id in self.meters.grids]
        exact = intensity_of(
            intervals.grid_carbon[rows].sum(axis=0), intervals.imported[rows].sum(axis=0)
        )
        return np.where(np.isfinite(exact), exact, intervals.grid)

    def _energies(
        self, intervals: SiteIntervals, inner: Sequence[str]
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Return what went down and up through the places of the tree."""
        meters = self.meters
        down: dict[str, FloatArray] = {}
        up: dict[str, FloatArray] = {}
        for name in (*inner, *meters.sources):
            rows = [meters.place[one] for one in (meters.grids if name == SITE else (name,))]
            down[name] = intervals.imported[rows].sum(axis=0)
            up[name] = intervals.exported[rows].sum(axis=0)
            if name != SITE and meters.is_reversed(name):
                down[name], up[name] = up[name], down[name]
        return down, up


@dataclass(frozen=True, kw_only=True)
class WeighedIntervals:
    """Intervals with the carbon of every meter; batteries have been carried on."""

    supply: SiteSupply
    intervals: SiteIntervals
    places: Mapping[str, Place]
    """Empty where everything comes from the grid."""

    tree: WeighedTree | None

    def place(self, meter_id: str) -> Place | None:
        """Return where a meter takes its energy from; None for the grid alone."""
        name = self.supply.meters.place_of(meter_id, tuple(self.places))
        return None if name is None or meter_id in self.supply.meters.grids else self.places[name]

    def carbon(self, meter_id: str) -> FloatArray:
        """Return [T] grams of what a meter let through on its way in."""
        row = self.supply.meters.place[meter_id]
        place = self.place(meter_id)
        from_grid: FloatArray = self.intervals.grid_carbon[row]
        if place is None:
            return from_grid
        energy = self.intervals.imported[row]
        carbon: FloatArray = from_grid * place.grid_share + energy * place.others / 1000.0
        return carbon

    def of_meter(self, meter_id: str) -> Figures:
        """Return the figures of a meter, by interval."""
        meters, intervals = self.supply.meters, self.intervals
        row = meters.place[meter_id]
        imported, exported = intervals.imported[row], intervals.exported[row]
        found: Figures = {names.IMPORT: imported, names.EXPORT: exported}
        match meters.role(meter_id):
            case Role.SOLAR:
                made = imported if meters.is_reversed(meter_id) else exported
                found[names.GENERATION] = made
                factor = self.supply.factors.solar.at(intervals.starts)
                found[names.GENERATION_CARBON] = made * factor / 1000.0
            case Role.BATTERY:
                if self.tree is not None and meter_id in meters.sources:
                    found[names.CHARGE_CARBON] = _known(self.tree.flow.down_carbon(meter_id))
                    found[names.DISCHARGE_CARBON] = _known(self.tree.flow.up_carbon(meter_id))
            case Role.GRID:
                found[names.CARBON] = self.carbon(meter_id)
                found |= self._of_export(exported)
            case Role.SUBMETER:
                found[names.CARBON] = self.carbon(meter_id)
        if meters.role(meter_id).is_consumption:
            found |= self._by_grade(meter_id, imported)
        return found

    def of_site(self) -> Figures:
        """Return the figures of the whole site, by interval; empty without a grid connection."""
        meters, factors, starts = self.supply.meters, self.supply.factors, self.intervals.starts
        if not meters.grids:
            return {}
        of_grid = [self.of_meter(meter_id) for meter_id in meters.grids]
        found: Figures = {
            name: np.sum([one[name] for one in of_grid], axis=0) for name in of_grid[0]
        }
        imported = found[names.IMPORT]
        for name, schedule in (
            (names.CARBON_ANNUAL, factors.annual),
            (names.TRANSMISSION, factors.transmission),
            (names.UPSTREAM, factors.upstream),
        ):
            if schedule is not None:
                found[name] = imported * schedule.at(starts) / 1000.0
        return found | self._of_supply(found)

    def _of_supply(self, found: Figures) -> Figures:
        """Return what supplied the site, what it used and what that carried."""
        meters = self.supply.meters
        if self.tree is None:
            left = found[names.IMPORT] - found[names.EXPORT]
            used = np.maximum(left, 0.0)
            share = np.divide(used, found[names.IMPORT], out=np.zeros_like(used), where=used > 0.0)
            return {
                names.CONSUMPTION: used,
                names.CONSUMPTION_CARBON: found[names.CARBON] * share,
                names.EXPORT_CARBON: found[names.CARBON] * (1.0 - share),
                names.UNMETERED: np.maximum(-left, 0.0),
            }
        flow = self.tree.flow
        used_by = [flow.load(name) for name in self.places]
        carried = [_known(flow.load_carbon(name)) for name in self.places]
        solar = [self.of_meter(name) for name in meters.with_role(Role.SOLAR)]
        return {
            names.GENERATION: _sum((one[names.GENERATION] for one in solar), like=used_by[0]),
            names.GENERATION_CARBON: _sum(
                (one[names.GENERATION_CARBON] for one in solar), like=used_by[0]
            ),
            names.CHARGE: self._of_batteries(self.intervals.imported),
            names.DISCHARGE: self._of_batteries(self.intervals.exported),
            names.CONSUMPTION: np.sum(used_by, axis=0),
            names.CONSUMPTION_CARBON: np.sum(carried, axis=0) + _known(flow.loss_carbon),
            names.EXPORT_CARBON: _sum(
                (_known(flow.up_carbon(root)) for root in meters.roots), like=used_by[0]
            ),
            names.UNMETERED: np.sum([-flow.residual(name) for name in self.places], axis=0),
            names.UNBACKED: _sum(self.tree.unbacked.values(), like=used_by[0]),
            names.WRITTEN_OFF: _sum(self.tree.written_off.values(), like=used_by[0]),
        }

    def _of_batteries(self, energies: FloatArray) -> FloatArray:
        """Return [T] what all batteries took or gave."""
        meters = self.supply.meters
        rows = [meters.place[one] for one in meters.sources if meters.role(one) is Role.BATTERY]
        total: FloatArray = energies[rows].sum(axis=0)
        return total

    def _of_export(self, exported: FloatArray) -> Figures:
        """Return what the grid did not have to make, by its average and by its margin."""
        found: Figures = {names.AVOIDED_EXPORT: exported * self.intervals.grid / 1000.0}
        if self.intervals.marginal is not None:
            found[names.AVOIDED_EXPORT_MARGINAL] = exported * _known(self.intervals.marginal) / 1e3
        return found

    def _by_grade(self, meter_id: str, imported: FloatArray) -> Figures:
        """Return the energy by how well its intensity is known."""
        place = self.place(meter_id)
        quality = self._of_grid if place is None else place.quality
        return {
            name: imported * quality[:, index]
            for index, name in enumerate(names.GRADED)
            if quality[:, index].any()
        }

    @cached_property
    def _of_grid(self) -> FloatArray:
        """Return [T, grade] how well the grid's intensity is known."""
        return np.eye(len(BEST_FIRST))[self.intervals.grades]


def _place(tree: WeighedTree, name: str, of_grid: FloatArray, grades: NDArray[np.intp]) -> Place:
    """Return what is mixed at a place; where nothing is known to come in, the grid's energy."""
    shares = tree.flow.shares(name)
    parts = np.stack(list(shares.values()), axis=-1)
    known = np.isfinite(parts).all(axis=-1) & (parts.sum(axis=-1) > 0.0)
    parts = np.where(known[:, np.newaxis], parts, 0.0)
    kinds = list(shares)
    from_grid = parts[:, kinds.index(GRID)] + parts[:, kinds.index(UNMETERED_KIND)]
    grid_share = np.where(known, from_grid, 1.0)
    brought = np.where(known, np.nan_to_num(tree.flow.intensity(name)), 0.0)
    others = brought - from_grid * of_grid
    quality = np.einsum("ts,tsg->tg", parts, tree.quality)
    guessed = BEST_FIRST.index(Grade.ESTIMATED)
    assumed = np.maximum(grades, guessed)
    quality[~known] = np.eye(len(BEST_FIRST))[assumed[~known]]
    # What rounding leaves where everything comes from the grid is no other source.
    others = np.where((grid_share >= 1.0) | (others < 0.0), 0.0, others)
    return Place(grid_share=grid_share, others=others, quality=quality)


def _known(figures: FloatArray) -> FloatArray:
    """Return figures with nothing where nothing is known."""
    return np.nan_to_num(figures, nan=0.0)


def _sum(parts: Iterable[FloatArray], *, like: FloatArray) -> FloatArray:
    """Return the sum of some figures, nothing without any."""
    total: FloatArray = sum(parts, np.zeros_like(like))
    return total


def by_hour(figures: Figures) -> Figures:
    """Return the sums of whole hours from those of five-minute intervals."""
    return {name: values.reshape(-1, PER_HOUR).sum(axis=1) for name, values in figures.items()}
