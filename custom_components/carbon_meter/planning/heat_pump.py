"""How much heat, or cold, one unit of electricity moves."""

from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount

_KELVIN: Final = 273.15
"""0 degrees Celsius in K."""


class HeatSource(Protocol):
    """What turns electricity into heat or cold."""

    @property
    def cools(self) -> bool:
        """Return whether it takes heat away."""

    def performance(self, outside: FloatArray, inside: FloatArray) -> FloatArray:
        """Return the Wh of heat (or of cold) for each Wh of electricity.

        Temperatures are in degrees Celsius: of what it takes the heat from (gives it to, when it
        cools), and of what is heated (cooled). It does not rise as the two move apart. The result
        fits to both, or to the first where the second makes no difference.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Heater:
    """Electricity that becomes heat: an immersion heater, a radiator, a heated floor."""

    efficiency: float = 1.0
    cools: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse an efficiency that cannot be."""
        if not 0.0 < amount("efficiency", self.efficiency) <= 1.0:
            raise ImpossibleAmountError("efficiency", f"{self.efficiency} is none of a heater")

    def performance(self, outside: FloatArray, inside: FloatArray) -> FloatArray:
        """Return the same for all temperatures."""
        del inside
        return np.full(outside.shape, self.efficiency)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatPump:
    """A part of what Carnot allows between two temperatures (second law of thermodynamics).

        performance = quality * T / (T_hot - T_cold)

    with T the side that is wanted, in K: the hot one when it heats, the cold one when it cools.
    The refrigerant is by `approach` K hotter and colder than the two sides. Air to water reaches
    a `quality` of 0.35 to 0.45; no pump is believed to do better than `most`, or worse than a
    heater.
    """

    quality: float = 0.4
    approach: float = 5.0
    most: float = 8.0
    cools: bool = False

    def __post_init__(self) -> None:
        """Refuse what no heat pump has."""
        if not 0.0 < amount("quality", self.quality) <= 1.0:
            raise ImpossibleAmountError("quality", f"{self.quality} is none of a heat pump")
        amount("approach", self.approach)
        if amount("most", self.most) < 1.0:
            raise ImpossibleAmountError("most", "a heat pump does no worse than a heater")

    def performance(self, outside: FloatArray, inside: FloatArray) -> FloatArray:
        """Return the coefficient of performance."""
        sign = -1.0 if self.cools else 1.0
        lift = np.maximum(sign * (inside - outside) + 2.0 * self.approach, 1e-6)
        wanted = inside + _KELVIN + sign * self.approach
        found: FloatArray = np.clip(self.quality * wanted / lift, 1.0, self.most)
        return found
