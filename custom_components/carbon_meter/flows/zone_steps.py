"""The step that chooses the country or region whose yearly factor is taken."""

from typing import Any, ClassVar

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..const import CONF_ZONE
from ..libraries import async_get_libraries
from .source_forms import zone_schema


class ZoneSteps(OptionsFlow):
    """The zone of the factor library, by name."""

    MENU: ClassVar[tuple[str, ...]] = ("zone",)

    async def async_step_zone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the yearly factor of a country or region."""
        options = self.config_entry.options
        if user_input is not None:
            return self.async_create_entry(data={**options, **user_input})
        libraries = await async_get_libraries(self.hass)
        zones = {zone.code: zone.name for zone in libraries.factors.zones()}
        zone = options.get(CONF_ZONE) or self.hass.config.country
        return self.async_show_form(
            step_id="zone",
            data_schema=self.add_suggested_values_to_schema(zone_schema(zones), {CONF_ZONE: zone}),
        )
