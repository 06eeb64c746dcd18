"""The actions that change or tell the record's past: backfill, restate, audit_trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
import math
from typing import Any, Final, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util import dt as dt_util
import probatio

from .carbon.archive.errors import ArchiveError
from .carbon.intervals import HOUR, INTERVAL, floor
from .carbon.site.book import Restated
from .carbon.site.entries import GridEntry
from .const import CONF_SITE, CONF_SOURCE, DOMAIN
from .data import Site
from .editions import yearly_again
from .loads.chosen import async_site
from .past_request import async_request, meters_of
from .refusals import failed, refused
from .restatement import async_from_history, async_restate, audit_as_dict, given

SERVICE_AUDIT_TRAIL: Final = "audit_trail"
SERVICE_BACKFILL: Final = "backfill"
SERVICE_RESTATE: Final = "restate"

CONF_BEFORE: Final = "before"
CONF_END: Final = "end"
CONF_FACTORS: Final = "factors"
CONF_HISTORY: Final = "history"
CONF_INTENSITY: Final = "intensity"
CONF_LIMIT: Final = "limit"
CONF_METERS: Final = "meters"
CONF_PRESENT_PLAN: Final = "present_plan"
CONF_REASON: Final = "reason"
CONF_START: Final = "start"
CONF_STATISTIC_EXPORT: Final = "statistic_export"
CONF_STATISTIC_IMPORT: Final = "statistic_import"

_STATISTICS: Final = {CONF_STATISTIC_IMPORT: "import", CONF_STATISTIC_EXPORT: "export"}

_HIGHEST: Final = 5000.0
"""gCO2eq/kWh; what is more is a slip of the unit."""

_MOST_ENTRIES: Final = 1000
_USUAL_ENTRIES: Final = 100


def _finite(value: float) -> float:
    """Refuse what is no number."""
    if not math.isfinite(value):
        raise probatio.Invalid("an intensity is a number")
    return value


_METERS: Final = probatio.All(cv.ensure_list, [cv.string])

_BACKFILL: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Optional(CONF_START): cv.datetime,
        probatio.Optional(CONF_METERS, default=list): _METERS,
        probatio.Optional(CONF_STATISTIC_IMPORT): cv.string,
        probatio.Optional(CONF_STATISTIC_EXPORT): cv.string,
    }
)
_RESTATE: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Required(CONF_START): cv.datetime,
        probatio.Required(CONF_END): cv.datetime,
        probatio.Optional(CONF_METERS, default=list): _METERS,
        probatio.Optional(CONF_INTENSITY): probatio.All(
            probatio.Coerce(float), _finite, probatio.Range(min=0.0, max=_HIGHEST)
        ),
        probatio.Optional(CONF_SOURCE): probatio.In([CONF_HISTORY]),
        probatio.Optional(CONF_FACTORS, default=False): cv.boolean,
        probatio.Optional(CONF_PRESENT_PLAN, default=False): cv.boolean,
        probatio.Optional(CONF_REASON, default=""): cv.string,
    }
)
_AUDIT_TRAIL: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Optional(CONF_LIMIT, default=_USUAL_ENTRIES): probatio.All(
            probatio.Coerce(int), probatio.Range(min=1, max=_MOST_ENTRIES)
        ),
        probatio.Optional(CONF_BEFORE): probatio.All(probatio.Coerce(int), probatio.Range(min=1)),
    }
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Offer the actions, whether or not a site is loaded."""

    async def backfill(call: ServiceCall) -> ServiceResponse:
        """Fill in past hours and return what was done."""
        site = _site(hass, call.data)
        request = await async_request(
            hass,
            site,
            start=call.data.get(CONF_START),
            chosen=call.data[CONF_METERS],
            statistics={
                way: call.data[key] for key, way in _STATISTICS.items() if key in call.data
            },
        )
        return cast("ServiceResponse", await site.backfill.async_fill(request))

    async def restate(call: ServiceCall) -> ServiceResponse:
        """Weigh hours again and return what that has changed."""
        site = _site(hass, call.data)
        try:
            return cast("ServiceResponse", await _async_restate(hass, site, call.data))
        except ArchiveError as err:
            raise failed("archive_unusable", err) from err

    async def audit_trail(call: ServiceCall) -> ServiceResponse:
        """Return what was changed after it was told, the newest first."""
        archive = _site(hass, call.data).keeper.archive
        try:
            entries = await hass.async_add_executor_job(
                archive.audit, call.data[CONF_LIMIT], call.data.get(CONF_BEFORE)
            )
        except ArchiveError as err:
            raise failed("archive_unusable", err) from err
        return cast("ServiceResponse", {"entries": [audit_as_dict(entry) for entry in entries]})

    async_register_admin_service(
        hass, DOMAIN, SERVICE_BACKFILL, backfill, _BACKFILL, SupportsResponse.OPTIONAL
    )
    async_register_admin_service(
        hass, DOMAIN, SERVICE_RESTATE, restate, _RESTATE, SupportsResponse.OPTIONAL
    )
    hass.services.async_register(
        DOMAIN, SERVICE_AUDIT_TRAIL, audit_trail, _AUDIT_TRAIL, SupportsResponse.ONLY
    )


async def _async_restate(
    hass: HomeAssistant, site: Site, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Restate in the one way that was asked for."""
    ways = [
        key
        for key in (CONF_INTENSITY, CONF_SOURCE, CONF_FACTORS, CONF_PRESENT_PLAN)
        if data.get(key) not in (None, False)
    ]
    if len(ways) != 1:
        raise refused("restate_one_way")
    start, end = _stretch(data[CONF_START], data[CONF_END])
    meters = meters_of(hass, site, data[CONF_METERS])
    first, stop = floor(start, HOUR), floor(end + HOUR - 1, HOUR)
    grid: Sequence[GridEntry] = ()
    match ways[0]:
        case "intensity":
            if not data[CONF_REASON].strip():
                raise refused("reason_needed")
            grid = given(start, end, data[CONF_INTENSITY])
            reason = "given_intensity"
        case "source":
            grid = await async_from_history(site, start, end)
            if not grid:
                raise refused("no_history")
            reason = "asked_sources"
        case "factors":
            grid, _ = await hass.async_add_executor_job(
                yearly_again, site.keeper.archive, site.intensity.library, first, stop
            )
            reason = "present_factors"
        case _:
            reason = "present_plan"
    return await async_restate(
        hass,
        site,
        start,
        end,
        grid=grid,
        why=Restated(reason=reason, detail=data[CONF_REASON].strip()),
        with_present_plan=ways[0] == CONF_PRESENT_PLAN,
        meters=meters,
    )


def _stretch(start: datetime, end: datetime) -> tuple[int, int]:
    """Return a stretch of the past in full intervals, those that it touches."""
    begin, stop = (dt_util.as_utc(moment).timestamp() for moment in (start, end))
    if begin >= stop:
        raise refused("start_after_end")
    now = dt_util.utcnow().timestamp()
    if begin >= now:
        raise refused("start_not_past", start=start.isoformat())
    return floor(begin, INTERVAL), floor(min(stop, now) + INTERVAL - 1, INTERVAL)


def _site(hass: HomeAssistant, data: Mapping[str, Any]) -> Site:
    """Return the site that was chosen; see `async_site`."""
    return async_site(hass, data.get(CONF_SITE)).runtime_data
