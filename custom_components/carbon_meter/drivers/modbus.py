"""Modbus meters, on the connection that Home Assistant shares among all who use a line."""

import asyncio
from collections.abc import Collection, Hashable, Mapping
import contextlib
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.components.modbus import async_get_temporary_unit, async_get_unit
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import TextSelector
from modbus_connection import ModbusError, ModbusTcpParams, ModbusUnit
import probatio

from ..const import CONF_BASE, CONF_SERIAL, CONF_UNIT, DEFAULT_PORT, DEFAULT_UNIT
from ..driver import Find, MeterConnection, MeterDriver, ProbeError, Progress
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterSilentError,
)
from ..metering.modbus.first_words import first_words
from ..metering.modbus.identification import identify, read_as
from ..metering.modbus.meter import ModbusMeter
from ..metering.modbus.profile import ModbusProfile
from ..metering.modbus.schema import MODBUS, SUNSPEC
from ..metering.modbus.verification import verify
from ..metering.plausibility import is_plausible
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.profile_schema import ProfileForm
from ..metering.readings import Reading
from .clock import now
from .errors import probe_error
from .modbus_search import search_line
from .patience import PatientUnit

if TYPE_CHECKING:
    from ..data import CarbonMeterConfigEntry

ANSWER_TIMEOUT: Final = 5.0
"""Seconds that a meter gets for one answer. A gateway with a slow bus needs one or two."""

_PROBE_TIMEOUT: Final = 4.0
"""Seconds for an answer to a question that may have none."""

_READING_LIMIT: Final = 30.0
"""Seconds for one reading, waiting for others on the same line included."""

_SILENCES_PER_LINK: Final = 3
"""Readings without an answer in a row after which the link is dropped."""


class ModbusDriver(MeterDriver):
    """Reads registers over Modbus TCP: directly, through a gateway or behind an inverter."""

    key: ClassVar[str] = "modbus"
    name: ClassVar[str] = "Modbus TCP"
    forms: ClassVar[tuple[ProfileForm, ...]] = (MODBUS, SUNSPEC)
    ports: ClassVar[tuple[int, ...]] = (DEFAULT_PORT, 1502)

    def __init__(self) -> None:
        """Know no line yet."""
        self._lines: dict[tuple[str, int], _Line] = {}

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        return {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=DEFAULT_PORT): whole_number(1, 65535),
            probatio.Required(CONF_UNIT, default=DEFAULT_UNIT): whole_number(0, 255),
        }

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {
            CONF_HOST: user_input[CONF_HOST].strip().lower(),
            CONF_PORT: user_input[CONF_PORT],
            CONF_UNIT: user_input[CONF_UNIT],
        }

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        return data[CONF_HOST], data[CONF_PORT], data[CONF_UNIT], data[CONF_BASE]

    @override
    def can_try(self, profile: Profile) -> bool:
        # Of SunSpec the chain of models tells what there is; what it does not name is not there.
        return isinstance(profile, ModbusProfile) and not profile.is_chained

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        known = profiles.of(ModbusProfile).values()
        host, port = address[CONF_HOST], address[CONF_PORT]
        params = ModbusTcpParams(host=host, port=port)
        try:
            async with async_get_temporary_unit(hass, params, address[CONF_UNIT]) as unit:
                patient = PatientUnit(unit, _PROBE_TIMEOUT)
                try:
                    found = await identify(patient, known, clock=now)
                finally:
                    patient.release()
        except MeterSilentError as err:
            said = await first_words(host, port, _PROBE_TIMEOUT)
            if said is not None:
                raise ProbeError("not_a_meter", f"“{said}”") from err
            raise ProbeError("silent", str(err)) from err
        except MeterError as err:
            raise probe_error(err) from err
        except HomeAssistantError as err:
            raise ProbeError("in_use", str(err)) from err
        if not found.candidates:
            raise ProbeError("unknown_model", "; ".join(found.seen) or "-")
        return found.candidates

    @override
    async def async_search(
        self,
        hass: HomeAssistant,
        host: str,
        port: int,
        profiles: ProfileLibrary,
        *,
        every_unit: bool,
        progress: Progress,
    ) -> tuple[Find, ...]:
        return await search_line(
            hass, host, port, profiles, every_unit=every_unit, progress=progress
        )

    @override
    async def async_try(
        self, hass: HomeAssistant, address: Mapping[str, Any], profile: Profile
    ) -> Candidate:
        if not isinstance(profile, ModbusProfile) or profile.is_chained:
            return await super().async_try(hass, address, profile)
        params = ModbusTcpParams(host=address[CONF_HOST], port=address[CONF_PORT])
        try:
            async with async_get_temporary_unit(hass, params, address[CONF_UNIT]) as unit:
                candidate = await read_as(unit, profile, clock=now)
        except (MeterError, HomeAssistantError) as err:
            raise ProbeError("model_mismatch", str(err)) from err
        reading = candidate.reading
        if not is_plausible(reading.values, profile.phases):
            raise ProbeError(
                "model_mismatch", ", ".join(str(fault) for fault in reading.faults) or "-"
            )
        return candidate

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        assert isinstance(profile, ModbusProfile)  # noqa: S101  # chosen by this driver's candidate
        host, port = data[CONF_HOST], data[CONF_PORT]
        unit = async_get_unit(hass, entry, ModbusTcpParams(host=host, port=port), data[CONF_UNIT])
        unit.require_timeout(ANSWER_TIMEOUT)
        if profile.message_spacing:
            unit.set_message_spacing(profile.message_spacing)
        line = self._lines.setdefault((host, port), _Line())
        return ModbusConnection(unit, profile, line, base=data[CONF_BASE], serial=data[CONF_SERIAL])


