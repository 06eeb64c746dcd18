"""What the form of a new load has filled in already."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_BATTERIES, CONF_ROLE, Role
from ..details import CONF_CAPACITY, CONF_EFFICIENCY, part_of
from ..loads import keys
from ..loads.keys import Control, LoadKind
from .load_fields import DAYS
from .load_forms import FORM_THERMAL

_HOURS: Final = {keys.CONF_OVERRIDE_HOURS: 4.0}

_FILLED: Final[Mapping[str, Mapping[str, Any]]] = {
    LoadKind.EV: {
        keys.CONF_CAPACITY: 60.0,
        keys.CONF_TARGET: 80.0,
        keys.CONF_MUST: 50.0,
        keys.CONF_READY_BY: "07:00:00",
        keys.CONF_CONTROL: Control.CURRENT.value,
        # IEC 61851-1: 6 A is the least current that a car is offered.
        keys.CONF_LEAST_CURRENT: 6.0,
        keys.CONF_MOST_CURRENT: 16.0,
        keys.CONF_CURRENT_STEP: 1.0,
        keys.CONF_PHASES: "3",
        keys.CONF_VOLTAGE: 230.0,
        keys.CONF_EFFICIENCY: 90.0,
        keys.CONF_AT_ONCE: 20.0,
    },
    LoadKind.APPLIANCE: {
        keys.CONF_FINISH_BY: "07:00:00",
        keys.CONF_DURATION: 120.0,
        # 1 kWh a run, until it has learned better.
        keys.CONF_POWER: 500.0,
        keys.CONF_LEARN: True,
    },
    LoadKind.RUN_TIME: {
        keys.CONF_HOURS: 8.0,
        keys.CONF_LEAST_RUN: 30.0,
        keys.CONF_LEAST_PAUSE: 15.0,
    },
    FORM_THERMAL: {
        keys.CONF_BODY: "tank",
        keys.CONF_HEAT_SOURCE: "heater",
        keys.CONF_CONTROL: Control.ON_OFF.value,
    },
    "tank": {
        keys.CONF_VOLUME: 150.0,
        keys.CONF_POWER: 2000.0,
        keys.CONF_LOW: 45.0,
        keys.CONF_HIGH: 60.0,
    },
    "room": {
        keys.CONF_LOW: 20.0,
        keys.CONF_HIGH: 22.0,
        keys.CONF_SHIFT_UP: 1.0,
        keys.CONF_SHIFT_DOWN: 1.0,
    },
    LoadKind.BATTERY: {
        keys.CONF_CAPACITY: 10.0,
        keys.CONF_CHARGE: 5000.0,
        keys.CONF_DISCHARGE: 5000.0,
        keys.CONF_RESERVE: 10.0,
        keys.CONF_EFFICIENCY: 90.0,
    },
    LoadKind.AIR_ZONE: {
        keys.CONF_HEAT_SOURCE: "cooler",
        keys.CONF_SETPOINT: 24.0,
        keys.CONF_FROM: "08:00:00",
        keys.CONF_TO: "18:00:00",
        keys.CONF_DAYS: list(DAYS[:5]),
        keys.CONF_SHIFT_UP: 1.0,
        keys.CONF_SHIFT_DOWN: 1.0,
        keys.CONF_LEAD: 2.0,
    },
    LoadKind.LIGHT_ZONE: {
        keys.CONF_FROM: "08:00:00",
        keys.CONF_TO: "18:00:00",
        keys.CONF_DAYS: list(DAYS[:5]),
        keys.CONF_DIM: 80.0,
        keys.CONF_DIM_LEAST: 50.0,
        keys.CONF_PEAK: 25.0,
    },
}


def filled_in(step: str) -> dict[str, Any]:
    """Return what stands in the form of a step; nothing that only the owner can know."""
    return {**_HOURS, **_FILLED.get(step, {})}


def battery_filled_in(entry: ConfigEntry, meters: Mapping[str, str]) -> dict[str, Any]:
    """Return what the site knows of its only battery; `meters` are those to choose from."""
    found = [
        meter_id
        for meter_id in meters
        if entry.subentries[meter_id].data.get(CONF_ROLE) == Role.BATTERY
    ]
    if len(found) != 1:
        return {}
    told = part_of(part_of(entry.options, CONF_BATTERIES), found[0])
    known = {
        key: told[name]
        for key, name in (
            (keys.CONF_CAPACITY, CONF_CAPACITY),
            (keys.CONF_EFFICIENCY, CONF_EFFICIENCY),
        )
        if name in told
    }
    return {keys.CONF_METER: found[0], **known}
