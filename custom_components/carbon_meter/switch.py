"""Switches of loads: the user takes over, an appliance is filled and ready."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import CarbonMeterConfigEntry
from .load_descriptions import local
from .load_entity import LoadEntity, async_add_loads
from .loads.keys import LoadKind
from .loads.load import Load

PARALLEL_UPDATES: Final = 0


@dataclass(frozen=True, kw_only=True)
class LoadSwitchDescription(SwitchEntityDescription):
    """A switch of a load."""

    is_on_fn: Callable[[Load], bool]
    turn_on_fn: Callable[[Load], Coroutine[Any, Any, None]]
    turn_off_fn: Callable[[Load], Coroutine[Any, Any, None]]
    attributes_fn: Callable[[Load], Mapping[str, Any] | None] = lambda _load: None
    applies: Callable[[Load], bool] = lambda _load: True


LOAD_SWITCHES: Final = (
    LoadSwitchDescription(
        key="override",
        translation_key="override",
        is_on_fn=lambda load: load.is_overridden,
        turn_on_fn=lambda load: load.async_override(),
        turn_off_fn=lambda load: load.async_override(0.0),
        attributes_fn=lambda load: {"until": local(load.override_until)},
    ),
    LoadSwitchDescription(
        key="ready",
        translation_key="ready",
        is_on_fn=lambda load: load.is_ready,
        turn_on_fn=lambda load: load.async_ready(),
        turn_off_fn=lambda load: load.async_cancel(),
        applies=lambda load: load.kind is LoadKind.APPLIANCE,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of each load."""

    def make(load: Load, device: DeviceInfo) -> list[LoadSwitch]:
        return [LoadSwitch(load, device, one) for one in LOAD_SWITCHES if one.applies(load)]

    await async_add_loads(hass, entry, Platform.SWITCH, async_add_entities, make)


class LoadSwitch(LoadEntity, SwitchEntity):
    """Something that the user tells; what was told is kept by the planner."""

    entity_description: LoadSwitchDescription

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is told."""
        return self.entity_description.is_on_fn(self._load)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return until when it is told."""
        return self.entity_description.attributes_fn(self._load)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Tell it."""
        await self.entity_description.turn_on_fn(self._load)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Take it back."""
        await self.entity_description.turn_off_fn(self._load)
