"""What is seen of a load: the states of its entities and the readings of its meter.

What is unavailable, unknown, or in a unit that cannot be is not seen, never 0.
"""

from collections.abc import Callable, Mapping
import math
from typing import Any, Final

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from ..const import CONF_KIND
from ..coordinator import MeterCoordinator
from ..planning.jobs.job import Seen, Stretches
from .calendars import async_stretches
from .keys import (
    CONF_CALENDAR,
    CONF_CONNECTED,
    CONF_DEVICE,
    CONF_LEVEL,
    CONF_OCCUPIED,
    CONF_POWER_ENTITY,
    CONF_READY,
    CONF_TEMPERATURE,
    LoadKind,
)
from .units import in_celsius, in_per_cent, in_watts, unit_of

PLUGGED: Final[Mapping[str, bool]] = {
    "on": True,
    "home": True,
    "connected": True,
    "plugged": True,
    "plugged_in": True,
    "preparing": True,
    "starting": True,
    "awaiting_start": True,
    "awaiting_authorization": True,
    "ready_to_charge": True,
    "charging": True,
    "suspendedev": True,
    "suspendedevse": True,
    "paused": True,
    "stopped": True,
    "no_power": True,
    "finishing": True,
    "complete": True,
    "completed": True,
    "charged": True,
    "b": True,
    "c": True,
    "d": True,
    "off": False,
    "not_home": False,
    "available": False,
    "disconnected": False,
    "unplugged": False,
    "not_connected": False,
    "no_car": False,
    "waiting_for_car": False,
    "a": False,
}
"""Whether a car is plugged in, by the word of a state; one that is not here says nothing.

A, B, C and D are the states of IEC 61851-1; `available` to `finishing` with `suspendedev` those of
a connector in OCPP 1.6, chapter 7.7; the others are words of Home Assistant's own integrations of
cars and chargers.
"""

READY: Final[Mapping[str, bool]] = {
    "on": True,
    "ready": True,
    "delayed_start": True,
    "delayedstart": True,
    "waiting_to_start": True,
    "armed": True,
    "off": False,
    "inactive": False,
    "idle": False,
    "finished": False,
    "aborting": False,
}
"""Whether an appliance is filled and ready to start, likewise; a run says nothing of the next."""

PRESENT: Final[Mapping[str, bool]] = {"on": True, "home": True, "off": False, "not_home": False}
"""Whether somebody is in a zone."""

_WANTED: Final = {
    LoadKind.APPLIANCE: (CONF_READY, READY),
    LoadKind.EV: (CONF_CONNECTED, PLUGGED),
    LoadKind.AIR_ZONE: (CONF_OCCUPIED, PRESENT),
}
"""The entity that says whether a load is wanted, and its words."""

_ACTIONS: Final[Mapping[str, bool]] = {
    "heating": True,
    "preheating": True,
    "cooling": True,
    "drying": True,
    "defrosting": True,
    "fan": False,
    "idle": False,
    "off": False,
}
"""Whether a thermostat's device draws power by its `hvac_action`."""

_RESTING: Final = frozenset({STATE_OFF, "idle", "eco_off", "standby"})
"""States of devices other than switches that are not on."""

_THERMOSTATS: Final = frozenset({"climate", "water_heater"})
_SWITCHES: Final = frozenset({"switch", "light", "input_boolean", "fan", "humidifier"})

_REFRESH: Final = 900.0
"""Seconds after which a calendar is asked again."""


