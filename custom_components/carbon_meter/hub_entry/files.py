"""What a hub keeps below `.storage`: opened, closed and deleted in the executor."""

from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant

from ..community.authority.files import erase
from ..community.authority.hub_file import HubFile, read_hub_file
from ..community.hub.desk import Desk
from ..community.hub.members import Terms
from ..community.hub.opening import Hub as Core, open_hub
from ..community.hub.publishing import Publisher
from ..community.hub.releases import Releases
from ..const import DOMAIN
from .keys import CONF_COMMUNITY, CONF_OWN_BROKER, CONF_TIME_ZONE
from .settings import asks_of, finest_of, rules_of

_HUB_FILE: Final = "hub.json"

_NEVER_ENDED: Final = 0.0
"""What was told stays there to be seen when a certificate has ended: the link says so."""


def hub_folder(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where a hub keeps what it knows: sums, homes, keys."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}.hub"))


def hub_databases(folder: Path) -> list[Path]:
    """Return the databases of a hub; looks at the disk."""
    return sorted(folder.glob("*.db"))


@dataclass(kw_only=True)
class Opened:
    """A hub's open files and what works on them. Every method of these blocks."""

    core: Core
    releases: Releases
    publisher: Publisher
    hub_file: HubFile | None
    desk: Desk

    def close(self) -> None:
        """Stop what runs and let go of the files."""
        try:
            self.core.stop()
        finally:
            try:
                self.releases.close()
            finally:
                self.core.close()


def keep_hub_file(folder: Path, text: str) -> None:
    """Keep a hub file where only Home Assistant reads it: it holds the keys of the community."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    new = folder / f"{_HUB_FILE}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / _HUB_FILE)


def opened(folder: Path, data: Mapping[str, Any], title: str, options: Mapping[str, Any]) -> Opened:
    """Open everything of a hub.

    Raises StoreError, LedgerError, HubFileError or OSError; nothing stays open then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    hub_file = None
    if not data[CONF_OWN_BROKER]:
        hub_file = read_hub_file((folder / _HUB_FILE).read_text(encoding="utf-8"), _NEVER_ENDED)
    asks = asks_of(options)
    community = data[CONF_COMMUNITY]
    core = open_hub(
        folder,
        hub_file,
        zone=ZoneInfo(data[CONF_TIME_ZONE]),
        community=community,
        terms=Terms(
            name=title,
            broker=None if hub_file is None else hub_file.broker,
            level=asks.level,
            duration=asks.duration,
            flows=asks.flows,
        ),
    )
    assert core.desk is not None  # noqa: S101  # a hub that is opened as a whole has one
    try:
        releases = Releases(folder / "releases.db", community=community)
    except BaseException:
        core.close()
        raise
    publisher = Publisher(core.ledger, releases, rules_of(options), finest=finest_of(options))
    core.processor.on_withdrawn = publisher.forget
    return Opened(
        core=core, releases=releases, publisher=publisher, hub_file=hub_file, desk=core.desk
    )


def remove(folder: Path) -> None:
    """Delete everything of a hub, keys and sums; the keys are overwritten before."""
    erase(folder)
