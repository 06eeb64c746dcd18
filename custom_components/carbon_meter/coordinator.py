"""Reading one meter, again and again."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from modbus_connection import ModbusError, ModbusUnit

from .carbon.account import Incident, MeterAccount
from .const import (
    CONF_BASE,
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_POWER_INVERTED,
    CONF_SERIAL,
    DOMAIN,
    LOGGER,
)
from .data import CarbonMeterConfigEntry, Site
from .intensity import SiteIntensity
from .metering.errors import MeterError, MeterGarbledError, MeterSilentError, WrongMeterError
from .metering.modbus.meter import ModbusMeter
from .metering.modbus.verification import verify
from .metering.profile import Profile
from .metering.readings import Reading

_READING_LIMIT: Final = 30.0
"""Seconds for one reading, waiting for others on the same line included."""

_LONGEST_WAIT: Final = 30.0
"""Seconds between two attempts at a meter that does not answer, unless its interval is longer."""

_SILENCES_PER_LINK: Final = 3
"""Readings without an answer in a row after which the link is dropped."""


class MeterCoordinator(DataUpdateCoordinator[Reading]):
    """Polls one meter and books what it says; its data is the last reading.

    Each meter has its own: one that is slow or dead delays no other.
    """

    config_entry: CarbonMeterConfigEntry

    def __init__(  # noqa: PLR0913  # what makes up a meter
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        subentry: ConfigSubentry,
        *,
        unit: ModbusUnit,
        profile: Profile,
        account: MeterAccount,
        intensity: SiteIntensity,
    ) -> None:
        """Take the meter's parts."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=subentry.title,
            update_interval=timedelta(seconds=subentry.data[CONF_INTERVAL]),
        )
        self.subentry = subentry
        self.profile = profile
        self.account = account
        self._intensity = intensity
        self._unit = unit
        self.inverted: bool = subentry.data[CONF_INVERTED]
        self._power_inverted: bool = subentry.data.get(CONF_POWER_INVERTED, False)
        self._meter: ModbusMeter | None = None
        self._faults: tuple[str, ...] = ()
        self._silences = 0
        self._failures = 0

    @property
    def absent(self) -> frozenset[str]:
        """Return the quantities of the profile that this meter does not have."""
        return frozenset(self._meter.absent) if self._meter is not None else frozenset()

    @property
    def requests(self) -> int:
        """Return how many requests one full reading takes."""
        return len(self._meter.blocks) if self._meter is not None else 0

    @override
    async def _async_update_data(self) -> Reading:
        """Read the meter once and book the reading."""
        try:
            reading = await self._read()
        except WrongMeterError as err:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="wrong_meter",
                translation_placeholders={
                    "meter": self.subentry.title,
                    "expected": err.expected,
                    "found": err.found,
                },
            ) from err
        except MeterError as err:
            # Whoever answers next may be another meter: it is asked again who it is.
            self._meter = None
            self._failures += 1
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="meter_not_read",
                translation_placeholders={"meter": self.subentry.title, "error": str(err)},
                retry_after=self._patience(),
            ) from err
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

    def _patience(self) -> float:
        """Return in how many seconds to ask again: others on the line wait for each attempt."""
        interval: float = self.subentry.data[CONF_INTERVAL]
        return max(interval, min(_LONGEST_WAIT, interval * 2.0**self._failures))

    def _link_is_deaf(self) -> bool:
        """Return whether nobody on this meter's line has answered of late."""
        data = self.subentry.data
        site: Site | None = getattr(self.config_entry, "runtime_data", None)
        return site is None or not any(
            meter.last_update_success
            for meter in site.meters.values()
            if meter is not self
            and meter.subentry.data[CONF_HOST] == data[CONF_HOST]
            and meter.subentry.data[CONF_PORT] == data[CONF_PORT]
        )

    async def _read(self) -> Reading:
        """Read the meter; a link that stays silent is made anew.

        Raises MeterError.
        """
        try:
            async with asyncio.timeout(_READING_LIMIT):
                if self._meter is None:
                    self._meter = await self._connect()
                reading = await self._meter.read()
        except (MeterSilentError, MeterGarbledError, TimeoutError) as err:
            self._silences += 1
            if self._silences % _SILENCES_PER_LINK == 0 and self._link_is_deaf():
                # A client that has lost the thread of the conversation never finds it again.
                with contextlib.suppress(ModbusError):
                    await self._unit.disconnect()
            if isinstance(err, MeterError):
                raise
            raise MeterSilentError(f"no complete reading within {_READING_LIMIT:.0f} s") from err
        self._silences = 0
        return reading

    async def _connect(self) -> ModbusMeter:
        """Make sure that it is the right meter, and where its registers are."""
        base = await verify(
            self._unit,
            self.profile,
            base=self.subentry.data[CONF_BASE],
            serial=self.subentry.data[CONF_SERIAL],
        )
        return ModbusMeter(
            self._unit,
            self.profile,
            base=base,
            clock=lambda: dt_util.utcnow().timestamp(),
        )

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
