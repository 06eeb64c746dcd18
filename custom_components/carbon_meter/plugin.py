"""The door for other integrations: drivers, profiles and intensity sources of their own.

An integration that has a module `carbon_meter` with a function

    async def async_get_carbon_meter_plugin(hass: HomeAssistant) -> Plugin

is asked for its plugin once it is loaded. What it brings is used as what is packaged is.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant

from .carbon.intensity.source import IntensitySource
from .driver import MeterDriver


@dataclass(frozen=True, kw_only=True)
class IntensityOffer:
    """A source of carbon intensity that a site can choose."""

    key: str
    """What is kept in the options of a site; unique within the plugin."""

    name: str
    create: Callable[[HomeAssistant, Mapping[str, Any]], Awaitable[IntensitySource]]
    """Make the source for a site with these options.

    Raises HomeAssistantError with a text for the user when it cannot be had.
    """


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """What an integration adds to Carbon Meter."""

    drivers: tuple[MeterDriver, ...] = ()
    profiles: tuple[Path, ...] = ()
    """Directories of profile files."""

    intensity_sources: tuple[IntensityOffer, ...] = ()
