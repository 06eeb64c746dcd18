"""The door for other integrations: drivers, profiles and intensity sources of their own.

An integration that has a module `carbon_meter` with a function

    async def async_get_carbon_meter_plugin(hass: HomeAssistant) -> Plugin

is asked for its plugin once it is loaded. What it brings is used as what is packaged is.
Everything that a plugin needs can be imported from here; docs/plugins.md shows a whole one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant

from .carbon.factors.factor import Scope
from .carbon.grade import Grade
from .carbon.intensity.source import (
    IntensityInterval,
    IntensityKind,
    IntensitySource,
    SourceInfo,
)
from .datafile import DataFile, DataFileError
from .driver import Find, MeterConnection, MeterDriver, ProbeError, Progress
from .fields import whole_number
from .metering.candidate import Candidate
from .metering.errors import (
    MeterAuthError,
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterSilentError,
    MeterUnreachableError,
    WrongMeterError,
)
from .metering.profile import Profile
from .metering.profile_library import ProfileLibrary
from .metering.profile_schema import ProfileForm
from .metering.quantities import QUANTITIES, unit_factor
from .metering.readings import Fault, Reading

__all__ = [
    "QUANTITIES",
    "Candidate",
    "DataFile",
    "DataFileError",
    "Fault",
    "Find",
    "Grade",
    "IntensityInterval",
    "IntensityKind",
    "IntensityOffer",
    "IntensitySource",
    "MeterAuthError",
    "MeterConnection",
    "MeterDriver",
    "MeterError",
    "MeterGarbledError",
    "MeterRefusedError",
    "MeterSilentError",
    "MeterUnreachableError",
    "Plugin",
    "ProbeError",
    "Profile",
    "ProfileForm",
    "ProfileLibrary",
    "Progress",
    "Reading",
    "Scope",
    "SourceInfo",
    "WrongMeterError",
    "unit_factor",
    "whole_number",
]


@dataclass(frozen=True, kw_only=True)
class IntensityOffer:
    """A source of carbon intensity that a site can choose."""

    key: str
    """What is kept in the options of a site; unique within the plugin."""

    name: str
    create: Callable[[HomeAssistant, Mapping[str, Any]], Awaitable[IntensitySource]]
    """Make the source for a site with these options.

    Raises HomeAssistantError with a text for the user when it cannot be had; it is tried again.
    """


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """What an integration adds to Carbon Meter."""

    drivers: tuple[MeterDriver, ...] = ()
    """The `key` of each is the integration's domain, or begins with it and a dot."""

    profiles: tuple[Path, ...] = ()
    """Directories of profile files."""

    intensity_sources: tuple[IntensityOffer, ...] = ()
