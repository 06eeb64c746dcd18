"""Where the files of memberships lie: keys, identities, and what waits to be told."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant

from ..community.authority.files import erase
from ..community.member.box import databases
from ..const import DOMAIN

_MEMBERS: Final = ".members"


def members_folder(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where the memberships of an entry lie, one folder for each community."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}{_MEMBERS}"))


def members_folders(hass: HomeAssistant) -> dict[str, Path]:
    """Return where memberships lie by the id of their entry, also of those that are gone."""
    found = Path(hass.config.path(".storage")).glob(f"{DOMAIN}.*{_MEMBERS}")
    return {
        folder.name.removeprefix(f"{DOMAIN}.").removesuffix(_MEMBERS): folder for folder in found
    }


def member_folder(hass: HomeAssistant, entry_id: str, community: str) -> Path:
    """Return where the membership in a community lies; its id is 1 to 64 of a-z, 0-9, _ and -."""
    return members_folder(hass, entry_id) / community


def communities_in(folder: Path) -> list[str]:
    """Return the communities of which there are files; looks at the disk."""
    try:
        return sorted(found.name for found in folder.iterdir() if found.is_dir())
    except FileNotFoundError, NotADirectoryError:
        return []


def members_databases(folder: Path) -> list[Path]:
    """Return the databases of all memberships, in the order to be held; looks at the disk.

    One whose hub has answered meanwhile is being deleted: there is nothing to be held of it.
    """
    found: list[Path] = []
    for name in communities_in(folder):
        with suppress(FileNotFoundError):
            found += databases(folder / name)
    return found


def remove_folder(folder: Path) -> None:
    """Delete the folder of a membership, its keys overwritten before; whatever is there goes.

    With the last one the folder around it goes, too.
    """
    erase(folder)
    with suppress(OSError):
        folder.parent.rmdir()
