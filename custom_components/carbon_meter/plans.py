"""What a site is made of, for its book: out of its entry, its meters and the factor library."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .carbon.accounting.figures import Label
from .carbon.factors.library import FactorLibrary
from .carbon.flow.metered import MeteredNetwork
from .carbon.site.meters import Role, SiteMeter, SiteMeters
from .carbon.site.network import with_ids
from .carbon.site.plan import SitePlan
from .carbon.site.schedule import Schedule
from .carbon.site.yearly import by_day, factor_spans, scheduled, site_factors
from .carbon.supply.battery import Battery
from .carriers import CarrierAccount, async_report_carrier, carrier_account
from .const import (
    CONF_PARENT,
    CONF_ROLE,
    CONF_ZONE,
    DOMAIN,
    SUBENTRY_METER,
    Carrier,
    carrier_of,
)
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry
from .details import BatteryDetails, SiteDetails, battery_of, details_of
from .libraries import Libraries, async_get_libraries
from .meter_tree import counts_as_import
from .networks import async_network

_YEARS: Final = 3
"""Calendar years before this one whose factors are looked up: more than is ever filled in."""


@dataclass(frozen=True, kw_only=True)
class PlanParts:
    """Everything that a plan is made of, gathered in the event loop."""

    library: FactorLibrary
    zone: str | None
    time_zone: tzinfo
    today: date
    details: SiteDetails
    meters: tuple[SiteMeter, ...]
    batteries: Mapping[str, BatteryDetails]
    carriers: Mapping[str, CarrierAccount]
    unweighed: tuple[str, ...]
    """Meters of gas, heat, water or fuel that nothing weighs: they have their quantity alone."""

    areas: Mapping[str, tuple[str, ...]]
    network: MeteredNetwork | None

    def plan(self) -> SitePlan:
        """Return the plan; looks up years of factors, so call it in an executor."""
        start = date(self.today.year - _YEARS, 1, 1)
        end = self.today + timedelta(days=2)
        known = factor_spans(self.library, self.zone, start, end)
        return SitePlan(
            meters=SiteMeters(self.meters),
            factors=site_factors(
                self.library,
                known,
                self.time_zone,
                solar_scope=self.details.solar_scope,
                loss_share=self.details.loss_share,
            ),
            carriers={meter_id: {} for meter_id in self.unweighed}
            | {
                meter_id: _schedules(account, start, end, self.time_zone)
                for meter_id, account in self.carriers.items()
            },
            areas=self.areas,
            batteries=partial(_ledgers, self.batteries),
            learning=[
                meter_id
                for meter_id, details in self.batteries.items()
                if details.round_trip is None
            ],
            network=self.network,
        )


def _ledgers(batteries: Mapping[str, BatteryDetails]) -> dict[str, Battery]:
    """Return empty ledgers."""
    return {meter_id: details.ledger() for meter_id, details in batteries.items()}


def figure_of(label: Label) -> str:
    """Return by which name the figure of a carrier is kept: its account, and the stage."""
    return label.account.value if label.stage is None else f"{label.account}_{label.stage}"


def _schedules(
    account: CarrierAccount, start: date, end: date, zone: tzinfo
) -> dict[str, Schedule]:
    """Return gCO2eq per Wh or L by figure and day."""
    labels = {label for day in _days(start, end) for label in account.grams(day)}

    def of(label: Label) -> Callable[[date], float]:
        return lambda day: account.grams(day).get(label, 0.0)

    return {figure_of(label): scheduled(by_day(of(label), start, end), zone) for label in labels}


def _days(start: date, end: date) -> Iterable[date]:
    return (start + timedelta(days=days) for days in range((end - start).days))


@callback
def async_plan_parts(
    hass: HomeAssistant,
    entry: ConfigEntry,
    libraries: Libraries,
    meters: Mapping[str, MeterCoordinator],
) -> PlanParts:
    """Gather what the plan of a site is made of.

    A carrier without a factor is told, and so is a network that is not one of the site's meters.
    """
    library = libraries.factors
    chosen = async_network(hass, entry, libraries.networks)
    options: Mapping[str, Any] = entry.options
    subentries = entry.get_subentries_of_type(SUBENTRY_METER)
    electric = [one for one in subentries if carrier_of(one.data) is Carrier.ELECTRICITY]
    by_unique_id = {one.unique_id: one.subentry_id for one in electric}
    zone = options.get(CONF_ZONE) or hass.config.country
    carriers: dict[str, CarrierAccount] = {}
    unweighed: list[str] = []
    for subentry in subentries:
        meter = meters.get(subentry.subentry_id)
        if subentry in electric or meter is None:
            continue
        account, gap = carrier_account(
            options,
            subentry,
            quantities=meter.profile.quantities,
            library=library,
            zone=zone,
        )
        async_report_carrier(hass, subentry, gap, zone)
        if account is None:
            unweighed.append(subentry.subentry_id)
        else:
            carriers[subentry.subentry_id] = account
    return PlanParts(
        library=library,
        zone=zone,
        time_zone=dt_util.get_default_time_zone(),
        today=dt_util.now().date(),
        details=details_of(options, hass.config.country),
        meters=tuple(
            SiteMeter(
                id=one.subentry_id,
                role=Role(one.data[CONF_ROLE]),
                parent=by_unique_id.get(one.data.get(CONF_PARENT), one.data.get(CONF_PARENT)),
                reversed=one.subentry_id in meters and counts_as_import(meters[one.subentry_id]),
            )
            for one in electric
        ),
        batteries={
            one.subentry_id: battery_of(options, one.subentry_id)
            for one in electric
            if one.data[CONF_ROLE] == Role.BATTERY
        },
        carriers=carriers,
        unweighed=tuple(unweighed),
        areas=_areas(hass, entry, [one.subentry_id for one in subentries]),
        network=None if chosen is None else with_ids(chosen.metered, chosen.meters),
    )


def _areas(
    hass: HomeAssistant, entry: ConfigEntry, subentry_ids: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the meters by the area in which Home Assistant has their device."""
    registry = dr.async_get(hass)
    found: dict[str, tuple[str, ...]] = {}
    for subentry_id in subentry_ids:
        device = registry.async_get_device_by_identifier((DOMAIN, subentry_id), entry.entry_id)
        if device is not None and device.area_id is not None:
            found[device.area_id] = (*found.get(device.area_id, ()), subentry_id)
    return found


async def async_plan_anew(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Let the book of a loaded site go on with what it is made of now."""
    site = entry.runtime_data
    libraries = await async_get_libraries(hass)
    parts = async_plan_parts(hass, entry, libraries, site.meters)
    await site.keeper.async_plan(await hass.async_add_executor_job(parts.plan))
