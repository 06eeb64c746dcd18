"""Where the files of memberships lie: keys, identities, and what waits to be told."""

from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant

from ..const import DOMAIN


def members_folder(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where the memberships of an entry lie, one folder for each community."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}.members"))


def member_folder(hass: HomeAssistant, entry_id: str, community: str) -> Path:
    """Return where the membership in a community lies; its id is 1 to 64 of a-z, 0-9, _ and -."""
    return members_folder(hass, entry_id) / community


def communities_in(folder: Path) -> list[str]:
    """Return the communities of which there are files; looks at the disk."""
    if not folder.is_dir():
        return []
    return sorted(found.name for found in folder.iterdir() if found.is_dir())


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it; one that is not there is nothing to worry about."""
    shutil.rmtree(folder, ignore_errors=True)
