"""Reading one meter, again and again."""

import asyncio
from datetime import timedelta
from typing import Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .carbon.account import Incident, MeterAccount
from .const import CONF_INTERVAL, CONF_INVERTED, CONF_POWER_INVERTED, DOMAIN, LOGGER
from .data import CarbonMeterConfigEntry
from .driver import MeterConnection
from .intensity import SiteIntensity
from .metering.errors import MeterError, MeterSilentError, WrongMeterError
from .metering.profile import Profile
from .metering.readings import Reading

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
        account: MeterAccount,
        intensity: SiteIntensity,
    ) -> None:
        """Take the meter's parts."""
        self.subentry = subentry
        self.profile = profile
        self.account = account
        self.connection = connection
        self.inverted: bool = subentry.data[CONF_INVERTED]
        self._power_inverted: bool = subentry.data.get(CONF_POWER_INVERTED, False)
        self._interval: float = subentry.data[CONF_INTERVAL]
        self._intensity = intensity
        self._faults: tuple[str, ...] = ()
        self._failures = 0
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=subentry.title,
            update_interval=None if connection.speaks else timedelta(seconds=self._interval),
        )

    @property
    def absent(self) -> frozenset[str]:
        """Return the quantities of the profile that this meter does not have."""
        return frozenset(self.connection.absent)

    @property
    def requests(self) -> int:
        """Return how many requests one full reading takes."""
        return self.connection.requests

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
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="meter_not_read",
            translation_placeholders={"meter": self.subentry.title, "error": str(err)},
            retry_after=None if self.connection.speaks else self._patience(),
        )

    def _patience(self) -> float:
        """Return in how many seconds to ask again: others on the line wait for each attempt."""
        longest = max(self._interval, _LONGEST_WAIT)
        return min(longest, self._interval * 2.0 ** min(self._failures, 10))

    @callback
    def _async_heard(self, reading: Reading) -> None:
        """Take a reading that the meter sent by itself."""
        self.async_set_updated_data(self._take(reading))

    @callback
    def _async_lost(self, err: MeterError) -> None:
        """Take note that the meter sends nothing any more."""
        self.async_set_update_error(self._failed(err))

    def _take(self, reading: Reading) -> Reading:
        """Book a reading; return it as the site sees it."""
        self._failures = 0
        if self._power_inverted:
            reading = reading.with_power_reversed()
        if self.inverted:
            reading = reading.reversed()
        self._tell_faults(reading)
        self._intensity.heard(reading.time)
        for incident in self.account.observe(reading):
            self._tell_incident(incident)
        return reading

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
        LOGGER.warning(
            "%s: the counter %s had a %s; %.3f kWh of its change were set apart",
            self.subentry.title,
            incident.quantity,
            incident.event,
            incident.set_apart / 1000,
        )
