"""One membership at work: finished hours go to the link, which brings them to the hub."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from ..carbon.intervals import HOUR, floor
from ..community.member.errors import MemberError
from ..community.member.figures import Clock, HourFigures, Maker
from ..community.member.link import MemberLink
from ..community.member.outgoing import Outgoing
from ..community.member.schedule import Pace
from ..community.member.state import load
from ..community.member.status import MemberState
from ..community.member.telling import HoursOf
from ..community.outbox.errors import OutboxError
from ..const import DOMAIN, LOGGER
from ..drivers.clock import now
from ..entries import is_hub
from .clock import is_synced
from .files import member_folder
from .issues import MembershipIssues
from .keys import CONF_COMMUNITY
from .left import load_left, save_left
from .own_broker import own_broker
from .source import Source, SourceError
from .told import Told

METHOD: Final = "location@1"
"""How carbon is computed: the grid's by its location-based intensity, hour by hour and finer."""

DATA_PACE: HassKey[Pace] = HassKey(f"{DOMAIN}_member_pace")
"""How fast memberships speak, where it is not the usual pace."""

_LEFT: Final = frozenset({MemberState.WITHDRAWN, MemberState.UNCONFIRMED})
"""States in which nothing is kept of what was told."""

_KEEP_AFTER: Final = 2.0
"""Seconds until what has left is kept for the time after a restart."""

_STRETCH: Final = 31 * 24 * HOUR
"""Seconds that are read and told at once."""


