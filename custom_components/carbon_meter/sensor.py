"""Sensors: what the meters say, and what it weighs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MATCH_ALL, UnitOfMass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .account_descriptions import (
    ACCOUNT_SENSORS,
    AccountDescription,
    carbon_rate,
)
from .backfill_sensor import BACKFILL_SENSOR, BackfillSensor
from .book_descriptions import (
    FORECAST_ERROR_SENSORS,
    METER_BOOK_SENSORS,
    SITE_BOOK_SENSORS,
    BookDescription,
    ForecastErrorDescription,
    carrier_sensor,
)
from .carbon.site.book import SITE_OWNER
from .const import CONF_ROLE, UNIT_CARBON_RATE, UNIT_INTENSITY, Role, carrier_of, has_carbon
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .entity import MeterEntity, SiteEntity
from .quality_descriptions import QUALITY_SENSORS
from .report_sensor import report_sensors
from .sensor_descriptions import QuantityDescription, quantity_sensor

PARALLEL_UPDATES: Final = 0
SCAN_INTERVAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class SiteDescription(SensorEntityDescription):
    """A sensor that shows something of the whole site."""

    value_fn: Callable[[Site], float | None]


def _inlets(site: Site) -> list[MeterCoordinator]:
    """Return the meters that together count the site's import: those of the grid connection."""
    return [
        meter
        for meter in site.meters.values()
        if meter.subentry.data[CONF_ROLE] == Role.GRID and has_carbon(meter.subentry.data)
    ]


def _site_total(site: Site) -> float | None:
    return round(site.keeper.carbon_of_site() / 1000, 6) if _inlets(site) else None


def _site_rate(site: Site) -> float | None:
    rates = [carbon_rate(site, meter) for meter in _inlets(site)]
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


FORECAST_SENSOR: Final = SensorEntityDescription(
    key="intensity_forecast",
    translation_key="intensity_forecast",
    native_unit_of_measurement=UNIT_INTENSITY,
    suggested_display_precision=0,
)
"""Only where there can be a forecast: a yearly factor has none."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the site and of each meter."""
    site = entry.runtime_data
    entities: list[SensorEntity] = [IntensitySensor(entry, INTENSITY_SENSOR)]
    if _inlets(site):
        entities += [SiteSensor(entry, description) for description in SITE_SENSORS]
    plan = site.keeper.plan
    entities += [
        BookSensor(entry, description)
        for description in SITE_BOOK_SENSORS
        if description.applies(plan, SITE_OWNER)
    ]
    if plan.meters.grids:
        entities += report_sensors(hass, entry)
    if site.intensity.can_forecast:
        entities.append(ForecastSensor(entry, FORECAST_SENSOR))
        entities += [ForecastErrorSensor(entry, one) for one in FORECAST_ERROR_SENSORS]
    entities.append(BackfillSensor(entry, BACKFILL_SENSOR))
    async_add_entities(entities)
    for subentry_id, meter in site.meters.items():
        of_meter = [*_meter_sensors(meter), *_book_sensors(entry, meter)]
        async_add_entities(of_meter, config_subentry_id=subentry_id)
        entities += of_meter
        # Home Assistant adds them at once: with two hundred meters others wait for seconds.
        await asyncio.sleep(0)
    _remove_others(hass, entry, {entity.unique_id for entity in entities})


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


def _book_sensors(entry: CarbonMeterConfigEntry, meter: MeterCoordinator) -> list[MeterBookSensor]:
    """Return the sensors of what the site's book says of a meter."""
    plan, meter_id = entry.runtime_data.keeper.plan, meter.subentry.subentry_id
    figures = sorted(plan.carriers.get(meter_id, {}))
    return [
        MeterBookSensor(meter, description)
        for description in (*METER_BOOK_SENSORS, *map(carrier_sensor, figures))
        if description.applies(plan, meter_id)
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
        for meter in _inlets(self._site):
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


class BookSensor(SiteEntity, SensorEntity):
    """A figure of the site's book."""

    entity_description: BookDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the book, and what the grid has brought since it was brought up to date."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.keeper.async_add_listener(self.async_write_ha_state))
        for meter in _inlets(self._site) if self._is_daily else ():
            self.async_on_remove(meter.async_add_listener(self.async_write_ha_state))

    @property
    def _is_daily(self) -> bool:
        return self.entity_description.key == "site_carbon_today"

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, None where it is not known."""
        return self.entity_description.value_fn(self._site, SITE_OWNER)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return when what counts by the day began to count."""
        return self._site.keeper.today if self._is_daily else None


class MeterBookSensor(MeterEntity, SensorEntity):
    """A figure of the site's book that belongs to one meter."""

    entity_description: BookDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the book as well as the meter."""
        await super().async_added_to_hass()
        keeper = self.coordinator.config_entry.runtime_data.keeper
        self.async_on_remove(keeper.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Return True: a figure stands whether or not the meter answers."""
        return True

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, None where it is not known."""
        site = self.coordinator.config_entry.runtime_data
        return self.entity_description.value_fn(site, self.coordinator.subentry.subentry_id)


class ForecastSensor(SiteEntity, SensorEntity):
    """What the grid's intensity will be: the next step, and the next 72 hours as attributes."""

    _unrecorded_attributes = frozenset({MATCH_ALL})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the sources."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.intensity.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return gCO2eq/kWh of the step that comes next."""
        forecast = self._site.intensity.forecast
        return None if forecast is None or not len(forecast.p50) else float(forecast.p50[0])

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the forecast, step by step: in eight of ten cases within low and high."""
        forecast = self._site.intensity.forecast
        if forecast is None:
            return None
        return {
            "forecast": [
                {
                    "start": dt_util.utc_from_timestamp(begin).isoformat(),
                    "end": dt_util.utc_from_timestamp(begin + forecast.step).isoformat(),
                    "intensity": round(float(middle), 1),
                    "low": round(float(low), 1),
                    "high": round(float(high), 1),
                }
                for begin, low, middle, high in zip(
                    range(forecast.start, forecast.end, forecast.step),
                    forecast.p10,
                    forecast.p50,
                    forecast.p90,
                    strict=True,
                )
            ]
        }


class ForecastErrorSensor(SiteEntity, SensorEntity):
    """How good the forecasts of the last thirty days were."""

    entity_description: ForecastErrorDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the sources."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.intensity.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, None before any forecast has met its truth."""
        error = self._site.intensity.forecast_errors.error()
        if error is None:
            return None
        value = self.entity_description.value_fn(error)
        return None if value is None else round(value, 2)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return over how many hours it was found, and the same by the day ahead."""
        track = self._site.intensity.forecast_errors
        if (error := track.error()) is None:
            return None
        days: dict[str, Any] = {"hours": error.hours}
        for day in (1, 2, 3):
            if (of_day := track.error(day)) is not None:
                value = self.entity_description.value_fn(of_day)
                days[f"day_{day}"] = None if value is None else round(value, 2)
        return days
