"""The operator's work: homes are invited, listed, moved and removed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..community.authority.errors import AuthorityError
from ..community.hub.control import ControlError
from ..community.hub.desk import DeskError
from ..community.ledger.database import LedgerError
from ..const import DOMAIN
from ..refusals import refused
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

_FAILURES: Final = (DeskError, LedgerError, ControlError, AuthorityError, OSError)


@dataclass(frozen=True, kw_only=True, slots=True)
class HubHome:
    """A home as its operator sees it: an id, no person."""

    id: str
    state: str
    since: date | None
    """The local day from which it counts."""

    ends: int | None
    """When its certificate ends, in seconds since 1970 UTC."""

    feeder: str | None
    groups: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as the response of an action."""
        return {
            "home": self.id,
            "state": self.state,
            "since": None if self.since is None else self.since.isoformat(),
            "certificate_ends": None
            if self.ends is None
            else dt_util.utc_from_timestamp(self.ends).isoformat(),
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

    @property
    def waiting(self) -> int:
        """Return how many are invited and have not joined."""
        return self.by_state.get(_INVITED, 0)

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
        await self._async_known(home)
        now = dt_util.utcnow().timestamp()
        await self._async_do(
            partial(self._opened.desk.move, home, now, feeder=feeder, groups=groups)
        )

    async def async_remove(self, home: str) -> None:
        """Take a home's certificate and rights away; what it has told stays in the sums."""
        await self._async_known(home)
        now = dt_util.utcnow().timestamp()
        await self._async_do(partial(self._opened.desk.expel, home, now))

    async def async_refresh(self) -> None:
        """Count the homes, and delete the files of invitations that are used up."""
        homes = await self._async_do(self._homes)
        counts: dict[str, int] = {}
        for home in homes:
            counts[home.state] = counts.get(home.state, 0) + 1
        self.by_state = counts
        folder = invitations_folder(self._hass, self._entry.data[CONF_COMMUNITY])
        waiting = {home.id for home in homes if home.state == _INVITED}
        await self._hass.async_add_executor_job(drop_others, folder, waiting)

    def _homes(self) -> tuple[HubHome, ...]:
        """Return everybody; blocks."""
        return tuple(
            HubHome(
                id=member.id,
                state=str(member.state),
                since=member.since,
                ends=member.ends,
                feeder=member.feeder,
                groups=tuple(member.groups),
            )
            for member in self._opened.desk.homes()
        )

    async def _async_known(self, home: str) -> None:
        """Raise ServiceValidationError for a home that nobody knows."""
        if home not in {one.id for one in await self._async_do(self._homes)}:
            raise refused("hub_unknown_home", home=home)

    async def _async_do[T](self, work: Callable[[], T]) -> T:
        """Let the desk do something, one after the other; raises HomeAssistantError."""
        async with self._one_by_one:
            try:
                result = await self._hass.async_add_executor_job(work)
            except _FAILURES as err:
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="hub_desk_failed",
                    translation_placeholders={"hub": self._entry.title, "error": str(err)},
                ) from err
        if work != self._homes:
            await self.async_refresh()
            self._told()
        return result


def _check_names(feeder: str | None, groups: tuple[str, ...]) -> None:
    """Raise ServiceValidationError for a name that nobody could read in a list."""
    for name in (*groups, *(() if feeder is None else (feeder,))):
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise refused("hub_name", most=str(_LONGEST_NAME))
