"""Times of day of loads that are changed from day to day: done by, ready by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Final, override

from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import CarbonMeterConfigEntry
from .load_entity import LoadEntity, async_add_loads
from .loads.keys import CONF_FINISH_BY, CONF_READY_BY
from .loads.load import Load
from .planning.jobs.appliance import ApplianceJob
from .planning.jobs.charge import ChargeJob

PARALLEL_UPDATES: Final = 0


@dataclass(frozen=True, kw_only=True)
class LoadTimeDescription(TimeEntityDescription):
    """A time of day of a load, None where it has none. Its key is that of the load's data."""

    value_fn: Callable[[Load], time | None]


def _finish_by(load: Load) -> time | None:
    return load.job.settings.finish_by if isinstance(load.job, ApplianceJob) else None


def _ready_by(load: Load) -> time | None:
    return load.job.settings.ready_by if isinstance(load.job, ChargeJob) else None


LOAD_TIMES: Final = (
    LoadTimeDescription(key=CONF_FINISH_BY, translation_key="finish_by", value_fn=_finish_by),
    LoadTimeDescription(key=CONF_READY_BY, translation_key="ready_by", value_fn=_ready_by),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the time of day of each load that has one."""

    def make(load: Load, device: DeviceInfo) -> list[LoadTime]:
        return [LoadTime(load, device, one) for one in LOAD_TIMES if one.value_fn(load) is not None]

    await async_add_loads(hass, entry, Platform.TIME, async_add_entities, make)


class LoadTime(LoadEntity, TimeEntity):
    """A time of day by which a load is done."""

    entity_description: LoadTimeDescription

    @property
    @override
    def native_value(self) -> time | None:
        """Return what counts now: as it was wished last, or as the settings say."""
        return self.entity_description.value_fn(self._load)

    @override
    async def async_set_value(self, value: time) -> None:
        """Wish another time, from now on."""
        await self._load.async_wish(self.entity_description.key, value.isoformat("seconds"))
