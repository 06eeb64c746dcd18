"""A wall around a meter of another integration's driver: only possible readings come through."""

import asyncio
from collections.abc import Callable, Collection, Mapping
import math
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util

from .const import LOGGER
from .driver import Heard, Lost, MeterConnection
from .metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterSilentError,
    MeterUnreachableError,
)
from .metering.fields import is_number
from .metering.profile import Profile
from .metering.quantities import QUANTITIES
from .metering.readings import Fault, Reading

_CLOSE_LIMIT: Final = 10.0
"""Seconds for letting go of what a connection holds."""

_CLOCK_LIMIT: Final = 86400.0
"""Seconds by which the time of a reading may be off: more is another unit, or another epoch."""


class GuardedConnection(MeterConnection):
    """Passes on what is a reading of the profile."""

    def __init__(self, connection: MeterConnection, driver: str, profile: Profile) -> None:
        """Take the connection, the key of its driver and the meter's profile."""
        self._connection = connection
        self._driver = driver
        self._profile = profile
        self._told: set[str] = set()
        self._speaks = bool(self._of(lambda: connection.speaks, default=False))

    def _of[T](self, read: Callable[[], T], *, default: T) -> T:
        """Return a property, or what stands for one that cannot be had."""
        try:
            return read()
        except Exception as err:  # noqa: BLE001  # the meter is read without it
            self._tell(err)
            return default

    def _tell(self, err: Exception) -> None:
        """Log an exception that no driver may raise, once of each kind."""
        if (kind := type(err).__name__) not in self._told:
            self._told.add(kind)
            LOGGER.error("A meter of the driver %s failed", self._driver, exc_info=err)

    @property
    @override
    def absent(self) -> Collection[str]:
        return self._of(lambda: frozenset(self._connection.absent), default=frozenset())

    @property
    @override
    def requests(self) -> int:
        return self._of(lambda: int(self._connection.requests), default=0)

    @property
    @override
    def speaks(self) -> bool:
        return self._speaks

    @override
    async def async_read(self) -> Reading:
        try:
            reading = await self._connection.async_read()
        except MeterError:
            raise
        except Exception as err:
            error = as_meter_error(err)
            if type(error) is MeterError:
                self._tell(err)
            raise error from err
        return checked_reading(reading, self._profile)

    @override
    def async_listen(self, heard: Heard, lost: Lost) -> Callable[[], None]:
        @callback
        def take(reading: Reading) -> None:
            try:
                checked = checked_reading(reading, self._profile)
            except MeterError as err:
                lost(err)
            else:
                heard(checked)

        try:
            stop = self._connection.async_listen(take, lost)
        except Exception as err:  # noqa: BLE001  # the site's other meters are listened to
            self._tell(err)
            lost(as_meter_error(err))
            return lambda: None

        @callback
        def stop_safely() -> None:
            self._of(stop, default=None)

        return stop_safely

    @property
    @override
    def details(self) -> Mapping[str, Any]:
        return self._of(lambda: dict(self._connection.details), default={})

    @override
    def as_dict(self) -> dict[str, Any]:
        def kept() -> dict[str, Any]:
            kept = dict(self._connection.as_dict())
            json_bytes(kept)  # what cannot be stored would keep the whole site from being stored
            return kept

        return self._of(kept, default={})

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        self._of(lambda: self._connection.restore(data), default=None)

    @override
    async def async_close(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_LIMIT):
                await self._connection.async_close()
        except Exception as err:  # noqa: BLE001  # the site goes on closing the others
            self._tell(err)


def checked_reading(reading: object, profile: Profile) -> Reading:
    """Return a reading of which everything is a possible value of the profile.

    What is not becomes a fault. Raises MeterGarbledError for what is no reading of now.
    """
    if not isinstance(reading, Reading) or not isinstance(reading.values, Mapping):
        raise MeterGarbledError(f"{type(reading).__name__} instead of a reading")
    now = dt_util.utcnow().timestamp()
    if not is_number(reading.time) or not abs(reading.time - now) <= _CLOCK_LIMIT:
        raise MeterGarbledError(f"{reading.time!r} is not the time of a reading of now")
    values: dict[str, float] = {}
    faults = list(reading.faults)
    for key, value in reading.values.items():
        reason = _objection(key, value, profile)
        if reason is None:
            values[key] = float(value)
        else:
            faults.append(Fault(quantity=str(key), register="-", reason=reason))
    held = frozenset(reading.held) & values.keys()
    return Reading(time=float(reading.time), values=values, faults=tuple(faults), held=held)


def _objection(key: object, value: object, profile: Profile) -> str | None:
    """Return why a value cannot be one of this quantity, None if it can."""
    if key not in profile.quantities:
        return f"not a quantity of {profile.id}"
    quantity = QUANTITIES[str(key)]
    if not is_number(value) or not math.isfinite(value):
        return f"{value!r} is not a number"
    if abs(value) > quantity.limit or (quantity.counter and value < 0):
        return f"implausible value {value:g} {quantity.unit}"
    return None


def as_meter_error(err: Exception) -> MeterError:
    """Return what an exception of a driver means for the meter."""
    match err:
        case MeterError():
            return err
        case ConnectionRefusedError():
            return MeterRefusedError(str(err))
        case TimeoutError() | asyncio.IncompleteReadError() | ConnectionResetError():
            return MeterSilentError(str(err) or "no answer in time")
        case OSError():
            return MeterUnreachableError(str(err))
        case _:
            return MeterError(f"{type(err).__name__}: {err}")
