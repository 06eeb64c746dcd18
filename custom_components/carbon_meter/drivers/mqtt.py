"""Meters that publish to the broker that Home Assistant is connected to."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, HomeAssistantError
import probatio

from ..const import CONF_INSTANCE, CONF_INTERVAL, CONF_PROFILE, DOMAIN
from ..driver import Find, Heard, MeterConnection, MeterDriver, ProbeError
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.errors import MeterError, MeterUnreachableError
from ..metering.json.announcements import discovery_topics, identify_mqtt
from ..metering.json.listener import MqttJsonMeter
from ..metering.json.profile import JsonProfile
from ..metering.json.schema import MQTT
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.profile_schema import ProfileForm
from .clock import now
from .speaking import FIRST_WORD, SpeakingConnection

if TYPE_CHECKING:
    from homeassistant.components.mqtt.models import ReceiveMessage

    from ..data import CarbonMeterConfigEntry

CONF_LISTEN: Final = "listen"

_LISTEN: Final = 15
"""Seconds: most meters publish every ten."""

_SILENCES: Final = 3
_FIRST_READING: Final = 12.0
"""Seconds that a meter is waited for that has announced itself."""


class MqttDriver(MeterDriver):
    """Listens by Home Assistant's own client."""

    key: ClassVar[str] = "mqtt"
    name: ClassVar[str] = "MQTT (JSON)"
    forms: ClassVar[tuple[ProfileForm, ...]] = (MQTT,)

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        return {probatio.Required(CONF_LISTEN, default=_LISTEN): whole_number(1, 120, "s")}

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        instance = data[CONF_INSTANCE]
        return (data[CONF_PROFILE], *(f"{key}={instance[key]}" for key in sorted(instance)))

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        known = [profile for profile in profiles.of(JsonProfile).values() if profile.topics]
        found: dict[tuple[Any, ...], Candidate] = {}

        @callback
        def take(message: ReceiveMessage) -> None:
            for candidate in identify_mqtt(message.topic, _bytes(message), known, clock=now):
                key = (candidate.profile.id, *sorted(candidate.settings.items()))
                found.setdefault(key, candidate)

        unsubscribe: list[Callable[[], None]] = []
        try:
            for topic in discovery_topics(known):
                unsubscribe.append(await _subscribe(hass, topic, take))  # noqa: PERF401  # each is undone
            await asyncio.sleep(address.get(CONF_LISTEN, _LISTEN))
        except MeterError as err:
            raise ProbeError("no_broker", str(err)) from err
        finally:
            for stop in unsubscribe:
                stop()
        if not found:
            raise ProbeError("nothing_heard", ", ".join(discovery_topics(known)))
        return tuple(await asyncio.gather(*(self._read(hass, each) for each in found.values())))

    @override
    async def async_recognise(
        self, hass: HomeAssistant, topic: str, payload: bytes, profiles: ProfileLibrary
    ) -> tuple[Find, ...]:
        known = [profile for profile in profiles.of(JsonProfile).values() if profile.topics]
        return tuple(
            ({}, (replace(candidate, settings={CONF_INSTANCE: dict(candidate.settings)}),))
            for candidate in identify_mqtt(topic, payload, known, clock=now)
        )

    @override
    async def async_first_reading(self, hass: HomeAssistant, candidate: Candidate) -> Candidate:
        instance = candidate.settings.get(CONF_INSTANCE, candidate.settings)
        return await self._read(hass, replace(candidate, settings=instance))

    async def _read(self, hass: HomeAssistant, candidate: Candidate) -> Candidate:
        profile = candidate.profile
        assert isinstance(profile, JsonProfile)  # noqa: S101  # found among these
        instance = dict(candidate.settings)
        reading = candidate.reading
        if not reading.values:
            try:
                connection = MqttConnection(
                    hass, profile, instance, patience=_FIRST_READING, first_word=_FIRST_READING
                )
                reading = await connection.async_read()
            except MeterError, ValueError:
                reading = candidate.reading
        return replace(candidate, settings={CONF_INSTANCE: instance}, reading=reading)

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        assert isinstance(profile, JsonProfile)  # noqa: S101  # chosen by this driver's candidate
        try:
            return MqttConnection(
                hass, profile, data[CONF_INSTANCE], patience=_SILENCES * data[CONF_INTERVAL]
            )
        except ValueError as err:
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="settings_do_not_fit",
                translation_placeholders={"meter": profile.title, "error": str(err)},
            ) from err


class MqttConnection(SpeakingConnection):
    """One meter that publishes."""

    def __init__(
        self,
        hass: HomeAssistant,
        profile: JsonProfile,
        instance: Mapping[str, Any],
        *,
        patience: float,
        first_word: float = FIRST_WORD,
    ) -> None:
        """Take what tells the meter from others; raises ValueError where that does not fit."""
        super().__init__(hass, patience=patience, first_word=first_word)
        self._profile = profile
        self._instance = instance
        MqttJsonMeter(profile, instance, clock=now)

    @override
    async def async_subscribe(self, heard: Heard) -> Callable[[], None]:
        meter = MqttJsonMeter(self._profile, self._instance, clock=now)

        @callback
        def take(message: ReceiveMessage) -> None:
            reading = meter.hear(message.topic, _bytes(message), retained=message.retain)
            if reading is not None:
                heard(reading)

        unsubscribe: list[Callable[[], None]] = []

        def stop() -> None:
            while unsubscribe:
                unsubscribe.pop()()

        try:
            for topic in meter.topics:
                unsubscribe.append(await _subscribe(self._hass, topic, take))  # noqa: PERF401  # each is undone
        except BaseException:
            stop()
            raise
        return stop


def _bytes(message: ReceiveMessage) -> bytes:
    """Return a payload as it came: nothing was decoded."""
    assert isinstance(message.payload, bytes)  # noqa: S101  # subscribed without an encoding
    return message.payload


async def _subscribe(
    hass: HomeAssistant, topic: str, take: Callable[[ReceiveMessage], None]
) -> Callable[[], None]:
    """Listen to a topic, bytes as they came; raises MeterError without a broker."""
    if not hass.config_entries.async_loaded_entries("mqtt"):
        raise MeterUnreachableError("Home Assistant is not connected to an MQTT broker")
    # Its library is only there where it is used.
    from homeassistant.components import mqtt  # noqa: PLC0415

    try:
        return await mqtt.async_subscribe(hass, topic, take, encoding=None)
    except HomeAssistantError as err:
        raise MeterUnreachableError(str(err)) from err
