"""The steps that ask what a gas, heat, water or fuel meter counts, and by which factor."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult, ConfigSubentry, OptionsFlow
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import probatio

from ..carbon.factors.amounts import HeatingValue
from ..carriers import (
    CONF_CALORIFIC_VALUE,
    CONF_FACTOR,
    CONF_FUEL,
    CONF_HEATING_VALUE,
    NOT_COUNTED,
    CarrierGap,
    Unit,
    carrier_account,
    default_fuel,
    default_heating_value,
    fuels_for,
    ledger_unit,
)
from ..const import (
    CONF_CARRIERS,
    CONF_DRIVER,
    CONF_ZONE,
    SUBENTRY_METER,
    Carrier,
    carrier_of,
)
from ..details import part_of
from ..drivers.modbus import ModbusDriver
from ..fields import number
from ..libraries import async_get_libraries
from .meter_choice import chosen_meter, meter_choice, with_settings

_BURNT: Final = frozenset({Carrier.GAS, Carrier.FUEL})
_HIGHEST: Final[Mapping[Unit, tuple[float, str]]] = {
    Unit.ENERGY: (5000.0, "gCO2eq/kWh"),
    Unit.VOLUME: (5_000_000.0, "gCO2eq/m³"),
}
"""What the factor of a meter's unit can be at the most, and its unit."""

_FIELDS: Final = {
    CarrierGap.NO_CALORIFIC_VALUE: CONF_CALORIFIC_VALUE,
    CarrierGap.NO_FACTOR: CONF_FACTOR,
}
"""Where what is missing is entered."""


class CarrierSteps(OptionsFlow):
    """Choose a meter that counts something else than electricity, then say what."""

    MENU: ClassVar[tuple[str, ...]] = ("carriers",)

    _carrier_meter: ConfigSubentry

    def carrier_meters(self) -> dict[str, ConfigSubentry]:
        """Return the meters of gas, heat, water and fuel by the ids of their subentries."""
        return {
            subentry.subentry_id: subentry
            for subentry in self.config_entry.get_subentries_of_type(SUBENTRY_METER)
            if carrier_of(subentry.data) is not Carrier.ELECTRICITY
        }

    async def async_step_carriers(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which meter, where there are several."""
        meters = self.carrier_meters()
        if not meters:
            return self.async_abort(reason="no_carrier")
        meter = chosen_meter(meters, user_input)
        if meter is None:
            return self.async_show_form(step_id="carriers", data_schema=meter_choice(meters))
        self._carrier_meter = meter
        return await self.async_step_carrier()

    async def async_step_carrier(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the meter counts; what no factor leads to is asked for again."""
        subentry = self._carrier_meter
        libraries = await async_get_libraries(self.hass)
        driver = libraries.drivers.get(subentry.data.get(CONF_DRIVER, ModbusDriver.key))
        profile = driver.profile(subentry.data, libraries.profiles) if driver is not None else None
        if profile is None:
            return self.async_abort(reason="unknown_meter")
        quantities = profile.quantities
        options = self.config_entry.options
        errors: dict[str, str] = {}
        if user_input is not None:
            changed = with_settings(self, CONF_CARRIERS, subentry.subentry_id, user_input)
            _, gap = carrier_account(
                changed,
                subentry,
                quantities=quantities,
                library=libraries.factors,
                zone=options.get(CONF_ZONE) or self.hass.config.country,
            )
            field = None if gap is None else _FIELDS.get(gap)
            if gap is None or field is None:
                return self.async_create_entry(data=changed)
            errors[field] = gap.value
        told = part_of(part_of(options, CONF_CARRIERS), subentry.subentry_id)
        schema = carrier_schema(carrier_of(subentry.data), ledger_unit(quantities))
        return self.async_show_form(
            step_id="carrier",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or told),
            errors=errors,
            description_placeholders={"meter": subentry.title},
        )


def carrier_schema(carrier: Carrier, unit: Unit) -> probatio.Schema:
    """Return the form for a meter: only what its carrier and its unit need."""
    usual = default_fuel(carrier, unit)
    fields: dict[Any, Any] = {
        probatio.Required(CONF_FUEL, default=usual.value if usual else NOT_COUNTED): SelectSelector(
            SelectSelectorConfig(
                options=[*(fuel.value for fuel in fuels_for(carrier, unit)), NOT_COUNTED],
                translation_key=CONF_FUEL,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )
    }
    if carrier in _BURNT:
        if unit is Unit.VOLUME:
            fields[probatio.Optional(CONF_CALORIFIC_VALUE)] = number(0.1, 20_000, "kWh/m³")
        usually = default_heating_value(carrier).value
        fields[probatio.Required(CONF_HEATING_VALUE, default=usually)] = SelectSelector(
            SelectSelectorConfig(
                options=[value.value for value in HeatingValue],
                translation_key=CONF_HEATING_VALUE,
                mode=SelectSelectorMode.LIST,
            )
        )
    highest, factor_unit = _HIGHEST[unit]
    fields[probatio.Optional(CONF_FACTOR)] = number(0, highest, factor_unit)
    return probatio.Schema(fields)
