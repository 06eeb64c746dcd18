"""Meters that another integration reads: adopted by their entities."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_state_report_event,
    async_track_time_interval,
)

from ..adoption.missing import MissingEntities
from ..adoption.plan import whole_device
from ..adoption.readings import EntityReadings
from ..adoption.sources import (
    DRIVER_KEY,
    EntitySource,
    adopted_profile,
    main_entities,
    resolve,
    sources_of,
)
from ..const import CONF_CARRIER, CONF_ENTITIES, CONF_INTERVAL, Carrier
from ..driver import Heard, Lost, MeterConnection, MeterDriver, ProbeError
from ..metering.candidate import Candidate
from ..metering.errors import MeterSilentError
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.readings import Reading
from .clock import now as _now

if TYPE_CHECKING:
    from ..data import CarbonMeterConfigEntry

_TOGETHER: Final = 0.5
"""Seconds within which what the entities of a meter say is one reading."""

_PATIENCE: Final = 60.0
"""Seconds for which all entities may be unavailable before the meter counts as lost: as long as
a device takes to restart."""

type StateEvent = Event[EventStateChangedData] | Event[EventStateReportedData]


class EntitiesDriver(MeterDriver):
    """Reads what other integrations have made of their meters."""

    key: ClassVar[str] = DRIVER_KEY
    name: ClassVar[str] = "Home Assistant"

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {
            CONF_ENTITIES: list(user_input[CONF_ENTITIES]),
            CONF_CARRIER: user_input.get(CONF_CARRIER, Carrier.ELECTRICITY.value),
        }

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        return DRIVER_KEY, *sorted(main_entities(sources_of(data)))

    @override
    def profile(self, data: Mapping[str, Any], profiles: ProfileLibrary) -> Profile | None:
        return adopted_profile(sources_of(data))

    def candidate(self, hass: HomeAssistant, address: Mapping[str, Any]) -> Candidate:
        """Return the meter that entities make, with what they say now."""
        sources = sources_of(address)
        readings = EntityReadings(sources)
        states = {
            source.entity: hass.states.get(resolve(hass, source.entity) or "") for source in sources
        }
        device = whole_device(hass, resolve(hass, sources[0].entity) or "")
        return Candidate(
            profile=adopted_profile(sources),
            settings={},
            certain=True,
            reading=readings.take(_now(), states),
            manufacturer=(device.manufacturer or "") if device is not None else "",
            model=(device.model or "") if device is not None else "",
        )

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        candidate = self.candidate(hass, address)
        if not candidate.reading.values:
            told = "; ".join(fault.reason for fault in candidate.reading.faults)
            raise ProbeError("entities_silent", told or "-")
        return (candidate,)

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        subentry = next(one for one in entry.subentries.values() if one.data == data)
        return EntitiesConnection(
            hass,
            sources_of(data),
            missing=MissingEntities(hass, subentry.subentry_id, subentry.title),
            interval=float(data[CONF_INTERVAL]),
        )


class EntitiesConnection(MeterConnection):
    """One meter made of entities.

    Each report of an entity, changed or not, is heard; what they say at one moment is one
    reading. Where none is heard for an `interval` in seconds, a reading tells that what they
    said still stands: an integration tells only what changes.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        sources: tuple[EntitySource, ...],
        *,
        missing: MissingEntities,
        interval: float,
    ) -> None:
        """Take the entities; nothing is listened to yet."""
        self._hass = hass
        self._sources = sources
        self._interval = interval
        self._readings = EntityReadings(sources)
        self._missing = missing
        self._entity_ids: dict[str, str] = {}
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._following: CALLBACK_TYPE | None = None
        self._flush: CALLBACK_TYPE | None = None
        self._patience: CALLBACK_TYPE | None = None
        self._heard: Heard | None = None
        self._lost: Lost | None = None
        self._told: set[str] = set()
        self._known: frozenset[str] = frozenset()
        self._absent_since: dict[str, float] = {}
        self._is_lost = False
        self._time = 0.0
        self._resolve()

    @property
    @override
    def speaks(self) -> bool:
        return True

    @property
    @override
    def details(self) -> Mapping[str, Any]:
        return {"entities": dict(self._entity_ids), **self._readings.details}

    @override
    def as_dict(self) -> dict[str, Any]:
        return self._readings.as_dict()

    @override
    def restore(self, data: Mapping[str, Any]) -> None:
        self._readings.restore(data)

    @override
    async def async_read(self) -> Reading:
        reading = self._take(_now())
        if not self._readings.available:
            raise MeterSilentError(self._reason())
        return reading

    @override
    def async_listen(self, heard: Heard, lost: Lost) -> Callable[[], None]:
        self._heard, self._lost = heard, lost
        self._unsubscribe = [
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_changed
            ),
            async_track_time_interval(
                self._hass, self._async_beat, timedelta(seconds=self._interval)
            ),
        ]
        self._follow()
        self._async_flush()
        return self._stop

    @override
    async def async_close(self) -> None:
        self._stop()
        self._missing.close()

    @callback
    def _stop(self) -> None:
        """Listen to nothing more; what stood counts up to now."""
        self._readings.advance(_now())
        for handle in (*self._unsubscribe, self._following, self._flush, self._patience):
            if handle is not None:
                handle()
        self._unsubscribe = []
        self._following = self._flush = self._patience = None

    def _resolve(self) -> None:
        """Find out what the entities are called now."""
        self._entity_ids = {
            source.entity: entity_id
            for source in self._sources
            if (entity_id := resolve(self._hass, source.entity)) is not None
        }
        self._check_presence()

    def _check_presence(self) -> None:
        """Tell which entities were removed, or have had no state for a while."""
        now = _now()
        states = self._states()
        for source in self._sources:
            if states.get(source.entity) is not None:
                self._absent_since.pop(source.entity, None)
            else:
                self._absent_since.setdefault(source.entity, now)
        gone = {
            entity
            for entity, since in self._absent_since.items()
            if entity not in self._entity_ids
            or (now - since >= _PATIENCE and self._hass.is_running)
        }
        self._missing.tell({source.quantity for source in self._sources if source.entity in gone})

    def _follow(self) -> None:
        """Listen to the entities by their present names."""
        if self._following is not None:
            self._following()
        entity_ids = list(self._entity_ids.values())
        stops = (
            async_track_state_change_event(self._hass, entity_ids, self._async_told),
            async_track_state_report_event(self._hass, entity_ids, self._async_told),
        )

        def stop() -> None:
            for one in stops:
                one()

        self._following = stop

    @callback
    def _async_registry_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Follow a renamed entity, and tell of a removed one."""
        before = self._entity_ids
        about = {event.data["entity_id"], event.data.get("old_entity_id")}
        is_whole = all(source.entity in before for source in self._sources)
        if is_whole and not about & set(before.values()):
            return
        self._resolve()
        if self._entity_ids != before:
            self._follow()
            self._async_flush()

    @callback
    def _async_told(self, event: StateEvent) -> None:
        """Take what an entity says, at once or with what the others say at this moment."""
        self._told.add(event.data["entity_id"])
        self._readings.power_told(self._states())
        whole = self._told.issuperset(self._entity_ids.values())
        if whole and not 0 <= _now() - self._time < _TOGETHER:
            self._async_flush()
        elif self._flush is None:
            self._flush = async_call_later(self._hass, _TOGETHER, self._async_flush)

    @callback
    def _async_beat(self, _now_: datetime) -> None:
        """Tell that what was said stands, unless somebody has just spoken."""
        self._check_presence()
        if not 0 <= _now() - self._time < self._interval:
            self._async_flush()

    @callback
    def _async_flush(self, _now_: datetime | None = None) -> None:
        """Give out what the entities say now."""
        if self._flush is not None:
            self._flush()
            self._flush = None
        self._told.clear()
        now = _now()
        reading = self._take(now)
        if self._heard is None:
            return
        if not self._readings.available:
            self._be_patient()
            return
        if self._patience is not None:
            self._patience()
            self._patience = None
        self._is_lost = False
        known = frozenset(reading.values)
        if known != self._known or reading.held != known or self._readings.stands(now):
            self._known = known
            self._heard(reading)

    def _take(self, now: float) -> Reading:
        """Return the reading of now."""
        reading = self._readings.take(now, self._states())
        self._time = now
        return reading

    def _states(self) -> dict[str, State | None]:
        """Return the states of the entities by their references."""
        return {
            entity: self._hass.states.get(entity_id)
            for entity, entity_id in self._entity_ids.items()
        }

    def _be_patient(self) -> None:
        """Give the entities time to come back."""
        if self._patience is None and not self._is_lost:
            self._patience = async_call_later(self._hass, _PATIENCE, self._async_give_up)

    @callback
    def _async_give_up(self, _now_: datetime) -> None:
        """Tell that the meter is lost, once."""
        self._patience = None
        self._is_lost = True
        if self._lost is not None:
            self._lost(MeterSilentError(self._reason()))

    def _reason(self) -> str:
        """Return what is the matter with the entities."""
        names = ", ".join(self._entity_ids.values()) or "the entities were removed"
        return f"{names}: not available"
