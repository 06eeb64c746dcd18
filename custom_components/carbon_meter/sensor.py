"""Sensors: what the meters say, and what it weighs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MATCH_ALL, Platform, UnitOfMass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account_descriptions import (
    ACCOUNT_SENSORS,
    AccountDescription,
    carbon_rate,
)
from .backfill_sensor import BACKFILL_SENSOR, BackfillSensor
from .book_sensor import inlets, meter_book_sensors, site_book_sensors
from .const import UNIT_CARBON_RATE, UNIT_INTENSITY, carrier_of
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .entity import MeterEntity, SiteEntity
from .entries import is_hub
from .forecast_sensor import forecast_sensors
from .hub_entry.sensor import async_add_hub_sensors
from .load_entity import async_add_loads
from .load_sensor import load_sensors
from .membership.sensors import async_add_memberships
from .quality_descriptions import QUALITY_SENSORS
from .report_sensor import report_sensors
from .sensor_descriptions import QuantityDescription, quantity_sensor
from .simulation_sensor import SIMULATION_SENSOR, SimulationSensor

PARALLEL_UPDATES: Final = 0
SCAN_INTERVAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class SiteDescription(SensorEntityDescription):
    """A sensor that shows something of the whole site."""

    value_fn: Callable[[Site], float | None]


def _site_total(site: Site) -> float | None:
    return round(site.keeper.carbon_of_site() / 1000, 6) if inlets(site) else None


def _site_rate(site: Site) -> float | None:
    rates = [carbon_rate(site, meter) for meter in inlets(site)]
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known and len(known) == len(rates) else None


SITE_SENSORS: Final = (
    SiteDescription(
        key="site_carbon_rate",
        translation_key="carbon_rate",
        native_unit_of_measurement=UNIT_CARBON_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value_fn=_site_rate,
    ),
    SiteDescription(
        key="site_carbon_total",
        translation_key="carbon_total",
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        value_fn=_site_total,
    ),
)

INTENSITY_SENSOR: Final = SensorEntityDescription(
    key="carbon_intensity",
    translation_key="carbon_intensity",
    native_unit_of_measurement=UNIT_INTENSITY,
    state_class=SensorStateClass.MEASUREMENT,
    suggested_display_precision=0,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the site, of each meter, and of each load, or those of a hub."""
    if is_hub(entry):
        async_add_hub_sensors(hass, entry, async_add_entities)
        await async_add_memberships(hass, entry, async_add_entities)
        return
    site = entry.runtime_data
    entities: list[SensorEntity] = [IntensitySensor(entry, INTENSITY_SENSOR)]
    if inlets(site):
        entities += [SiteSensor(entry, description) for description in SITE_SENSORS]
    entities += site_book_sensors(entry)
    if site.keeper.plan.meters.grids:
        entities += report_sensors(hass, entry)
    entities += forecast_sensors(entry)
    entities.append(BackfillSensor(entry, BACKFILL_SENSOR))
    entities.append(SimulationSensor(entry, SIMULATION_SENSOR))
    async_add_entities(entities)
    for subentry_id, meter in site.meters.items():
        of_meter = [*_meter_sensors(meter), *meter_book_sensors(entry, meter)]
        async_add_entities(of_meter, config_subentry_id=subentry_id)
        entities += of_meter
        # Home Assistant adds them at once: with two hundred meters others wait for seconds.
        await asyncio.sleep(0)
    _remove_others(hass, entry, {entity.unique_id for entity in entities})
    await async_add_loads(
        hass, entry, Platform.SENSOR, async_add_entities, partial(load_sensors, entry)
    )
    await async_add_memberships(hass, entry, async_add_entities)


def _meter_sensors(meter: MeterCoordinator) -> list[SensorEntity]:
    """Return the sensors of a meter, those that apply to it."""
    return [
        *(
            QuantitySensor(meter, quantity_sensor(quantity, carrier_of(meter.subentry.data)))
            for quantity in meter.profile.quantities
            if quantity not in meter.absent
        ),
        *(
            AccountSensor(meter, description)
            for description in (*ACCOUNT_SENSORS, *QUALITY_SENSORS)
            if description.applies(meter)
        ),
    ]


def _remove_others(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, wanted: set[str | None]
) -> None:
    """Remove what a meter had in another role. A meter that does not answer keeps its own."""
    registry = er.async_get(hass)
    told = {
        subentry_id
        for subentry_id, meter in entry.runtime_data.meters.items()
        if meter.last_update_success
    }
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        known = entity.config_subentry_id is None or entity.config_subentry_id in told
        if known and entity.domain == SENSOR_DOMAIN and entity.unique_id not in wanted:
            registry.async_remove(entity.entity_id)


class QuantitySensor(MeterEntity, SensorEntity):
    """One quantity of the last reading."""

    entity_description: QuantityDescription
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @property
    @override
    def native_value(self) -> float | None:
        """Return the quantity, None where the meter does not know it.

        Statistics would count a slip of a counter for ever: it is not shown.
        """
        if (reading := self.coordinator.latest) is None:
            return None
        quantity = self.entity_description.quantity
        return self.coordinator.account.believed(quantity, reading.values.get(quantity))

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what lay between this writing and the one before; nothing for a counter."""
        window = self.coordinator.watch.window
        if window is None:
            return None
        summary = window.quantities.get(self.entity_description.quantity)
        if summary is None:
            return None
        return {
            "mean": summary.mean,
            "minimum": summary.minimum,
            "maximum": summary.maximum,
            "samples": summary.samples,
        }


class AccountSensor(MeterEntity, SensorEntity):
    """What has been booked for a meter."""

    entity_description: AccountDescription
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the intensity as well as the meter."""
        await super().async_added_to_hass()
        intensity = self.coordinator.config_entry.runtime_data.intensity
        self.async_on_remove(intensity.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Return True: a total stands whether or not the meter answers."""
        return True

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, None where it is not known now."""
        return self.entity_description.value_fn(self.coordinator)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains the figure."""
        if self.entity_description.attributes_fn is None:
            return None
        return self.entity_description.attributes_fn(self.coordinator)


class SiteSensor(SiteEntity, SensorEntity):
    """A sum over the meters of the grid connection."""

    entity_description: SiteDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the meters and the intensity."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.intensity.async_add_listener(self.async_write_ha_state))
        for meter in inlets(self._site):
            self.async_on_remove(meter.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return the sum, None where a part of it is not known now."""
        return self.entity_description.value_fn(self._site)


class IntensitySensor(SiteEntity, SensorEntity):
    """The carbon intensity of the grid now, with where it comes from and how good it is.

    Polled as well: a yearly factor changes without anybody telling.
    """

    _attr_should_poll = True
    _unrecorded_attributes = frozenset({"source_name", "licence", "source_attribution"})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the sources."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.intensity.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return gCO2eq/kWh."""
        now = self._site.intensity.now()
        return now.value if now is not None else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return grade, source and what has to be said of the source."""
        if (now := self._site.intensity.now()) is None:
            return None
        info = self._site.intensity.info(now.source)
        return {
            "grade": now.grade.value,
            "source": now.source,
            "source_name": info.name,
            "scope": info.scope.value if info.scope else None,
            "licence": info.licence or None,
            "source_attribution": info.attribution or None,
        }