class _Line:
    """Who of those behind one address has answered of late."""

    def __init__(self) -> None:
        self.heard: set[ModbusConnection] = set()


class ModbusConnection(MeterConnection):
    """One meter behind a Modbus unit."""

    def __init__(
        self, unit: ModbusUnit, profile: ModbusProfile, line: _Line, *, base: int, serial: str
    ) -> None:
        """Take the meter's parts."""
        self._unit = unit
        self._profile = profile
        self._line = line
        self._base = self._found_at = base
        self._serial = serial
        self._meter: ModbusMeter | None = None
        self._silences = 0

    @property
    @override
    def absent(self) -> Collection[str]:
        return self._meter.absent if self._meter is not None else ()

    @property
    @override
    def requests(self) -> int:
        return len(self._meter.blocks) if self._meter is not None else 0

    @override
    async def async_read(self) -> Reading:
        try:
            async with asyncio.timeout(_READING_LIMIT):
                if self._meter is None:
                    self._meter = await self._connect()
                elif self._serial and not self._unit.connected:
                    await self._verify_again()
                reading = await self._meter.read()
        except (MeterSilentError, MeterGarbledError, TimeoutError) as err:
            self._meter = None
            await self._silent()
            if isinstance(err, MeterError):
                raise
            raise MeterSilentError(f"no complete reading within {_READING_LIMIT:.0f} s") from err
        except MeterError:
            # Whoever answers next may be another meter: it is asked again who it is.
            self._meter = None
            self._line.heard.discard(self)
            raise
        self._silences = 0
        self._line.heard.add(self)
        return reading

    async def _silent(self) -> None:
        """Take note of a silence; a link on which nobody answers any more is made anew.

        A client that has lost the thread of the conversation never finds it again.
        """
        self._line.heard.discard(self)
        self._silences += 1
        if self._silences % _SILENCES_PER_LINK == 0 and not self._line.heard:
            with contextlib.suppress(ModbusError):
                await self._unit.disconnect()

    async def _verify_again(self) -> None:
        """Make sure after a break that the meter is still the one that was read before."""
        base = await verify(self._unit, self._profile, base=self._base, serial=self._serial)
        if base != self._found_at:
            self._meter = await self._connect()

    async def _connect(self) -> ModbusMeter:
        """Make sure that it is the right meter, and where its registers are."""
        base = await verify(self._unit, self._profile, base=self._base, serial=self._serial)
        self._found_at = base
        return ModbusMeter(self._unit, self._profile, base=base, clock=now)

    @override
    async def async_close(self) -> None:
        self._line.heard.discard(self)
