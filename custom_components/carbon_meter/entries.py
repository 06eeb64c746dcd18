"""Which entries of the integration are sites and which are hubs: whoever walks over sites asks."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_ENTRY, DOMAIN, ENTRY_HUB


def is_hub(entry: ConfigEntry[Any]) -> bool:
    """Return whether an entry is the hub of a community."""
    return entry.data.get(CONF_ENTRY) == ENTRY_HUB


@callback
def async_sites(
    hass: HomeAssistant, *, include_ignore: bool = True, include_disabled: bool = True
) -> list[ConfigEntry[Any]]:
    """Return the entries that are sites."""
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=include_ignore, include_disabled=include_disabled
    )
    return [entry for entry in entries if not is_hub(entry)]


@callback
def async_hubs(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return the entries that are hubs."""
    return [entry for entry in hass.config_entries.async_entries(DOMAIN) if is_hub(entry)]
