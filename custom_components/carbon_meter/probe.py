"""Asking an address which meters are there, for the flows."""

from dataclasses import dataclass
from typing import Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from modbus_connection import ModbusTcpParams

from .libraries import async_get_libraries
from .metering.candidate import Candidate
from .metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from .metering.modbus.first_words import first_words
from .metering.modbus.identification import identify, read_as
from .metering.plausibility import is_plausible
from .metering.profile import Profile

_TIMEOUT: Final = 4.0
"""Seconds for an answer to a question that may have none."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a meter is asked."""

    host: str
    port: int
    unit: int


class ProbeError(Exception):
    """There is no meter to be had at the address; `key` is the error's translation."""

    def __init__(self, key: str, detail: str) -> None:
        """Keep what the form shows."""
        super().__init__(detail)
        self.key = key
        self.detail = detail


async def async_probe(hass: HomeAssistant, address: Address) -> tuple[Candidate, ...]:
    """Return the meters that answer at an address, the best guess first.

    Raises ProbeError when there is none, with what was seen.
    """
    libraries = await async_get_libraries(hass)
    params = ModbusTcpParams(host=address.host, port=address.port)
    try:
        async with async_get_temporary_unit(hass, params, address.unit) as unit:
            unit.require_timeout(_TIMEOUT)
            try:
                found = await identify(unit, libraries.profiles.profiles.values(), clock=_now)
            finally:
                unit.require_timeout(None)
    except MeterSilentError as err:
        said = await first_words(address.host, address.port, _TIMEOUT)
        if said is not None:
            raise ProbeError("not_a_meter", f"“{said}”") from err
        raise ProbeError("silent", str(err)) from err
    except MeterError as err:
        raise ProbeError(_error_key(err), str(err)) from err
    except HomeAssistantError as err:
        raise ProbeError("in_use", str(err)) from err
    if not found.candidates:
        raise ProbeError("unknown_model", "; ".join(found.seen) or "-")
    return found.candidates


async def async_try_profile(hass: HomeAssistant, address: Address, profile: Profile) -> Candidate:
    """Return the meter as read by a profile that the user chose against the identification.

    Raises ProbeError when the values do not look like a meter.
    """
    params = ModbusTcpParams(host=address.host, port=address.port)
    try:
        async with async_get_temporary_unit(hass, params, address.unit) as unit:
            candidate = await read_as(unit, profile, clock=_now)
    except MeterError as err:
        raise ProbeError("model_mismatch", str(err)) from err
    reading = candidate.reading
    if not is_plausible(reading.values, profile.phases):
        raise ProbeError("model_mismatch", ", ".join(str(fault) for fault in reading.faults) or "-")
    return candidate


def _now() -> float:
    return dt_util.utcnow().timestamp()


def _error_key(err: MeterError) -> str:
    """Return which message helps with an error."""
    match err:
        case MeterRefusedError():
            return "refused"
        case MeterUnreachableError():
            return "unreachable"
        case MeterRejectedError(is_about_unit=True):
            return "no_such_unit"
        case MeterGarbledError() | MeterRejectedError():
            return "not_a_meter"
        case _:
            return "unknown"
