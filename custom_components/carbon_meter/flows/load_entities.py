"""Whether the entities and the meter of a load can do what they are chosen for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.components.water_heater.const import WaterHeaterEntityFeature
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import (
    ATTR_SUPPORTED_FEATURES,
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_conversion import PowerConverter, TemperatureConverter

from ..const import (
    CONF_KIND,
    CONF_PARENT,
    CONF_ROLE,
    SUBENTRY_METER,
    Carrier,
    Role,
    carrier_of,
)
from ..entries import async_sites
from ..loads import keys
from ..loads.keys import SUBENTRY_LOAD, Control, LoadKind
from .load_checks import Mistake
from .load_forms import LoadForm

_ENTITIES: Final = (
    keys.CONF_DEVICE,
    keys.CONF_POWER_ENTITY,
    keys.CONF_READY,
    keys.CONF_CONNECTED,
    keys.CONF_OCCUPIED,
    keys.CONF_LEVEL,
    keys.CONF_TEMPERATURE,
    keys.CONF_OUTSIDE,
    keys.CONF_CALENDAR,
)

_ALONE: Final = (keys.CONF_DEVICE, keys.CONF_POWER_ENTITY)
"""What two loads cannot share."""

_UNITS: Final = {
    keys.CONF_LEVEL: (frozenset({PERCENTAGE}), "not_per_cent"),
    keys.CONF_POWER_ENTITY: (frozenset(PowerConverter.VALID_UNITS), "not_power"),
    keys.CONF_TEMPERATURE: (frozenset(TemperatureConverter.VALID_UNITS), "not_temperature"),
    keys.CONF_OUTSIDE: (frozenset(TemperatureConverter.VALID_UNITS), "not_temperature"),
}
"""Units of which one is needed, and what is told otherwise."""

_SETTABLE: Final[Mapping[str, int]] = {
    "climate": ClimateEntityFeature.TARGET_TEMPERATURE,
    "water_heater": WaterHeaterEntityFeature.TARGET_TEMPERATURE,
}
"""The feature of what has one temperature to be set to."""

_MEASURING: Final = frozenset({"climate", "water_heater"})
"""Domains of devices that tell their own temperature."""

_WARM: Final = frozenset({LoadKind.THERMAL, LoadKind.AIR_ZONE})
"""Kinds of which a temperature has to be known."""


def free_meters(entry: ConfigEntry, kind: LoadKind) -> dict[str, str]:
    """Return the titles of the meters that can measure a load of a kind alone, by their ids."""
    role = Role.BATTERY if kind is LoadKind.BATTERY else Role.SUBMETER
    return {
        subentry.subentry_id: subentry.title
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if carrier_of(subentry.data) is Carrier.ELECTRICITY
        and subentry.data.get(CONF_ROLE) in (role, Role.SUBMETER)
    }


def other_loads(entry: ConfigEntry, subentry_id: str | None) -> list[ConfigSubentry]:
    """Return all other loads of a site."""
    return [
        subentry
        for subentry in entry.get_subentries_of_type(SUBENTRY_LOAD)
        if subentry.subentry_id != subentry_id
    ]


def entity_mistakes(
    hass: HomeAssistant, form: LoadForm, data: Mapping[str, Any]
) -> Iterator[Mistake]:
    """Yield the entities of a load that are none, or cannot do what they are chosen for."""
    known = {key for key in _ENTITIES if key in data and _is_known(hass, data[key])}
    for key in _ENTITIES:
        if key in data and key not in known:
            yield key, "unknown_entity"
        elif key in known and key in _UNITS and not _is_weather(key, data[key]):
            units, reason = _UNITS[key]
            if not _has_unit(hass, data[key], units):
                yield key, reason
    device = data[keys.CONF_DEVICE] if keys.CONF_DEVICE in known else None
    domain = None if device is None else split_entity_id(device)[0]
    if device is not None:
        if domain not in form.domains:
            yield keys.CONF_DEVICE, "wrong_device"
        elif _needs_setpoint(data) and not _is_settable(hass, device):
            yield keys.CONF_DEVICE, "no_setpoint"
    if data[CONF_KIND] in _WARM and keys.CONF_TEMPERATURE not in data and domain not in _MEASURING:
        yield keys.CONF_TEMPERATURE, "temperature_missing"


def _is_known(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether there is such an entity, be it unavailable for the moment."""
    if not valid_entity_id(entity_id):
        return False
    if hass.states.get(entity_id) is not None:
        return True
    registered = er.async_get(hass).async_get(entity_id)
    return registered is not None and registered.disabled_by is None


def _is_weather(key: str, entity_id: str) -> bool:
    return key == keys.CONF_OUTSIDE and split_entity_id(entity_id)[0] == "weather"


def _has_unit(hass: HomeAssistant, entity_id: str, units: frozenset[str | None]) -> bool:
    """Return whether an entity has one of some units, or does not say at the moment."""
    state = hass.states.get(entity_id)
    unit = None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is None:
        registered = er.async_get(hass).async_get(entity_id)
        unit = None if registered is None else registered.unit_of_measurement
    if unit is None:
        return state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN)
    return unit in units


def _needs_setpoint(data: Mapping[str, Any]) -> bool:
    """Return whether the device is set to a temperature."""
    if data[CONF_KIND] == LoadKind.AIR_ZONE:
        return True
    return data.get(keys.CONF_CONTROL) == Control.SETPOINT


def _is_settable(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether a device has one temperature that it can be set to, as far as it says."""
    feature = _SETTABLE[split_entity_id(entity_id)[0]]
    state = hass.states.get(entity_id)
    features = None if state is None else state.attributes.get(ATTR_SUPPORTED_FEATURES)
    if features is None:
        registered = er.async_get(hass).async_get(entity_id)
        features = None if registered is None else registered.supported_features
    return features is None or bool(features & feature)


def shared(
    entries: list[ConfigEntry],
    entry: ConfigEntry,
    data: Mapping[str, Any],
    subentry_id: str | None,
) -> tuple[Mistake, str] | None:
    """Return what a load would share with another one, and the title of that; None for nothing.

    A meter is shared as well with a load whose meter sits before or behind it: what one of them
    takes would be counted for both. `entries` are all sites, since entities know no site.
    """
    meter = data.get(keys.CONF_METER)
    if meter is not None:
        for other in other_loads(entry, subentry_id):
            its_meter = other.data.get(keys.CONF_METER)
            if its_meter == meter:
                return (keys.CONF_METER, "meter_taken"), other.title
            if its_meter is not None and (
                its_meter in _above(entry, meter) or meter in _above(entry, its_meter)
            ):
                return (keys.CONF_METER, "meter_behind"), other.title
    for site in entries:
        for other in other_loads(site, subentry_id):
            for key in _ALONE:
                if key in data and other.data.get(key) == data[key]:
                    return (key, "entity_taken"), other.title
    return None


def _above(entry: ConfigEntry, meter_id: str) -> set[str]:
    """Return the meters that a meter sits behind, as far as is told."""
    by_name: dict[str | None, str] = {}
    for subentry in entry.get_subentries_of_type(SUBENTRY_METER):
        by_name[subentry.unique_id] = by_name[subentry.subentry_id] = subentry.subentry_id
    found: set[str] = set()
    at: str | None = meter_id
    while at is not None and at in entry.subentries and at not in found:
        found.add(at)
        parent = entry.subentries[at].data.get(CONF_PARENT)
        at = by_name.get(parent) if parent is not None else None
    return found - {meter_id}


def all_sites(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return every site."""
    return async_sites(hass)
