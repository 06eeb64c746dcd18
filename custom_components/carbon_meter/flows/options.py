"""The options of a site: where its carbon intensity comes from."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..carbon.units import UnknownIntensityUnitError, to_grams_per_kwh
from ..const import CONF_OFFER, CONF_SOURCE, CONF_VALUE, CONF_ZONE, UNIT_INTENSITY, Source
from ..libraries import async_get_libraries


class CarbonMeterOptionsFlow(OptionsFlow):
    """Choose a source, then what it needs."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the kind of source; other integrations are named only if they have one."""
        libraries = await async_get_libraries(self.hass)
        sources = [
            source.value
            for source in Source
            if source is not Source.PLUGIN or libraries.intensity_offers
        ]
        return self.async_show_menu(step_id="init", menu_options=sources)

    async def async_step_factor_library(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the yearly factor of a country."""
        if user_input is not None:
            return self._save(Source.LIBRARY, user_input)
        libraries = await async_get_libraries(self.hass)
        zones = libraries.factors.zones()
        schema = probatio.Schema(
            {
                probatio.Required(CONF_ZONE): SelectSelector(
                    SelectSelectorConfig(
                        options=[
                            SelectOptionDict(value=zone.code, label=zone.name) for zone in zones
                        ],
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                )
            }
        )
        zone = self.config_entry.options.get(CONF_ZONE) or self.hass.config.country
        return self.async_show_form(
            step_id=Source.LIBRARY.value,
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_ZONE: zone}),
        )

    async def async_step_entity(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take what an entity says."""
        errors: dict[str, str] = {}
        placeholders = {"unit": "-"}
        if user_input is not None:
            state = self.hass.states.get(user_input[CONF_ENTITY_ID])
            unit = str(state.attributes.get("unit_of_measurement", "")) if state else ""
            try:
                to_grams_per_kwh(1.0, unit)
            except UnknownIntensityUnitError:
                errors[CONF_ENTITY_ID] = "unknown_unit"
                placeholders["unit"] = unit or "-"
            else:
                return self._save(Source.ENTITY, user_input)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_ENTITY_ID): EntitySelector(
                    EntitySelectorConfig(domain=["sensor", "number", "input_number"])
                )
            }
        )
        return self.async_show_form(
            step_id=Source.ENTITY.value,
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or self.config_entry.options
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_fixed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take one value for all time."""
        if user_input is not None:
            return self._save(Source.FIXED, user_input)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_VALUE): NumberSelector(
                    NumberSelectorConfig(
                        min=0,
                        max=5000,
                        step="any",
                        mode=NumberSelectorMode.BOX,
                        unit_of_measurement=UNIT_INTENSITY,
                    )
                )
            }
        )
        return self.async_show_form(
            step_id=Source.FIXED.value,
            data_schema=self.add_suggested_values_to_schema(schema, self.config_entry.options),
        )

    async def async_step_plugin(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a source that another integration offers."""
        if user_input is not None:
            return self._save(Source.PLUGIN, user_input)
        libraries = await async_get_libraries(self.hass)
        options = [
            SelectOptionDict(value=key, label=offer.name)
            for key, offer in sorted(libraries.intensity_offers.items())
        ]
        schema = probatio.Schema(
            {
                probatio.Required(CONF_OFFER): SelectSelector(
                    SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
                )
            }
        )
        return self.async_show_form(
            step_id=Source.PLUGIN.value,
            data_schema=self.add_suggested_values_to_schema(schema, self.config_entry.options),
        )

    def _save(self, source: Source, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Keep the choice; the zone stays known for when the source knows nothing."""
        options = {
            key: value for key, value in self.config_entry.options.items() if key == CONF_ZONE
        }
        return self.async_create_entry(data={**options, CONF_SOURCE: source.value, **user_input})
