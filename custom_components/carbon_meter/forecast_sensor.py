"""Sensors of the forecast of the grid's intensity, and of how good it has been."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MATCH_ALL, EntityCategory, UnitOfRatio
from homeassistant.util import dt as dt_util

from .carbon.forecast.error_track import ForecastError
from .const import UNIT_INTENSITY
from .data import CarbonMeterConfigEntry
from .entity import SiteEntity

FORECAST_SENSOR: Final = SensorEntityDescription(
    key="intensity_forecast",
    translation_key="intensity_forecast",
    native_unit_of_measurement=UNIT_INTENSITY,
    suggested_display_precision=0,
)


@dataclass(frozen=True, kw_only=True)
class ForecastErrorDescription(SensorEntityDescription):
    """A sensor of how good the forecasts were."""

    value_fn: Callable[[ForecastError], float | None]


def _error(
    key: str, unit: str, value_fn: Callable[[ForecastError], float | None], precision: int
) -> ForecastErrorDescription:
    return ForecastErrorDescription(
        key=key,
        translation_key=key,
        native_unit_of_measurement=unit,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=precision,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
    )


FORECAST_ERROR_SENSORS: Final = (
    _error("forecast_mae", UNIT_INTENSITY, lambda error: error.mae, 1),
    _error(
        "forecast_skill",
        UnitOfRatio.PERCENTAGE,
        lambda error: None if error.skill is None else 100.0 * error.skill,
        0,
    ),
    _error("forecast_coverage", UnitOfRatio.PERCENTAGE, lambda error: 100.0 * error.coverage, 0),
)


def forecast_sensors(entry: CarbonMeterConfigEntry) -> list[SensorEntity]:
    """Return the sensors where there can be a forecast: a yearly factor has none."""
    if not entry.runtime_data.intensity.can_forecast:
        return []
    return [
        ForecastSensor(entry, FORECAST_SENSOR),
        *(ForecastErrorSensor(entry, one) for one in FORECAST_ERROR_SENSORS),
    ]


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
