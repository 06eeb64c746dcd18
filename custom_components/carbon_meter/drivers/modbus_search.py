"""The meters behind one Modbus port, asked over the connection that Home Assistant shares."""

from typing import Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from modbus_connection import ModbusTcpParams

from ..const import CONF_UNIT, LOGGER
from ..driver import Find, Progress
from ..metering.candidate import Identification
from ..metering.errors import MeterError
from ..metering.modbus.identification import identify
from ..metering.modbus.meter import read_words
from ..metering.modbus.profile import ModbusProfile
from ..metering.modbus.registers import Function
from ..metering.modbus.scan import COMMON_UNITS, PAUSE, UnitSearch
from ..metering.profile_library import ProfileLibrary
from .clock import now

ANSWER_TIMEOUT: Final = 1.0
"""Seconds that a unit gets for one answer; most unit ids of a bus belong to nobody."""

_NOBODY: Final = 255
"""A unit id that is never asked: in its name the line is held, and the time of answers set."""


async def search_line(  # noqa: PLR0913  # what there is to say of a search
    hass: HomeAssistant,
    host: str,
    port: int,
    profiles: ProfileLibrary,
    *,
    every_unit: bool,
    progress: Progress,
) -> tuple[Find, ...]:
    """Return the meters of a line by their unit ids; none where no Modbus is spoken."""
    params = ModbusTcpParams(host=host, port=port)
    known = list(profiles.of(ModbusProfile).values())
    spoken: list[int] = []

    async def ask(number: int) -> Identification:
        """Identify one unit; whoever is silent to the first question is not asked a second.

        As long as nobody has spoken the usual ones get both: some devices are silent to one.
        """
        async with async_get_temporary_unit(hass, params, number) as unit:
            if spoken or number not in COMMON_UNITS:
                try:
                    await read_words(unit, Function.INPUT, 0, 2)
                except MeterError as err:
                    if not getattr(err, "is_about_registers", False):
                        raise
            said = await identify(unit, known, clock=now)
            spoken.append(number)
            return said

    search = UnitSearch(ask, every_unit=every_unit, pause=PAUSE)
    try:
        async with async_get_temporary_unit(hass, params, _NOBODY) as line:
            line.require_timeout(ANSWER_TIMEOUT)
            try:
                await search.run(progress)
            finally:
                line.require_timeout(None)
    except HomeAssistantError as err:
        LOGGER.debug("%s:%s is left out of the search: %s", host, port, err)
    if not search.complete:
        LOGGER.warning("%s:%s: not all unit ids could be asked in time", host, port)
    return tuple(
        ({CONF_HOST: host, CONF_PORT: port, CONF_UNIT: unit}, said.candidates)
        for unit, said in search.found
        if said.candidates
    )
