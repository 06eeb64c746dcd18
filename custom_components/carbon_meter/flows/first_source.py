"""The live source that a new site is offered where one is free for its country."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..carbon.intensity.live.catalogue import by_nearness
from ..carbon.intensity.source import IntensityKind
from ..const import CONF_KIND, CONF_PROVIDER, CONF_ZONE, SourceKind
from .source_forms import suggested_zone

CONF_LIVE: Final = "live"


def live_fields(hass: HomeAssistant) -> dict[Any, Any]:
    """Return the boxes of the free live sources of Home Assistant's country, the best one ticked.

    None where no provider serves the country without a key.
    """
    offers = list(_offers(hass))
    if not offers:
        return {}
    options = [option for option, _ in offers]
    ticked = [option["value"] for option, is_here in offers if is_here]
    return {
        probatio.Optional(CONF_LIVE, default=ticked): SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
    }


def live_sources(ticked: Sequence[str]) -> list[dict[str, str]]:
    """Return the sources of the boxes that are ticked, for the options of a site."""
    return [
        {
            CONF_KIND: SourceKind.LIVE.value,
            CONF_PROVIDER: value.partition(":")[0],
            CONF_ZONE: value.partition(":")[2],
        }
        for value in ticked
    ]


def _offers(hass: HomeAssistant) -> Iterator[tuple[SelectOptionDict, bool]]:
    """Yield the zones of the first free provider in the country, and whether it is ours."""
    country = hass.config.country
    for provider in by_nearness(country):
        is_average = provider.kind is IntensityKind.AVERAGE
        if provider.need is None and is_average and provider.serves(country):
            here = suggested_zone(hass, provider)
            zones = [here] if provider.suggested_zone(country) else list(provider.zones)
            for zone in zones:
                name = f"{provider.name}: {provider.zones.get(zone, zone)} ({provider.licence})"
                value = f"{provider.key}:{zone}"
                yield SelectOptionDict(value=value, label=name), zone == here
            return
