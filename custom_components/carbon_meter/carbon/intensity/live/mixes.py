"""Generation by fuel as intensities: only where the mix is whole."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ...factors.mix import GenerationFactors, mix_intensity
from ...factors.technology import Technology
from ...grade import Grade
from .rows import Rows

MATTERS: Final = 0.02
"""Share of the energy from which on a fuel has to be known: without it there is no mix.

Fuels are published one by one; the newest intervals often have the wind and not yet the coal.
What is below may be missing, because small plants that stand still are not reported at all.
"""

_LARGEST: Final = 2_000_000.0
"""MW; the whole of the United States have 1.3 million. More is a slip of whoever reported it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """What one fuel gave over [start, end), in MW."""

    start: float
    end: float
    fuel: str
    """The provider's code."""

    amount: float


def add_mixes(
    rows: Rows,
    generation: Iterable[Generation],
    technologies: Mapping[str, Technology],
    factors: GenerationFactors,
) -> None:
    """Add the intensity of each interval to rows of gCO2eq/kWh, where all that matters is known.

    Storage is not among `technologies`, and neither are exchanges: what they give was generated
    elsewhere or before, and is counted there. A fuel that takes energy in counts as nothing.
    """
    amounts: dict[tuple[float, float], dict[str, float]] = defaultdict(dict)
    totals: dict[str, float] = defaultdict(float)
    for each in generation:
        if each.fuel in technologies and each.amount <= _LARGEST:
            amounts[each.start, each.end][each.fuel] = max(each.amount, 0.0)
    for (start, end), fuels in amounts.items():
        for fuel, amount in fuels.items():
            totals[fuel] += amount * (end - start)
    floor = MATTERS * sum(totals.values())
    needed = {fuel for fuel, total in totals.items() if total > floor}
    for (start, end), fuels in amounts.items():
        if needed <= fuels.keys():
            mix: dict[Technology, float | None] = defaultdict(float)
            for fuel, amount in fuels.items():
                mix[technologies[fuel]] = (mix[technologies[fuel]] or 0.0) + amount
            if (found := mix_intensity(mix, factors)) is not None:
                rows.add(start, end, found.value, Grade.MEASURED)
