"""The sensor that shows how far a simulation of the site has come."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.const import EntityCategory, UnitOfRatio

from .entity import SiteEntity

SIMULATION_SENSOR: Final = SensorEntityDescription(
    key="simulation",
    translation_key="simulation",
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
    suggested_display_precision=0,
)


class SimulationSensor(SiteEntity, SensorEntity):
    """How much of what was asked for is simulated; unknown while nothing runs."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is being simulated."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.simulation.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> float | None:
        """Return the progress in percent."""
        return self._site.simulation.progress

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return what it is at."""
        stage = self._site.simulation.stage
        return {"stage": None if stage is None else stage.value}
