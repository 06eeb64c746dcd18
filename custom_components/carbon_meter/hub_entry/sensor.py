"""The sensors of a hub."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from ..community.hub.periods import Period
from ..const import DOMAIN
from .descriptions import (
    COMMUNITY_FIGURES,
    PART_FIGURES,
    STATES,
    FigureDescription,
    StateDescription,
)
from .entity import HubEntity
from .figures import ScopeKey
from .hub import Hub


@callback
def async_add_hub_sensors(
    hass: HomeAssistant, entry: ConfigEntry[Any], add: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of the community, and those of feeders and groups as they appear."""
    hub: Hub = entry.runtime_data
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        name=entry.title,
        entry_type=DeviceEntryType.SERVICE,
    )
    add(
        [
            *(FigureSensor(entry, description) for description in COMMUNITY_FIGURES),
            *(StateSensor(entry, description) for description in STATES),
        ]
    )
    added: set[ScopeKey] = set()

    @callback
    def add_parts() -> None:
        if entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
            # What is published last is shown by the entities of the next set-up.
            return
        new = [scope for scope in hub.figures.scopes if scope not in added]
        if new:
            added.update(new)
            add(
                [
                    FigureSensor(entry, description, scope, device.id)
                    for scope in new
                    for description in PART_FIGURES
                ]
            )

    add_parts()
    entry.async_on_unload(hub.async_add_listener(add_parts))


class FigureSensor(HubEntity, SensorEntity):
    """A figure of the last period that was published; unknown where it is suppressed."""

    entity_description: FigureDescription
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @property
    def _period(self) -> Period | None:
        figures, grain = self._hub.figures, self.entity_description.grain
        if self.entity_description.is_so_far:
            return figures.so_far.get(grain)
        return figures.last(self._scope, grain)

    @property
    @override
    def native_value(self) -> float | int | None:
        """Return the figure, None where nothing may be or can be shown."""
        period = self._period
        return None if period is None else self.entity_description.figure(period)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return which time it is of, why it is suppressed, and how far it can still change."""
        period = self._period
        if period is None:
            return None
        more = self.entity_description.attributes
        return {
            "begin": dt_util.utc_from_timestamp(period.begin).isoformat(),
            "end": dt_util.utc_from_timestamp(period.end).isoformat(),
            "suppressed": self.entity_description.suppressed(period),
            **self.entity_description.standing(period),
            **({} if more is None else more(period)),
        }


class StateSensor(HubEntity, SensorEntity):
    """Something about the hub itself."""

    entity_description: StateDescription
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return it."""
        return self.entity_description.value(self._hub)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains it."""
        attributes = self.entity_description.attributes
        return None if attributes is None else attributes(self._hub)
