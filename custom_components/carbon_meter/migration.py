"""Entries of earlier versions, brought to the form of this one."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HomeAssistant

from .const import (
    CONF_KIND,
    CONF_OFFER,
    CONF_SOURCE,
    CONF_SOURCES,
    CONF_VALUE,
    SourceKind,
)
from .entries import is_hub

VERSION: Final = 1
MINOR_VERSION: Final = 2
"""2: a site has a list of sources of carbon intensity instead of one."""

_NEEDED: Final[Mapping[str, str]] = {
    SourceKind.ENTITY: CONF_ENTITY_ID,
    SourceKind.FIXED: CONF_VALUE,
    SourceKind.PLUGIN: CONF_OFFER,
}
"""What the one source of version 1.1 was told by; the factor library was told by the zone."""


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Bring an entry to this version; Home Assistant keeps those of a later one away."""
    if entry.minor_version < MINOR_VERSION and not is_hub(entry):
        options = _with_list(entry.options)
        hass.config_entries.async_update_entry(entry, options=options, minor_version=MINOR_VERSION)
    return True


def _with_list(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the one source as the first of a list."""
    old = (CONF_SOURCE, *_NEEDED.values())
    kept = {key: value for key, value in options.items() if key not in old}
    kind = str(options.get(CONF_SOURCE, ""))
    key = _NEEDED.get(kind, "")
    source = [{CONF_KIND: kind, key: options[key]}] if key in options else []
    return {CONF_SOURCES: source, **kept}
