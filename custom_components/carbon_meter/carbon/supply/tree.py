"""Supply mix over a tree of meters: sub-meters by the mix at their place, batteries anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..flow.amounts import Amount, FloatArray, amounts, per_interval
from ..flow.tree import MeterTree, TreeFlow, TreeMeter
from ..grade import Grade
from .battery import Battery
from .metered import MeteredSupply, SourceIntensity
from .storage import GRADES, quality_of


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
        """Describe the tree as a network."""
        self.tree = MeterTree(meters)
        self._supply = MeteredSupply(self.tree.metered, batteries)
        self.batteries = self._supply.batteries

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
        length = amounts("starts", starts, signed=True).size
        down = {name: per_interval(name, figure, length) for name, figure in down.items()}
        up = {name: per_interval(name, figure, length) for name, figure in up.items()}
        forward, backward = self.tree.directed(down, up)
        grid = per_interval("grid intensity", intensity.grid, length)
        known = quality_of(intensity.source_grade, length)
        weighed = self._supply.weigh(
            forward=forward,
            backward=backward,
            grid=SourceIntensity(value=grid, quality=quality_of(intensity.grid_grade, length)),
            sources={
                name: SourceIntensity(
                    value=per_interval(f"intensity of {name}", value, length), quality=known
                )
                for name, value in intensity.sources.items()
            },
            starts=starts,
            seconds=seconds,
        )
        return WeighedTree(
            flow=TreeFlow(tree=self.tree, metered=weighed.flow),
            quality=weighed.quality,
            unbacked=weighed.unbacked,
            written_off=weighed.written_off,
        )


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
