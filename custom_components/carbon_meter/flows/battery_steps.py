"""The steps that ask for what the meter of a battery does not tell."""

from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult, ConfigSubentry, OptionsFlow
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import probatio

from ..carbon.supply.battery import Costing
from ..const import (
    CONF_BATTERIES,
    CONF_ROLE,
    SUBENTRY_METER,
    Carrier,
    Role,
    carrier_of,
)
from ..details import CONF_CAPACITY, CONF_COSTING, CONF_EFFICIENCY, CONF_STANDBY, part_of
from ..fields import number
from .meter_choice import chosen_meter, meter_choice, with_settings

_BATTERY: Final = probatio.Schema(
    {
        probatio.Optional(CONF_CAPACITY): number(0.001, unit="kWh"),
        probatio.Optional(CONF_EFFICIENCY): number(1, 100, "%"),
        probatio.Optional(CONF_STANDBY, default=0.0): number(0, 10_000, "W"),
        probatio.Required(CONF_COSTING, default=Costing.WEIGHTED_AVERAGE.value): SelectSelector(
            SelectSelectorConfig(
                options=[costing.value for costing in Costing],
                translation_key=CONF_COSTING,
                mode=SelectSelectorMode.LIST,
            )
        ),
    }
)


class BatterySteps(OptionsFlow):
    """Choose a battery, then say what it holds and loses."""

    MENU: ClassVar[tuple[str, ...]] = ("batteries",)

    _battery: ConfigSubentry

    def battery_meters(self) -> dict[str, ConfigSubentry]:
        """Return the meters of batteries by the ids of their subentries."""
        return {
            subentry.subentry_id: subentry
            for subentry in self.config_entry.get_subentries_of_type(SUBENTRY_METER)
            if subentry.data.get(CONF_ROLE) == Role.BATTERY
            and carrier_of(subentry.data) is Carrier.ELECTRICITY
        }

    async def async_step_batteries(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which battery, where there are several."""
        meters = self.battery_meters()
        if not meters:
            return self.async_abort(reason="no_battery")
        battery = chosen_meter(meters, user_input)
        if battery is None:
            return self.async_show_form(step_id="batteries", data_schema=meter_choice(meters))
        self._battery = battery
        return await self.async_step_battery()

    async def async_step_battery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for capacity, efficiency, standby and costing of the battery."""
        subentry_id = self._battery.subentry_id
        if user_input is not None:
            return self.async_create_entry(
                data=with_settings(self, CONF_BATTERIES, subentry_id, user_input)
            )
        told = part_of(part_of(self.config_entry.options, CONF_BATTERIES), subentry_id)
        return self.async_show_form(
            step_id="battery",
            data_schema=self.add_suggested_values_to_schema(_BATTERY, told),
            description_placeholders={"meter": self._battery.title},
        )
