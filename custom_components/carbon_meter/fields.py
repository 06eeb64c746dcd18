"""Fields of forms that several flows and drivers use."""

from typing import Any

from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import probatio


def number(low: float, high: float | None = None, unit: str | None = None) -> NumberSelector:
    """Return a box for a number of any precision."""
    config = NumberSelectorConfig(min=low, step="any", mode=NumberSelectorMode.BOX)
    if high is not None:
        config["max"] = high
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def whole_number(low: int, high: int, unit: str | None = None) -> Any:
    """Return a box for a whole number."""
    config = NumberSelectorConfig(min=low, max=high, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return probatio.All(NumberSelector(config), probatio.Coerce(int))
