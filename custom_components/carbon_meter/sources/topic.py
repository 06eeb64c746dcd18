"""An MQTT topic as a source, through Home Assistant's own client."""

from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started

from ..carbon.intensity.live.message import Message, UnreadableMessageError, read_message
from ..carbon.units import UnknownIntensityUnitError
from ..const import LOGGER
from ..drivers.clock import now
from ..metering.json.path import Path
from .reported import ReportedRung
from .rung import Changed

if TYPE_CHECKING:
    from homeassistant.components.mqtt.models import ReceiveMessage

_MQTT: Final = "mqtt"


class TopicRung(ReportedRung):
    """What is published on a topic.

    A message holds until the next one, for an hour at most: nobody tells when its sender has gone.
    A retained message counts from when it is heard, because nothing says how old it is.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, topic: str, unit: str, path: str = ""
    ) -> None:
        """Take the topic, the unit of messages that name none, and where in them the value stands.

        Raises ValueError for a path that is no JMESPath expression.
        """
        super().__init__(hass, entry, f"topic:{topic}", topic, unit)
        self._topic = topic
        self._path = Path.checked(path).bound({}) if path else None
        self._unsubscribe: CALLBACK_TYPE | None = None
        self._is_readable = True

    @override
    @callback
    def async_start(self, changed: Changed) -> CALLBACK_TYPE:
        self._changed = changed
        unsubscribe = [
            async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed),
            async_at_started(self._hass, self._check_broker),
        ]
        self._subscribe()

        @callback
        def stop() -> None:
            for unsub in unsubscribe:
                unsub()
            if self._unsubscribe is not None:
                self._unsubscribe()
            self._issue.clear()

        return stop

    @callback
    def _entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Subscribe as soon as there is a broker. A subscription outlives a reload of it."""
        if entry.domain == _MQTT and entry.state is ConfigEntryState.LOADED:
            self._subscribe()

    @callback
    def _check_broker(self, _hass: HomeAssistant) -> None:
        """Tell the user when there is no broker to listen at."""
        if self._unsubscribe is None:
            self._issue.tell("intensity_topic_no_broker", {"topic": self._topic})

    @callback
    def _subscribe(self) -> None:
        """Listen to the topic, if there is a broker and nobody listens yet."""
        loaded = self._hass.config_entries.async_loaded_entries(_MQTT)
        if self._unsubscribe is None and loaded:
            self._hass.async_create_task(self._async_subscribe(), f"subscribe to {self._topic}")

    async def _async_subscribe(self) -> None:
        # Its library is only there where it is used.
        from homeassistant.components import mqtt  # noqa: PLC0415

        try:
            self._unsubscribe = await mqtt.async_subscribe(
                self._hass, self._topic, self._heard, encoding=None
            )
        except HomeAssistantError as err:
            LOGGER.warning("%s: %s", self._topic, err)
        else:
            self._issue.clear()

    @callback
    def _heard(self, received: ReceiveMessage) -> None:
        """Take a message; after one that cannot be read nothing is known."""
        moment = now()
        payload = received.payload
        assert isinstance(payload, bytes)  # noqa: S101  # subscribed without an encoding
        try:
            message = read_message(payload, self._origin, now=moment, path=self._path)
        except UnreadableMessageError as err:
            self._lost(moment, err)
        except UnknownIntensityUnitError as err:
            self._source.lost(moment)
            self._tell_unit(err)
        else:
            self._take(message, moment)
        self._changed()

    @callback
    def _take(self, message: Message, moment: float) -> None:
        """Take what a message says."""
        if message.forecast:
            self._source.forecast(message.forecast, moment)
        if message.value is None:
            self._source.lost(moment)
            return
        try:
            self._source.report(moment, message.value, message.unit)
        except UnknownIntensityUnitError as err:
            self._tell_unit(err)
        except ValueError as err:
            self._lost(moment, err)
        else:
            self._is_readable = True
            self._issue.clear()

    @callback
    def _lost(self, moment: float, err: ValueError) -> None:
        """Let nothing be known from now on; told in the log until a message can be read."""
        self._source.lost(moment)
        if self._is_readable:
            self._is_readable = False
            LOGGER.debug("%s: %s", self._topic, err)

    @callback
    def _tell_unit(self, err: UnknownIntensityUnitError) -> None:
        self._issue.tell(
            "intensity_topic_unit", {"topic": self._topic, "unit": err.unit[:40] or "-"}
        )
