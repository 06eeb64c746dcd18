"""A hub at work: its files, its link to the homes, what it publishes, and who wants to know."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import (
    async_call_later,
    async_track_time_interval,
    async_track_utc_time_change,
)
from homeassistant.util import dt as dt_util

from ..community.hub.errors import StoreError
from ..community.hub.status import WorkerStatus
from ..community.ledger.calendar import Grain
from ..community.ledger.cells import CellKey
from ..community.ledger.database import LedgerError
from ..const import LOGGER
from .care import CARE_INTERVAL, Care
from .figures import Figures, figures_of, nothing_published
from .files import Opened, hub_folder
from .homes import HubHomes
from .keys import CONF_COMMUNITY
from .link import HubLink
from .own_thread import OwnThread
from .record import HubRecord

PUBLISH_MINUTE: Final = 10
"""Of each hour: homes spread their messages over the hour, most have told by then."""

_FIRST: Final = 5.0
"""Seconds after the start until what has come meanwhile is published."""

_LOOK: Final = 1.0
"""Seconds for which batches are let pass before the link's state is shown."""

_SOON: Final = 30.0
"""Seconds from the first new footprints to their publication: more of the same hour come."""

_CALM: Final = 10.0
"""Seconds without late footprints after which they are published: homes that fill in the past
would be cut in two otherwise, and the second half be too few to be added."""

_LONGEST: Final = 300.0
"""Seconds for which a publication waits for that."""

_PAUSE: Final = 60.0
"""Seconds at least between two publications that new messages ask for."""

_MOST_CHANGES: Final = 2000
"""Publications that are remembered: more than a day of them."""

_SHARE: Final = 100.0
"""Publishing takes at most one part in so many of the time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A publication by which hours are shown otherwise than before."""

    number: int
    """From 1 upwards."""

    at: float
    """Seconds since 1970 UTC."""

    hour: int
    """The first of them."""