class Membership:
    """The membership of one site, or of one hub, in one community."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, source: Source
    ) -> None:
        """Take the subentry, and where the hours come from."""
        self._hass = hass
        self._entry = entry
        self.subentry = subentry
        self.source = source
        self.is_hub = is_hub(entry)
        self.link: MemberLink | None = None
        """None where its files cannot be used."""

        self._issues = MembershipIssues(hass, entry.entry_id, subentry, is_hub=self.is_hub)
        self._told = Told(until=floor(now(), HOUR))
        self._telling = asyncio.Lock()
        self._is_troubled = False
        self._left: tuple[Outgoing, ...] = ()
        """What has left, as it is in the file."""

        self._keeping: CALLBACK_TYPE | None = None
        self._running: asyncio.Task[None] | None = None
        self._stops: list[CALLBACK_TYPE] = []
        self._listeners: set[Callable[[], None]] = set()

    @property
    def folder(self) -> Path:
        """Return where its files lie."""
        community: str = self.subentry.data[CONF_COMMUNITY]
        return member_folder(self._hass, self._entry.entry_id, community)

    async def async_start(self) -> None:
        """Go on with what was begun; where the files cannot be used a repair issue says so."""
        try:
            self._left = await self._hass.async_add_executor_job(load_left, self.folder)
            self.link = await async_open_link(
                self._hass, self.folder, self._async_hours, left=self._left
            )
        except (MemberError, OutboxError) as err:
            LOGGER.error("The membership %s cannot be used: %s", self.subentry.title, err)
            self._issues.unusable(str(err))
            return
        self._told = await self._hass.async_add_executor_job(Told.begin, self.folder, now())
        self._stops.append(self.link.listen(self._changed))
        self._stops.append(self.source.async_listen(self._hours_changed))
        self._running = self._entry.async_create_background_task(
            self._hass, self.link.run(), f"membership {self.subentry.title}"
        )
        self._entry.async_create_background_task(
            self._hass, self._async_catch_up(), f"catch up with {self.subentry.title}"
        )
        self._changed()

    async def async_stop(self) -> None:
        """Stop speaking; what waits is on the disk."""
        while self._stops:
            self._stops.pop()()
        if self._keeping is not None:
            self._keeping()
            self._keeping = None
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        # Whoever is telling has its turn first.
        async with self._telling:
            link, self.link = self.link, None
        if link is not None:
            await link.close()
            await self._hass.async_add_executor_job(self._told.end, self.folder)
            await self._hass.async_add_executor_job(save_left, self.folder, _lasting(link))
        self._issues.stop()

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when anything about the membership has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def _changed(self) -> None:
        """Tell what has become of the link."""
        if self.link is not None:
            self._issues.follow(self.link.status)
            self._keep_left()
        for listener in list(self._listeners):
            listener()

    @callback
    def _keep_left(self) -> None:
        """Keep what has left soon, once for all that leaves meanwhile."""
        if self._keeping is not None or self.link is None or _lasting(self.link) == self._left:
            return

        async def keep(_now: datetime) -> None:
            self._keeping = None
            if self.link is not None:
                self._left = _lasting(self.link)
                await self._hass.async_add_executor_job(save_left, self.folder, self._left)

        self._keeping = async_call_later(self._hass, _KEEP_AFTER, keep)

    # Hours on their way

    @callback
    def _hours_changed(self, first: int | None) -> None:
        """Tell what has finished or changed."""
        if first is not None:
            self._told.touched(first, now())
        if self._told.until < self.source.ready_until(now()):
            self._entry.async_create_task(
                self._hass, self.async_tell(), f"tell {self.subentry.title}"
            )

    async def _async_catch_up(self) -> None:
        """Tell what has finished or was restated while nobody was there, then go on."""
        try:
            first, mark = await self.source.async_changed_since(self._told.mark)
        except SourceError as err:
            self._tell_trouble(err)
            return
        if first is not None:
            self._told.touched(first, now())
        self._told.mark = mark
        await self.async_tell()

    async def async_tell(self) -> None:
        """Hand over all hours that are finished and not told as they are now.

        The link leaves out those before the home was a member, and those that are the same.
        """
        async with self._telling:
            try:
                await self._tell()
            except (SourceError, MemberError, OutboxError) as err:
                self._tell_trouble(err)
            else:
                self._tell_trouble(None)

    def _tell_trouble(self, err: Exception | None) -> None:
        """Log once that hours cannot be handed over now, and once that they can again."""
        if err is not None and not self._is_troubled:
            LOGGER.error("%s: nothing is told now: %s", self.subentry.title, err)
        elif err is None and self._is_troubled:
            LOGGER.info("%s: what has waited is told", self.subentry.title)
        self._is_troubled = err is not None

    async def _tell(self) -> None:
        while self.link is not None:
            begin, ready = self._told.until, self.source.ready_until(now())
            if begin >= ready:
                return
            end = min(begin + _STRETCH, ready)
            self._told.until = end
            try:
                self._issues.follow_clock(is_synced())
                hours = await self.source.async_hours(begin, end)
                await self.link.tell(hours)
            except BaseException:
                self._told.touched(begin, now())
                raise
            await self._hass.async_add_executor_job(self._told.save, self.folder)

    async def _async_hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        """Return hours that the link asks for itself: those of a day, those that a hub misses.

        Raises MemberError; the link then asks again later.
        """
        try:
            return await self.source.async_hours(begin, end)
        except SourceError as err:
            raise MemberError(str(err)) from err


async def async_open_link(
    hass: HomeAssistant,
    folder: Path,
    hours: HoursOf,
    pace: Pace | None = None,
    left: Sequence[Outgoing] = (),
) -> MemberLink:
    """Open the link of the membership in a folder; raises MemberError and OutboxError."""
    kept = await hass.async_add_executor_job(load, folder)
    return await MemberLink.open(
        folder,
        hours,
        await async_maker(hass),
        clock=present_clock,
        now=now,
        run=hass.async_add_executor_job,
        pace=pace or hass.data.get(DATA_PACE, Pace()),
        transport=own_broker(hass) if kept.broker is None else None,
        left=left,
    )


def _lasting(link: MemberLink) -> tuple[Outgoing, ...]:
    """Return what has left and is kept; nothing once everything else is deleted."""
    return () if link.status.state in _LEFT else link.outgoing


async def async_maker(hass: HomeAssistant) -> Maker:
    """Return who makes the figures, as messages tell it."""
    integration = await async_get_integration(hass, DOMAIN)
    return Maker(method=METHOD, software=f"{DOMAIN} {integration.version}")


def present_clock() -> Clock:
    """Return how good the clock is now; what nobody knows is not claimed."""
    return Clock(synced=is_synced() is True)
