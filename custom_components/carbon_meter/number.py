"""Numbers of loads that are changed from day to day: how far a car is charged, how long it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import Platform, UnitOfEnergy, UnitOfRatio, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import CarbonMeterConfigEntry
from .load_entity import LoadEntity, async_add_loads
from .loads.keys import CONF_ENERGY, CONF_HOURS, CONF_MUST, CONF_TARGET
from .loads.load import Load
from .planning.jobs.charge import ChargeJob, ChargeSettings
from .planning.jobs.run_time import RunTimeJob

PARALLEL_UPDATES: Final = 0

_MOST_ENERGY: Final = 200.0
"""kWh: more than cars hold."""


@dataclass(frozen=True, kw_only=True)
class LoadNumberDescription(NumberEntityDescription):
    """A number of a load, None where it has none. Its key is that of the load's data."""

    value_fn: Callable[[Load], float | None]


def _car(load: Load, *, by_level: bool) -> ChargeSettings | None:
    """Return what is asked for a car whose content is known, or is not."""
    job = load.job
    if not isinstance(job, ChargeJob) or (job.settings.capacity is not None) is not by_level:
        return None
    return job.settings


def _target(load: Load) -> float | None:
    car = _car(load, by_level=True)
    return None if car is None else car.target


def _must(load: Load) -> float | None:
    car = _car(load, by_level=True)
    return None if car is None else car.must


def _energy(load: Load) -> float | None:
    car = _car(load, by_level=False)
    return None if car is None or car.energy is None else car.energy / 1000.0


def _hours(load: Load) -> float | None:
    return load.job.settings.hours if isinstance(load.job, RunTimeJob) else None


LOAD_NUMBERS: Final = (
    LoadNumberDescription(
        key=CONF_TARGET,
        translation_key="target",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        native_min_value=0.0,
        native_max_value=100.0,
        native_step=1.0,
        mode=NumberMode.SLIDER,
        value_fn=_target,
    ),
    LoadNumberDescription(
        key=CONF_MUST,
        translation_key="must",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        native_min_value=0.0,
        native_max_value=100.0,
        native_step=1.0,
        mode=NumberMode.SLIDER,
        value_fn=_must,
    ),
    LoadNumberDescription(
        key=CONF_ENERGY,
        translation_key="energy",
        device_class=NumberDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        native_min_value=0.0,
        native_max_value=_MOST_ENERGY,
        native_step=0.5,
        mode=NumberMode.BOX,
        value_fn=_energy,
    ),
    LoadNumberDescription(
        key=CONF_HOURS,
        translation_key="hours",
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.HOURS,
        native_min_value=0.0,
        native_max_value=24.0,
        native_step=0.25,
        mode=NumberMode.BOX,
        value_fn=_hours,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of each load."""

    def make(load: Load, device: DeviceInfo) -> list[LoadNumber]:
        return [
            LoadNumber(load, device, one) for one in LOAD_NUMBERS if one.value_fn(load) is not None
        ]

    await async_add_loads(hass, entry, Platform.NUMBER, async_add_entities, make)


class LoadNumber(LoadEntity, NumberEntity):
    """How much a load should do."""

    entity_description: LoadNumberDescription

    @property
    @override
    def native_value(self) -> float | None:
        """Return what counts now: as it was wished last, or as the settings say."""
        return self.entity_description.value_fn(self._load)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Wish another number, from now on."""
        await self._load.async_wish(self.entity_description.key, value)
