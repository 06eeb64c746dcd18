"""What waits to be told comes out of a backup whole.

A home that is put back from a copy tells again what the copy does not know to be acknowledged.
"""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from ..held_files import async_hold_files
from .files import members_databases, members_folders


async def async_hold_memberships(hass: HomeAssistant) -> None:
    """Leave the files of all memberships alone until they are released.

    Those of entries that are gone, too: what has yet to be withdrawn of them goes on by itself.
    """
    folders = await hass.async_add_executor_job(members_folders, hass)
    for entry_id, folder in folders.items():
        entry = hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.state is ConfigEntryState.LOADED:
            paths = await hass.async_add_executor_job(members_databases, folder)
            await async_hold_files(hass, paths)