class Observer:
    """Sees one load."""

    def __init__(
        self, hass: HomeAssistant, data: Mapping[str, Any], meter: MeterCoordinator | None
    ) -> None:
        """Take the data of the load, and its meter if one of the site measures it."""
        self._hass = hass
        self._data = data
        self._kind = LoadKind(data[CONF_KIND])
        self._meter = meter
        self._stretches: Stretches | None = None
        self._refreshed = -math.inf

    @callback
    def async_start(self, changed: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when anything of it changes; returns how to stop."""

        @callback
        def heard(event: Event[EventStateChangedData]) -> None:
            if event.data["entity_id"] == self._data.get(CONF_CALENDAR):
                self._refreshed = -math.inf
            changed()

        entities = [
            entity_id
            for key in (
                CONF_DEVICE,
                CONF_POWER_ENTITY,
                CONF_READY,
                CONF_CONNECTED,
                CONF_OCCUPIED,
                CONF_LEVEL,
                CONF_TEMPERATURE,
                CONF_CALENDAR,
            )
            if isinstance(entity_id := self._data.get(key), str)
        ]
        unsubscribe: list[CALLBACK_TYPE] = []
        if entities:
            unsubscribe.append(async_track_state_change_event(self._hass, entities, heard))
        if self._meter is not None:
            unsubscribe.append(self._meter.async_add_listener(changed))

        @callback
        def stop() -> None:
            for unsub in unsubscribe:
                unsub()

        return stop

    async def async_refresh(self, now: float) -> None:
        """Ask the calendar, where that is due; what cannot be said is as it was."""
        calendar = self._data.get(CONF_CALENDAR)
        if not isinstance(calendar, str) or 0.0 <= now - self._refreshed < _REFRESH:
            return
        found = await async_stretches(self._hass, calendar, now)
        if found is not None:
            self._stretches, self._refreshed = found, now

    def seen(self, now: float) -> Seen:
        """Return what is known of it now."""
        device = self._state(CONF_DEVICE)
        return Seen(
            moment=now,
            is_on=None if device is None else is_on(device),
            power=self._power(),
            is_wanted=self._wanted(),
            level=self._level(device),
            setpoint=self._setpoint(device),
            stretches=self._stretches,
        )

    def _state(self, key: str) -> State | None:
        """Return the state of one of its entities, None where it says nothing."""
        entity_id = self._data.get(key)
        state = self._hass.states.get(entity_id) if isinstance(entity_id, str) else None
        if state is None or state.state in {STATE_UNAVAILABLE, STATE_UNKNOWN}:
            return None
        return state

    def _power(self) -> float | None:
        """Return the W that it takes, by its meter, else by its sensor."""
        if self._meter is not None:
            reading = self._meter.latest
            return None if reading is None else reading.values.get("power")
        state = self._state(CONF_POWER_ENTITY)
        return None if state is None else in_watts(state.state, unit_of(state))

    def _wanted(self) -> bool | None:
        """Return whether it is ready or connected, or whether somebody is there."""
        if self._kind not in _WANTED:
            return None
        key, words = _WANTED[self._kind]
        state = self._state(key)
        return None if state is None else words.get(_plain(state.state))

    def _level(self, device: State | None) -> float | None:
        """Return the content in per cent, or the temperature in degrees Celsius."""
        if self._kind in {LoadKind.EV, LoadKind.BATTERY}:
            state = self._state(CONF_LEVEL)
            return None if state is None else in_per_cent(state.state, unit_of(state))
        state = self._state(CONF_TEMPERATURE)
        if self._data.get(CONF_TEMPERATURE) is None and device is not None:
            state = device if device.domain in _THERMOSTATS else None
        return None if state is None else temperature_of(state, self._degrees)

    @property
    def _degrees(self) -> str:
        """Return the unit in which Home Assistant gives the temperatures of thermostats."""
        return self._hass.config.units.temperature_unit

    def _setpoint(self, device: State | None) -> float | None:
        """Return what a thermostat is set to, in degrees Celsius."""
        if device is None or device.domain not in _THERMOSTATS:
            return None
        return in_celsius(device.attributes.get("temperature"), self._degrees)


def is_on(state: State) -> bool | None:
    """Return whether a device runs by its state, None where that does not tell."""
    if state.domain in _SWITCHES:
        return {STATE_ON: True, STATE_OFF: False}.get(state.state)
    if state.domain in _THERMOSTATS:
        if state.state == STATE_OFF:
            return False
        return _ACTIONS.get(str(state.attributes.get("hvac_action")))
    if state.domain in {"number", "input_number"}:
        try:
            return float(state.state) != 0.0
        except ValueError:
            return None
    return state.state not in _RESTING


def _plain(word: str) -> str:
    """Return a word as the tables have it."""
    return word.strip().lower().replace(" ", "_").replace("-", "_")


def temperature_of(state: State, unit_of_home: str) -> float | None:
    """Return the temperature that an entity says, in degrees Celsius."""
    if state.domain == "weather":
        unit = state.attributes.get("temperature_unit", unit_of_home)
        return in_celsius(state.attributes.get("temperature"), unit)
    if state.domain in _THERMOSTATS:
        return in_celsius(state.attributes.get("current_temperature"), unit_of_home)
    return in_celsius(state.state, unit_of(state))
