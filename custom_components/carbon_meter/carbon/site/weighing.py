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

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray, ImpossibleAmountError, amounts, intensity_of
from ..flow.metered import MeteredNetwork
from ..grade import BEST_FIRST, Grade
from ..intervals import INTERVAL
from ..supply.battery import Battery
from ..supply.metered import MeteredSupply, SourceIntensity, WeighedNetwork
from .meters import SITE, Role, SiteMeters
from .network import SiteNetwork, described_network, tree_network
from .places import Mix, Place, place_at, where_active
from .schedule import Schedule
from .weighed import PER_HOUR, Figures, WeighedIntervals, by_hour

__all__ = [
    "PER_HOUR",
    "Figures",
    "SiteFactors",
    "SiteIntervals",
    "SiteSupply",
    "WeighedIntervals",
    "by_hour",
]


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
    """T consecutive five-minute intervals of M meters, in the order of `SiteMeters.ids`.

    Figures are at least 0, whatever a meter counts.
    """

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

    ids: tuple[str, ...] = ()
    """The meters of the rows where these are not all of the site; the others counted nothing."""

    def row(self, meters: SiteMeters, meter_id: str) -> int | None:
        """Return the row of a meter, None if there is none."""
        if not self.ids:
            return meters.place.get(meter_id)
        return self._rows.get(meter_id)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {meter_id: row for row, meter_id in enumerate(self.ids)}

    def of(self, meters: SiteMeters, kind: FloatArray, names: Iterable[str]) -> FloatArray:
        """Return [T] the sum of a kind of figures over some meters."""
        rows = [row for row in (self.row(meters, name) for name in names) if row is not None]
        total: FloatArray = kind[rows].sum(axis=0)
        return total


