"""A membership whose subentry was removed: it is withdrawn, and its files are deleted.

Who removes a membership wants to be gone; leaving what was told with the hub would be the surprise.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..community.member.errors import MemberError
from ..community.member.figures import HourFigures
from ..community.member.link import MemberLink
from ..community.member.schedule import Pace
from ..community.member.state import FILE, load
from ..community.member.status import MemberState
from ..community.outbox.errors import OutboxError
from ..const import DOMAIN, LOGGER
from .files import remove_folder
from .issues import issue_of
from .membership import async_open_link

_PATIENCE: Final = 20.0
"""Seconds for a hub to answer where nobody goes on trying afterwards."""

_HASTE: Final = Pace(spread=0, first=0.0, backoff=1.0)


class Leaving:
    """Tells one hub that a home has left, until it says that everything is deleted."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, folder: Path) -> None:
        """Take the folder of the membership."""
        self._hass = hass
        self._entry = entry
        self._folder = folder
        self._running: asyncio.Task[None] | None = None

    @property
    def community(self) -> str:
        """Return which community it is."""
        return self._folder.name

    @property
    def is_running(self) -> bool:
        """Return whether it is still under way."""
        return self._running is not None and not self._running.done()

    @property
    def _issue(self) -> str:
        return issue_of(self._entry.entry_id, self._folder.name)

    @callback
    def async_start(self) -> None:
        """Go on in the background; a repair issue tells of it until it is done."""
        self._running = self._entry.async_create_background_task(
            self._hass, self._async_leave(), f"leave {self._folder.name}"
        )

    async def async_stop(self) -> None:
        """Stop; the next start of Home Assistant goes on."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def async_at_once(self) -> None:
        """Try for a short time only; tell where the hub did not answer."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._async_leave("membership_not_withdrawn", _HASTE)
        except TimeoutError:
            await self._hass.async_add_executor_job(remove_folder, self._folder)

    async def _async_leave(
        self, issue: str = "membership_leaving", pace: Pace | None = None
    ) -> None:
        """Withdraw, wait for the hub, and delete the files."""
        if not await self._hass.async_add_executor_job((self._folder / FILE).exists):
            # Somebody has begun to join, and gave up.
            await self._hass.async_add_executor_job(remove_folder, self._folder)
            return
        try:
            kept = await self._hass.async_add_executor_job(load, self._folder)
            link = await async_open_link(self._hass, self._folder, _no_hours, pace)
        except (MemberError, OutboxError) as err:
            # The files stay: they alone know which homes have to be deleted.
            LOGGER.error("A membership cannot be withdrawn: %s", err)
            self._tell("membership_not_withdrawn", self._folder.name, ())
            return
        self._tell(issue, kept.name, [identity.home for identity in kept.identities])
        try:
            await self._async_withdraw(link)
        finally:
            await link.close()
        await self._hass.async_add_executor_job(remove_folder, self._folder)
        ir.async_delete_issue(self._hass, DOMAIN, self._issue)
        LOGGER.info("%s has deleted what was told", kept.name)

    async def _async_withdraw(self, link: MemberLink) -> None:
        """Return when the hub has deleted everything."""
        if link.status.state is MemberState.WITHDRAWN:
            return
        await link.withdraw()
        await link.run()

    def _tell(self, key: str, community: str, homes: Sequence[str]) -> None:
        """Tell that the hub has yet to hear of it, and by which ids it knows the home."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            is_fixable=False,
            is_persistent=key != "membership_leaving",
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={
                "community": community,
                "homes": ", ".join(homes) or "?",
            },
        )


async def _no_hours(_begin: int, _end: int) -> Sequence[HourFigures]:
    """Return nothing: who has left tells nothing any more."""
    return ()
