"""The operator's work: homes are invited, listed, moved and removed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..community.authority.errors import AuthorityError
from ..community.hub.control import ControlError
from ..community.hub.desk import DeskError
from ..community.hub.errors import StoreError
from ..community.ledger.database import LedgerError
from ..refusals import failed, refused
from .files import Opened
from .invitation_files import (
    InvitationFile,
    drop_others,
    invitations_folder,
    write_invitation,
)
from .keys import CONF_COMMUNITY

MOST_INVITATIONS: Final = 50
"""At once; what one person hands out in an evening."""

_LONGEST_NAME: Final = 64
"""Characters of the name of a feeder or a group."""

_INVITED: Final = "invited"

INVITABLE: Final = frozenset({_INVITED, "enrolled"})
"""States of homes that can be invited again."""

_FAILURES: Final = (DeskError, LedgerError, ControlError, AuthorityError, StoreError, OSError)


@dataclass(frozen=True, kw_only=True, slots=True)
class HubHome:
    """A home as its operator sees it: an id, no person."""

    id: str
    state: str
    since: date | None
    """The local day from which it counts."""

    ends: int | None
    """When its certificate ends, in seconds since 1970 UTC."""

    invited_until: int | None
    """Until when an invitation waits for it, in seconds since 1970 UTC."""

    feeder: str | None
    groups: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as the response of an action."""
        return {
            "home": self.id,
            "state": self.state,
            "since": None if self.since is None else self.since.isoformat(),
            "certificate_ends": _iso(self.ends),
            "invited_until": _iso(self.invited_until),
            "feeder": self.feeder,
            "groups": list(self.groups),
        }


class HubHomes:
    """The homes of one community."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], opened: Opened, told: Callable[[], None]
    ) -> None:
        """Keep what is worked with; `told` is called after each change."""
        self._hass = hass
        self._entry = entry
        self._opened = opened
        self._told = told
        self._one_by_one = asyncio.Lock()
        self.by_state: dict[str, int] = {}
        self.waiting = 0
        """Invitations that nobody has used yet."""

    async def async_invite(
        self,
        count: int,
        feeder: str | None = None,
        groups: tuple[str, ...] = (),
        since: date | None = None,
    ) -> tuple[InvitationFile, ...]:
        """Invite homes, each by an invitation of its own, and write the files.

        What a home tells counts from the local day `since`, else from the day it joins. Raises
        HomeAssistantError, ServiceValidationError for what cannot be meant.
        """
        if not 1 <= count <= MOST_INVITATIONS:
            raise refused("hub_count", most=str(MOST_INVITATIONS))
        _check_names(feeder, groups)
        folder = invitations_folder(self._hass, self._entry.data[CONF_COMMUNITY])

        def invite() -> tuple[InvitationFile, ...]:
            now = dt_util.utcnow().timestamp()
            desk = self._opened.desk
            return tuple(
                write_invitation(
                    self._entry.entry_id,
                    folder,
                    desk.invite(now, feeder=feeder, groups=groups, since=since),
                )
                for _ in range(count)
            )

        return await self._async_do(invite)

    async def async_reinvite(self, home: str) -> InvitationFile:
        """Invite a home again that has lost its key, or whose certificate has ended.

        It keeps its id and its place; what it has yet to tell counts. Raises HomeAssistantError,
        ServiceValidationError for a home that cannot be invited.
        """
        if await self._async_state_of(home) not in INVITABLE:
            raise refused("hub_not_invitable", home=home)
        folder = invitations_folder(self._hass, self._entry.data[CONF_COMMUNITY])

        def invite() -> InvitationFile:
            now = dt_util.utcnow().timestamp()
            invitation = self._opened.desk.reinvite(home, now)
            return write_invitation(self._entry.entry_id, folder, invitation)

        return await self._async_do(invite)

    async def async_homes(self) -> tuple[HubHome, ...]:
        """Return everybody; raises HomeAssistantError."""
        return await self._async_do(self._homes)

    async def async_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the feeders and groups that homes are in."""
        homes = await self.async_homes()
        feeders = {home.feeder for home in homes if home.feeder is not None}
        groups = {group for home in homes for group in home.groups}
        return tuple(sorted(feeders)), tuple(sorted(groups))

    async def async_move(self, home: str, feeder: str | None, groups: tuple[str, ...]) -> None:
        """Place a home behind another feeder or in other groups from today on."""
        _check_names(feeder, groups)
        await self._async_state_of(home)
        now = dt_util.utcnow().timestamp()
        await self._async_do(
            partial(self._opened.desk.move, home, now, feeder=feeder, groups=groups)
        )

    async def async_remove(self, home: str, *, strike_out: bool = False) -> None:
        """Take a home's certificate and rights away.

        What it has told stays in the sums, unless it is struck out; that can be done later, too.
        Raises HomeAssistantError, ServiceValidationError for a home that nobody knows.
        """
        now = dt_util.utcnow().timestamp()
        if not (strike_out and await self._async_do(partial(self._has_told, home))):
            await self._async_state_of(home)

        def remove() -> None:
            self._opened.desk.expel(home, now)
            if strike_out:
                self._opened.core.processor.strike_out(home, now)

        await self._async_do(remove)

    def _has_told(self, home: str) -> bool:
        """Return whether anything of a home is kept, be it listed or not; blocks."""
        ledger = self._opened.core.ledger
        return home in ledger.homes or ledger.has_told(home)

    async def async_refresh(self) -> None:
        """Count the homes, and delete the files of invitations that are used up."""
        homes = await self._async_do(self._homes)
        counts: dict[str, int] = {}
        for home in homes:
            counts[home.state] = counts.get(home.state, 0) + 1
        self.by_state = counts
        folder = invitations_folder(self._hass, self._entry.data[CONF_COMMUNITY])
        waiting = {home.id for home in homes if home.invited_until is not None}
        self.waiting = len(waiting)
        await self._hass.async_add_executor_job(drop_others, folder, waiting)

    def _homes(self) -> tuple[HubHome, ...]:
        """Return everybody; blocks."""
        return tuple(
            HubHome(
                id=member.id,
                state=str(member.state),
                since=member.since,
                ends=member.ends,
                invited_until=member.invited_until,
                feeder=member.feeder,
                groups=tuple(member.groups),
            )
            for member in self._opened.desk.homes()
        )

    async def _async_state_of(self, home: str) -> str:
        """Return the state of a home; raises ServiceValidationError for one that nobody knows."""
        states = {one.id: one.state for one in await self._async_do(self._homes)}
        if home not in states:
            raise refused("hub_unknown_home", home=home)
        return states[home]

    async def _async_do[T](self, work: Callable[[], T]) -> T:
        """Let the desk do something, one after the other; raises HomeAssistantError."""
        async with self._one_by_one:
            try:
                result = await self._hass.async_add_executor_job(work)
            except _FAILURES as err:
                raise failed("hub_desk_failed", err, hub=self._entry.title) from err
        if work != self._homes:
            await self.async_refresh()
            self._told()
        return result


def _iso(moment: int | None) -> str | None:
    """Return a moment as the response of an action."""
    return None if moment is None else dt_util.utc_from_timestamp(moment).isoformat()


def _check_names(feeder: str | None, groups: tuple[str, ...]) -> None:
    """Raise ServiceValidationError for a name that nobody could read in a list."""
    for name in (*groups, *(() if feeder is None else (feeder,))):
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise refused("hub_name", most=str(_LONGEST_NAME))
