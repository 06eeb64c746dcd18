"""The figures of weighed intervals: of each meter and of the whole site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from ..flow.amounts import FloatArray
from ..grade import BEST_FIRST
from ..intervals import HOUR, INTERVAL
from ..supply.metered import WeighedNetwork
from . import figures as names
from .meters import Role, SiteMeters
from .network import SiteNetwork
from .places import Mix, Place

if TYPE_CHECKING:
    from .weighing import SiteFactors, SiteIntervals

PER_HOUR: Final = HOUR // INTERVAL

type Figures = dict[str, FloatArray]
"""By name: [T] sums of intervals, or of hours."""


@dataclass(frozen=True, kw_only=True)
class WeighedIntervals:
    """Intervals with the carbon of every meter; batteries have been carried on."""

    meters: SiteMeters
    factors: SiteFactors
    intervals: SiteIntervals
    mix: Mix = field(default_factory=lambda: Mix(nodes={}, places={}))
    """Empty where nobody knows what feeds the site."""

    network: SiteNetwork | None = None
    weighed: WeighedNetwork | None = None
    of_grid: FloatArray | None = None
    """[T] gCO2eq/kWh of what the grid delivered."""

    def place(self, meter_id: str) -> Place | None:
        """Return where a meter takes its energy from; None for the grid alone."""
        return self.mix.place(meter_id)

    def carbon(self, meter_id: str) -> FloatArray:
        """Return [T] grams of what a meter let through on its way in."""
        place = self.place(meter_id)
        from_grid = self._counted(self.intervals.grid_carbon, meter_id)
        if place is None:
            return from_grid
        energy = self._counted(self.intervals.imported, meter_id)
        carbon: FloatArray = from_grid * place.grid_share + energy * place.others / 1000.0
        return carbon

    def _counted(self, figures: FloatArray, meter_id: str) -> FloatArray:
        """Return [T] what a meter has of some figures."""
        row = self.intervals.row(self.meters, meter_id)
        return np.zeros(len(self.intervals.starts)) if row is None else figures[row]

    def of_meter(self, meter_id: str) -> Figures:
        """Return the figures of a meter, by interval."""
        imported = self._counted(self.intervals.imported, meter_id)
        exported = self._counted(self.intervals.exported, meter_id)
        found: Figures = {names.IMPORT: imported, names.EXPORT: exported}
        role = self.meters.role(meter_id)
        if role.is_consumption:
            found[names.CARBON] = self.carbon(meter_id)
            place = self.place(meter_id)
            quality = self._quality if place is None else place.quality
            for index, name in enumerate(names.GRADED):
                if quality[:, index].any():
                    found[name] = imported * quality[:, index]
        return found | self._of_role(meter_id, role)

    def _of_role(self, meter_id: str, role: Role) -> Figures:
        """Return the figures that only meters in one role have, by interval."""
        match role:
            case Role.GRID:
                return self._of_export(self._counted(self.intervals.exported, meter_id))
            case Role.SOLAR:
                made = self._given(meter_id)
                factor = self.factors.solar.at(self.intervals.starts)
                return {names.GENERATION: made, names.GENERATION_CARBON: made * factor / 1000.0}
            case Role.BATTERY if self.weighed is not None and self._has_ledger(meter_id):
                flow = self.weighed.flow
                return {
                    names.CHARGE_CARBON: _known(flow.backward_carbon(meter_id)),
                    names.DISCHARGE_CARBON: _known(flow.forward_carbon(meter_id)),
                }
        return {}

    def _has_ledger(self, meter_id: str) -> bool:
        return self.network is not None and meter_id in self.network.batteries

    def _given(self, meter_id: str) -> FloatArray:
        """Return [T] Wh that a generator or a battery gave."""
        reverse = self.meters.is_reversed(meter_id)
        counted = self.intervals.imported if reverse else self.intervals.exported
        return self._counted(counted, meter_id)

    def of_site(self) -> Figures:
        """Return the figures of the whole site, by interval; empty without a grid connection."""
        factors, intervals = self.factors, self.intervals
        if self.weighed is None:
            return {}
        starts, grids = intervals.starts, self.meters.grids
        imported = intervals.of(self.meters, intervals.imported, grids)
        exported = intervals.of(self.meters, intervals.exported, grids)
        found: Figures = {
            names.IMPORT: imported,
            names.EXPORT: exported,
            names.CARBON: intervals.of(self.meters, intervals.grid_carbon, grids),
        }
        for name, schedule in (
            (names.CARBON_ANNUAL, factors.annual),
            (names.TRANSMISSION, factors.transmission),
            (names.UPSTREAM, factors.upstream),
        ):
            if schedule is not None:
                found[name] = imported * schedule.at(starts) / 1000.0
        for index, name in enumerate(names.GRADED):
            if self._quality[:, index].any():
                found[name] = imported * self._quality[:, index]
        return found | self._of_export(exported) | self._of_supply(self.weighed)

    def _of_supply(self, weighed: WeighedNetwork) -> Figures:
        """Return what supplied the site, what it used and what that carried."""
        assert self.network is not None  # noqa: S101  # both are there, or neither
        flow, batteries = weighed.flow.flow, self.network.batteries
        length = len(self.intervals.starts)
        kept = [node not in self.network.taken_nodes for node in flow.network.nodes]
        lost = flow.flows.forth_sent - flow.flows.forth_received
        lost = lost + flow.flows.back_sent - flow.flows.back_received
        made = {one: self._given(one) for one in self.network.sources if one not in batteries}
        factor = self.factors.solar.at(self.intervals.starts)
        unmetered = flow.carried[..., -1].sum(axis=-1)
        of_grid = weighed.intensity[:, -1]
        unbacked = _sum(weighed.unbacked, length)
        carried = {one: weighed.flow.backward_carbon(one) for one in self.network.entries}
        generation = _sum(made, length)
        return {
            names.GENERATION: generation,
            names.GENERATION_CARBON: generation * factor / 1000.0,
            names.CHARGE: _sum(
                {one: weighed.flow.figures["backward", one] for one in batteries}, length
            ),
            names.DISCHARGE: _sum({one: self._given(one) for one in batteries}, length),
            names.CONSUMPTION: flow.loads[:, kept].sum(axis=-1) + lost.sum(axis=-1),
            names.CONSUMPTION_CARBON: _known(flow.load_carbon[:, kept]).sum(axis=-1)
            + _known(flow.loss_carbon).sum(axis=-1),
            names.EXPORT_CARBON: _known(_sum(carried, length)),
            names.UNMETERED: unmetered,
            names.UNMETERED_CARBON: unmetered * of_grid / 1000.0,
            names.UNBACKED: unbacked,
            names.UNBACKED_CARBON: unbacked * of_grid / 1000.0,
            names.WRITTEN_OFF: _sum(weighed.written_off, length),
        }

    def _of_export(self, exported: FloatArray) -> Figures:
        """Return what the grid did not have to make, by its average and by its margin."""
        found: Figures = {names.AVOIDED_EXPORT: exported * self.intervals.grid / 1000.0}
        if self.intervals.marginal is not None:
            found[names.AVOIDED_EXPORT_MARGINAL] = exported * _known(self.intervals.marginal) / 1e3
        return found

    @cached_property
    def _quality(self) -> FloatArray:
        """Return [T, grade] how well the grid's intensity is known."""
        return np.eye(len(BEST_FIRST))[self.intervals.grades]

    # By the hour

    def hours_of_meters(self) -> dict[str, Figures]:
        """Return the figures of all meters that have a row, by hour."""
        imported, exported = _hours(self.intervals.imported), _hours(self.intervals.exported)
        found: dict[str, Figures] = {}
        by_node: dict[str | None, list[str]] = {}
        for row, meter_id in enumerate(self.intervals.ids or self.meters.ids):
            role = self.meters.role(meter_id)
            found[meter_id] = {names.IMPORT: imported[row], names.EXPORT: exported[row]}
            found[meter_id] |= by_hour(self._of_role(meter_id, role))
            if role.is_consumption:
                by_node.setdefault(self.mix.nodes.get(meter_id), []).append(meter_id)
        for node, members in by_node.items():
            self._weigh_hours(None if node is None else self.mix.places[node], members, found)
        return found

    def _weigh_hours(
        self, place: Place | None, members: list[str], found: dict[str, Figures]
    ) -> None:
        """Add the carbon and the grades of meters at one place, by hour."""
        rows = _selection([self.intervals.row(self.meters, one) or 0 for one in members])
        from_grid, energy = self.intervals.grid_carbon[rows], self.intervals.imported[rows]
        if place is None:
            carbon = _hours(from_grid)
        else:
            carbon = _weighted(from_grid, place.grid_share)
            if place.others.any():
                carbon += _weighted(energy, place.others) / 1000.0
        quality = self._quality if place is None else place.quality
        graded = {
            name: _weighted(energy, quality[:, index])
            for index, name in enumerate(names.GRADED)
            if quality[:, index].any()
        }
        for place_in, meter_id in enumerate(members):
            found[meter_id][names.CARBON] = carbon[place_in]
            found[meter_id] |= {name: values[place_in] for name, values in graded.items()}


