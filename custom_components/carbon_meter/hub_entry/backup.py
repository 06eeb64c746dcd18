"""The files of hubs come out of a backup whole.

What a hub takes while a backup is made may not be in it; homes send again what the copy has not, as
nothing of it was acknowledged there.
"""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from ..entries import async_hubs
from ..held_files import async_hold_files
from .files import hub_databases, hub_folder


async def async_hold_hubs(hass: HomeAssistant) -> None:
    """Leave the files of all hubs alone until they are released."""
    for entry in async_hubs(hass):
        if entry.state is ConfigEntryState.LOADED:
            folder = hub_folder(hass, entry.entry_id)
            paths = await hass.async_add_executor_job(hub_databases, folder)
            await async_hold_files(hass, paths)
