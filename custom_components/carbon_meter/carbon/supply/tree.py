"""Supply mix over a tree of meters: sub-meters by the mix at their place, batteries anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..flow.amounts import Amount, FloatArray, amounts, per_interval
from ..flow.network import NetworkError
from ..flow.tree import GRID, MeterTree, TreeFlow, TreeMeter
from ..grade import Grade
from .battery import Battery
from .storage import GRADES, StorageUse, Supplied, estimated_at_best, quality_of, run_storage


@dataclass(frozen=True, kw_only=True)
class TreeIntensity:
    """What feeds a tree, in gCO2eq/kWh: one number or one for each interval."""

    grid: Amount
    sources: Mapping[str, Amount]
    """By meter: every source that is no battery."""

    grid_grade: Grade | Sequence[Grade] = Grade.MEASURED
    source_grade: Grade = Grade.YEARLY


class TreeSupply:
    """The supply of a site whose meters hang on each other.

    `batteries` are ledgers, by the source meter that counts them. Raises NetworkError for a
    tree that cannot be, and for a battery without such a meter.
    """

    def __init__(self, meters: Iterable[TreeMeter], batteries: Mapping[str, Battery]) -> None:
        """Describe the tree with each source as a kind of its own."""
        self.batteries = dict(batteries)
        meters = tuple(meters)
        kinds = {meter.id: _kind(meter.id) for meter in meters if meter.source is not None}
        for name in self.batteries:
            if name not in kinds:
                raise NetworkError(f"battery {name!r} has no meter that is a source")
        self.tree = MeterTree(
            replace(meter, source=kinds[meter.id]) if meter.id in kinds else meter
            for meter in meters
        )
        self._kinds = kinds

    def weigh(
        self,
        *,
        down: Mapping[str, Any],
        up: Mapping[str, Any],
        intensity: TreeIntensity,
        starts: object,
        seconds: float,
    ) -> WeighedTree:
        """Weigh consecutive intervals and carry the batteries on through them.

        `down` and `up` are Wh by meter as in `MeterTree.trace`, [T] or one number; `starts` are
        the beginnings of the T intervals in seconds since 1970 UTC, each `seconds` long. What
        a place sends without having received it is taken for energy from the grid and told.

        Raises ImpossibleAmountError before any battery is changed.
        """
        begin = amounts("starts", starts, signed=True).reshape(-1)
        length = len(begin)
        down = {name: per_interval(name, figure, length) for name, figure in down.items()}
        up = {name: per_interval(name, figure, length) for name, figure in up.items()}
        grid = per_interval("grid intensity", intensity.grid, length)
        # Who feeds whom does not depend on anybody's intensity: that of batteries comes later.
        unknown = dict.fromkeys((meter.id for meter in self.tree.meters), 0.0)
        shares = self.tree.trace(down=down, up=up, intensity=unknown, unmetered=0.0).all_shares
        supplied = self._supplied(intensity, grid)
        kinds = self.tree.network.sources
        names = list(self.batteries)
        nodes = [self.tree.network.node(self.tree.feeding(name)) for name in names]
        run = run_storage(
            [self.batteries[name] for name in names],
            StorageUse(
                starts=begin,
                seconds=seconds,
                charge=_columns(down, names, length),
                discharge=_columns(up, names, length),
                mix=np.nan_to_num(shares[:, nodes, :]),
            ),
            supplied,
            places=[kinds.index(self._kinds[name]) for name in names],
            fallback=kinds.index(GRID),
        )
        of_meters = {
            meter: supplied.intensity[:, kinds.index(kind)] for meter, kind in self._kinds.items()
        }
        of_meters |= {meter.id: grid for meter in self.tree.meters if meter.parent is None}
        flow = self.tree.trace(down=down, up=up, intensity=of_meters, unmetered=grid[:, np.newaxis])
        return WeighedTree(
            flow=flow,
            quality=supplied.quality,
            unbacked=dict(zip(names, run.unbacked.T, strict=True)),
            written_off=dict(zip(names, run.written_off.T, strict=True)),
        )

    def _supplied(self, intensity: TreeIntensity, grid: FloatArray) -> Supplied:
        """Return the sources as they are before the batteries are run."""
        kinds = self.tree.network.sources
        supplied = Supplied(
            intensity=np.repeat(grid[:, np.newaxis], len(kinds), axis=1),
            quality=np.zeros((len(grid), len(kinds), len(GRADES))),
        )
        known = quality_of(intensity.grid_grade, len(grid))
        supplied.quality[:] = estimated_at_best(known)[:, np.newaxis, :]
        supplied.quality[:, kinds.index(GRID)] = known
        for meter, kind in self._kinds.items():
            if meter in self.batteries:
                continue
            if meter not in intensity.sources:
                raise NetworkError(f"source {meter!r} has no intensity")
            factor = per_interval(f"intensity of {meter}", intensity.sources[meter], len(grid))
            supplied.intensity[:, kinds.index(kind)] = factor
            supplied.quality[:, kinds.index(kind)] = quality_of(intensity.source_grade, len(grid))
        return supplied


@dataclass(frozen=True, kw_only=True)
class WeighedTree:
    """T intervals of a tree of meters."""

    flow: TreeFlow
    quality: FloatArray
    unbacked: Mapping[str, FloatArray]
    """By battery: [T] Wh that it gave without having been seen to take them."""

    written_off: Mapping[str, FloatArray]
    """By battery: [T] grams of energy that faded away inside it."""

    def by_grade(self, meter_id: str) -> dict[Grade, FloatArray]:
        """Return [T] Wh that went down through a meter by how well their intensity is known.

        Energy of unknown origin is in no grade.
        """
        shares = self.flow.shares(self.flow.tree.feeding(meter_id))
        parts = np.nan_to_num(np.stack(list(shares.values()), axis=-1))
        graded = np.einsum("t,ts,tsg->tg", self.flow.down(meter_id), parts, self.quality)
        return {grade: graded[:, index] for index, grade in enumerate(GRADES)}


def _kind(meter_id: str) -> str:
    """Return the kind of source that is one meter."""
    return f"{meter_id}/supply"


def _columns(figures: Mapping[str, FloatArray], names: Sequence[str], length: int) -> FloatArray:
    """Return the figures of some meters side by side, [T, B]."""
    nothing = np.zeros(length)
    columns = [figures.get(name, nothing) for name in names]
    return np.stack(columns, axis=-1) if columns else np.zeros((length, 0))
