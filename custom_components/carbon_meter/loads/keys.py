"""What is kept of a load: the keys of its subentry's data, and of the site's planning options.

Times of day are "HH:MM:SS" of the local clock, temperatures degrees Celsius, levels per cent;
units of the other figures stand with their key. What a user has left out is absent.
"""

from enum import StrEnum
from typing import Final

SUBENTRY_LOAD: Final = "load"


class LoadKind(StrEnum):
    """What a load is, `CONF_KIND` of its data."""

    APPLIANCE = "appliance"
    RUN_TIME = "run_time"
    EV = "ev"
    THERMAL = "thermal"
    BATTERY = "battery"
    AIR_ZONE = "air_zone"
    LIGHT_ZONE = "light_zone"


# Every load

CONF_METER: Final = "meter"
"""Id of the subentry of the meter that measures this load alone."""

CONF_POWER_ENTITY: Final = "power_entity"
"""A sensor of its power in W or kW, where no meter of the site measures it."""

CONF_DEVICE: Final = "device"
"""The entity that switches it: switch, climate, water_heater, light, input_boolean, number."""

CONF_QUIET_FROM: Final = "quiet_from"
CONF_QUIET_TO: Final = "quiet_to"
"""Times of day between which it should not run."""

CONF_OVERRIDE_HOURS: Final = "override_hours"
"""h that an override lasts, 1 to 24; 4 where not told."""

# Appliance, run time, battery, thermal, zones

CONF_POWER: Final = "power"
"""W: of a run where nothing was learned (appliance), while it runs, at the most (thermal)."""

# Appliance

CONF_READY: Final = "ready"
"""An entity that is on while it is filled and ready to start."""

CONF_FINISH_BY: Final = "finish_by"
"""Time of day by which it has run."""

CONF_DURATION: Final = "duration"
"""min of a run, where nothing was learned."""

CONF_LEARN: Final = "learn"
"""Whether its profile is learned from its power; True where not told."""

# Run time

CONF_HOURS: Final = "hours"
"""h that it runs each day."""

CONF_FROM: Final = "from"
CONF_TO: Final = "to"
"""Times of day of its window; the same, or absent: the whole day. Of zones: occupied, lit."""

CONF_LEAST_RUN: Final = "least_run"
CONF_LEAST_PAUSE: Final = "least_pause"
"""min."""

CONF_MOST_STARTS: Final = "most_starts"
"""A day."""

CONF_LONGEST_PAUSE: Final = "longest_pause"
"""h after which it runs for a least run, whatever the signal."""

# EV

CONF_CONNECTED: Final = "connected"
"""An entity that is on, home, or says connected or charging while the car is plugged in."""

CONF_LEVEL: Final = "level"
"""A sensor of the content in per cent: of a car, of a battery."""

CONF_CAPACITY: Final = "capacity"
"""kWh of a car or a battery."""

CONF_TARGET: Final = "target"
CONF_MUST: Final = "must"
CONF_AT_ONCE: Final = "at_once"
"""Per cent that would be nice, that must be, and below which it is charged at once."""

CONF_ENERGY: Final = "energy"
CONF_MUST_ENERGY: Final = "must_energy"
"""kWh from the charger each time it is connected, where no level is known."""

CONF_READY_BY: Final = "ready_by"
"""Time of day of departure."""

CONF_CALENDAR: Final = "calendar"
"""A calendar whose events are trips (car) or hours in which somebody is there (zone)."""

CONF_OCCUPIED: Final = "occupied"
"""An entity that is on or home while somebody is in a zone."""

CONF_CONTROL: Final = "control"
"""A `Control`."""

CONF_LEAST_CURRENT: Final = "least_current"
CONF_MOST_CURRENT: Final = "most_current"
CONF_CURRENT_STEP: Final = "current_step"
"""A."""

CONF_PHASES: Final = "phases"
CONF_VOLTAGE: Final = "voltage"
"""1 or 3; V."""

