"""Gas, heat, water and fuels: which factors weigh what a meter counts, per Wh or per litre."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .carbon.accounting.carriers import weigh_carrier
from .carbon.accounting.figures import Label
from .carbon.factors.amounts import HeatingValue, Measure
from .carbon.factors.factor import (
    Carrier as Fuel,
    EmissionFactor,
    FactorSource,
    Scope,
    Stage,
)
from .carbon.factors.fuel import Counting, find_fuel, fuel_query, main_stage
from .carbon.factors.library import FactorLibrary
from .carbon.factors.selection import Query, Selection
from .carbon.factors.zones import zone_and_around
from .const import CARRIER_ISSUE, CONF_CARRIERS, Carrier, carrier_of
from .details import number_of, part_of, positive
from .repair_issue import RepairIssue

CONF_CALORIFIC_VALUE: Final = "calorific_value"
CONF_FACTOR: Final = "factor"
CONF_FUEL: Final = "fuel"
CONF_HEATING_VALUE: Final = "heating_value"

NOT_COUNTED: Final = "none"
"""In place of a fuel: another meter counts it already, or nobody wants to know."""

OWN_FACTOR: Final = "own"
"""The id of the source of a factor that the user has entered."""


class Unit(StrEnum):
    """What the ledger of a meter counts in."""

    ENERGY = "Wh"
    VOLUME = "L"


class CarrierGap(StrEnum):
    """Why what a meter counts has no carbon."""

    NOT_CHOSEN = "not_chosen"
    """Nobody has said what it counts."""

    NOT_COUNTED = "not_counted"
    """It is not to be counted."""

    NO_FACTOR = "no_factor"
    """No table has a factor for it that its unit leads to."""

    NO_CALORIFIC_VALUE = "no_calorific_value"
    """There is a factor by energy, and it counts volume."""


_LIQUIDS: Final = (Fuel.HEATING_OIL, Fuel.KEROSENE, Fuel.LPG)
_FUELS: Final[Mapping[tuple[Carrier, Unit], tuple[Fuel, ...]]] = MappingProxyType(
    {
        (Carrier.GAS, Unit.ENERGY): (Fuel.NATURAL_GAS, Fuel.LPG),
        (Carrier.GAS, Unit.VOLUME): (Fuel.NATURAL_GAS, Fuel.LPG),
        (Carrier.HEAT, Unit.ENERGY): (Fuel.DISTRICT_HEAT, Fuel.DISTRICT_COOLING),
        (Carrier.WATER, Unit.VOLUME): (Fuel.WATER, Fuel.WASTEWATER),
        (Carrier.FUEL, Unit.VOLUME): _LIQUIDS,
        (Carrier.FUEL, Unit.ENERGY): (*_LIQUIDS, Fuel.WOOD, Fuel.WOOD_CHIPS, Fuel.WOOD_PELLETS),
    }
)
_OBVIOUS: Final[Mapping[Carrier, Fuel]] = MappingProxyType(
    {Carrier.GAS: Fuel.NATURAL_GAS, Carrier.WATER: Fuel.WATER}
)
"""What a meter counts unless somebody says otherwise.

