"""Sums of carbon and of energy over any period of a series."""

from dataclasses import dataclass
from typing import Any

from ..accounting.figures import Figure, Label
from ..flow.amounts import FloatArray
from .series import weigh
from .sums import ExactSum


@dataclass(frozen=True, slots=True)
class Window:
    """The intervals of a period: from `first` up to, not including, `end`."""

    first: int
    end: int

    def of(self, total: ExactSum) -> float:
        """Return the sum over the period."""
        return total.between(self.first, self.end)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodFigure:
    """A figure of a period, and how much could not be weighed: it is not taken for clean."""

    figure: Figure
    quantity: float
    """What the figure is of, in `unit`, unweighed parts included."""

    unweighed: float = 0.0
    """The part of `quantity` whose factor or intensity is not known; no part of the figure."""

    unit: str = "Wh"

    @property
    def intensity(self) -> float | None:
        """Return the mean of what was weighed, in g per 1000 of the unit: gCO2eq/kWh of Wh."""
        weighed = self.quantity - self.unweighed
        return self.figure.value / weighed * 1000.0 if weighed > 0.0 else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "kg_co2eq": kilo(self.figure.value),
            **of_unit("quantity", self.quantity, self.unit),
            **of_unit("unweighed", self.unweighed, self.unit),
        }


class FigureSeries:
    """A figure by interval, to be told over any period."""

    def __init__(
        self,
        label: Label,
        quantity: ExactSum,
        carbon: FloatArray,
        unweighed: FloatArray,
        unit: str = "Wh",
    ) -> None:
        """Take [T] g, the sums of what they are of, and [T] of it without a figure."""
        self.label = label
        self.unit = unit
        self._quantity = quantity
        self._carbon = ExactSum(str(label), carbon)
        self._unweighed = ExactSum(str(label), unweighed)

    @classmethod
    def by_intensity(
        cls, label: Label, quantity: ExactSum, energy: FloatArray, intensity: FloatArray
    ) -> FigureSeries:
        """Return energy in Wh weighed with an intensity in gCO2eq/kWh that may have gaps."""
        return cls(label, quantity, *weigh(energy, intensity))

    def over(self, window: Window) -> PeriodFigure:
        """Return the figure of a period."""
        return PeriodFigure(
            figure=Figure(label=self.label, value=window.of(self._carbon)),
            quantity=window.of(self._quantity),
            unweighed=window.of(self._unweighed),
            unit=self.unit,
        )


def kilo(value: float) -> float:
    """Return kg of g to the milligram, kWh of Wh to the milliwatt-hour."""
    return round(value / 1000.0, 6)


def part(value: float | None) -> float | None:
    """Return a part of a whole, to the millionth."""
    return None if value is None else round(value, 6)


def of_unit(name: str, value: float, unit: str) -> dict[str, float]:
    """Return a number under a key that ends in its unit; energy in kWh."""
    return {f"{name}_kwh": kilo(value)} if unit == "Wh" else {f"{name}_{unit}": round(value, 6)}