def _selection(rows: list[int]) -> slice | list[int]:
    """Return rows as a slice where they lie together: no copy is made of them."""
    first, last = rows[0], rows[-1] + 1
    return slice(first, last) if rows == list(range(first, last)) else rows


def _hours(values: FloatArray) -> FloatArray:
    """Return [M, H] sums of hours from [M, T] intervals."""
    hours = values.reshape(len(values), values.shape[1] // PER_HOUR, PER_HOUR)
    summed: FloatArray = np.einsum("mhs->mh", hours)
    return summed


def _weighted(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return [M, H] sums of hours of [M, T] intervals times [T] weights."""
    if (weights == 1.0).all():
        return _hours(values)
    hours = values.reshape(len(values), -1, PER_HOUR)
    weighted: FloatArray = np.einsum("mhs,hs->mh", hours, weights.reshape(-1, PER_HOUR))
    return weighted


def _known(figures: FloatArray) -> FloatArray:
    """Return figures with nothing where nothing is known."""
    return np.nan_to_num(figures, nan=0.0)


def _sum(parts: Mapping[str, FloatArray], length: int) -> FloatArray:
    """Return the sum of some figures, nothing without any."""
    total: FloatArray = sum(parts.values(), np.zeros(length))
    return total


def by_hour(figures: Figures) -> Figures:
    """Return the sums of whole hours from those of five-minute intervals."""
    return {name: values.reshape(-1, PER_HOUR).sum(axis=1) for name, values in figures.items()}
