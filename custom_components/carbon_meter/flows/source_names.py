"""What the sources of carbon intensity of a site are called, and what tells them apart."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HomeAssistant

from ..carbon.intensity.live.catalogue import PROVIDERS
from ..const import (
    CONF_KIND,
    CONF_OFFER,
    CONF_PROVIDER,
    CONF_TOPIC,
    CONF_VALUE,
    CONF_ZONE,
    UNIT_INTENSITY,
    SourceKind,
)
from ..plugin import IntensityOffer

_KEYS: Final[Mapping[str, str]] = {
    SourceKind.LIVE: CONF_PROVIDER,
    SourceKind.ENTITY: CONF_ENTITY_ID,
    SourceKind.TOPIC: CONF_TOPIC,
    SourceKind.FIXED: CONF_VALUE,
    SourceKind.PLUGIN: CONF_OFFER,
}
"""What each kind is called by."""

type SourceOptions = Mapping[str, Any]
"""One source in the options of a site."""


def source_name(
    hass: HomeAssistant, source: SourceOptions, offers: Mapping[str, IntensityOffer]
) -> str:
    """Return what a source is called; what has gone is called by its key."""
    kind = str(source.get(CONF_KIND, "?"))
    named = str(source.get(_KEYS.get(kind, ""), kind))
    match kind:
        case SourceKind.LIVE:
            return live_name(source)
        case SourceKind.ENTITY:
            state = hass.states.get(named)
            return f"{state.name} ({named})" if state is not None else named
        case SourceKind.TOPIC:
            return f"MQTT {named}"
        case SourceKind.FIXED:
            return f"{named.removesuffix('.0')} {UNIT_INTENSITY}"
        case SourceKind.PLUGIN:
            return offers[named].name if named in offers else named
    return kind


def live_name(source: SourceOptions) -> str:
    """Return what a live source is called: provider and zone."""
    key, zone = (str(source.get(name, "?")) for name in (CONF_PROVIDER, CONF_ZONE))
    provider = PROVIDERS.get(key)
    if provider is None:
        return f"{key}: {zone}"
    return f"{provider.name}: {provider.zones.get(zone, zone)}"


def is_known(source: SourceOptions) -> bool:
    """Return whether there is a form for a source, and what the form needs to be opened."""
    kind = source.get(CONF_KIND)
    if kind == SourceKind.LIVE:
        return source.get(CONF_PROVIDER) in PROVIDERS
    return kind in set(SourceKind)


def identity(source: SourceOptions) -> Hashable:
    """Return what two sources have in common that say the same."""
    kind = str(source.get(CONF_KIND))
    zone = source.get(CONF_ZONE) if kind == SourceKind.LIVE else None
    # Below a fixed value another one is never asked.
    what = None if kind == SourceKind.FIXED else source.get(_KEYS.get(kind, ""))
    return kind, what, zone


def numbered(names: Iterable[str]) -> str:
    """Return names as a list in their order."""
    lines = [f"{position}. {name}" for position, name in enumerate(names, 1)]
    return "\n".join(lines) or "-"
