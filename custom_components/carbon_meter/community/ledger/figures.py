"""What a community reads from its cells: totals, means, spread, shared solar energy, 24/7 score.

Nothing is scaled up: a home or an hour that has told nothing is missing from every figure, and
`participation`, `coverage` and `completeness` say how much that is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...carbon.accounting.carbon_free import CarbonFreeScore, carbon_free_score
from ..contract.message import Flow
from .calendar import Grain
from .cells import Cell, Sums

_KILO: Final = 1000
_MG_PER_KG: Final = 1_000_000
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One cell in the units people read."""

    kwh: float
    kg: float
    """kgCO2eq."""

    intensity: float | None
    """gCO2eq/kWh, None without energy."""

    kwh_per_home: float
    """By the homes that have told, not by all that could have."""

    kg_per_home: float
    participation: float | None
    """Homes that have told, of those expected, 0 to 1; None if nobody is expected."""

    coverage: float
    """Measured part of what was told, 0 to 1."""

    completeness: float | None
    """Time that was told, of that of all expected homes, 0 to 1.

    It is low for a flow that only some homes have, such as solar energy.
    """

    measured_kwh: float
    estimated_kwh: float


def summary(cell: Cell) -> Summary:
    """Return a cell's figures; one that the ledger gives has at least one home."""
    sums = cell.sums
    kwh, kg = sums.wh / _KILO, sums.mg / _MG_PER_KG
    expected_seconds = cell.expected * (cell.end - cell.key.begin)
    return Summary(
        kwh=kwh,
        kg=kg,
        intensity=sums.intensity,
        kwh_per_home=kwh / cell.homes,
        kg_per_home=kg / cell.homes,
        participation=min(1.0, cell.homes / cell.expected) if cell.expected else None,
        coverage=sums.covered / sums.seconds / 10000,
        completeness=min(1.0, sums.seconds / expected_seconds) if expected_seconds else None,
        measured_kwh=sums.measured / _KILO,
        estimated_kwh=sums.estimated / _KILO,
    )


def spread(homes: Mapping[str, Sums], quantiles: Sequence[float] = QUANTILES) -> dict[float, float]:
    """Return quantiles of Wh over the homes of a cell, from `Ledger.homes_of`.

    They are interpolated between two homes, so they show what single homes use: for the hub,
    not for the public.
    """
    if not homes:
        return {}
    amounts = np.array([sums.wh for sums in homes.values()], dtype=float)
    return dict(zip(quantiles, np.quantile(amounts, quantiles).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Energy:
    """What was told of a flow in one hour."""

    wh: int
    carbon_free: int | None
    """Wh; None where it is known of nothing, and that is not zero."""

    def __add__(self, other: Energy) -> Energy:
        known = [each.carbon_free for each in (self, other) if each.carbon_free is not None]
        return Energy(self.wh + other.wh, sum(known) if known else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Where the solar energy of a scope went, in Wh, over its hours."""

    generated: int
    used_at_home: int
    """Solar energy that its own home used in the same hour."""

    shared: int
    """Exported by some homes while others imported, in the same hour: the smaller of both."""

    exported: int
    """Exported while nobody in the scope needed it."""

    hours: int
    """That have solar energy; those of which nothing is known are not among them."""

    @property
    def self_consumption(self) -> float | None:
        """Return the part of the solar energy that the scope used itself, 0 to 1."""
        if not self.generated:
            return None
        return (self.used_at_home + self.shared) / self.generated


def shared_generation(cells: Iterable[Cell]) -> Shared:
    """Return where the solar energy went, from the hourly cells of one scope."""
    return shared_in(_by_hour(cells))


def shared_in(hours: Mapping[int, Mapping[Flow, Energy]]) -> Shared:
    """Return where the solar energy went, from what a scope has told by hour and flow.

    Matched within each hour: noon's surplus serves no evening. An export above the solar
    energy of its hour (a battery's) is not solar and is left out.
    """
    generated = used = shared = exported = count = 0
    for flows in hours.values():
        if Flow.PV not in flows:
            continue
        solar = flows[Flow.PV].wh
        surplus = min(solar, _wh(flows, Flow.GRID_EXPORT))
        matched = min(surplus, _wh(flows, Flow.GRID_IMPORT))
        generated += solar
        used += solar - surplus
        shared += matched
        exported += surplus - matched
        count += 1
    return Shared(
        generated=generated, used_at_home=used, shared=shared, exported=exported, hours=count
    )


def community_score(cells: Iterable[Cell]) -> CarbonFreeScore | None:
    """Return the 24/7 carbon-free score of a scope from its hourly cells; see `score_of`."""
    return score_of(_by_hour(cells))


def score_of(hours: Mapping[int, Mapping[Flow, Energy]]) -> CarbonFreeScore | None:
    """Return the 24/7 carbon-free score of what a scope has told by hour and flow.

    The load of an hour is import + solar + discharged - exported - charged. Solar energy
    counts in its hour for whoever in the scope needs it; what was charged of it counts when it
    is discharged. The grid's carbon-free part is what the homes have told; where they have not
    it counts as none. None without load, and where it is known of no import at all: that would
    be the score of a grid without any carbon-free energy.
    """
    imports = [flows[Flow.GRID_IMPORT] for flows in hours.values() if Flow.GRID_IMPORT in flows]
    drawn = [each for each in imports if each.wh]
    if drawn and all(each.carbon_free is None for each in drawn):
        return None
    loads: list[float] = []
    clean: list[float] = []
    shares: list[float] = []
    for hour in sorted(hours):
        flows = hours[hour]
        if Flow.GRID_IMPORT not in flows:
            continue
        imported = flows[Flow.GRID_IMPORT]
        load = (
            imported.wh
            + _wh(flows, Flow.PV)
            + _wh(flows, Flow.BATTERY_OUT)
            - _wh(flows, Flow.GRID_EXPORT)
            - _wh(flows, Flow.BATTERY_IN)
        )
        supply = (
            _free(flows, Flow.PV) + _free(flows, Flow.BATTERY_OUT) - _free(flows, Flow.BATTERY_IN)
        )
        loads.append(max(0.0, float(load)))
        clean.append(max(0.0, float(supply)))
        share = _free(flows, Flow.GRID_IMPORT) / imported.wh if imported.wh else 0.0
        shares.append(min(1.0, share))
    return carbon_free_score(loads, clean, shares)


def _wh(flows: Mapping[Flow, Energy], flow: Flow) -> int:
    return flows[flow].wh if flow in flows else 0


def _free(flows: Mapping[Flow, Energy], flow: Flow) -> int:
    return (flows[flow].carbon_free or 0) if flow in flows else 0


def _by_hour(cells: Iterable[Cell]) -> dict[int, dict[Flow, Energy]]:
    """Return what was told by hour and flow, over all kinds of carbon intensity."""
    hours: dict[int, dict[Flow, Energy]] = defaultdict(dict)
    for cell in cells:
        if cell.key.grain is not Grain.HOUR:
            raise ValueError(f"a cell of a {cell.key.grain}: solar energy is matched by the hour")
        flows, flow, sums = hours[cell.key.begin], cell.key.flow, cell.sums
        told = Energy(sums.wh, sums.carbon_free if sums.known else None)
        flows[flow] = flows[flow] + told if flow in flows else told
    return hours
