"""The fields of the forms of loads: each key with what chooses or types it."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TimeSelector,
)

from ..fields import number, whole_number
from ..loads import keys
from ..loads.keys import Control

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

BODIES: Final = ("tank", "room")
HEAT_SOURCES: Final = ("heater", "heat_pump", "cooler")
THERMAL_CONTROLS: Final = (Control.ON_OFF, Control.STAGES, Control.POWER, Control.SETPOINT)
CAR_CONTROLS: Final = (Control.CURRENT, Control.ON_OFF, Control.POWER)

MOST_WATTS: Final = 10_000_000.0
"""W; the chiller of a large building takes less."""

MOST_MONEY: Final = 1_000_000.0
"""Currency for a kWh or a kg; some have many zeros."""

MOST_SHIFT: Final = 3.0
"""K by which a setpoint may be moved; more is felt by everybody."""

_STAGES: Final = ("500", "1000", "1500", "2000", "3000", "4500", "6000", "9000")
"""W of stages that are sold; others can be typed."""


def choice(key: str, options: tuple[str, ...], *, is_list: bool = True) -> SelectSelector:
    """Return the choice of one of some words, whose names are translated."""
    mode = SelectSelectorMode.LIST if is_list else SelectSelectorMode.DROPDOWN
    return SelectSelector(
        SelectSelectorConfig(options=list(options), translation_key=key, mode=mode)
    )


def _entity(*filters: EntityWithDeviceFilterSelectorConfig) -> EntitySelector:
    """Return the choice of an entity that fits one of some filters."""
    return EntitySelector(EntitySelectorConfig(filter=list(filters)))


def _of_class(domain: str, device_class: str) -> EntityWithDeviceFilterSelectorConfig:
    return EntityWithDeviceFilterSelectorConfig(domain=domain, device_class=device_class)


def devices(domains: tuple[str, ...]) -> EntitySelector:
    """Return the choice of what is switched or set."""
    return _entity(EntityWithDeviceFilterSelectorConfig(domain=list(domains)))


def meters(titles: Mapping[str, str]) -> SelectSelector:
    """Return the choice of a meter by its title."""
    options = [SelectOptionDict(value=key, label=title) for key, title in titles.items()]
    return SelectSelector(
        SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN, sort=True)
    )


_WATTS: Final = number(0, MOST_WATTS, "W")
_PER_CENT: Final = number(0, 100, "%")
_KILOWATT_HOURS: Final = number(0, 10_000, "kWh")
_CELSIUS: Final = number(-50, 100, "°C")
_SHIFT: Final = number(0, MOST_SHIFT, "K")
_MINUTES: Final = number(0, 1440, "min")
_TIME: Final = TimeSelector()
_AMPERES: Final = number(1, 400, "A")
_WEEKDAYS: Final = SelectSelector(
    SelectSelectorConfig(
        options=list(DAYS),
        translation_key="load_days",
        multiple=True,
        mode=SelectSelectorMode.LIST,
    )
)

_SELECTORS: Final[Mapping[str, Any]] = {
    CONF_NAME: TextSelector(),
    keys.CONF_POWER_ENTITY: _entity(_of_class("sensor", SensorDeviceClass.POWER)),
    keys.CONF_QUIET_FROM: _TIME,
    keys.CONF_QUIET_TO: _TIME,
    keys.CONF_OVERRIDE_HOURS: number(1, 24, "h"),
    keys.CONF_POWER: _WATTS,
    keys.CONF_READY: _entity(
        EntityWithDeviceFilterSelectorConfig(domain=["binary_sensor", "sensor", "input_boolean"])
    ),
    keys.CONF_FINISH_BY: _TIME,
    keys.CONF_DURATION: number(1, 1440, "min"),
    keys.CONF_LEARN: BooleanSelector(),
    keys.CONF_HOURS: number(0, 24, "h"),
    keys.CONF_FROM: _TIME,
    keys.CONF_TO: _TIME,
    keys.CONF_LEAST_RUN: _MINUTES,
    keys.CONF_LEAST_PAUSE: _MINUTES,
    keys.CONF_MOST_STARTS: whole_number(1, 96),
    keys.CONF_LONGEST_PAUSE: number(0.25, 48, "h"),
    keys.CONF_CONNECTED: _entity(
        EntityWithDeviceFilterSelectorConfig(
            domain=["binary_sensor", "sensor", "device_tracker", "input_boolean"]
        )
    ),
    keys.CONF_OCCUPIED: _entity(
        EntityWithDeviceFilterSelectorConfig(
            domain=["binary_sensor", "schedule", "input_boolean", "person", "device_tracker"]
        )
    ),
    keys.CONF_LEVEL: _entity(
        _of_class("sensor", SensorDeviceClass.BATTERY),
        EntityWithDeviceFilterSelectorConfig(
            domain=["sensor", "number", "input_number"], unit_of_measurement="%"
        ),
    ),
    keys.CONF_CAPACITY: _KILOWATT_HOURS,
    keys.CONF_TARGET: _PER_CENT,
    keys.CONF_MUST: _PER_CENT,
    keys.CONF_AT_ONCE: _PER_CENT,
    keys.CONF_ENERGY: _KILOWATT_HOURS,
    keys.CONF_MUST_ENERGY: _KILOWATT_HOURS,
    keys.CONF_READY_BY: _TIME,
    keys.CONF_CALENDAR: _entity(EntityWithDeviceFilterSelectorConfig(domain="calendar")),
    keys.CONF_LEAST_CURRENT: _AMPERES,
    keys.CONF_MOST_CURRENT: _AMPERES,
    keys.CONF_CURRENT_STEP: number(1, 16, "A"),
    keys.CONF_PHASES: choice("load_phases", ("1", "3")),
    keys.CONF_VOLTAGE: number(100, 500, "V"),
    keys.CONF_EFFICIENCY: _PER_CENT,
    keys.CONF_BODY: choice("load_body", BODIES),
    keys.CONF_HEAT_SOURCE: choice("load_heat_source", HEAT_SOURCES),
    keys.CONF_VOLUME: number(1, 1_000_000, "L"),
    # A form begins what it has to know at the least number: here it must be one that is refused.
    keys.CONF_AREA: number(0, 1_000_000, "m²"),
    keys.CONF_HEAT_CAPACITY: number(1, 100_000_000, "Wh/K"),
    keys.CONF_LOSS: number(0, 1_000_000, "W/K"),
    keys.CONF_STAGES: SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=watts, label=f"{watts} W") for watts in _STAGES],
            multiple=True,
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    ),
    keys.CONF_TEMPERATURE: _entity(_of_class("sensor", SensorDeviceClass.TEMPERATURE)),
    keys.CONF_OUTSIDE: _entity(
        EntityWithDeviceFilterSelectorConfig(domain="weather"),
        _of_class("sensor", SensorDeviceClass.TEMPERATURE),
    ),
    keys.CONF_LOW: _CELSIUS,
    keys.CONF_HIGH: _CELSIUS,
    keys.CONF_DRAW: _KILOWATT_HOURS,
    keys.CONF_HYGIENE: number(50, 90, "°C"),
    keys.CONF_HYGIENE_DAY: choice("load_days", DAYS, is_list=False),
    keys.CONF_HYGIENE_BY: _TIME,
    keys.CONF_SHIFT_UP: _SHIFT,
    keys.CONF_SHIFT_DOWN: _SHIFT,
    keys.CONF_SETPOINT: _CELSIUS,
    keys.CONF_LEAD: number(0, 4, "h"),
    keys.CONF_DAYS: _WEEKDAYS,
    keys.CONF_CHARGE: _WATTS,
    keys.CONF_DISCHARGE: _WATTS,
    keys.CONF_RESERVE: _PER_CENT,
    keys.CONF_WEAR: number(0, 10_000, "g/kWh"),
    keys.CONF_LEAST_GAIN: number(0, 10_000, "g/kWh"),
    keys.CONF_DIM: _PER_CENT,
    keys.CONF_DIM_LEAST: _PER_CENT,
    keys.CONF_PEAK: _PER_CENT,
}


def selectors(
    *,
    titles: Mapping[str, str],
    domains: tuple[str, ...],
    controls: tuple[Control, ...],
    currency: str,
) -> dict[str, Any]:
    """Return every key of a load with its field.

    `titles` are the meters to choose from by their ids, `domains` those of what can be switched,
    `controls` how that can be.
    """
    return {
        **_SELECTORS,
        keys.CONF_METER: meters(titles),
        keys.CONF_DEVICE: devices(domains),
        keys.CONF_CONTROL: choice("load_control", controls),
        keys.CONF_WEAR_COST: number(0, MOST_MONEY, f"{currency}/kWh"),
    }
