"""What an emission factor is, and where it comes from."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from ..units import GRAMS_PER_KWH

WORLD: Final = "001"
"""The zone of the whole world, by its UN M49 code."""


class Scope(StrEnum):
    """How far along the supply chain emissions are counted."""

    DIRECT = "direct"  # at the power station alone
    LIFE_CYCLE = "life_cycle"  # fuel supply and construction as well


class Method(StrEnum):
    """Whose emissions a factor divides by whose energy."""

    GENERATION_AVERAGE = "generation_average"  # what is generated in the zone
    CONSUMPTION_AVERAGE = "consumption_average"  # imports and exports accounted for
    RESIDUAL_MIX = "residual_mix"  # what is left when certificates are taken out
    MARGINAL = "marginal"  # what one kWh more or less would change


class Carrier(StrEnum):
    """The energy that a factor is for."""

    ELECTRICITY = "electricity"
    NATURAL_GAS = "natural_gas"
    LPG = "lpg"
    HEATING_OIL = "heating_oil"
    WOOD = "wood"
    DISTRICT_HEAT = "district_heat"
    DISTRICT_COOLING = "district_cooling"


class Stage(StrEnum):
    """The stretch of the way to the consumer that a factor covers."""

    GENERATION = "generation"
    TRANSMISSION_DISTRIBUTION = "transmission_distribution"
    UPSTREAM = "upstream"


@dataclass(frozen=True, kw_only=True)
class FactorSource:
    """One edition of one publisher's table: the header of a factor file.

    `unit` is the unit that the file prints; factors hold gCO2eq/kWh always.
    `includes_td` says that losses on the way to the consumer are in the figures
    already and must not be added again.
    """

    id: str
    title: str
    publisher: str
    edition: str
    scope: Scope
    includes_td: bool
    file: str
    unit: str = GRAMS_PER_KWH
    carrier: Carrier = Carrier.ELECTRICITY
    stage: Stage = Stage.GENERATION
    method: Method = Method.GENERATION_AVERAGE
    url: str | None = None
    licence: str | None = None
    attribution: str | None = None
    gases: str | None = None
    gwp: str | None = None
    notes: str | None = None


@dataclass(frozen=True, kw_only=True)
class EmissionFactor:
    """Carbon per energy in a zone: `value` in gCO2eq/kWh.

    `year` is the year that the figure was measured in; such a figure stands for
    that year and for later ones until there is a newer one. `valid_from` and
    `valid_to` instead bound the days on which the figure applies: from the first
    up to, not including, the second; either may be missing.
    """

    zone: str
    value: float
    source: FactorSource
    line: int
    year: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    name: str | None = None
    note: str | None = None

    @property
    def scope(self) -> Scope:
        """Return how far along the supply chain emissions are counted."""
        return self.source.scope

    @property
    def is_dated(self) -> bool:
        """Return whether the factor names the days on which it applies."""
        return self.valid_from is not None or self.valid_to is not None

    def applies_on(self, day: date) -> bool:
        """Return whether the factor may be used for a day, the site's own calendar day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )
