"""Figures that know what they are of, and refuse to be added to what they are not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
import operator
from typing import Final

from ..factors.factor import Stage
from ..flow.amounts import amount
from ..intensity.source import IntensityKind

GRAMS: Final = "gCO2eq"


class Account(StrEnum):
    """Which account of a report a figure belongs to (GHG Protocol)."""

    DIRECT = "direct"
    """Scope 1: what is burnt on site."""

    LOCATION_BASED = "location_based"
    """Scope 2 by the grid that delivers."""

    MARKET_BASED = "market_based"
    """Scope 2 by the contracts that are held."""

    VALUE_CHAIN = "value_chain"
    """Scope 3, category 3 and others: losses on the way, fuel supply, water."""

    BIOGENIC = "biogenic"
    """CO2 of biomass: told beside the scopes, in none of them."""

    AVOIDED = "avoided"
    """What others did not emit: no part of any inventory."""

    CONSUMED = "consumed"
    """What the supply mix brought to the consumption, own sources included: in no inventory."""

    EXPORTED = "exported"
    """What the supply mix sent away with exported energy: in no inventory."""


class Matching(StrEnum):
    """Over which time energy and its factor, or its certificate, are matched."""

    HOURLY = "hourly"
    ANNUAL = "annual"


class BlendedFiguresError(TypeError):
    """Two figures were added that are never added."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What a figure is of. `carrier` is None for a sum over several."""

    account: Account
    kind: IntensityKind = IntensityKind.AVERAGE
    matching: Matching | None = None
    stage: Stage | None = None
    carrier: str | None = "electricity"

    def __str__(self) -> str:
        """Return the label for people who compare: account, matching, stage, kind, carrier."""
        parts = (self.account, self.matching, self.stage, self.kind, self.carrier)
        return ", ".join(part.replace("_", " ") for part in parts if part is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A number with its unit and label. Only avoided emissions can be negative.

    Raises ImpossibleAmountError for a number that cannot be.
    """

    label: Label
    value: float
    unit: str = GRAMS

    def __post_init__(self) -> None:
        """Refuse a number that cannot be."""
        amount(str(self.label), self.value, signed=self.label.account is Account.AVOIDED)

    def __add__(self, other: Figure) -> Figure:
        """Return the sum over two carriers, sites or periods of one label and unit.

        Raises BlendedFiguresError for anything else: location and market, average and
        marginal, hourly and annual, inventory and avoided have no sum.
        """
        if not isinstance(other, Figure):
            return NotImplemented
        one_carrier = self.label.carrier == other.label.carrier
        carrier = self.label.carrier if one_carrier else None
        label = replace(self.label, carrier=carrier)
        if label != replace(other.label, carrier=carrier) or self.unit != other.unit:
            raise BlendedFiguresError(
                f"{self.label} in {self.unit} and {other.label} in {other.unit} have no sum"
            )
        return Figure(label=label, value=self.value + other.value, unit=self.unit)


def total(figures: Iterable[Figure]) -> Figure:
    """Return the sum of at least one figure; see `Figure.__add__`."""
    return reduce(operator.add, figures)
