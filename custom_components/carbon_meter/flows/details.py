"""What an accountant tells of a site, as steps of its options."""

from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio

from ..carbon.factors.factor import Scope
from ..const import CONF_DETAILS
from ..details import (
    CONF_FLOOR_AREA,
    CONF_GRID_CARBON_FREE,
    CONF_LOSS_SHARE,
    CONF_MARKET,
    CONF_PERSONS,
    CONF_PRODUCT,
    CONF_PRODUCT_QUANTITY,
    CONF_SOLAR_SCOPE,
    DEFAULT_SOLAR_SCOPE,
    market_of,
    part_of,
)
from ..fields import number
from .battery_steps import BatterySteps
from .carrier_steps import CarrierSteps
from .network_steps import NetworkSteps

_LEAST: Final = 0.001
"""What nothing can be divided by is not asked for."""

_MOST_LOST: Final = 90.0
"""Per cent; no grid loses more on the way."""


class DetailsSteps(BatterySteps, CarrierSteps, NetworkSteps):
    """Market, sizes and shares of a site; its batteries, carriers and network beside them.

    A flow that uses it shows the steps of `MENU` that are not in `needless_steps`.
    """

    MENU: ClassVar[tuple[str, ...]] = (
        "details",
        *BatterySteps.MENU,
        *CarrierSteps.MENU,
        *NetworkSteps.MENU,
    )

    def needless_steps(self) -> frozenset[str]:
        """Return the steps for which the site has no meter."""
        needless: set[str] = set()
        if not self.battery_meters():
            needless.update(BatterySteps.MENU)
        if not self.carrier_meters():
            needless.update(CarrierSteps.MENU)
        return frozenset(needless)

    async def async_step_details(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the market, for what carbon is divided by and for what meters do not tell."""
        options = self.config_entry.options
        errors: dict[str, str] = {}
        if user_input is not None:
            details = {key: value for key, value in _stripped(user_input).items() if value != ""}
            if CONF_PRODUCT in details and CONF_PRODUCT_QUANTITY not in details:
                errors[CONF_PRODUCT_QUANTITY] = "product_quantity_missing"
            elif CONF_PRODUCT_QUANTITY in details and CONF_PRODUCT not in details:
                errors[CONF_PRODUCT] = "product_missing"
            else:
                return self.async_create_entry(data={**options, CONF_DETAILS: details})
        suggested = user_input or {
            CONF_MARKET: market_of(options, self.hass.config.country),
            **part_of(options, CONF_DETAILS),
        }
        return self.async_show_form(
            step_id="details",
            data_schema=self.add_suggested_values_to_schema(_DETAILS, suggested),
            errors=errors,
        )


def _stripped(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return the texts of a form without blanks around them."""
    return {
        key: value.strip() if isinstance(value, str) else value for key, value in user_input.items()
    }


_DETAILS: Final = probatio.Schema(
    {
        probatio.Optional(CONF_MARKET): TextSelector(),
        probatio.Optional(CONF_FLOOR_AREA): number(_LEAST, unit="m²"),
        probatio.Optional(CONF_PERSONS): number(_LEAST),
        probatio.Optional(CONF_PRODUCT): TextSelector(),
        probatio.Optional(CONF_PRODUCT_QUANTITY): number(_LEAST),
        probatio.Optional(CONF_SOLAR_SCOPE, default=DEFAULT_SOLAR_SCOPE.value): SelectSelector(
            SelectSelectorConfig(
                options=[scope.value for scope in Scope],
                translation_key=CONF_SOLAR_SCOPE,
                mode=SelectSelectorMode.LIST,
            )
        ),
        probatio.Optional(CONF_GRID_CARBON_FREE): number(0, 100, "%"),
        probatio.Optional(CONF_LOSS_SHARE): number(0, _MOST_LOST, "%"),
    }
)
