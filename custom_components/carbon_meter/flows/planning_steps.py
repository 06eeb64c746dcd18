"""The step of the options that says what plans are made for, and what they have to keep."""

from collections.abc import Mapping
import math
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import probatio

from ..details import part_of
from ..fields import number
from ..loads.keys import (
    CONF_BASE_LOAD,
    CONF_CAUTION,
    CONF_FUSE,
    CONF_GOAL,
    CONF_LEAST_SAVING,
    CONF_LEAST_SHARE,
    CONF_PLANNING,
    CONF_PRICE,
    CONF_PRICE_ENTITY,
    CONF_PRICE_PER_KG,
)
from ..loads.options import CAUTION, LEAST_SAVING, LEAST_SHARE
from ..loads.units import number_of
from ..planning.objective import Goal
from ..planning.price_list import PriceUnitError, factor_of
from .load_fields import MOST_MONEY, MOST_WATTS, choice

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "connection": (CONF_FUSE, CONF_BASE_LOAD),
    "steadiness": (CONF_LEAST_SAVING, CONF_LEAST_SHARE, CONF_CAUTION),
}
"""Sections with the keys in them."""

_GOALS: Final = (
    Goal.CARBON_THEN_COST,
    Goal.COST_THEN_CARBON,
    Goal.WEIGHTED,
    Goal.CARBON,
    Goal.COST,
)
"""In the order in which they are offered."""

_OF_PRICES: Final = frozenset({Goal.COST, Goal.COST_THEN_CARBON, Goal.WEIGHTED})
"""Goals that mean nothing without a price."""

_USUAL: Final = {
    CONF_GOAL: Goal.CARBON_THEN_COST.value,
    CONF_LEAST_SAVING: LEAST_SAVING,
    CONF_LEAST_SHARE: LEAST_SHARE,
    CONF_CAUTION: CAUTION,
}
"""What counts where nothing is told."""


class PlanningSteps(OptionsFlow):
    """Goal, prices, fuse and steadiness of the plans of a site."""

    MENU: ClassVar[tuple[str, ...]] = ("planning",)

    async def async_step_planning(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for all of it, until it can be meant."""
        options = self.config_entry.options
        errors: dict[str, str] = {}
        if user_input is None:
            values = {**_USUAL, **part_of(options, CONF_PLANNING)}
        else:
            values = _flat(user_input)
            errors = _errors(self.hass, values)
            if not errors:
                return self.async_create_entry(data={**options, CONF_PLANNING: values})
        return self.async_show_form(
            step_id="planning",
            data_schema=self.add_suggested_values_to_schema(
                _schema(self.hass.config.currency), _nested(values)
            ),
            errors=errors,
            description_placeholders={"currency": self.hass.config.currency},
        )


def _schema(currency: str) -> probatio.Schema:
    """Return the form; prices are in the currency of Home Assistant."""
    fields: dict[str, Any] = {
        CONF_PRICE_PER_KG: number(0, MOST_MONEY, f"{currency}/kg"),
        CONF_PRICE_ENTITY: EntitySelector(
            EntitySelectorConfig(
                filter=[
                    EntityWithDeviceFilterSelectorConfig(
                        domain=["sensor", "number", "input_number"]
                    )
                ]
            )
        ),
        CONF_PRICE: number(-MOST_MONEY, MOST_MONEY, f"{currency}/kWh"),
        CONF_FUSE: number(0, MOST_WATTS, "W"),
        CONF_BASE_LOAD: number(0, MOST_WATTS, "W"),
        CONF_LEAST_SAVING: number(0, 100_000, "g"),
        CONF_LEAST_SHARE: number(0, 100, "%"),
        CONF_CAUTION: NumberSelector(
            NumberSelectorConfig(min=0, max=1, step=0.1, mode=NumberSelectorMode.SLIDER)
        ),
    }
    hidden = {key for inside in SECTIONS.values() for key in inside}
    goals = choice("planning_goal", tuple(goal.value for goal in _GOALS))
    shown: dict[Any, Any] = {probatio.Required(CONF_GOAL): goals}
    shown |= {probatio.Optional(key): field for key, field in fields.items() if key not in hidden}
    for name, inside in SECTIONS.items():
        schema = probatio.Schema({probatio.Optional(key): fields[key] for key in inside})
        shown[probatio.Optional(name)] = section(schema, {"collapsed": True})
    return probatio.Schema(shown)


def _flat(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without sections around it, and without what was left empty."""
    found: dict[str, Any] = {}
    for key, value in user_input.items():
        found.update(value if key in SECTIONS else {key: value})
    if found[CONF_GOAL] != Goal.WEIGHTED:
        found.pop(CONF_PRICE_PER_KG, None)
    return {key: value for key, value in found.items() if value not in (None, "")}


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the form has them, each in its section."""
    hidden = {key for inside in SECTIONS.values() for key in inside}
    found = {key: value for key, value in values.items() if key not in hidden}
    for name, inside in SECTIONS.items():
        found[name] = {key: values[key] for key in inside if key in values}
    return found


def _errors(hass: HomeAssistant, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong, by field or section."""
    errors: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            errors[_place(key)] = "no_number"
    if errors:
        return errors
    priced = CONF_PRICE in values or CONF_PRICE_ENTITY in values
    if CONF_PRICE in values and CONF_PRICE_ENTITY in values:
        errors[CONF_PRICE] = "two_prices"
    elif Goal(values[CONF_GOAL]) in _OF_PRICES and not priced:
        errors[CONF_PRICE_ENTITY] = "price_missing"
    elif CONF_PRICE_ENTITY in values and (reason := _price_error(hass, values[CONF_PRICE_ENTITY])):
        errors[CONF_PRICE_ENTITY] = reason
    if values[CONF_GOAL] == Goal.WEIGHTED and not values.get(CONF_PRICE_PER_KG, 0.0) > 0.0:
        errors[CONF_PRICE_PER_KG] = "price_per_kg_missing"
    fuse = values.get(CONF_FUSE)
    if fuse is not None and not fuse > values.get(CONF_BASE_LOAD, 0.0):
        errors[_place(CONF_FUSE)] = "fuse_too_small"
    return errors


def _place(key: str) -> str:
    return next((name for name, inside in SECTIONS.items() if key in inside), key)


def _price_error(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return what is wrong with an entity of prices, None where nothing is.

    One that is unavailable may say no unit, a number without one is currency per kWh.
    """
    state = hass.states.get(entity_id)
    registered = er.async_get(hass).async_get(entity_id)
    if state is None and (registered is None or registered.disabled_by is not None):
        return "unknown_entity"
    unit = None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is None and registered is not None:
        unit = registered.unit_of_measurement
    if unit is None:
        if state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
            return None
        return "not_a_price" if number_of(state.state) is None else None
    try:
        factor_of(unit)
    except PriceUnitError:
        return "not_a_price"
    return None
