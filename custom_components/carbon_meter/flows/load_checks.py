"""What is wrong with the figures of a load, each with an error that says what to do."""

from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import Any, Final

from homeassistant.util import dt as dt_util

from ..const import CONF_KIND
from ..loads import keys
from ..loads.keys import Control, LoadKind

type Mistake = tuple[str, str]
"""The key that is wrong, and the key of the error."""

_WEEKLY: Final = (keys.CONF_HYGIENE, keys.CONF_HYGIENE_DAY, keys.CONF_HYGIENE_BY)
"""All of it, or nothing."""

_DAY: Final = 24 * 60.0
"""Minutes."""

_ORDERED: Final = (
    (keys.CONF_MUST, keys.CONF_TARGET, "must_above_target"),
    (keys.CONF_AT_ONCE, keys.CONF_TARGET, "at_once_above_target"),
    (keys.CONF_MUST_ENERGY, keys.CONF_ENERGY, "must_above_energy"),
    (keys.CONF_LEAST_CURRENT, keys.CONF_MOST_CURRENT, "least_above_most"),
    (keys.CONF_DIM_LEAST, keys.CONF_DIM, "least_above_dim"),
    (keys.CONF_SETPOINT, keys.CONF_HIGH, "setpoint_outside"),
    (keys.CONF_LOW, keys.CONF_SETPOINT, "setpoint_outside"),
)
"""Pairs whose first is no more than its second, and what is told otherwise, at the first."""

_BELOW: Final = (
    (keys.CONF_LOW, keys.CONF_HIGH, "low_not_below_high"),
    (keys.CONF_LOW, keys.CONF_HYGIENE, "hygiene_not_hotter"),
)
"""Pairs whose first is less than its second."""

_POSITIVE: Final = {
    keys.CONF_AREA: "no_area",
    keys.CONF_POWER: "no_power",
    keys.CONF_CHARGE: "no_power",
    keys.CONF_DISCHARGE: "no_power",
    keys.CONF_CAPACITY: "no_capacity",
    keys.CONF_TARGET: "no_energy",
    keys.CONF_ENERGY: "no_energy",
    keys.CONF_HOURS: "no_hours",
    keys.CONF_PEAK: "no_peak",
}
"""Keys of what nothing can be done with when it is 0."""

_WINDOWS: Final = (
    (keys.CONF_FROM, keys.CONF_TO),
    (keys.CONF_QUIET_FROM, keys.CONF_QUIET_TO),
)


def mistakes(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what cannot be meant in the data of a load, the gravest first."""
    yield from _zeros(data)
    for first, second, reason in _ORDERED:
        if _both(data, first, second) and data[first] > data[second]:
            yield first, reason
    for first, second, reason in _BELOW:
        if _both(data, first, second) and not data[first] < data[second]:
            yield (second if second == keys.CONF_HYGIENE else first), reason
    yield from _times(data)
    if _both(data, keys.CONF_METER, keys.CONF_POWER_ENTITY):
        yield keys.CONF_POWER_ENTITY, "meter_or_sensor"
    if check := _OF_KIND.get(LoadKind(data[CONF_KIND])):
        yield from check(data)


def _both(data: Mapping[str, Any], first: str, second: str) -> bool:
    return first in data and second in data


def _zeros(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what is 0 and must not be, and per cents that are typed as a part of one."""
    for key, reason in _POSITIVE.items():
        if key in data and not data[key] > 0.0:
            yield key, reason
    if keys.CONF_EFFICIENCY in data and not data[keys.CONF_EFFICIENCY] > 1.0:
        yield keys.CONF_EFFICIENCY, "efficiency_in_per_cent"
    stages = data.get(keys.CONF_STAGES)
    if stages is not None and not min(stages) > 0.0:
        yield keys.CONF_STAGES, "no_power"


def _times(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield windows of which half is told, or which have no length."""
    for first, second in _WINDOWS:
        if (first in data) != (second in data):
            yield (second if first in data else first), "both_times"
        elif first in data and data[first] == data[second]:
            yield second, "same_times"


def minutes_between(first: str, second: str) -> float:
    """Return how long it is from a time of day to the next other one, on a day of 24 hours."""
    begin, end = (_minutes(dt_util.parse_time(text) or time()) for text in (first, second))
    return (end - begin) % _DAY or _DAY


def _minutes(moment: time) -> float:
    return moment.hour * 60.0 + moment.minute + moment.second / 60.0


def _run_time(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield rules that leave no room for the hours of a day."""
    hours = data[keys.CONF_HOURS]
    if _both(data, keys.CONF_FROM, keys.CONF_TO):
        window = minutes_between(data[keys.CONF_FROM], data[keys.CONF_TO])
        if hours * 60.0 > window:
            yield keys.CONF_HOURS, "longer_than_window"
    if data.get(keys.CONF_LEAST_RUN, 0.0) > hours * 60.0:
        yield keys.CONF_LEAST_RUN, "least_run_too_long"
    longest = data.get(keys.CONF_LONGEST_PAUSE)
    if longest is not None and data.get(keys.CONF_LEAST_PAUSE, 0.0) > longest * 60.0:
        yield keys.CONF_LONGEST_PAUSE, "pauses_contradict"


def _car(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what is missing to know how much a car needs."""
    if keys.CONF_LEVEL in data:
        if keys.CONF_CAPACITY not in data:
            yield keys.CONF_CAPACITY, "capacity_missing"
    elif keys.CONF_ENERGY not in data:
        yield keys.CONF_LEVEL, "level_or_energy"
    if keys.CONF_MUST_ENERGY in data and keys.CONF_ENERGY not in data:
        yield keys.CONF_ENERGY, "energy_missing"


def _battery(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield a reserve that leaves nothing."""
    if data.get(keys.CONF_RESERVE, 0.0) >= 100.0:
        yield keys.CONF_RESERVE, "all_in_reserve"


def _thermal(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what is missing of stages, and of a weekly run."""
    if data.get(keys.CONF_CONTROL) == Control.STAGES and keys.CONF_STAGES not in data:
        yield keys.CONF_STAGES, "stages_missing"
    missing = [key for key in _WEEKLY if key not in data]
    if 0 < len(missing) < len(_WEEKLY):
        yield missing[0], "hygiene_when"


_OF_KIND: Final[Mapping[LoadKind, Callable[[Mapping[str, Any]], Iterator[Mistake]]]] = {
    LoadKind.RUN_TIME: _run_time,
    LoadKind.EV: _car,
    LoadKind.BATTERY: _battery,
    LoadKind.THERMAL: _thermal,
}


def run_is_long(data: Mapping[str, Any]) -> bool:
    """Return whether a run of an appliance fits no day between its quiet hours."""
    if data[CONF_KIND] != LoadKind.APPLIANCE:
        return False
    open_for = _DAY
    if _both(data, keys.CONF_QUIET_FROM, keys.CONF_QUIET_TO):
        open_for -= minutes_between(data[keys.CONF_QUIET_FROM], data[keys.CONF_QUIET_TO])
    return bool(data.get(keys.CONF_DURATION, 0.0) > open_for)