Heat is missing: mostly a boiler or a heat pump makes it, whose gas or electricity has its own
meter.
"""

_ON_THE_WAY: Final = (Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM)


@dataclass(frozen=True, kw_only=True)
class CarrierAccount:
    """How what one meter counts becomes grams: factors by day, per Wh or per L."""

    library: FactorLibrary
    zone: str | None
    fuel: Fuel
    unit: Unit
    counting: Counting
    quantity: float = 1.0
    """What one Wh or L of the ledger is in the unit of `counting`."""

    own: EmissionFactor | None = None
    """The user's factor, which then stands alone."""

    _known: dict[date, Mapping[Label, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def factors(self, day: date | None = None) -> tuple[EmissionFactor, ...]:
        """Return the factors for a local day (None: the newest), each of another stage.

        First what is emitted at the site or where the heat is made, then biogenic carbon, then
        losses on the way and supply, unless the first contains them.
        """
        if self.own is not None:
            return (self.own,)
        biogenic = Selection(carrier=self.fuel, stage=main_stage(self.fuel), biogenic=True)
        main = self._find(fuel_query(self.fuel, self.zone), day)
        found = [main, self._find(Query(zone=self.zone, sources=biogenic), day)]
        if main is not None:
            found += [
                self._find(fuel_query(self.fuel, self.zone, stage), day)
                for stage in _ON_THE_WAY
                if not _contains(main, stage)
            ]
        return tuple(factor for factor in found if factor is not None)

    def _find(self, query: Query, day: date | None) -> EmissionFactor | None:
        found = find_fuel(self.library, query, self.counting, day)
        return None if found is None else found.factor

    def grams(self, day: date) -> Mapping[Label, float]:
        """Return gCO2eq per Wh or per L for a local day, by account and stage.

        Empty where no factor applies on that day.
        """
        known = self._known.get(day)
        if known is None:
            figures = weigh_carrier(self.quantity, self.counting, self.factors(day))
            known = MappingProxyType({figure.label: figure.value for figure in figures})
            self._known[day] = known
        return known


def ledger_unit(quantities: Collection[str]) -> Unit:
    """Return in what a meter with these quantities is booked: energy wherever it tells it."""
    return Unit.ENERGY if "energy_import" in quantities else Unit.VOLUME


def fuels_for(carrier: Carrier, unit: Unit) -> tuple[Fuel, ...]:
    """Return what a meter of a carrier can count in a unit, the usual first."""
    return _FUELS.get((carrier, unit), ())


def default_fuel(carrier: Carrier, unit: Unit) -> Fuel | None:
    """Return what a meter counts unless somebody says otherwise, None where that is open."""
    fuel = _OBVIOUS.get(carrier)
    return fuel if fuel in fuels_for(carrier, unit) else None


def default_heating_value(carrier: Carrier) -> HeatingValue:
    """Return how the energy of a carrier is billed: gas gross, oil and wood net."""
    return HeatingValue.GROSS if carrier is Carrier.GAS else HeatingValue.NET


def carrier_account(
    options: Mapping[str, Any],
    subentry: ConfigSubentry,
    *,
    quantities: Collection[str],
    library: FactorLibrary,
    zone: str | None,
) -> tuple[CarrierAccount, None] | tuple[None, CarrierGap]:
    """Return how a meter's gas, heat, water or fuel is weighed, or why it is not.

    `options` are the site's, `quantities` those of the meter's profile, `zone` that of the
    factor library.
    """
    carrier, unit = carrier_of(subentry.data), ledger_unit(quantities)
    settings = carrier_settings(options, subentry.subentry_id)
    chosen = settings.get(CONF_FUEL)
    if chosen == NOT_COUNTED:
        return None, CarrierGap.NOT_COUNTED
    fuel = Fuel(chosen) if chosen in fuels_for(carrier, unit) else default_fuel(carrier, unit)
    if fuel is None:
        return None, CarrierGap.NOT_CHOSEN
    calorific = positive(settings.get(CONF_CALORIFIC_VALUE))
    counting, quantity = _counting(carrier, unit, calorific, _heating_value(carrier, settings))
    own = number_of(settings.get(CONF_FACTOR))
    if own is not None:
        counting, quantity = Counting(unit=unit.value), 1.0
    account = CarrierAccount(
        library=library,
        zone=zone,
        fuel=fuel,
        unit=unit,
        counting=counting,
        quantity=quantity,
        own=None if own is None else _own_factor(own, fuel, unit, zone),
    )
    # A litre of LPG is 250 times as much in the tables, where it is liquid, as behind a gas meter.
    is_vapour = carrier is Carrier.GAS and fuel is Fuel.LPG and unit is Unit.VOLUME
    if own is None and is_vapour and calorific is None:
        return None, CarrierGap.NO_CALORIFIC_VALUE
    if account.factors():
        return account, None
    if unit is Unit.VOLUME and calorific is None and _has_factor(library, fuel, zone):
        return None, CarrierGap.NO_CALORIFIC_VALUE
    # Few countries publish a factor of water: who has not asked for one is not bothered.
    return None, CarrierGap.NO_FACTOR if chosen == fuel else CarrierGap.NOT_CHOSEN


def carrier_settings(options: Mapping[str, Any], subentry_id: str) -> Mapping[str, Any]:
    """Return what a site's options tell of what a meter counts."""
    return part_of(part_of(options, CONF_CARRIERS), subentry_id)


@callback
def async_report_carrier(
    hass: HomeAssistant, subentry: ConfigSubentry, gap: CarrierGap | None, zone: str | None
) -> None:
    """Tell in a repair issue what a meter's carbon lacks, until it does not any more.

    What nobody has chosen, or somebody has chosen not to count, is no fault.
    """
    issue = RepairIssue(hass, f"{CARRIER_ISSUE}{subentry.subentry_id}", warns=True)
    if gap in {CarrierGap.NO_FACTOR, CarrierGap.NO_CALORIFIC_VALUE}:
        issue.tell(f"carrier_{gap.value}", {"meter": subentry.title, "zone": zone or "-"})
    else:
        issue.clear()


def _counting(
    carrier: Carrier, unit: Unit, calorific: float | None, heating_value: HeatingValue | None
) -> tuple[Counting, float]:
    """Return how a meter counts, and what one Wh or L is in the unit of that.

    With the calorific value of the bill, in kWh/m³, a volume is energy: the bill knows this gas
    better than a table's factor for a cubic metre does.
    """
    if unit is Unit.VOLUME and calorific is not None and carrier in {Carrier.GAS, Carrier.FUEL}:
        return Counting(unit="kWh", heating_value=heating_value), calorific / 1000.0
    return Counting(unit=unit.value, heating_value=heating_value), 1.0


def _heating_value(carrier: Carrier, settings: Mapping[str, Any]) -> HeatingValue | None:
    """Return whether energy is meant gross or net, None where nothing is burnt."""
    if carrier not in {Carrier.GAS, Carrier.FUEL}:
        return None
    told = settings.get(CONF_HEATING_VALUE)
    return HeatingValue(told) if told in tuple(HeatingValue) else default_heating_value(carrier)


def _own_factor(value: float, fuel: Fuel, unit: Unit, zone: str | None) -> EmissionFactor:
    """Return the user's own factor, in gCO2eq per kWh or per m³."""
    source = FactorSource(
        id=OWN_FACTOR,
        title="",
        publisher="",
        edition="",
        scope=Scope.DIRECT,
        includes_td=True,
        file="",
        carrier=fuel,
        stage=main_stage(fuel),
    )
    return EmissionFactor(
        zone=zone or "",
        value=value,
        source=source,
        line=0,
        measure=Measure.ENERGY if unit is Unit.ENERGY else Measure.VOLUME,
    )


def _contains(main: EmissionFactor, stage: Stage) -> bool:
    """Return whether a factor has the carbon of another stage in it."""
    if stage is Stage.TRANSMISSION_DISTRIBUTION:
        return main.source.includes_td
    return main.source.lifecycle


def _has_factor(library: FactorLibrary, fuel: Fuel, zone: str | None) -> bool:
    """Return whether any table has a factor of a fuel for a zone, whatever it is per."""
    wanted = fuel_query(fuel, zone).sources
    return any(library.candidates(around, sources=wanted) for around in zone_and_around(zone))
