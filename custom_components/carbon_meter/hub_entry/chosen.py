"""The hub that an action or a message was asked for."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..entries import async_hubs
from ..refusals import refused
from .hub import Hub


@callback
def async_hub(hass: HomeAssistant, chosen: str | None) -> Hub:
    """Return the hub that was chosen, the only one without a choice.

    Raises ServiceValidationError for one that is not there or not loaded.
    """
    entries = [entry for entry in async_hubs(hass) if entry.disabled_by is None]
    if chosen is None and len(entries) > 1:
        raise refused("choose_hub")
    found = [entry for entry in entries if chosen in {None, entry.entry_id}]
    if not found:
        raise refused("unknown_hub", hub=chosen or "-")
    if found[0].state is not ConfigEntryState.LOADED:
        raise refused("hub_not_loaded", hub=found[0].title)
    hub: Hub = found[0].runtime_data
    return hub
