"""Which meters of a site have a past that can be filled in, and from what."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from .adoption.sources import DRIVER_KEY, sources_of
from .backfill import Request
from .carbon.intervals import HOUR, floor
from .const import CONF_DRIVER, DOMAIN
from .data import Site
from .past_energy import PastSource, kind_of, past_sources
from .refusals import refused

_USUAL_MONTHS: Final = 24

_LONGEST_YEARS: Final = 3
"""Calendar years before this one for which factors are looked up, see `plans`."""

_MONTHS: Final = 12


def usual_start(now: datetime) -> datetime:
    """Return the beginning of the local day 24 months ago."""
    year, month = divmod(now.year * _MONTHS + now.month - 1 - _USUAL_MONTHS, _MONTHS)
    return dt_util.start_of_local_day(now.replace(year=year, month=month + 1, day=1)).replace(
        day=min(now.day, 28)
    )


@callback
def adopted_past(
    hass: HomeAssistant, site: Site, chosen: Iterable[str] = ()
) -> dict[str, tuple[PastSource, ...]]:
    """Return the statistics of adopted meters, of all or of chosen ones, by subentry.

    A meter whose sums go on from before the archive is left out: its hours are in the record.
    """
    wanted = tuple(chosen) or tuple(site.meters)
    found: dict[str, tuple[PastSource, ...]] = {}
    for meter_id in wanted:
        data = site.meters[meter_id].subentry.data
        if data.get(CONF_DRIVER) != DRIVER_KEY or meter_id in site.keeper.continued:
            continue
        if sources := past_sources(hass, sources_of(data)):
            found[meter_id] = sources
    return found


async def async_request(
    hass: HomeAssistant,
    site: Site,
    *,
    start: datetime | None = None,
    chosen: Iterable[str] = (),
    statistics: Mapping[str, str] | None = None,
) -> Request:
    """Return what to fill in.

    `chosen` are devices or subentries, none for all adopted meters; `statistics` are those of
    one chosen meter by import and export. Raises ServiceValidationError, which says what to do.
    """
    if RECORDER_DOMAIN not in hass.config.components:
        raise refused("recorder_missing")
    now = dt_util.now()
    begin = _begin(now, start)
    meters = [_meter(hass, site, one) for one in chosen]
    if statistics:
        if len(meters) != 1:
            raise refused("statistics_of_one_meter")
        (meter_id,) = meters
        _check_can_begin(site, meter_id)
        sources = [
            await _async_source(hass, statistic, way) for way, statistic in statistics.items()
        ]
        return Request(start=begin, meters={meter_id: tuple(sources)})
    found = adopted_past(hass, site, meters)
    for meter_id in meters:
        _check_can_begin(site, meter_id)
        if meter_id not in found:
            name = site.meters[meter_id].subentry.title
            raise refused("statistic_needed", meter=name)
    if not found:
        raise refused("nothing_to_fill")
    return Request(start=begin, meters=found)


def _begin(now: datetime, start: datetime | None) -> int:
    """Return the full hour from which on to fill in."""
    begin = usual_start(now) if start is None else _local(start, now.tzinfo)
    if begin >= now:
        raise refused("start_not_past", start=begin.isoformat())
    if begin.year < now.year - _LONGEST_YEARS:
        raise refused("start_too_early", start=f"{now.year - _LONGEST_YEARS}-01-01")
    return floor(begin.timestamp(), HOUR)


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a moment in local time; one that names no zone is local."""
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _check_can_begin(site: Site, meter_id: str) -> None:
    """Refuse a meter whose hours before are in the record already."""
    if meter_id in site.keeper.continued:
        name = site.meters[meter_id].subentry.title
        raise refused("meter_continued", meter=name)


async def _async_source(hass: HomeAssistant, statistic: str, way: str) -> PastSource:
    """Return a statistic that a user has named; `way` is import or export."""
    kind = await get_instance(hass).async_add_executor_job(kind_of, hass, statistic)
    if kind == "volume" and way == "import":
        return PastSource(statistic=statistic, quantity="volume")
    if kind != "energy":
        raise refused("statistic_unusable", statistic=statistic)
    return PastSource(statistic=statistic, quantity=f"energy_{way}")


def _meter(hass: HomeAssistant, site: Site, chosen: str) -> str:
    """Return the subentry of a meter that was named by it or by its device."""
    if chosen in site.meters:
        return chosen
    device: Any = dr.async_get(hass).async_get(chosen)
    for domain, name in device.identifiers if device is not None else ():
        if domain == DOMAIN and name in site.meters:
            return str(name)
    raise refused("unknown_meter", meter=chosen)


def meters_of(hass: HomeAssistant, site: Site, chosen: Iterable[str]) -> tuple[str, ...]:
    """Return the subentries of meters that were named; raises ServiceValidationError."""
    return tuple(_meter(hass, site, one) for one in chosen)
