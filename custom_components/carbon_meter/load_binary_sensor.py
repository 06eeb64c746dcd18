"""Binary sensors of a load: whether it should run now, and whether its deadline is at risk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.helpers.device_registry import DeviceInfo

from .load_entity import LoadEntity
from .loads.load import Load


@dataclass(frozen=True, kw_only=True)
class LoadBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of a load."""

    is_on_fn: Callable[[Load], bool | None]


LOAD_BINARY_SENSORS: Final = (
    LoadBinarySensorDescription(
        key="run_now",
        translation_key="run_now",
        is_on_fn=lambda load: load.run_now,
    ),
    LoadBinarySensorDescription(
        key="deadline_at_risk",
        translation_key="deadline_at_risk",
        device_class=BinarySensorDeviceClass.PROBLEM,
        is_on_fn=lambda load: load.is_at_risk,
    ),
)


def load_binary_sensors(load: Load, device: DeviceInfo) -> list[BinarySensorEntity]:
    """Return the binary sensors of a load."""
    return [LoadBinarySensor(load, device, description) for description in LOAD_BINARY_SENSORS]


class LoadBinarySensor(LoadEntity, BinarySensorEntity):
    """Something that is so or not."""

    entity_description: LoadBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is so, None before anything is known."""
        return self.entity_description.is_on_fn(self._load)
