"""The button of a load that starts it now, whatever is planned."""

from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import CarbonMeterConfigEntry
from .load_entity import LoadEntity, async_add_loads
from .loads.keys import LoadKind
from .loads.load import Load

PARALLEL_UPDATES: Final = 0

START_NOW: Final = ButtonEntityDescription(key="start_now", translation_key="start_now")

STARTED: Final = frozenset({LoadKind.APPLIANCE, LoadKind.EV})
"""Loads that somebody waits for; the others have nothing that is over sooner."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button of each load that somebody waits for."""

    def make(load: Load, device: DeviceInfo) -> list[StartButton]:
        return [StartButton(load, device, START_NOW)] if load.kind in STARTED else []

    await async_add_loads(hass, entry, Platform.BUTTON, async_add_entities, make)


class StartButton(LoadEntity, ButtonEntity):
    """Starts a load."""

    @override
    async def async_press(self) -> None:
        """Start it now."""
        await self._load.async_start_now()
