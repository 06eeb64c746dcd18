"""The carbon intensity of one site: the ladder of its sources.

An entity or a plugin's source may be one of them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, CONF_ENTITY_ID
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .carbon.factors.library import FactorLibrary
from .carbon.intensity.fixed import FixedSource
from .carbon.intensity.ladder import Ladder
from .carbon.intensity.library import LibrarySource
from .carbon.intensity.reported import ReportedSource
from .carbon.intensity.source import IntensityInterval, IntensitySource, SourceInfo
from .carbon.units import UnknownIntensityUnitError
from .const import CONF_OFFER, CONF_SOURCE, CONF_VALUE, CONF_ZONE, DOMAIN, LOGGER, Source
from .offered import OfferedSource
from .plugin import IntensityOffer


class SiteIntensity:
    """What a kilowatt-hour from the grid weighs at this site, now and before.

    The source that the user chose comes first; the yearly factor of the site's zone
    fills what it does not know, so that there is always a figure with its grade.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        options: Mapping[str, Any],
        factors: FactorLibrary,
        offers: Mapping[str, IntensityOffer] = MappingProxyType({}),
    ) -> None:
        """Build the sources that the options name; `offers` are those of plugins."""
        self._hass = hass
        self._issue_id = f"intensity_entity_{entry_id}"
        self._listeners: set[Callable[[], None]] = set()
        self._entity_id: str | None = None
        self._reported: ReportedSource | None = None
        self._offered: OfferedSource | None = None
        zone = options.get(CONF_ZONE) or hass.config.country
        self.library = LibrarySource(factors, zone, ZoneInfo(hass.config.time_zone))
        sources: list[IntensitySource] = [self.library]
        match options.get(CONF_SOURCE):
            case Source.FIXED:
                sources.insert(0, FixedSource(options[CONF_VALUE]))
            case Source.ENTITY:
                entity_id: str = options[CONF_ENTITY_ID]
                self._entity_id = entity_id
                self._reported = ReportedSource(f"entity:{entity_id}", entity_id)
                sources.insert(0, self._reported)
            case Source.PLUGIN:
                key: str = options[CONF_OFFER]
                self._offered = OfferedSource(hass, entry_id, (key, offers.get(key)), options)
                sources.insert(0, self._offered)
        self.ladder = Ladder(sources)

    def now(self) -> IntensityInterval | None:
        """Return the best known intensity now."""
        moment = dt_util.utcnow().timestamp()
        self.heard(moment)
        return self.ladder.at(moment)

    def info(self, source_id: str) -> SourceInfo:
        """Return what is known of the source of an interval."""
        return next(
            (
                source.info
                for source in self.ladder.sources
                if source_id == source.info.id or source_id.startswith(f"{source.info.id}:")
            ),
            self.library.info,
        )

    @callback
    def heard(self, moment: float) -> None:
        """Take note that the entity has been listened to until a moment."""
        if self._reported is not None:
            self._reported.heard(moment)

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call back when the intensity has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def async_start(self) -> Callable[[], None]:
        """Listen to the entity, or keep the plugin's source up to date; returns how to stop."""
        if self._offered is not None:
            return self._offered.async_start(self._tell_listeners)
        if self._entity_id is None:
            return lambda: None
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
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

        return stop

    @callback
    def _check_presence(self, _hass: HomeAssistant) -> None:
        """Tell the user when the chosen entity does not exist."""
        if self._entity_id is not None and self._hass.states.get(self._entity_id) is None:
            self._raise_issue("intensity_entity_missing", {"entity_id": self._entity_id})

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None:
            assert self._reported is not None  # noqa: S101  # only subscribed with a source
            self._reported.lost(event.time_fired_timestamp)
            self._check_presence(self._hass)
        else:
            self._take(state, event.time_fired_timestamp)
        self._tell_listeners()

    @callback
    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

    @callback
    def _take(self, state: State, moment: float) -> None:
        """Take the entity's state as the intensity from a moment on."""
        assert self._reported is not None  # noqa: S101  # only subscribed with a source
        try:
            value = float(state.state)
        except ValueError:
            self._reported.lost(moment)
            return
        unit = str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, ""))
        try:
            self._reported.report(moment, value, unit)
        except UnknownIntensityUnitError:
            self._raise_issue(
                "intensity_entity_unit", {"entity_id": state.entity_id, "unit": unit or "-"}
            )
        except ValueError as err:
            LOGGER.debug("%s: %s", state.entity_id, err)
        else:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    @callback
    def _raise_issue(self, key: str, placeholders: dict[str, str]) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    def as_dict(self) -> dict[str, Any] | None:
        """Return what must survive a restart."""
        source = self._reported or self._offered
        return {"source": source.info.id, **source.as_dict()} if source is not None else None

    def restore(self, data: Mapping[str, Any] | None) -> None:
        """Take what was known before a restart, if it came from the same source."""
        source = self._reported or self._offered
        if source is not None and data and data["source"] == source.info.id:
            source.restore(data)
