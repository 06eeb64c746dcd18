"""What a source says before it is kept: the flows try it, so that a mistake shows at once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..carbon.grade import Grade
from ..carbon.intensity.live.catalogue import PROVIDERS
from ..carbon.intensity.live.errors import (
    ProviderAuthError,
    ProviderError,
    ProviderTemporaryError,
    ProviderZoneError,
)
from ..carbon.intensity.live.provider import Need, Provider
from ..carbon.intensity.source import IntensitySource
from ..const import CONF_KEY, CONF_PROVIDER, CONF_ZONE, UNIT_INTENSITY
from ..sources.opening import async_open_source

_LIMIT: Final = 60.0
"""Seconds for a trial: with the answers also the turns that are waited for."""

_BEFORE: Final = 4 * 86400.0
_AFTER: Final = 4 * 86400.0
"""Seconds around now in which a source may say something: some are days late."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a trial went: what the source says, or what is wrong."""

    says: Mapping[str, str] = field(default_factory=dict)
    """Placeholders `intensity`, `time` and `forecast`."""

    error: ProviderError | None = None
    zone: str = ""
    """The zone as the provider writes it."""

    @property
    def wants_access(self) -> bool:
        """Return whether the key or password is what is wrong."""
        return isinstance(self.error, ProviderAuthError)


async def async_try(hass: HomeAssistant, access: Mapping[str, Any]) -> Trial:
    """Ask the provider of a live source once, as it is asked later."""
    provider = PROVIDERS[access[CONF_PROVIDER]]
    try:
        zone = provider.zone(access.get(CONF_ZONE, ""))
        source = await async_open_source(hass, access)
        async with asyncio.timeout(_LIMIT):
            await source.refresh()
    except ProviderError as err:
        return Trial(error=err)
    except TimeoutError:
        return Trial(error=ProviderTemporaryError(f"{provider.name}: no answer in time"))
    return Trial(says=said(source), zone=zone)


def said(source: IntensitySource) -> dict[str, str]:
    """Return what a source says now, for people: the intensity, since when, how far ahead."""
    now = dt_util.utcnow().timestamp()
    intervals = source.intervals(now - _BEFORE, now + _AFTER)
    begun = [interval for interval in intervals if interval.start <= now]
    ahead = [
        interval
        for interval in intervals
        if interval.start > now and interval.grade is Grade.FORECAST
    ]
    return {
        "intensity": f"{begun[-1].value:.0f} {UNIT_INTENSITY}" if begun else "-",
        "time": _local(begun[-1].start) if begun else "-",
        "forecast": _local(ahead[-1].end) if ahead else "-",
    }


def _local(moment: float) -> str:
    return f"{dt_util.as_local(dt_util.utc_from_timestamp(moment)):%Y-%m-%d %H:%M}"


def form_errors(error: ProviderError, provider: Provider, shown: set[str]) -> dict[str, str]:
    """Return an error for a form, at the field that it is about if that is shown."""
    where = "base"
    if isinstance(error, ProviderZoneError):
        where = CONF_ZONE
    elif isinstance(error, ProviderAuthError):
        where = CONF_PASSWORD if provider.need is Need.ACCOUNT else CONF_KEY
    return {where if where in shown else "base": f"provider_{error.reason}"}
