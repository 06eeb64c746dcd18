"""The virtual home: plays a household and serves its meters over real Modbus TCP.

From the same profile files that the integration reads, encoded the other way
round. `python -m hardware.virtual` runs it as a process of its own; tests and
benchmarks use the names below.
"""

from .capture import CapturedDevice
from .clock import VirtualClock
from .control import ControlServer
from .electrical import Supply, Wiring
from .faults import (
    FAULTS,
    BrokenFrame,
    Close,
    Fault,
    Freeze,
    Garbage,
    Jump,
    Late,
    NotAvailable,
    Refuse,
    Reset,
    RollOver,
    Silent,
    Spike,
    SwapWords,
    WrongUnit,
)
from .home import PRESETS, VirtualHome, preset
from .household import Appliance, Household
from .meter import MeterSpec, VirtualMeter
from .replay import CityLearnHome, ReplayError, find_citylearn, load_citylearn
from .series import Constant, Source, Steps
from .server import Endpoint, ModbusPort, UnknownUnit
from .sunspec_chain import SunSpecLayout
from .weather import Weather

__all__ = [
    "FAULTS",
    "PRESETS",
    "Appliance",
    "BrokenFrame",
    "CapturedDevice",
    "CityLearnHome",
    "Close",
    "Constant",
    "ControlServer",
    "Endpoint",
    "Fault",
    "Freeze",
    "Garbage",
    "Household",
    "Jump",
    "Late",
    "MeterSpec",
    "ModbusPort",
    "NotAvailable",
    "Refuse",
    "ReplayError",
    "Reset",
    "RollOver",
    "Silent",
    "Source",
    "Spike",
    "Steps",
    "SunSpecLayout",
    "Supply",
    "SwapWords",
    "UnknownUnit",
    "VirtualClock",
    "VirtualHome",
    "VirtualMeter",
    "Weather",
    "Wiring",
    "WrongUnit",
    "find_citylearn",
    "load_citylearn",
    "preset",
]
