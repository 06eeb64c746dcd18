"""What Home Assistant calls around a backup: what sites, homes and hubs keep comes out of it whole.

A file that fails to be held is told and costs nobody the backup of everything else.
"""

from homeassistant.core import HomeAssistant

from .archives import async_hold_archives, async_release_archives
from .held_files import async_release_files
from .hub_entry.backup import async_hold_hubs
from .membership.backup import async_hold_memberships


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Leave the files of all archives, hubs and memberships alone while a backup is being made."""
    await async_hold_archives(hass)
    await async_hold_hubs(hass)
    await async_hold_memberships(hass)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Write to all these files again."""
    await async_release_archives(hass)
    await async_release_files(hass)
