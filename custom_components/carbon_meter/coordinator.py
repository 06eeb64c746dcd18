"""Reading one meter, again and again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final, override
from zlib import crc32

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .carbon.account import MeterAccount
from .carbon.meter_watch import MeterWatch
from .const import AUTH_ISSUE, CONF_INTERVAL, CONF_INVERTED, CONF_POWER_INVERTED, DOMAIN, LOGGER
from .data import CarbonMeterConfigEntry
from .driver import MeterConnection
from .drivers.clock import now
from .intensity import SiteIntensity
from .metering.errors import MeterAuthError, MeterError, MeterSilentError, WrongMeterError
from .metering.incidents import Incident
from .metering.profile import Profile
from .metering.readings import Reading
from .metering.steps import PowerStep
from .repair_issue import RepairIssue

_READING_LIMIT: Final = 60.0
"""Seconds after which a driver that keeps no time of its own is given up."""

_LONGEST_WAIT: Final = 30.0
"""Seconds between two attempts at a meter that does not answer, unless its interval is longer."""


class MeterCoordinator(DataUpdateCoordinator[Reading]):
    """Follows one meter and books what it says; its data is the last reading.

    Each meter has its own: one that is slow or dead delays no other. A meter that speaks by
    itself is listened to, any other is asked.
    """

    config_entry: CarbonMeterConfigEntry

    def __init__(  # noqa: PLR0913  # what makes up a meter
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        subentry: ConfigSubentry,
        *,
        connection: MeterConnection,
        profile: Profile,
        watch: MeterWatch,
        intensity: SiteIntensity,
    ) -> None:
        """Take the meter's parts."""
        self.subentry = subentry
        self.profile = profile
        self.watch = watch
        self.connection = connection
        self.inverted: bool = subentry.data[CONF_INVERTED]
        self._power_inverted: bool = subentry.data.get(CONF_POWER_INVERTED, False)
        self.poll_interval: float = subentry.data[CONF_INTERVAL]
        self._intensity = intensity
        self._faults: tuple[str, ...] = ()
        self._failures = 0
        self._locked = True  # perhaps since before a reload
        self._auth_issue = RepairIssue(hass, f"{AUTH_ISSUE}{subentry.subentry_id}")
        self._due = True
        self._shown_reachable: bool | None = None
        self._step_listeners: list[Callable[[PowerStep], None]] = []
        self._incident_listeners: list[Callable[[Incident], None]] = []
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=subentry.title,
            update_interval=None if connection.speaks else timedelta(seconds=self.poll_interval),
        )

        phase = crc32(subentry.subentry_id.encode()) / 2**32 * self.poll_interval
        self.due = hass.loop.time() // self.poll_interval * self.poll_interval + phase
        """When a reading is due by the event loop's clock; meters are spread over the interval."""

    @property
    def latest(self) -> Reading | None:
        """Return the last reading while the meter answers, None before the first and after."""
        # Home Assistant's own type knows of no time before the first reading.
        reading: Reading | None = self.data
        return reading if self.last_update_success else None

    @property
    def account(self) -> MeterAccount:
        """Return what has been booked of the meter."""
        return self.watch.account

    @property
    def absent(self) -> frozenset[str]:
        """Return the quantities of the profile that this meter does not have."""
        return frozenset(self.connection.absent)

    @property
    def requests(self) -> int:
        """Return how many requests one full reading takes."""
        return self.connection.requests

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            **self.watch.as_dict(),
            "inverted": self.inverted,
            "connection": self.connection.as_dict(),
        }

    @callback
    def async_follow(self) -> None:
        """Listen to a meter that speaks by itself, as long as the site is loaded."""
        if self.connection.speaks:
            unsubscribe = self.connection.async_listen(self._async_heard, self._async_lost)
            self.config_entry.async_on_unload(unsubscribe)

    @override
    async def _async_update_data(self) -> Reading:
        """Read the meter once and book the reading."""
        try:
            async with asyncio.timeout(_READING_LIMIT):
                reading = await self.connection.async_read()
        except TimeoutError as err:
            raise self._failed(
                MeterSilentError(f"no reading within {_READING_LIMIT:.0f} s")
            ) from err
        except MeterError as err:
            raise self._failed(err) from err
        return self._take(reading)

    def _failed(self, err: MeterError) -> UpdateFailed:
        """Return what a failure means for the entities, and when to ask again."""
        if isinstance(err, WrongMeterError):
            return UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="wrong_meter",
                translation_placeholders={
                    "meter": self.subentry.title,
                    "expected": err.expected,
                    "found": err.found,
                },
            )
        self._failures += 1
        if isinstance(err, MeterAuthError):
            self._ask_for_password()
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="meter_not_read",
            translation_placeholders={"meter": self.subentry.title, "error": str(err)},
            retry_after=None if self.connection.speaks else self._patience(),
        )

    def _ask_for_password(self) -> None:
        """Tell the user that the meter wants a password, once."""
        self._locked = True
        self._auth_issue.tell("meter_auth", {"meter": self.subentry.title})

    def _patience(self) -> float:
        """Return in how many seconds to ask again: others on the line wait for each attempt."""
        longest = max(self.poll_interval, _LONGEST_WAIT)
        return min(longest, self.poll_interval * 2.0 ** min(self._failures, 10))

    @callback
    def _async_heard(self, reading: Reading) -> None:
        """Take a reading that the meter sent by itself."""
        try:
            seen = self._take(reading)
        except Exception as err:  # noqa: BLE001  # the next reading may be booked again
            if self.last_update_success:
                LOGGER.exception("%s: unexpected error with a reading", self.name)
            self.async_set_update_error(err)
            return
        if not self.last_update_success:
            LOGGER.info("Fetching %s data recovered", self.name)
        self.async_set_updated_data(seen)

    @callback
    def _async_lost(self, err: MeterError) -> None:
        """Take note that the meter sends nothing any more."""
        self.async_set_update_error(self._failed(err))

    def _take(self, reading: Reading) -> Reading:
        """Book a reading; return it as the site sees it."""
        self._failures = 0
        if self._locked:
            self._locked = False
            self._auth_issue.clear()
        if self._power_inverted:
            reading = reading.with_power_reversed()
        if self.inverted:
            reading = reading.reversed()
        self._tell_faults(reading)
        self._intensity.heard(reading.time)
        # Of when it was said: what a broker kept, or what waited for its turn, is older than now.
        age = now() - reading.time
        watched = self.watch.observe(reading, monotonic=self.hass.loop.time() - age)
        self._due |= watched.due
        for incident in watched.incidents:
            self._tell_incident(incident)
        if watched.step is not None:
            for heard in list(self._step_listeners):
                heard(watched.step)
        return reading

    @override
    @callback
    def async_update_listeners(self) -> None:
        """Let the entities be written where that is due, or where the meter has come or gone.

        Sampling is one thing and writing another: a meter that is read every second would
        flood the recorder.
        """
        reachable = self.last_update_success
        if self._due or reachable != self._shown_reachable:
            self._due, self._shown_reachable = False, reachable
            super().async_update_listeners()

    @override
    @callback
    def _schedule_refresh(self) -> None:
        """Schedule the next reading at its place in time, however long this one took.

        Home Assistant's own way has all coordinators due in the first half of a second, and
        leaves one out where a reading does not end in the second in which it began.
        """
        if self.update_interval is not None and self._retry_after is None:
            now = self.hass.loop.time()
            missed = (now - self.due) // self.poll_interval
            self.due += (missed + 1) * self.poll_interval
            self._retry_after = self.due - int(now) - self._microsecond
        super()._schedule_refresh()

    @callback
    def async_show_next(self) -> None:
        """Have the entities written with the next reading, whatever it says."""
        self._due = True

    @override
    async def async_request_refresh(self) -> None:
        """Read soon: somebody wants to see it."""
        self.async_show_next()
        await super().async_request_refresh()

    @callback
    def async_listen_for_steps(self, heard: Callable[[PowerStep], None]) -> Callable[[], None]:
        """Call back with each step in the meter's power; return how to stop."""
        self._step_listeners.append(heard)
        return partial(self._step_listeners.remove, heard)

    @callback
    def async_listen_for_incidents(self, heard: Callable[[Incident], None]) -> Callable[[], None]:
        """Call back when something begins or ceases to be unbelievable; return how to stop."""
        self._incident_listeners.append(heard)
        return partial(self._incident_listeners.remove, heard)

    def _tell_faults(self, reading: Reading) -> None:
        """Log registers with impossible contents, once when they change."""
        faults = tuple(fault.register for fault in reading.faults)
        if faults != self._faults:
            for fault in reading.faults:
                LOGGER.warning("%s: %s", self.subentry.title, fault)
            if not faults:
                LOGGER.info("%s: all registers hold values again", self.subentry.title)
        self._faults = faults

    def _tell_incident(self, incident: Incident) -> None:
        """Log what cannot be believed, and tell who wants to know."""
        what = f"{incident.quantity}: " if incident.quantity else ""
        if incident.ended is None or incident.ended == incident.time:
            LOGGER.warning(
                "%s: %s%s (%.6g %s)%s",
                self.subentry.title,
                what,
                incident.reason.replace("_", " "),
                incident.amount,
                incident.unit,
                "; it is kept apart" if incident.set_apart else "",
            )
        else:
            LOGGER.info(
                "%s: %s%s is over", self.subentry.title, what, incident.reason.replace("_", " ")
            )
        for heard in list(self._incident_listeners):
            heard(incident)
