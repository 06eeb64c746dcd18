"""The sources of live providers, opened in the same way by the flows and at run time."""

from collections.abc import Mapping
import time
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey

from ..carbon.factors.library import FactorLibrary
from ..carbon.factors.mix import LIFE_CYCLE, generation_factors
from ..carbon.intensity.live.catalogue import open_source
from ..carbon.intensity.live.live_source import LiveSource
from ..carbon.intensity.live.pace import Paces
from ..carbon.intensity.live.provider import Access
from ..carbon.intensity.live.surroundings import PATIENCE, Surroundings
from ..const import CONF_KEY, CONF_PROVIDER, CONF_ZONE, DOMAIN
from ..libraries import async_get_libraries

DATA_PACES: HassKey[Paces] = HassKey(f"{DOMAIN}_paces")
"""How often providers are asked, by all sites together and by the flows."""

DATA_BASE_URLS: HassKey[Mapping[str, str]] = HassKey(f"{DOMAIN}_base_urls")
"""Where providers are, by their keys, if elsewhere than described: a proxy, a test."""

DATA_PATIENCE: HassKey[float] = HassKey(f"{DOMAIN}_patience")
"""Seconds for a whole answer, if others than usual."""


async def async_open_source(hass: HomeAssistant, access: Mapping[str, Any]) -> LiveSource:
    """Return the source of a provider; nothing is asked yet.

    `access` is a source of kind `live` in the options of a site: `provider`, `zone` and, where the
    provider wants them, `key` or `username` and `password`. What was generated is weighed with
    life cycle factors. Raises LookupError for a provider that is not known, ProviderZoneError or
    ProviderAuthError for an access that cannot be right.
    """
    libraries = await async_get_libraries(hass)
    return opened_source(hass, libraries.factors, access)


def opened_source(
    hass: HomeAssistant, library: FactorLibrary, access: Mapping[str, Any]
) -> LiveSource:
    """Return the same where the factor library is at hand; raises the same."""
    if (paces := hass.data.get(DATA_PACES)) is None:
        paces = hass.data[DATA_PACES] = Paces(clock=time.monotonic)
    surroundings = Surroundings(
        session=async_get_clientsession(hass),
        clock=time.time,
        factors=generation_factors(library, LIFE_CYCLE, hass.config.country),
        paces=paces,
        monotonic=time.monotonic,
        patience=hass.data.get(DATA_PATIENCE, PATIENCE),
    )
    provider: str = access[CONF_PROVIDER]
    return open_source(
        provider,
        Access(
            zone=access.get(CONF_ZONE, ""),
            key=access.get(CONF_KEY, ""),
            username=access.get(CONF_USERNAME, ""),
            password=access.get(CONF_PASSWORD, ""),
        ),
        surroundings,
        base_url=hass.data.get(DATA_BASE_URLS, {}).get(provider),
    )
