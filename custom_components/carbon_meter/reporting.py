"""Reports of a loaded site: from its book, its contracts and its details to every figure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
import math
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .carbon.accounting.contracts import Contract
from .carbon.accounting.figures import Account, Label
from .carbon.archive.archive import Archive
from .carbon.archive.errors import ArchiveError
from .carbon.factors.factor import FactorSource, Stage
from .carbon.factors.library import FactorLibrary
from .carbon.flow.amounts import FloatArray, ImpossibleAmountError
from .carbon.intervals import HOUR, floor
from .carbon.report.archived import ArchivedSite, CarrierUse, CarrierUses, archived_site
from .carbon.report.periods import Bounds
from .carbon.report.report import AccountedSite, SiteReport, data_for
from .carbon.report.series import SiteTerms
from .carbon.site.book import SITE_OWNER, TIME, area_owner
from .carbon.site.schedule import Schedule
from .carbon.site.yearly import FactorSpans, by_day, factor_spans, scheduled
from .carriers import (
    CONF_FUEL,
    NOT_COUNTED,
    OWN_FACTOR,
    CarrierAccount,
    carrier_settings,
)
from .const import (
    CONTRACT_ISSUE,
    DOMAIN,
    SUBENTRY_CONTRACT,
    SUBENTRY_METER,
    Carrier,
    carrier_of,
)
from .contract_profiles import async_profiles
from .contracts import async_contracts, statistics_of
from .data import CarbonMeterConfigEntry
from .libraries import async_get_libraries
from .plans import PlanParts, async_plan_parts, figure_of
from .refusals import failed

REMOVED: Final = "removed_meter"
"""In place of the carrier of a meter that is gone: nobody knows any more what it counted."""

_KEPT: Final = {
    figure_of(label): label
    for account in (Account.DIRECT, Account.LOCATION_BASED, Account.VALUE_CHAIN, Account.BIOGENIC)
    for stage in (None, *Stage)
    for label in (Label(account=account, stage=stage, carrier=REMOVED),)
}
"""The figures of other carriers than electricity, as the archive names them."""


@dataclass(frozen=True, kw_only=True)
class SiteAccounts:
    """The intervals of a site, weighed in every way, and where the figures come from."""

    archived: ArchivedSite
    terms: SiteTerms
    accounted: AccountedSite
    now: float
    """Up to when, seconds since 1970 UTC."""

    library: FactorLibrary
    tables: Sequence[FactorSource]
    """The factor tables that hold in the time that was asked for."""

    titles: Mapping[str, str]
    """The contracts by their ids, with those that were left out."""

    left_out: Mapping[str, str]
    """By the id of a contract that cannot be: what is wrong with it."""

    unweighed_meters: Sequence[str]
    """Titles of the meters of other carriers that no factor weighs."""

    def refused(self, report: SiteReport) -> list[dict[str, str]]:
        """Return which contracts were not used in a report, and why."""
        found = [
            {"contract": self.titles[contract_id], "problem": problem}
            for contract_id, problem in self.left_out.items()
        ]
        for market in (report.market_hourly, report.market_annual):
            for use in market.contracts:
                told = {"contract": self.titles[use.contract.id], "problem": use.refused or ""}
                if use.refused is not None and told not in found:
                    found.append(told)
        return found

    def report(self, start: float, end: float) -> SiteReport:
        """Return the figures of [start, end); blocks, so call it in an executor."""
        return self.accounted.report(start, end)


async def async_accounts(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, start: float, end: float
) -> SiteAccounts:
    """Return the accounts of a loaded site for reports within [start, end).

    They reach over the calendar years of that time, up to now: annual matching needs them. What
    the meters have said is entered into the book before. Raises HomeAssistantError, translated,
    where the archive cannot be used or the figures cannot be.
    """
    site = entry.runtime_data
    await site.keeper.async_enter()
    now = dt_util.utcnow().timestamp()
    libraries = await async_get_libraries(hass)
    parts = async_plan_parts(hass, entry, libraries, site.meters)
    try:
        archived = await async_site_series(hass, entry, parts, Bounds(start, end))
        starts = archived.series.starts
        profiles = await async_profiles(hass, statistics_of(entry), starts)
        contracts = async_contracts(hass, entry, profiles.get)
        known = await hass.async_add_executor_job(_spans, parts, starts)
        terms = _terms(parts, contracts, known)
        days = _days(start, min(end, now), parts.time_zone)
        tables = await hass.async_add_executor_job(_tables, known, parts, days)
        accounted = await hass.async_add_executor_job(AccountedSite, archived.series, terms)
    except ArchiveError as err:
        raise failed("archive_unusable", err) from err
    except ImpossibleAmountError as err:
        raise failed("report_impossible", err) from err
    subentries = entry.get_subentries_of_type(SUBENTRY_CONTRACT)
    used = {contract.id for contract in contracts}
    return SiteAccounts(
        archived=archived,
        terms=terms,
        accounted=accounted,
        now=now,
        library=parts.library,
        tables=tables,
        titles={one.subentry_id: one.title for one in subentries},
        left_out={
            one.subentry_id: _problem(hass, one.subentry_id)
            for one in subentries
            if one.subentry_id not in used
        },
        unweighed_meters=_unweighed(entry, parts),
    )


async def async_site_series(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, parts: PlanParts, period: Bounds
) -> ArchivedSite:
    """Return what the archive holds of the calendar years that a period touches, up to now.

    Intervals are of five minutes; what is older than the archive keeps so finely is spread over
    its quarters of an hour. Raises ArchiveError and ImpossibleAmountError.
    """
    archive = entry.runtime_data.keeper.archive
    wanted = data_for(period.start, period.end, parts.time_zone)
    now = dt_util.utcnow().timestamp()
    present = frozenset(entry.subentries)
    return await hass.async_add_executor_job(_read, archive, parts, present, wanted.until(now))


def _read(
    archive: Archive, parts: PlanParts, present: Collection[str], wanted: Bounds
) -> ArchivedSite:
    """Read the archive; runs in the executor."""
    known = archive.first_hour()
    first = max(int(wanted.start), floor(wanted.end, HOUR) if known is None else known)
    days = _days(first, wanted.end, parts.time_zone)
    return archived_site(
        archive,
        first,
        wanted.end,
        carriers=CarrierUses(
            present=[
                CarrierUse(
                    meter=meter_id,
                    unit=account.unit.value,
                    factors=_factors(account, days, parts.time_zone),
                )
                for meter_id, account in parts.carriers.items()
            ],
            removed={owner: _KEPT for owner in archive.owners() if _is_meter(owner, present)},
        ),
        carbon_free=parts.details.grid_carbon_free,
    )


def _is_meter(owner: str, present: Collection[str]) -> bool:
    """Return whether an owner of figures is a meter that is gone."""
    is_other = owner == SITE_OWNER or owner.endswith(TIME) or owner.startswith(area_owner(""))
    return not is_other and owner not in present


def _days(start: float, end: float, zone: tzinfo) -> tuple[date, date]:
    """Return the first local day of some time and the one after its last."""
    first = datetime.fromtimestamp(start, zone).date()
    return first, datetime.fromtimestamp(max(start, end), zone).date() + timedelta(days=1)


def _each(days: tuple[date, date]) -> Iterator[date]:
    """Yield the days from the first up to, not including, the second."""
    start, end = days
    return (start + timedelta(days=place) for place in range((end - start).days))


def _factors(
    account: CarrierAccount, days: tuple[date, date], zone: tzinfo
) -> dict[Label, Callable[[FloatArray], FloatArray]]:
    """Return gCO2eq per Wh or L by label and day, NaN on days without."""
    start, end = days
    grams = [account.grams(day) for day in _each(days)]
    labels = dict.fromkeys(label for of_day in grams for label in of_day)

    def of(label: Label) -> Schedule:
        found = by_day(lambda day: grams[(day - start).days].get(label, math.nan), start, end)
        return scheduled(found, zone)

    return {label: of(label).at for label in labels}


def _spans(parts: PlanParts, starts: FloatArray) -> FactorSpans:
    """Return the factors of the grid for some intervals; looks them up, so in the executor."""
    first, last = (starts[0], starts[-1]) if len(starts) else (0.0, 0.0)
    days = _days(float(first), float(last), parts.time_zone)
    return factor_spans(parts.library, parts.zone, *days)


def _terms(parts: PlanParts, contracts: Sequence[Contract], known: FactorSpans) -> SiteTerms:
    """Return what is agreed about a site."""
    return SiteTerms(
        zone=parts.time_zone,
        market=parts.details.market,
        factors=known.generation,
        losses=known.losses,
        loss_share=parts.details.loss_share,
        upstream=known.upstream,
        contracts=contracts,
        references=parts.details.references,
    )


def _tables(known: FactorSpans, parts: PlanParts, days: tuple[date, date]) -> list[FactorSource]:
    """Return the tables of the factors that hold on some days, each once; in the executor."""
    start, end = days
    found = [
        span.factor
        for track in (known.generation, known.losses, known.upstream)
        for span in track
        if span.factor is not None and span.start < end and start < span.end
    ]
    for account in parts.carriers.values():
        last = None
        for day in _each(days):
            grams = account.grams(day)
            if grams != last or (day.month, day.day) == (1, 1):
                found += account.factors(day)
            last = grams
    tables = {(one.source.id, one.source.carrier, one.source.stage): one.source for one in found}
    return [table for table in tables.values() if table.id != OWN_FACTOR]


def _unweighed(entry: CarbonMeterConfigEntry, parts: PlanParts) -> list[str]:
    """Return the titles of meters of other carriers that are to be weighed and have no factor."""
    return [
        one.title
        for one in entry.get_subentries_of_type(SUBENTRY_METER)
        if carrier_of(one.data) is not Carrier.ELECTRICITY
        and one.subentry_id not in parts.carriers
        and carrier_settings(entry.options, one.subentry_id).get(CONF_FUEL) != NOT_COUNTED
    ]


def _problem(hass: HomeAssistant, contract_id: str) -> str:
    """Return what the repair issue of a contract tells."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{CONTRACT_ISSUE}{contract_id}")
    placeholders = None if issue is None else issue.translation_placeholders
    return (placeholders or {}).get("problem", "")
