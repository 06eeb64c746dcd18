"""What a report lacks, told in words: a figure that stands in for another is never silent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
import numpy as np

from .carbon.accounting.contracts import ContractKind
from .carbon.factors.factor import Stage
from .carbon.intervals import INTERVAL
from .carbon.report.report import SiteReport
from .const import DOMAIN
from .data import Site
from .reporting import REMOVED, SiteAccounts

_ROUNDING: Final = 1e-6
"""Relative difference that nobody is told of."""

_LOSSES: Final = (Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM_AND_LOSSES)
_SUPPLY: Final = (Stage.UPSTREAM, Stage.UPSTREAM_AND_LOSSES)


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that is missing; `key` names its text under `common` in the translations."""

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)


def notes(site: Site, accounts: SiteAccounts, report: SiteReport) -> Iterator[Note]:
    """Yield what a report of a site lacks."""
    if not site.keeper.plan.meters.grids:
        yield Note(key="report_no_grid_meter")
    if site.left_out:
        yield Note(key="report_meter_left_out")
    yield from _of_time(accounts, report)
    yield from _of_intensity(accounts, report)
    yield from _of_contracts(accounts, report)
    if np.isnan(accounts.archived.series.carbon_free).any():
        yield Note(key="report_no_carbon_free_share")
    if _is_unknown(report, _LOSSES):
        yield Note(key="report_no_losses")
    if _is_unknown(report, _SUPPLY):
        yield Note(key="report_no_fuel_supply")
    if report.avoided_marginal is None and report.energy.grid_export > 0.0:
        yield Note(key="report_no_marginal")
    for title in accounts.unweighed_meters:
        yield Note(key="report_no_carrier_factor", placeholders={"meter": title})
    if any(carrier.figure.label.carrier == REMOVED for carrier in report.carriers):
        yield Note(key="report_meter_removed")
    if report.energy.unmetered > _ROUNDING * report.energy.consumption:
        yield Note(key="report_unmetered", placeholders={"energy": _kilo(report.energy.unmetered)})


async def async_words(hass: HomeAssistant, found: Iterable[Note]) -> list[dict[str, str]]:
    """Return notes with their texts in the language of Home Assistant."""
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    return [
        {
            "key": note.key,
            "text": texts[f"component.{DOMAIN}.common.{note.key}"].format(**note.placeholders),
        }
        for note in found
    ]


def _of_time(accounts: SiteAccounts, report: SiteReport) -> Iterator[Note]:
    """Yield what is missing of the time."""
    starts = accounts.archived.series.starts
    begin = datetime.fromtimestamp(float(starts[0]), report.zone).isoformat(" ", "minutes")
    if starts[0] > report.period.start:
        yield Note(key="report_begins_late", placeholders={"start": begin})
    share = measured(accounts, report)
    # The last reading always lies a moment back.
    if share is not None and (1.0 - share) * _passed(accounts, report) > INTERVAL:
        yield Note(key="report_not_measured", placeholders={"percent": f"{100.0 * share:.1f}"})
    for year in report.years:
        if not year.from_start:
            yield Note(
                key="report_year_incomplete",
                placeholders={"year": str(year.year), "start": begin},
            )
        if not year.over:
            yield Note(key="report_year_running", placeholders={"year": str(year.year)})


def measured(accounts: SiteAccounts, report: SiteReport) -> float | None:
    """Return the part of a report's time that readings account for, None where none has passed."""
    first, end = accounts.archived.series.within(report.period.start, report.period.end)
    passed = _passed(accounts, report)
    seconds = float(accounts.archived.measured[first:end].sum())
    return min(1.0, seconds / passed) if passed > 0.0 else None


def _passed(accounts: SiteAccounts, report: SiteReport) -> float:
    """Return the seconds of a report's time from when on something is known, up to now."""
    first, _ = accounts.archived.series.within(report.period.start, report.period.end)
    return min(report.period.end, accounts.now) - float(accounts.archived.series.starts[first])


def _of_intensity(accounts: SiteAccounts, report: SiteReport) -> Iterator[Note]:
    """Yield what is missing of intensities and factors of the grid."""
    if report.energy.unweighed:
        yield Note(
            key="report_no_intensity", placeholders={"energy": _kilo(report.energy.unweighed)}
        )
    if report.location_annual.unweighed:
        yield Note(
            key="report_no_yearly_factor",
            placeholders={"energy": _kilo(report.location_annual.unweighed)},
        )
    first, end = accounts.archived.series.within(report.period.start, report.period.end)
    told = float(accounts.archived.annual[first:end].sum())
    value = report.location_annual.figure.value
    if abs(told - value) > _ROUNDING * max(told, value):
        yield Note(key="report_factors_changed", placeholders={"carbon": _kilo(told)})


def _of_contracts(accounts: SiteAccounts, report: SiteReport) -> Iterator[Note]:
    """Yield what is missing of contracts, and which of them could not be used."""
    if not accounts.titles:
        yield Note(key="report_no_contract")
    elif report.market_hourly.average > 0.0 and not _has_residual_mix(accounts):
        yield Note(key="report_no_residual_mix")
    for refused in accounts.refused(report):
        yield Note(key="report_contract_unused", placeholders=refused)


def _has_residual_mix(accounts: SiteAccounts) -> bool:
    return any(
        contract.kind is ContractKind.RESIDUAL_MIX and contract.market == accounts.terms.market
        for contract in accounts.terms.contracts
    )


def _is_unknown(report: SiteReport, stages: Iterable[Stage]) -> bool:
    """Return whether there is import of which none of some stages is known."""
    told = [report.stages[stage].unknown for stage in stages if stage in report.stages]
    return min(told, default=0.0) > 0.0


def _kilo(value: float) -> str:
    """Return kWh of Wh, or kg of g, as people read it."""
    return f"{value / 1000.0:.3f}"
