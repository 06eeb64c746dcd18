"""The meter that is read: one SDM630 with all quantities of its profile."""

from dataclasses import dataclass
from typing import Final

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

PROFILE_ID: Final = "eastron_sdm630"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Where the meter answers, and what it is."""

    host: str
    port: int
    unit: int
    profile: ModbusProfile


def load_profile() -> ModbusProfile:
    """Return the packaged profile."""
    return load_profiles().of(ModbusProfile)[PROFILE_ID]
