"""The drivers that come with the integration."""

from typing import Final

from ..driver import MeterDriver
from .dlt645 import Dlt645Driver
from .entities import EntitiesDriver
from .http import HttpDriver
from .modbus import ModbusDriver
from .mqtt import MqttDriver
from .speedwire import SpeedwireDriver

PACKAGED: Final[tuple[type[MeterDriver], ...]] = (
    ModbusDriver,
    HttpDriver,
    MqttDriver,
    SpeedwireDriver,
    Dlt645Driver,
    EntitiesDriver,
)
"""Each is made once for the whole installation."""
