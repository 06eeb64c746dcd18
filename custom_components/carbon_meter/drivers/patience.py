"""How long a device that is being identified gets for an answer: no longer than it needs.

Some meters are silent about registers that they do not have, and there are many questions.
"""

from collections.abc import Awaitable, Callable
import contextlib
import time
from typing import Final

from modbus_connection import ModbusError, ModbusTimeoutError, ModbusUnit

LEAST: Final = 0.5
"""Seconds; a meter on a slow bus has answered by then."""

_TIMES: Final = 3.0
"""How many times the slowest answer so far the next one may take."""


class PatientUnit:
    """A Modbus unit whose answers are waited for as long as its slowest one suggests.

    `longest` in seconds is what it gets before it has answered anything.
    """

    def __init__(self, unit: ModbusUnit, longest: float) -> None:
        """Take the unit; `release` lets go of what it was asked to keep."""
        self._unit = unit
        self._slowest: float | None = None
        self._patience = longest
        unit.require_timeout(longest)

    def release(self) -> None:
        """Leave the time of answers to others again."""
        self._unit.require_timeout(None)

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 3."""
        return await self._timed(self._unit.read_holding_registers, address, count)

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 4."""
        return await self._timed(self._unit.read_input_registers, address, count)

    async def read_device_identification(self) -> dict[int, bytes]:
        """Read with function code 43/14."""
        return await self._unit.read_device_identification()

    async def _timed(
        self, read: Callable[[int, int], Awaitable[list[int]]], address: int, count: int
    ) -> list[int]:
        """Read, and learn from how long an answer takes."""
        begun = time.monotonic()
        try:
            words = await read(address, count)
        except ModbusTimeoutError:
            await self._shorten()
            raise
        self._slowest = max(self._slowest or 0.0, time.monotonic() - begun)
        return words

    async def _shorten(self) -> None:
        """Wait less from now on for a device that answers, but not to everything."""
        if self._slowest is None:
            return
        patience = max(LEAST, _TIMES * self._slowest)
        if patience < self._patience:
            self._patience = patience
            self._unit.require_timeout(patience)
            # It holds from the next connection on.
            with contextlib.suppress(ModbusError):
                await self._unit.disconnect()
