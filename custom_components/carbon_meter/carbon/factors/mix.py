"""The intensity of a mix of generation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
import math
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .factor import Scope
from .library import FactorLibrary
from .selection import Selection
from .technology import Technology

DIRECT: Final = "generation_direct"
"""Id of the packaged set of what power stations emit themselves."""

LIFE_CYCLE: Final = "generation_life_cycle"
"""Id of the packaged set with fuel supply and construction."""


@dataclass(frozen=True, kw_only=True)
class GenerationFactors:
    """What each technology emits, in gCO2eq/kWh; `id` goes with every figure made of them."""

    id: str
    scope: Scope
    values: Mapping[Technology, float]

    def of(self, technology: Technology) -> float:
        """Return the factor of a technology, or that of unknown generation."""
        return self.values.get(technology, self.values[Technology.UNKNOWN])


@dataclass(frozen=True, kw_only=True)
class MixIntensity:
    """The intensity of one mix, in gCO2eq/kWh generated."""

    value: float
    factors: str
    """Id of the set of factors."""

    scope: Scope
    unknown_share: float
    """Share of the energy that had to be counted as of unknown origin, 0 to 1."""


def generation_factors(
    library: FactorLibrary, table: str, zone: str | None = None, when: date | None = None
) -> GenerationFactors:
    """Return the set of factors of one table, the figures of the nearest zone first.

    Raises LookupError for a table that is not there, or that has no figure for
    unknown generation.
    """
    if (source := library.sources.get(table)) is None:
        raise LookupError(f"there is no table of generation factors {table!r}")
    values = {}
    for technology in Technology:
        wanted = Selection(technology=technology, table=table)
        if (factor := library.best(zone, when, wanted)) is not None:
            values[technology] = factor.value
    if Technology.UNKNOWN not in values:
        raise LookupError(f"{table} has no figure for generation of unknown origin")
    return GenerationFactors(id=table, scope=source.scope, values=MappingProxyType(values))


def mix_intensity(
    mix: Mapping[Technology, float | None], factors: GenerationFactors
) -> MixIntensity | None:
    """Return sum(energy * factor) / sum(energy) of a mix, or None where there is none.

    `mix` is energy or power in any unit, the same for all. What is missing (None,
    NaN) is left out, and so is what takes energy in: a negative figure is a
    storage that charges. (Production intensity, CarbonCast equation 1.)
    """
    energy = {
        technology: value
        for technology, value in mix.items()
        if value is not None and math.isfinite(value) and value > 0
    }
    total = math.fsum(energy.values())
    if not total or not math.isfinite(total):
        return None
    carbon = math.fsum(value * factors.of(technology) for technology, value in energy.items())
    unknown = math.fsum(
        value
        for technology, value in energy.items()
        if technology is Technology.UNKNOWN or technology not in factors.values
    )
    return MixIntensity(
        value=carbon / total,
        factors=factors.id,
        scope=factors.scope,
        unknown_share=unknown / total,
    )


def mix_intensities(
    generation: NDArray[np.float64],
    technologies: Sequence[Technology],
    factors: GenerationFactors,
) -> NDArray[np.float64]:
    """Return the intensity of each row of a table of mixes, NaN where a row has none.

    `generation` has a row per interval and a column per technology; holes and
    negative figures are treated as in `mix_intensity`.
    """
    weights = np.array([factors.of(technology) for technology in technologies])
    energy = np.where(np.isfinite(generation) & (generation > 0), generation, 0.0)
    total = energy.sum(axis=1)
    intensities = np.full(len(energy), np.nan)
    np.divide(energy @ weights, total, out=intensities, where=total > 0)
    return intensities
