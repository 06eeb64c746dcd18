"""The action `carbon_meter.report`: every figure of a site over a period, as its response."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Final, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType
import numpy as np
import probatio

from .carbon.factors.factor import FactorSource
from .carbon.report.figures import kilo, part
from .carbon.report.periods import Bounds, Period, bounds, split
from .carbon.report.report import SiteReport
from .const import CONF_SITE, DOMAIN
from .data import CarbonMeterConfigEntry
from .intensity import SiteIntensity
from .loads.chosen import async_site
from .refusals import refused
from .report_notes import async_words, measured, notes
from .reporting import SiteAccounts, async_accounts

SERVICE_REPORT: Final = "report"

CONF_END: Final = "end"
CONF_MOMENT: Final = "moment"
CONF_PERIOD: Final = "period"
CONF_SPLIT: Final = "split"
CONF_START: Final = "start"

MOST_ROWS: Final = 750
"""A month of hours; more is for statistics."""

LONGEST: Final = 3 * 366 * 86400
"""Seconds; each calendar year of a report takes tens of megabytes while it is reckoned."""

_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Optional(CONF_PERIOD): probatio.Coerce(Period),
        probatio.Optional(CONF_MOMENT): cv.datetime,
        probatio.Optional(CONF_START): cv.datetime,
        probatio.Optional(CONF_END): cv.datetime,
        probatio.Optional(CONF_SPLIT): probatio.Coerce(Period),
    }
)


@callback
def async_register_report(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.report`."""

    async def report(call: ServiceCall) -> ServiceResponse:
        """Return the report of a site; raises ServiceValidationError for what cannot be told."""
        entry = async_site(hass, call.data.get(CONF_SITE))
        return await _async_report(hass, entry, call.data)

    hass.services.async_register(
        DOMAIN, SERVICE_REPORT, report, _SCHEMA, supports_response=SupportsResponse.ONLY
    )


async def _async_report(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return what is told of a site."""
    zone = dt_util.get_default_time_zone()
    wanted = _wanted(data, zone)
    pieces = await hass.async_add_executor_job(_pieces, wanted, data.get(CONF_SPLIT), zone)
    accounts = await async_accounts(hass, entry, wanted.start, wanted.end)
    first, end = accounts.archived.series.within(wanted.start, wanted.end)
    if first == end:
        raise refused("report_nothing_known")
    report, rows = await hass.async_add_executor_job(_told, accounts, wanted, pieces)
    site = entry.runtime_data
    response = _titled(report.as_dict(), accounts) | {
        "site": entry.title,
        "time_zone": hass.config.time_zone,
        "period": None if CONF_START in data else data.get(CONF_PERIOD, Period.MONTH).value,
        "measured": part(measured(accounts, report)),
        "market": accounts.terms.market,
        "sources": await hass.async_add_executor_job(
            partial(list, _sources(accounts, site.intensity, first, end))
        ),
        "factors": [_table(table) for table in accounts.tables],
        "missing": await async_words(hass, notes(site, accounts, report)),
    }
    if CONF_SPLIT in data:
        response["rows"] = [_titled(row, accounts) for row in rows]
    return cast("dict[str, JsonValueType]", response)


def _told(
    accounts: SiteAccounts, wanted: Bounds, pieces: list[Bounds]
) -> tuple[SiteReport, list[dict[str, Any]]]:
    """Return the report and its rows; runs in the executor."""
    rows = [accounts.report(piece.start, piece.end).as_dict() for piece in pieces]
    return accounts.report(wanted.start, wanted.end), rows


def _wanted(data: Mapping[str, Any], zone: tzinfo) -> Bounds:
    """Return the period of a report, up to now."""
    now = dt_util.utcnow().timestamp()
    if CONF_START in data or CONF_END in data:
        if CONF_PERIOD in data or CONF_MOMENT in data:
            raise refused("report_period_and_bounds")
        if CONF_START not in data:
            raise refused("report_no_start")
        start = _moment(data[CONF_START], zone)
        whole = Bounds(start, _moment(data[CONF_END], zone) if CONF_END in data else now)
    else:
        moment = _moment(data[CONF_MOMENT], zone) if CONF_MOMENT in data else now
        try:
            whole = bounds(data.get(CONF_PERIOD, Period.MONTH), moment, zone)
        except (ValueError, OverflowError) as err:
            raise refused("report_nothing_known") from err
    if whole.start >= now:
        raise refused("report_not_begun")
    if whole.end <= whole.start:
        raise refused("report_ends_before")
    passed = whole.until(now)
    if passed.end - passed.start > LONGEST:
        raise refused("report_too_long")
    return passed


def _moment(told: datetime, zone: tzinfo) -> float:
    """Return seconds since 1970 UTC; a time without an offset is one of the site's clock."""
    try:
        return (told if told.tzinfo is not None else told.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError) as err:
        raise refused("report_nothing_known") from err


def _pieces(wanted: Bounds, period: Period | None, zone: tzinfo) -> list[Bounds]:
    """Return the periods of which each is a row; a calendar takes its time, so in an executor."""
    pieces: list[Bounds] = []
    if period is None:
        return pieces
    for piece in split(wanted.start, wanted.end, period, zone):
        if len(pieces) == MOST_ROWS:
            raise refused("report_too_many_rows", rows=str(MOST_ROWS))
        pieces.append(piece)
    return pieces


def _titled(report: dict[str, Any], accounts: SiteAccounts) -> dict[str, Any]:
    """Return a report whose contracts have the names that the user has given them."""
    for way in ("market_hourly", "market_annual"):
        for contract in report["scope_2"][way]["contracts"]:
            contract["title"] = accounts.titles[contract["id"]]
    return report


def _sources(
    accounts: SiteAccounts, intensity: SiteIntensity, first: int, end: int
) -> Iterator[dict[str, Any]]:
    """Yield what told the intensity of the grid, and what has to be said of it."""
    told = accounts.archived.sources[first:end].astype(str)
    imported = accounts.archived.series.grid_import[first:end]
    names, places = np.unique(told, return_inverse=True)
    energies = np.bincount(places, weights=imported, minlength=len(names))
    for name, energy in zip(names.tolist(), energies.tolist(), strict=True):
        if name:
            yield {"id": name, "import_kwh": kilo(energy)} | _source(accounts, intensity, name)


def _source(accounts: SiteAccounts, intensity: SiteIntensity, name: str) -> dict[str, Any]:
    """Return name, scope, licence and attribution of a source; one that is gone has its id."""
    if name.startswith("library:"):
        table = accounts.library.sources.get(name.split(":")[1])
        return {"name": name} if table is None else _named(table)
    info = intensity.info(name)
    if name != info.id and not name.startswith(f"{info.id}:"):
        return {"name": name}
    return {
        "name": info.name,
        "scope": None if info.scope is None else info.scope.value,
        "licence": info.licence or None,
        "attribution": info.attribution or None,
    }


def _named(table: FactorSource) -> dict[str, Any]:
    """Return name, scope, licence and attribution of a table of factors."""
    return {
        "name": f"{table.publisher}, {table.edition}",
        "scope": table.scope.value,
        "licence": table.licence,
        "attribution": table.attribution,
    }


def _table(table: FactorSource) -> dict[str, Any]:
    """Return the edition of a table of factors."""
    return _named(table) | {
        "id": table.id,
        "title": table.title,
        "carrier": table.carrier.value,
        "stage": table.stage.value,
        "published": None if table.published is None else table.published.isoformat(),
        "url": table.url,
    }