class Hub:
    """The runtime data of a hub's entry."""

    def __init__(self, hass: HomeAssistant, entry: HubConfigEntry, opened: Opened) -> None:
        """Take over what was opened; nothing runs yet."""
        self.hass = hass
        self.entry = entry
        self.opened = opened
        self.community: str = entry.data[CONF_COMMUNITY]
        self.folder = hub_folder(hass, entry.entry_id)
        self.homes = HubHomes(hass, entry, opened, self._changed)
        self.record = HubRecord(hass, entry, opened.publisher)
        self._thread = OwnThread()
        self.care = Care(hass, entry, opened, self.homes, self._thread)
        self.link = HubLink(hass, entry, opened, self._heard)
        self.figures: Figures = nothing_published()
        self._listeners: dict[CALLBACK_TYPE, Callable[[], None]] = {}
        self._publishing = asyncio.Lock()
        self._wanted: CALLBACK_TYPE | None = None
        self._looked: CALLBACK_TYPE | None = None
        self._not_before = 0.0
        self._taken = self._late = 0
        self._late_at = float("-inf")
        self._is_closing = False
        self.published_at: float | None = None
        """When it was last decided what is published, None before the first time."""

        self.changes: deque[Change] = deque(maxlen=_MOST_CHANGES)
        """What was published anew or corrected since the start, the last ones."""

    @property
    def status(self) -> WorkerStatus:
        """Return how the link to the homes is."""
        return self.link.status

    async def async_start(self) -> None:
        """Show what was published before, then listen to the homes."""
        await self._async_show()
        await self.homes.async_refresh()
        await self.link.async_start()
        on_unload = self.entry.async_on_unload
        on_unload(
            async_track_utc_time_change(
                self.hass, self._async_on_time, minute=PUBLISH_MINUTE, second=0
            )
        )
        on_unload(async_track_time_interval(self.hass, self._async_care, CARE_INTERVAL))
        on_unload(self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_on_stop))
        self._wish(_FIRST)

    async def async_close(self) -> None:
        """Stop, with everything that was taken committed; the files are closed then."""
        if self._is_closing:
            return
        self._is_closing = True
        for cancel in (self._wanted, self._looked):
            if cancel is not None:
                cancel()
        self._wanted = self._looked = None
        await self.link.async_stop()
        async with self._publishing, self.care.auditing:
            await self._thread.async_run(self.opened.close)
            await self._thread.async_close()

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back whenever something has changed; returns how to stop."""

        @callback
        def stop() -> None:
            self._listeners.pop(stop, None)

        self._listeners[stop] = listener
        return stop

    async def async_remove_home(self, home: str, *, strike_out: bool = False) -> None:
        """Take a home's rights away, at the broker and in the list of revoked certificates.

        Whatever it has told is deleted where it is to be struck out. Raises HomeAssistantError,
        ServiceValidationError for a home that nobody knows.
        """
        await self.homes.async_remove(home, strike_out=strike_out)
        await self.care.async_look_after_crl()

    async def async_publish(self) -> int:
        """Publish what is due, write it into the record, and show it; return how many cells."""
        async with self._publishing:
            if self._is_closing:
                return 0
            begun = time.monotonic()
            try:
                changed = await self._thread.async_run(
                    partial(
                        self.opened.publisher.publish,
                        dt_util.utcnow().timestamp(),
                        go_on=lambda: not self._is_closing,
                    )
                )
                self._note(changed)
                await self.record.async_write(changed)
            except (LedgerError, StoreError) as err:
                self.care.store_failed(str(err))
                return 0
            await self._async_show()
            took = time.monotonic() - begun
            self._not_before = time.monotonic() + max(_PAUSE, _SHARE * took)
        if changed:
            LOGGER.debug("%s: %s cells published in %.1f s", self.entry.title, len(changed), took)
        self._changed()
        return len(changed)

    def _note(self, changed: list[CellKey]) -> None:
        """Remember since when something else is published."""
        self.published_at = dt_util.utcnow().timestamp()
        hours = [key.begin for key in changed if key.grain is Grain.HOUR]
        if hours:
            number = self.changes[-1].number + 1 if self.changes else 1
            self.changes.append(Change(number=number, at=self.published_at, hour=min(hours)))

    async def _async_show(self) -> None:
        """Read what the entities show."""
        try:
            self.figures = await self._thread.async_run(
                partial(figures_of, self.opened.publisher, dt_util.utcnow().timestamp())
            )
        except LedgerError as err:
            self.care.store_failed(str(err))

    async def _async_on_stop(self, _event: Event) -> None:
        """Stop with Home Assistant, which unloads nothing then."""
        await self.async_close()

    async def _async_on_time(self, _now: datetime) -> None:
        """Publish by the clock: an hour may be due although nothing has come."""
        if self._wanted is not None:
            self._wanted()
            self._wanted = None
        self._wish(0.0)

    async def _async_care(self, now: datetime) -> None:
        """Do what an operator would forget."""
        if self._is_closing:
            return
        await self.care.async_run(now, self.link.status)
        self._changed()

    @callback
    def _heard(self) -> None:
        """Look at the link soon, once for all batches that come meanwhile."""
        if self._is_closing or self._looked is not None:
            return

        @callback
        def look(_now: datetime) -> None:
            self._looked = None
            self._look()

        self._looked = async_call_later(self.hass, _LOOK, look)

    @callback
    def _look(self) -> None:
        """Show the link's state; publish soon where footprints have come."""
        status = self.link.status
        self.care.store_works(status)
        self._look_for_late(status)
        if status.counts.accepted != self._taken:
            self._taken = status.counts.accepted
            self._wish(max(_SOON, self._not_before - time.monotonic()))
        self._changed()

    @callback
    def _look_for_late(self, status: WorkerStatus) -> None:
        """Remember when late footprints have come."""
        if status.counts.late != self._late:
            self._late, self._late_at = status.counts.late, time.monotonic()

    @callback
    def _wish(self, after: float) -> None:
        """Publish after some seconds, once for all who wish it meanwhile."""
        if self._wanted is not None or self._is_closing:
            return
        latest = time.monotonic() + after + _LONGEST

        async def publish(_now: datetime) -> None:
            # They may have begun to come after the last look.
            self._look_for_late(self.link.status)
            calm = self._late_at + _CALM
            if time.monotonic() < min(calm, latest):
                left = max(calm - time.monotonic(), _LOOK)
                self._wanted = async_call_later(self.hass, left, publish)
                return
            self._wanted = None
            await self.async_publish()

        self._wanted = async_call_later(self.hass, after, publish)

    @callback
    def _changed(self) -> None:
        """Tell whoever shows something of the hub."""
        if self._is_closing:
            return
        for listener in list(self._listeners.values()):
            listener()


type HubConfigEntry = ConfigEntry[Hub]