CONF_EFFICIENCY: Final = "efficiency"
"""Per cent: of charging a car, of the round trip of a battery, of a heater."""

# Thermal and air zones

CONF_BODY: Final = "body"
"""`tank` or `room`."""

CONF_VOLUME: Final = "volume"
"""l of water."""

CONF_AREA: Final = "area"
"""m2 of floor."""

CONF_HEAT_CAPACITY: Final = "heat_capacity"
"""Wh/K of a room."""

CONF_LOSS: Final = "loss"
"""W/K."""

CONF_HEAT_SOURCE: Final = "heat_source"
"""`heater`, `heat_pump` or `cooler`."""

CONF_STAGES: Final = "stages"
"""W of each stage, a list."""

CONF_TEMPERATURE: Final = "temperature"
CONF_OUTSIDE: Final = "outside"
"""Sensors; outside may be a weather entity, whose forecast is used."""

CONF_LOW: Final = "low"
CONF_HIGH: Final = "high"
"""Comfort."""

CONF_DRAW: Final = "draw"
"""kWh of hot water a day."""

CONF_HYGIENE: Final = "hygiene"
CONF_HYGIENE_DAY: Final = "hygiene_day"
CONF_HYGIENE_BY: Final = "hygiene_by"
"""Degrees that a tank reaches once a week, weekday (`mon` to `sun`) and time of day."""

CONF_SHIFT_UP: Final = "shift_up"
CONF_SHIFT_DOWN: Final = "shift_down"
"""K by which a setpoint is moved at the most; 1 where not told, 3 at the most."""

CONF_SETPOINT: Final = "setpoint"
"""Of a zone while somebody is there."""

CONF_LEAD: Final = "lead"
"""h before the first hour of occupation in which a zone is cooled or heated ahead."""

CONF_DAYS: Final = "days"
"""Weekdays of a zone, a list of `mon` to `sun`."""

# Battery

CONF_CHARGE: Final = "charge"
CONF_DISCHARGE: Final = "discharge"
"""W."""

CONF_RESERVE: Final = "reserve"
"""Per cent that stay in it."""

CONF_WEAR: Final = "wear"
"""g of its making for each kWh that goes through it."""

CONF_WEAR_COST: Final = "wear_cost"
"""Currency for each kWh that goes through it."""

CONF_LEAST_GAIN: Final = "least_gain"
"""g that each discharged kWh has to save."""

# Light

CONF_DIM: Final = "dim"
CONF_DIM_LEAST: Final = "dim_least"
"""Per cent of the full light at peaks, and at the least."""

CONF_PEAK: Final = "peak"
"""Per cent of the lit hours that are peaks."""


class Control(StrEnum):
    """How a load is set, `CONF_CONTROL` of its data."""

    ON_OFF = "on_off"
    CURRENT = "current"
    STAGES = "stages"
    POWER = "power"
    SETPOINT = "setpoint"


# Options of the site, under this key

CONF_PLANNING: Final = "planning"

CONF_GOAL: Final = "goal"
"""A `Goal` of planning; carbon, then cost, where not told."""

CONF_PRICE_PER_KG: Final = "price_per_kg"
"""Currency that a kg counts as, for the goal `weighted`."""

CONF_PRICE_ENTITY: Final = "price_entity"
CONF_PRICE: Final = "price"
"""An entity of the price of electricity, with what comes among its attributes; or one price."""

CONF_FUSE: Final = "fuse"
CONF_BASE_LOAD: Final = "base_load"
"""W of the main fuse, and of all that is not planned."""

CONF_LEAST_SAVING: Final = "least_saving"
CONF_LEAST_SHARE: Final = "least_share"
"""g, and per cent, that a change of plan has to gain; 20 g and 2 % where not told."""

CONF_CAUTION: Final = "caution"
"""0 takes the middle of the forecast, 1 the upper end of its band; 0.2 where not told."""