class SiteSupply:
    """Weighs the intervals of a site's electricity meters."""

    def __init__(
        self,
        meters: SiteMeters,
        factors: SiteFactors,
        network: MeteredNetwork | None = None,
    ) -> None:
        """Take the meters, the factors that hold over years, and how the meters are connected.

        `network` names its meters by their ids; without one they are a tree. Raises NetworkError
        for a network that is not that of the meters, see `described_network`.
        """
        self.meters = meters
        self.factors = factors
        self._described = None if network is None else described_network(network, meters)
        self._tree: tuple[tuple[str, ...], SiteNetwork] | None = None

    @cached_property
    def mixed(self) -> frozenset[str]:
        """Return the meters whose figures decide what others take, whatever flows."""
        meters = self.meters
        fed = frozenset((*meters.grids, *meters.sources, *meters.mixing)) - {SITE}
        return fed if self._described is None else fed | self._described.counted

    @property
    def batteries(self) -> tuple[str, ...]:
        """Return the meters of the batteries that have ledgers."""
        if self._described is not None:
            return self._described.batteries
        meters = self.meters
        return tuple(one for one in meters.sources if meters.role(one) is Role.BATTERY)

    @property
    def nodes(self) -> int:
        """Return how many places the network has for which equations are solved."""
        if self._described is not None:
            return len(self._described.network.network.nodes)
        return len(self.meters.mixing) + len(self.meters.sources)

    def weigh(self, intervals: SiteIntervals, batteries: Mapping[str, Battery]) -> WeighedIntervals:
        """Weigh consecutive intervals and carry the batteries on through them.

        `batteries` are the ledgers by the ids of their meters, one for each of `batteries`.
        Raises ImpossibleAmountError for figures that cannot be, before a battery is changed.
        """
        _check(intervals)
        if not self.meters.roots:
            return WeighedIntervals(meters=self.meters, factors=self.factors, intervals=intervals)
        active: dict[str, NDArray[np.bool_]] = {}
        if self._described is None:
            active = self._active(intervals)
        network = self._network([*self.meters.inner(active)])
        of_grid = self._of_import(intervals)
        weighed = self._weighed(network, intervals, of_grid, active, batteries)
        places: dict[str, Place] = {}
        wanted = set(network.nodes.values())
        for node in weighed.flow.metered.network.nodes:
            if node in wanted:
                places[node] = place_at(weighed, node, intervals.grades)
        # A place that matters only while something is sent up there has the mix above it.
        for name in sorted(active, key=lambda one: len(list(self.meters.upwards(one)))):
            if name in places:
                above = places[network.nodes[name] or name]
                places[name] = where_active(active[name], places[name], above)
        return WeighedIntervals(
            meters=self.meters,
            factors=self.factors,
            intervals=intervals,
            mix=Mix(nodes=network.nodes, places=places),
            network=network,
            weighed=weighed,
            of_grid=of_grid,
        )

    def _network(self, inner: Sequence[str]) -> SiteNetwork:
        """Return the network of the site, of which `inner` are the places that may differ."""
        if self._described is not None:
            return self._described
        wanted = tuple(inner)
        if self._tree is None or self._tree[0] != wanted:
            self._tree = wanted, tree_network(self.meters, wanted)
        return self._tree[1]

    def _active(self, intervals: SiteIntervals) -> dict[str, NDArray[np.bool_]]:
        """Return when something was sent up through places that feed nothing into the tree.

        Only then do they count, whatever else is weighed at the same time.
        """
        meters = self.meters
        found: dict[str, NDArray[np.bool_]] = {}
        sends = [bool(row.any()) for row in intervals.exported]
        for meter_id in meters.with_role(Role.SUBMETER):
            row = intervals.row(meters, meter_id)
            if row is None or not sends[row] or meters.root(meter_id) is None:
                continue
            sent = intervals.exported[row] > 0.0
            for place in meters.upwards(meter_id):
                if place not in meters.mixing:
                    found[place] = found[place] | sent if place in found else sent
        return found

    def _weighed(
        self,
        network: SiteNetwork,
        intervals: SiteIntervals,
        of_grid: FloatArray,
        active: Mapping[str, NDArray[np.bool_]],
        batteries: Mapping[str, Battery],
    ) -> WeighedNetwork:
        """Return what flowed through the network and what it carried."""
        forward: dict[str, FloatArray] = {}
        backward: dict[str, FloatArray] = {}
        for name in network.counted:
            counting = self.meters.grids if name == SITE else (name,)
            there = intervals.of(self.meters, intervals.imported, counting)
            back = intervals.of(self.meters, intervals.exported, counting)
            if name in network.sources and not self.meters.is_reversed(name):
                there, back = back, there
            if name in active:
                there, back = np.where(active[name], there, 0.0), np.where(active[name], back, 0.0)
            forward[name], backward[name] = there, back
        known = np.eye(len(BEST_FIRST))
        solar = self.factors.solar.at(intervals.starts)
        # Direct emissions of none are certain; a life cycle's are an average.
        grade = Grade.YEARLY if solar.any() else Grade.MEASURED
        made = SourceIntensity(
            value=solar,
            quality=np.broadcast_to(known[BEST_FIRST.index(grade)], (len(solar), len(BEST_FIRST))),
        )
        return MeteredSupply(
            network.network, {name: batteries[name] for name in network.batteries}
        ).weigh(
            forward=forward,
            backward=backward,
            grid=SourceIntensity(value=of_grid, quality=known[intervals.grades]),
            sources={name: made for name in network.sources if name not in network.batteries},
            starts=intervals.starts,
            seconds=INTERVAL,
        )

    def _of_import(self, intervals: SiteIntervals) -> FloatArray:
        """Return the intensity of what the grid delivered: exact where it delivered."""
        grids = self.meters.grids
        exact = intensity_of(
            intervals.of(self.meters, intervals.grid_carbon, grids),
            intervals.of(self.meters, intervals.imported, grids),
        )
        return np.where(np.isfinite(exact), exact, intervals.grid)


def _check(intervals: SiteIntervals) -> None:
    """Refuse figures that no meter and no grid can have."""
    for name in ("imported", "exported", "grid_carbon", "grid"):
        amounts(name, getattr(intervals, name))
    length = len(intervals.starts)
    if intervals.imported.shape[-1] != length or len(intervals.grid) != length:
        raise ImpossibleAmountError("imported", "the intervals do not fit")
