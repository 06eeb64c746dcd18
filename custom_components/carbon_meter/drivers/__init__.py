"""The drivers that come with the integration."""

from typing import Final

from ..driver import MeterDriver
from .modbus import ModbusDriver

PACKAGED: Final[tuple[type[MeterDriver], ...]] = (ModbusDriver,)
"""Each is made once for the whole installation."""
