"""What Home Assistant calls around a backup: the archives of sites come out of it whole.

An archive that fails to be held is told and costs nobody the backup of everything else.
"""

from homeassistant.core import HomeAssistant

from .archives import async_hold_archives, async_release_archives


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Leave the files of all archives alone while a backup is being made."""
    await async_hold_archives(hass)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Write to the files of all archives again."""
    await async_release_archives(hass)
