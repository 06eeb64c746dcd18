"""What an accountant tells of a site: from the stored options to objects that figures use.

Options come from forms that have checked them. What is in them all the same and cannot be, as
after an edit by hand, is taken as not told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, Final

from .carbon.accounting.normalised import Denominator, Reference
from .carbon.factors.factor import WORLD, Scope
from .carbon.flow.amounts import ImpossibleAmountError, amount
from .carbon.supply.battery import Battery, Costing
from .carbon.supply.efficiency import EfficiencyEstimate
from .const import CONF_BATTERIES, CONF_DETAILS, CONF_ZONE

CONF_CAPACITY: Final = "capacity"
CONF_COSTING: Final = "costing"
CONF_EFFICIENCY: Final = "efficiency"
CONF_FLOOR_AREA: Final = "floor_area"
CONF_GRID_CARBON_FREE: Final = "grid_carbon_free"
CONF_LOSS_SHARE: Final = "loss_share"
CONF_MARKET: Final = "market"
CONF_PERSONS: Final = "persons"
CONF_PRODUCT: Final = "product"
CONF_PRODUCT_QUANTITY: Final = "product_quantity"
CONF_SOLAR_SCOPE: Final = "solar_scope"
CONF_STANDBY: Final = "standby"

USUAL_ROUND_TRIP: Final = 0.9
"""The part of the charged energy that comes back, until the battery's own counters tell."""

DEFAULT_SOLAR_SCOPE: Final = Scope.DIRECT
"""Inventories count what is emitted at the site; the panels were the maker's."""

_BELIEVED: Final = 1e12
"""More square metres, kWh or units than any site has."""


@dataclass(frozen=True, kw_only=True)
class SiteDetails:
    """What is known of a site beside its meters."""

    market: str
    """The boundary within which contracts can deliver to it."""

    references: tuple[Reference, ...]
    """What carbon is divided by; of a product it is the quantity of a year."""

    solar_scope: Scope
    """How its own solar energy is weighed: what the panels emit now, or also how they came."""

    grid_carbon_free: float | None
    """The part of the grid's energy that is carbon-free, 0 to 1; None counts as none."""

    loss_share: float | None
    """The part of the generated energy that does not arrive; None asks the factor library."""


@dataclass(frozen=True, kw_only=True)
class BatteryDetails:
    """What is known of one battery. `capacity` is in Wh, `standby` in W."""

    capacity: float | None = None
    round_trip: float | None = None
    """The part of the charged energy that comes back; None where its counters are to tell."""

    standby: float = 0.0
    costing: Costing = Costing.WEIGHTED_AVERAGE

    def one_way(self, learned: EfficiencyEstimate | None = None) -> float:
        """Return the efficiency of each direction: as told, else as learned, else the usual."""
        if self.round_trip is not None:
            return math.sqrt(self.round_trip)
        return math.sqrt(USUAL_ROUND_TRIP) if learned is None else learned.one_way

    def ledger(self, learned: EfficiencyEstimate | None = None) -> Battery:
        """Return an empty ledger of the battery."""
        one_way = self.one_way(learned)
        return Battery(
            charging=one_way,
            discharging=one_way,
            costing=self.costing,
            capacity=self.capacity,
            standby=self.standby,
        )


def market_of(options: Mapping[str, Any], country: str | None) -> str:
    """Return the market of a site: as told, else its zone, else its country.

    The world stands for a site that is nowhere: its contracts then name no other market.
    """
    told = part_of(options, CONF_DETAILS).get(CONF_MARKET)
    return normal_market(told) or normal_market(options.get(CONF_ZONE)) or country or WORLD


def normal_market(value: object) -> str:
    """Return the name of a market as it is compared: without blanks, in capitals."""
    return " ".join(value.split()).upper() if isinstance(value, str) else ""


def details_of(options: Mapping[str, Any], country: str | None) -> SiteDetails:
    """Return what a site's options tell; `country` is that of Home Assistant."""
    told = part_of(options, CONF_DETAILS)
    scope = told.get(CONF_SOLAR_SCOPE)
    references = (
        _reference(Denominator.AREA, told.get(CONF_FLOOR_AREA)),
        _reference(Denominator.PERSON, told.get(CONF_PERSONS)),
        _reference(
            Denominator.PRODUCT, told.get(CONF_PRODUCT_QUANTITY), _text(told.get(CONF_PRODUCT))
        ),
    )
    loss = share_of(told.get(CONF_LOSS_SHARE))
    return SiteDetails(
        market=market_of(options, country),
        references=tuple(reference for reference in references if reference is not None),
        solar_scope=Scope(scope) if scope in tuple(Scope) else DEFAULT_SOLAR_SCOPE,
        grid_carbon_free=share_of(told.get(CONF_GRID_CARBON_FREE)),
        loss_share=None if loss == 1.0 else loss,
    )


def battery_of(options: Mapping[str, Any], subentry_id: str) -> BatteryDetails:
    """Return what a site's options tell of the battery that a meter counts."""
    told = part_of(part_of(options, CONF_BATTERIES), subentry_id)
    costing = told.get(CONF_COSTING)
    return BatteryDetails(
        capacity=_scaled(positive(told.get(CONF_CAPACITY)), 1000.0),
        round_trip=share_of(told.get(CONF_EFFICIENCY)) or None,
        standby=positive(told.get(CONF_STANDBY)) or 0.0,
        costing=Costing(costing) if costing in tuple(Costing) else Costing.WEIGHTED_AVERAGE,
    )


def part_of(options: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of the options, empty where there is none."""
    part = options.get(key)
    return part if isinstance(part, Mapping) else {}


def positive(value: object) -> float | None:
    """Return a number above zero, None for anything else."""
    return number_of(value) or None


def number_of(value: object) -> float | None:
    """Return a number that is not below zero and not beyond belief, None for anything else."""
    try:
        number = amount("value", value)
    except ImpossibleAmountError:
        return None
    return number if number <= _BELIEVED else None


def share_of(percent: object) -> float | None:
    """Return per cent as a part from 0 to 1, None for anything else."""
    number = number_of(percent)
    return None if number is None or number > 100.0 else number / 100.0


def _reference(denominator: Denominator, quantity: object, name: str = "") -> Reference | None:
    """Return what carbon is divided by, None where it is not told."""
    number = positive(quantity)
    if number is None or (denominator is Denominator.PRODUCT and not name):
        return None
    return Reference(denominator=denominator, quantity=number, name=name)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
