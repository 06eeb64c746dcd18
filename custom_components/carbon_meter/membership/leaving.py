"""A membership whose subentry was removed: it is withdrawn, and its files are deleted.

Who removes a membership wants to be gone; leaving what was told with the hub would be the surprise.
Where the whole entry is removed the files stay until the hub has answered, and whatever starts
Carbon Meter next goes on.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..community.member.errors import MemberError
from ..community.member.figures import HourFigures
from ..community.member.link import MemberLink
from ..community.member.schedule import Pace
from ..community.member.state import FILE, load
from ..community.member.status import MemberState
from ..community.outbox.errors import OutboxError
from ..const import LOGGER
from ..repair_issue import RepairIssue
from .files import remove_folder
from .issues import issue_of, words_for
from .membership import async_open_link
from .words import is_of_hub

_PATIENCE: Final = 20.0
"""Seconds for a hub to answer before whoever removes an entry has it done."""

_LEAVING: Final = "membership_leaving"
_BEHIND: Final = "membership_left_behind"

_HASTE: Final = Pace(spread=0, first=0.0, backoff=1.0)


class Leaving:
    """Tells one hub that a home has left, until it says that everything is deleted."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, folder: Path, *, is_hub: bool = False
    ) -> None:
        """Take the folder of the membership, and the entry that it is or was of.

        `is_hub` where that is a hub; of an entry that is gone the files say it.
        """
        self._hass = hass
        self._folder = folder
        self._is_hub = is_hub
        self._issue = RepairIssue(hass, issue_of(entry_id, folder.name), warns=True)
        self._running: asyncio.Task[None] | None = None

    @property
    def community(self) -> str:
        """Return which community it is."""
        return self._folder.name

    @property
    def is_running(self) -> bool:
        """Return whether it is still under way."""
        return self._running is not None and not self._running.done()

    @callback
    def async_start(self, *, is_behind: bool = False) -> None:
        """Go on in the background; a repair issue tells of it until it is done.

        `is_behind` where the entry is gone.
        """
        leave = self._async_leave(_BEHIND, _HASTE) if is_behind else self._async_leave()
        self._running = self._hass.async_create_background_task(leave, f"leave {self._folder.name}")

    async def async_stop(self) -> None:
        """Stop; the next start of Home Assistant goes on."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def async_at_once(self) -> None:
        """Leave after the entry is gone; return when it is done, or goes on without anybody."""
        self.async_start(is_behind=True)
        if self._running is not None:
            await asyncio.wait([self._running], timeout=_PATIENCE)

    async def _async_leave(self, issue: str = _LEAVING, pace: Pace | None = None) -> None:
        """Withdraw, wait for the hub, and delete the files."""
        if not await self._hass.async_add_executor_job((self._folder / FILE).exists):
            # Somebody has begun to join, and gave up.
            await self._hass.async_add_executor_job(remove_folder, self._folder)
            return
        try:
            kept = await self._hass.async_add_executor_job(load, self._folder)
            self._is_hub = self._is_hub or is_of_hub(kept.agreed.text)
            link = await async_open_link(self._hass, self._folder, _no_hours, pace)
        except (MemberError, OutboxError) as err:
            # The files stay: they alone know which homes have to be deleted.
            LOGGER.error("A membership cannot be withdrawn: %s", err)
            self._tell("membership_not_withdrawn", self._folder.name, ())
            return
        self._tell(issue, kept.name, [identity.home for identity in kept.identities])
        try:
            await self._async_withdraw(link)
            undeleted = link.status.homes
        finally:
            await link.close()
        if undeleted:
            # Its certificate has ended: nobody can tell the hub any more.
            self._tell("membership_not_withdrawn", kept.name, undeleted)
        else:
            self._issue.clear()
            LOGGER.info("%s has deleted what was told", kept.name)
        await self._hass.async_add_executor_job(remove_folder, self._folder)

    async def _async_withdraw(self, link: MemberLink) -> None:
        """Return when the hub has deleted everything, or nobody can tell it any more."""
        if link.status.state in {MemberState.WITHDRAWN, MemberState.UNCONFIRMED}:
            return
        await link.withdraw()
        await link.run()

    def _tell(self, key: str, community: str, homes: Sequence[str]) -> None:
        """Tell that the hub has yet to hear of it, and by which ids it knows the home."""
        told = {"community": community, "homes": ", ".join(homes) or "?"}
        words = words_for(key, is_hub=self._is_hub)
        self._issue.tell(words, told, persists=key != _LEAVING)


async def _no_hours(_begin: int, _end: int) -> Sequence[HourFigures]:
    """Return nothing: who has left tells nothing any more."""
    return ()
