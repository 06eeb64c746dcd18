"""The sensors of the running year's report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .data import CarbonMeterConfigEntry
from .details import details_of
from .entity import SiteEntity
from .report_descriptions import REPORT_SENSORS, ReportDescription, reference_sensors
from .year_report import YearReport


def report_sensors(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> list[ReportSensor]:
    """Return the sensors of a site's year; they share one report."""
    year = YearReport(hass, entry)
    references = details_of(entry.options, hass.config.country).references
    return [
        ReportSensor(entry, description, year)
        for description in (*REPORT_SENSORS, *reference_sensors(references))
    ]


class ReportSensor(SiteEntity, SensorEntity):
    """A figure of the running year."""

    entity_description: ReportDescription
    _unrecorded_attributes = frozenset({MATCH_ALL})

    def __init__(
        self, entry: CarbonMeterConfigEntry, description: ReportDescription, year: YearReport
    ) -> None:
        """Take what the figure is, and the report that it is of."""
        super().__init__(entry, description)
        self._year = year
        if description.placeholders is not None:
            self._attr_translation_placeholders = dict(description.placeholders)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the report: it is reckoned while a sensor shows it."""
        await super().async_added_to_hass()
        self.async_on_remove(self._year.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Return whether there is a report."""
        return self._year.report is not None

    @property
    @override
    def native_value(self) -> float | None:
        """Return the figure, None where there is none."""
        report = self._year.report
        return None if report is None else self.entity_description.value_fn(report)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return local New Year, since when what adds up is counted."""
        report = self._year.report
        if report is None or self.state_class is not SensorStateClass.TOTAL:
            return None
        return dt_util.utc_from_timestamp(report.period.start)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what the figure is of, and which contracts could not be used."""
        report = self._year.report
        if report is None:
            return None
        return {
            **self.entity_description.attributes_fn(report),
            "until": dt_util.utc_from_timestamp(report.period.end).isoformat(),
            "refused_contracts": self._year.refused,
        }
