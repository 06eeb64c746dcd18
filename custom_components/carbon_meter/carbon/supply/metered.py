"""Supply mix of a network that meters count, with batteries anywhere in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..flow.amounts import FloatArray, amounts, per_interval
from ..flow.metered import MeteredFlow, MeteredNetwork
from ..flow.network import UNMETERED, NetworkError
from .battery import Battery
from .storage import GRADES, StorageUse, Supplied, estimated_at_best, run_storage

GRID: Final = "grid"
"""The kind of source that delivers what nothing else is known to have brought."""


@dataclass(frozen=True, kw_only=True)
class SourceIntensity:
    """What a source delivers: [T] gCO2eq/kWh, and [T, grade] how well that is known, 0 to 1."""

    value: FloatArray
    quality: FloatArray


class MeteredSupply:
    """The supply of a network; every source but those of the kind GRID is a kind of its own.

    `batteries` are ledgers, by the meter of the source that counts them. Raises NetworkError
    for a battery without one.
    """

    def __init__(self, network: MeteredNetwork, batteries: Mapping[str, Battery]) -> None:
        """Give each source a kind of its own."""
        self.batteries = dict(batteries)
        self.network = with_own_kinds(network)
        self.kinds = {source.meter: source.source for source in self.network.sources}
        for name in self.batteries:
            if self.kinds.get(name, GRID) == GRID:
                raise NetworkError(f"battery {name!r} has no meter that is a source")

    def weigh(  # noqa: PLR0913  # what is known of a network
        self,
        *,
        forward: Mapping[str, Any],
        backward: Mapping[str, Any],
        grid: SourceIntensity,
        sources: Mapping[str, SourceIntensity],
        starts: object,
        seconds: float,
    ) -> WeighedNetwork:
        """Weigh consecutive intervals and carry the batteries on through them.

        `forward` and `backward` are Wh by meter as in `MeteredNetwork.trace`, [T] or one number;
        `sources` are by meter, all that are neither the grid nor a battery; `starts` are the
        beginnings of the T intervals in seconds since 1970 UTC, each `seconds` long. What a
        place sends without having received it is taken for energy from the grid and told.

        Raises ImpossibleAmountError before any battery is changed.
        """
        begin = amounts("starts", starts, signed=True).reshape(-1)
        length = len(begin)
        flow = self.network.trace(
            forward={name: per_interval(name, one, length) for name, one in forward.items()},
            backward={name: per_interval(name, one, length) for name, one in backward.items()},
            intensity=dict.fromkeys(self.kinds, np.zeros(length)),
            unmetered=0.0,
        )
        supplied = self._supplied(grid, sources, length)
        kinds = self.network.network.sources
        names = list(self.batteries)
        nodes = [self.network.network.node(self.network.start_of(name)) for name in names]
        run = run_storage(
            [self.batteries[name] for name in names],
            StorageUse(
                starts=begin,
                seconds=seconds,
                charge=_columns(flow, "backward", names, length),
                discharge=_columns(flow, "forward", names, length),
                mix=np.nan_to_num(flow.flow.shares[:, nodes, :]),
            ),
            supplied,
            places=[kinds.index(self.kinds[name]) for name in names],
            fallback=kinds.index(UNMETERED),
        )
        by_kind = {kind: supplied.intensity[:, place] for place, kind in enumerate(kinds)}
        return WeighedNetwork(
            flow=flow.with_intensities(by_kind),
            intensity=supplied.intensity,
            quality=supplied.quality,
            unbacked=dict(zip(names, run.unbacked.T, strict=True)),
            written_off=dict(zip(names, run.written_off.T, strict=True)),
        )

    def _supplied(
        self, grid: SourceIntensity, sources: Mapping[str, SourceIntensity], length: int
    ) -> Supplied:
        """Return the sources as they are before the batteries are run."""
        kinds = self.network.network.sources
        value = per_interval("grid intensity", grid.value, length)
        supplied = Supplied(
            intensity=np.repeat(value[:, np.newaxis], len(kinds), axis=1),
            quality=np.zeros((length, len(kinds), len(GRADES))),
        )
        supplied.quality[:] = estimated_at_best(grid.quality)[:, np.newaxis, :]
        if GRID in kinds:
            supplied.quality[:, kinds.index(GRID)] = grid.quality
        for meter, kind in self.kinds.items():
            if kind == GRID or meter in self.batteries:
                continue
            if meter not in sources:
                raise NetworkError(f"source {meter!r} has no intensity")
            own = sources[meter]
            place = kinds.index(kind)
            supplied.intensity[:, place] = per_interval(f"intensity of {meter}", own.value, length)
            supplied.quality[:, place] = own.quality
        return supplied


@dataclass(frozen=True, kw_only=True)
class WeighedNetwork:
    """T intervals of a network; S kinds of sources in the order of its `network.sources`."""

    flow: MeteredFlow
    intensity: FloatArray
    """[T, S] gCO2eq/kWh of each kind of source."""

    quality: FloatArray
    """[T, S, grade]: the part of each source's energy that is known so well, 0 to 1."""

    unbacked: Mapping[str, FloatArray]
    """By battery: [T] Wh that it gave without having been seen to take them."""

    written_off: Mapping[str, FloatArray]
    """By battery: [T] grams of energy that faded away inside it."""


def with_own_kinds(network: MeteredNetwork) -> MeteredNetwork:
    """Return a network whose sources are of a kind each, except for those of the kind GRID."""
    if all(source.source in {GRID, _kind(source.meter)} for source in network.sources):
        return network
    return MeteredNetwork(
        sources=[
            source if source.source == GRID else replace(source, source=_kind(source.meter))
            for source in network.sources
        ],
        branches=network.branches,
        loads=network.loads,
        phases=network.phases,
    )


def _kind(meter: str) -> str:
    """Return the kind of source that is one meter."""
    return f"{meter}/supply"


def _columns(flow: MeteredFlow, way: str, names: Sequence[str], length: int) -> FloatArray:
    """Return the figures of some meters side by side, [T, B]."""
    columns = [np.broadcast_to(flow.figures[way, name], (length,)) for name in names]
    return np.stack(columns, axis=-1) if columns else np.zeros((length, 0))
