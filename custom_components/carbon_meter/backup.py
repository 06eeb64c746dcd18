"""What Home Assistant calls around a backup: what sites and hubs keep comes out of it whole.

An archive that fails to be held is told and costs nobody the backup of everything else.
"""

from homeassistant.core import HomeAssistant

from .archives import async_hold_archives, async_release_archives
from .hub_entry.backup import async_hold_hubs, async_release_hubs


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Leave the files of all archives and hubs alone while a backup is being made."""
    await async_hold_archives(hass)
    await async_hold_hubs(hass)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Write to the files of all archives and hubs again."""
    await async_release_archives(hass)
    await async_release_hubs(hass)
