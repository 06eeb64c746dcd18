"""The forms in which a user says what a source of carbon intensity needs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from homeassistant.const import CONF_ENTITY_ID, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
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
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio

from ..carbon.intensity.live.energinet import ENERGINET, area_at
from ..carbon.intensity.live.provider import Need, Provider
from ..const import (
    CONF_KEY,
    CONF_PATH,
    CONF_PROVIDER,
    CONF_SOURCES,
    CONF_TOPIC,
    CONF_UNIT,
    CONF_VALUE,
    CONF_ZONE,
    UNIT_INTENSITY,
)

NONE: Final = "none"
"""Stands for no provider."""

_UNITS: Final = (UNIT_INTENSITY, "gCO2/kWh", "kgCO2eq/kWh", "kgCO2eq/MWh", "lb/MWh")


class SortableSelector(SelectSelector):
    """A choice of several whose order counts: what is chosen can be dragged.

    The frontend sorts what is chosen if it is told so (ha-selector-select); the core's form of
    the configuration does not name that yet. Where it is not heeded, the order of choosing is
    the order.
    """

    @override
    def serialize(self) -> dict[str, dict[str, Any]]:
        """Return what the frontend is told."""
        return {"selector": {self.selector_type: {**self.config, "reorder": True}}}


def password_selector() -> TextSelector:
    """Return a field that does not show what is typed."""
    return TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))


def provider_schema(providers: Sequence[Provider], *, none: bool = False) -> probatio.Schema:
    """Return the choice among providers, the first of them chosen already."""
    options = [SelectOptionDict(value=provider.key, label=provider.name) for provider in providers]
    if none:
        options.append(SelectOptionDict(value=NONE, label="-"))
    return probatio.Schema(
        {
            probatio.Required(CONF_PROVIDER, default=options[0]["value"]): SelectSelector(
                SelectSelectorConfig(
                    options=options,
                    mode=SelectSelectorMode.LIST,
                    translation_key=CONF_PROVIDER,
                )
            )
        }
    )


def secret_fields(provider: Provider, *, kept: bool = False) -> dict[Any, Any]:
    """Return the fields of key or account; they may stay empty where there are `kept` ones."""
    marker = probatio.Optional if kept else probatio.Required
    match provider.need:
        case Need.KEY:
            return {marker(CONF_KEY): password_selector()}
        case Need.ACCOUNT:
            return {
                marker(CONF_USERNAME): TextSelector(),
                marker(CONF_PASSWORD): password_selector(),
            }
    return {}


def access_fields(provider: Provider, *, kept: bool = False) -> dict[Any, Any]:
    """Return the fields of what a provider has to be told, none where there is nothing to say."""
    fields: dict[Any, Any] = {}
    if provider.zone_form and not provider.zones:
        fields[probatio.Required(CONF_ZONE)] = TextSelector()
    elif provider.zone_form or len(provider.zones) > 1:
        options = [
            SelectOptionDict(value=zone, label=f"{name} ({zone})")
            for zone, name in provider.zones.items()
        ]
        fields[probatio.Required(CONF_ZONE)] = SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.DROPDOWN,
                custom_value=bool(provider.zone_form),
            )
        )
    return {**fields, **secret_fields(provider, kept=kept)}


def tidied(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed, without blanks around it; only a password may have them."""
    return {
        key: value if key == CONF_PASSWORD else value.strip() for key, value in user_input.items()
    }


def suggested_zone(hass: HomeAssistant, provider: Provider) -> str:
    """Return the zone in which Home Assistant seems to be, empty where that is not known."""
    country = hass.config.country
    if provider is ENERGINET and country == "DK":
        return area_at(hass.config.latitude, hass.config.longitude)
    return provider.suggested_zone(country)


def zone_schema(zones: Mapping[str, str]) -> probatio.Schema:
    """Return the choice among the zones of the factor library; `zones` are names by code."""
    options = [SelectOptionDict(value=code, label=name) for code, name in zones.items()]
    return probatio.Schema(
        {
            probatio.Required(CONF_ZONE): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
            )
        }
    )


def entity_schema() -> probatio.Schema:
    """Return the choice of an entity."""
    return probatio.Schema(
        {
            probatio.Required(CONF_ENTITY_ID): EntitySelector(
                EntitySelectorConfig(domain=["sensor", "number", "input_number"])
            )
        }
    )


def topic_schema() -> probatio.Schema:
    """Return the form of an MQTT topic."""
    return probatio.Schema(
        {
            probatio.Required(CONF_TOPIC): TextSelector(),
            probatio.Required(CONF_UNIT, default=UNIT_INTENSITY): SelectSelector(
                SelectSelectorConfig(
                    options=list(_UNITS), mode=SelectSelectorMode.DROPDOWN, custom_value=True
                )
            ),
            probatio.Optional(CONF_PATH): TextSelector(),
        }
    )


def fixed_schema() -> probatio.Schema:
    """Return the form of a fixed value."""
    return probatio.Schema(
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


def choice_schema(field: str, options: Sequence[SelectOptionDict]) -> probatio.Schema:
    """Return the choice of one."""
    return probatio.Schema(
        {
            probatio.Required(field): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
            )
        }
    )


def order_schema(options: Sequence[SelectOptionDict]) -> probatio.Schema:
    """Return the form in which sources are put into their order."""
    default = [option["value"] for option in options]
    return probatio.Schema(
        {
            probatio.Required(CONF_SOURCES, default=default): SortableSelector(
                SelectSelectorConfig(
                    options=options, multiple=True, mode=SelectSelectorMode.DROPDOWN
                )
            )
        }
    )


def removal_schema(options: Sequence[SelectOptionDict]) -> probatio.Schema:
    """Return the form in which sources to be removed are ticked."""
    return probatio.Schema(
        {
            probatio.Optional(CONF_SOURCES, default=[]): SelectSelector(
                SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
            )
        }
    )
