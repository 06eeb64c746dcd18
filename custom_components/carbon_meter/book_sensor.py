"""Sensors of what a site's book says: of the site, and of each of its meters."""

from datetime import datetime
from typing import override

from homeassistant.components.sensor import SensorEntity

from .book_descriptions import (
    METER_BOOK_SENSORS,
    SITE_BOOK_SENSORS,
    BookDescription,
    carrier_sensor,
)
from .carbon.site.book import SITE_OWNER
from .const import CONF_ROLE, Role, has_carbon
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .entity import MeterEntity, SiteEntity


def inlets(site: Site) -> list[MeterCoordinator]:
    """Return the meters that together count the site's import: those of the grid connection."""
    return [
        meter
        for meter in site.meters.values()
        if meter.subentry.data[CONF_ROLE] == Role.GRID and has_carbon(meter.subentry.data)
    ]


def site_book_sensors(entry: CarbonMeterConfigEntry) -> list[BookSensor]:
    """Return the sensors of a site, those that apply to it."""
    plan = entry.runtime_data.keeper.plan
    return [
        BookSensor(entry, description)
        for description in SITE_BOOK_SENSORS
        if description.applies(plan, SITE_OWNER)
    ]


def meter_book_sensors(
    entry: CarbonMeterConfigEntry, meter: MeterCoordinator
) -> list[MeterBookSensor]:
    """Return the sensors of what the site's book says of a meter."""
    plan, meter_id = entry.runtime_data.keeper.plan, meter.subentry.subentry_id
    figures = sorted(plan.carriers.get(meter_id, {}))
    return [
        MeterBookSensor(meter, description)
        for description in (*METER_BOOK_SENSORS, *map(carrier_sensor, figures))
        if description.applies(plan, meter_id)
    ]


class BookSensor(SiteEntity, SensorEntity):
    """A figure of the site's book."""

    entity_description: BookDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the book, and what the grid has brought since it was brought up to date."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.keeper.async_add_listener(self.async_write_ha_state))
        for meter in inlets(self._site) if self._is_daily else ():
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
