"""All memberships of an entry, and those that were removed and have yet to tell their hub so."""

import asyncio
from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..entries import is_hub
from .files import communities_in, members_folder, members_folders
from .keys import CONF_COMMUNITY, DATA_JOINING, SUBENTRY_MEMBERSHIP
from .leaving import Leaving
from .membership import Membership
from .source import Source

DATA_MEMBERSHIPS: HassKey[dict[str, Memberships]] = HassKey(f"{DOMAIN}_memberships")
"""By the id of the entry, while it is loaded."""


class Memberships:
    """The memberships of one loaded entry, by the id of their subentry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, source: Source) -> None:
        """Take the entry, and where its hours come from."""
        self._hass = hass
        self._entry = entry
        self.source = source
        self.all: Mapping[str, Membership] = {
            subentry.subentry_id: Membership(hass, entry, subentry, source)
            for subentry in entry.get_subentries_of_type(SUBENTRY_MEMBERSHIP)
        }
        self._leaving: list[Leaving] = []

    async def async_start(self) -> None:
        """Let all go on; what belongs to no subentry any more is withdrawn."""
        self._hass.data.setdefault(DATA_MEMBERSHIPS, {})[self._entry.entry_id] = self
        for membership in self.all.values():
            await membership.async_start()
        folder = members_folder(self._hass, self._entry.entry_id)
        kept = {one.subentry.data[CONF_COMMUNITY] for one in self.all.values()}
        for community in await self._hass.async_add_executor_job(communities_in, folder):
            joining = self._hass.data.get(DATA_JOINING, ())
            if community not in kept and str(folder / community) not in joining:
                leaving = Leaving(
                    self._hass,
                    self._entry.entry_id,
                    folder / community,
                    is_hub=is_hub(self._entry),
                )
                self._leaving.append(leaving)
                leaving.async_start()

    def is_leaving(self, community: str) -> bool:
        """Return whether a hub has yet to hear that the home has left."""
        return any(one.community == community and one.is_running for one in self._leaving)

    async def async_stop(self) -> None:
        """Stop all; what waits is on the disk."""
        self._hass.data[DATA_MEMBERSHIPS].pop(self._entry.entry_id, None)
        await asyncio.gather(
            *(membership.async_stop() for membership in self.all.values()),
            *(leaving.async_stop() for leaving in self._leaving),
        )


@callback
def memberships_of(hass: HomeAssistant, entry: ConfigEntry) -> Memberships | None:
    """Return the memberships of an entry, None while it is not loaded."""
    return hass.data.get(DATA_MEMBERSHIPS, {}).get(entry.entry_id)


async def async_remove_memberships(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw all memberships of an entry that is removed, and delete their files.

    Where a hub does not answer soon that goes on, and a repair issue tells of it.
    """
    folder = members_folder(hass, entry.entry_id)
    communities = await hass.async_add_executor_job(communities_in, folder)
    await asyncio.gather(
        *(
            Leaving(hass, entry.entry_id, folder / one, is_hub=is_hub(entry)).async_at_once()
            for one in communities
        )
    )


async def async_go_on_leaving(hass: HomeAssistant) -> None:
    """Go on with what entries that were removed have not brought to an end."""
    entries = {entry.entry_id for entry in hass.config_entries.async_entries(DOMAIN)}
    folders = await hass.async_add_executor_job(members_folders, hass)
    for entry_id, folder in folders.items():
        if entry_id not in entries:
            for community in await hass.async_add_executor_job(communities_in, folder):
                Leaving(hass, entry_id, folder / community).async_start(is_behind=True)
