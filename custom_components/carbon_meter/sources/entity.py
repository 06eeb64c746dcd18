"""An entity of Home Assistant as a source: its state, and the forecast among its attributes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.start import async_at_started

from ..carbon.intensity.live.shapes import forecast_of
from ..carbon.intensity.source import SourceInfo
from ..carbon.units import UnknownIntensityUnitError
from ..const import LOGGER
from ..drivers.clock import now
from .reported import ReportedRung
from .rung import Changed


class EntityRung(ReportedRung):
    """What an entity says, from when it says it."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, entity_id: str) -> None:
        """Take the entity, whether it exists or not."""
        super().__init__(hass, entry, f"entity:{entity_id}", entity_id)
        self._entity_id = entity_id
        self._attributes: Mapping[str, Any] = {}

    @property
    @override
    def info(self) -> SourceInfo:
        """Return what the source is, by the name that the entity has on the page."""
        state = self._hass.states.get(self._entity_id)
        return super().info if state is None else replace(super().info, name=state.name)

    @override
    def heard(self, moment: float) -> None:
        self._source.heard(moment)

    @override
    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        self._changed = changed
        if (state := self._hass.states.get(self._entity_id)) is not None:
            self._take(state, state.last_changed_timestamp)
        unsubscribe = [
            async_track_state_change_event(self._hass, self._entity_id, self._state_changed),
            async_at_started(self._hass, self._check_presence),
        ]

        @callback
        def stop() -> None:
            for unsub in unsubscribe:
                unsub()
            self._issue.clear()

        return stop

    @callback
    def _check_presence(self, _hass: HomeAssistant) -> None:
        """Tell the user when the chosen entity does not exist."""
        if self._hass.states.get(self._entity_id) is None:
            self._issue.tell("intensity_entity_missing", {"entity_id": self._entity_id})

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        """Take a new state, or new attributes of the same."""
        state = event.data["new_state"]
        if state is None:
            self._source.lost(event.time_fired_timestamp)
            self._check_presence(self._hass)
        else:
            self._take(state, event.time_fired_timestamp)
        self._changed()

    @callback
    def _take(self, state: State, moment: float) -> None:
        """Take the entity's state as the intensity from a moment on."""
        unit = str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, ""))
        if state.attributes != self._attributes:
            self._attributes = state.attributes
            self._take_forecast(state, unit)
        try:
            value = float(state.state)
        except ValueError:
            self._source.lost(moment)
            return
        try:
            self._source.report(moment, value, unit)
        except UnknownIntensityUnitError:
            self._issue.tell(
                "intensity_entity_unit", {"entity_id": state.entity_id, "unit": unit or "-"}
            )
        except ValueError as err:
            LOGGER.debug("%s: %s", state.entity_id, err)
        else:
            self._issue.clear()

    @callback
    def _take_forecast(self, state: State, unit: str) -> None:
        """Take the forecast that stands in an attribute; a list of prices is none."""
        moment = now()
        try:
            found = forecast_of(state.attributes, replace(self._origin, unit=unit), now=moment)
        except ValueError as err:
            LOGGER.debug("%s: no forecast among its attributes: %s", state.entity_id, err)
            return
        if found:
            self._source.forecast(found, moment)
