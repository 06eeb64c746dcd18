"""The sensor that shows how far filling in the past has come."""

from typing import Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.const import EntityCategory, UnitOfRatio

from .entity import SiteEntity

BACKFILL_SENSOR: Final = SensorEntityDescription(
    key="backfill",
    translation_key="backfill",
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
    suggested_display_precision=0,
)


class BackfillSensor(SiteEntity, SensorEntity):
    """How much of the past that was asked for is filled in; unknown while nothing runs."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is being filled in."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.backfill.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return the progress in percent."""
        return self._site.backfill.progress
