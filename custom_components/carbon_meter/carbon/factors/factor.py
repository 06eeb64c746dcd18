"""What an emission factor is, and where it comes from."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from ..units import GRAMS_PER_KWH
from .amounts import HeatingValue, Measure
from .technology import Technology

WORLD: Final = "001"
"""The zone of the whole world, by its UN M49 code."""


class Scope(StrEnum):
    """How far along the supply chain emissions are counted."""

    DIRECT = "direct"  # at the power station, or at the boiler, alone
    LIFE_CYCLE = "life_cycle"  # fuel supply and construction as well


class Method(StrEnum):
    """Whose emissions a factor divides by whose energy."""

    GENERATION_AVERAGE = "generation_average"  # what is generated in the zone
    CONSUMPTION_AVERAGE = "consumption_average"  # imports and exports accounted for
    RESIDUAL_MIX = "residual_mix"  # what is left when certificates are taken out
    MARGINAL = "marginal"  # what one kWh more or less would change
    OPERATING_MARGIN = "operating_margin"  # stations that follow the load
    BUILD_MARGIN = "build_margin"  # stations built last
    COMBINED_MARGIN = "combined_margin"  # of operating and build margin


class Carrier(StrEnum):
    """The energy, or the water, that a factor is for."""

    ELECTRICITY = "electricity"
    NATURAL_GAS = "natural_gas"
    LPG = "lpg"
    HEATING_OIL = "heating_oil"
    KEROSENE = "kerosene"
    WOOD = "wood"
    WOOD_CHIPS = "wood_chips"
    WOOD_PELLETS = "wood_pellets"
    DISTRICT_HEAT = "district_heat"
    DISTRICT_COOLING = "district_cooling"
    WATER = "water"
    WASTEWATER = "wastewater"


class Stage(StrEnum):
    """The stretch of the way to the consumer that a factor covers."""

    GENERATION = "generation"
    TRANSMISSION_DISTRIBUTION = "transmission_distribution"
    UPSTREAM = "upstream"
    UPSTREAM_AND_LOSSES = "upstream_and_losses"
    """Fuel supply and losses of the grid in one figure, as Australia prints them."""

    USE = "use"
    """Burning the fuel at the consumer."""


class Confidence(StrEnum):
    """How well it is known that the publisher prints this figure."""

    VERIFIED = "verified"
    """Read in the publisher's table, or in two transcriptions that agree."""

    SECONDARY = "secondary"
    """Read in one transcription or in a report about the table."""


@dataclass(frozen=True, kw_only=True)
class FactorSource:
    """One edition of one publisher's table: the header of a factor file.

    `unit` is the unit that the file prints; what factors hold is told by
    `EmissionFactor.measure`. `includes_td` says that losses on the way to the
    consumer are in the figures already and must not be added again. `published`
    is the day on which this edition became known.

    What a header says of all its figures a row may say otherwise of its own:
    the source of such a factor is the header with the row's changes.
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
    technology: Technology | None = None
    """What generates the electricity; None for the mix of a grid."""

    heating_value: HeatingValue | None = None
    """Whether energy of the fuel is meant gross or net; None where nothing is burnt."""

    biogenic: bool = False
    """Carbon that plants have taken from the air: told apart, in no inventory total."""

    confidence: Confidence = Confidence.VERIFIED
    published: date | None = None
    via: str | None = None
    """Where the figures were read, if not in the publisher's own table."""

    url: str | None = None
    licence: str | None = None
    attribution: str | None = None
    gases: str | None = None
    gwp: str | None = None
    notes: str | None = None

    @property
    def lifecycle(self) -> bool:
        """Return whether fuel supply and construction are in the figures already."""
        return self.scope is Scope.LIFE_CYCLE

    @property
    def consumption_based(self) -> bool:
        """Return whether imports and exports of the zone are accounted for."""
        return self.method is Method.CONSUMPTION_AVERAGE


@dataclass(frozen=True, kw_only=True)
class EmissionFactor:
    """Carbon in a zone: `value` in gCO2eq per kWh, m³ or kg, as `measure` tells.

    `year` is the year that the figure was measured in; such a figure stands for
    that year and for later ones until there is a newer one. `valid_from` and
    `valid_to` instead bound the days on which the figure applies: from the first
    up to, not including, the second; either may be missing.

    `low` and `high` are what the table prints beside `value`, in the same unit.
    `calorific_value` in kWh and `density` in kg/m³ are of the fuel itself.
    """

    zone: str
    value: float
    source: FactorSource
    line: int
    measure: Measure = Measure.ENERGY
    year: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    name: str | None = None
    note: str | None = None
    ref: str | None = None
    """Row, cell or page of the table."""

    low: float | None = None
    high: float | None = None
    calorific_value: float | None = None
    """In kWh per `calorific_per`, gross or net as the source's `heating_value` says."""

    calorific_per: Measure | None = None
    """What the calorific value is per: volume or mass."""

    density: float | None = None
    """In kg/m³."""

    net_per_gross: float | None = None
    """Net calorific value as a share of the gross one."""

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
