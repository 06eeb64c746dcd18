"""What an entity or a topic says now, to see whether it is a source of carbon intensity."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, CONF_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..adoption.devices import is_own
from ..carbon.intensity.live.message import UnreadableMessageError, read_message
from ..carbon.intensity.live.reported_forecast import ForecastingReporter
from ..carbon.intensity.live.shapes import Origin, forecast_of
from ..carbon.units import UnknownIntensityUnitError, to_grams_per_kwh
from ..const import CONF_PATH, CONF_TOPIC, CONF_UNIT
from ..metering.json.path import BoundPath, Path
from .source_topic import NoBrokerError, async_first_message, is_topic
from .source_trial import said


class FieldError(Exception):
    """A field of a form is not right; `key` is that of the text, `detail` goes into it."""

    def __init__(self, field: str, key: str, detail: str = "") -> None:
        """Name the field, the text, and the unit or the words that go into the text."""
        super().__init__(key)
        self.errors = {field: key}
        self.detail = detail or "-"


def said_by_entity(hass: HomeAssistant, entity_id: str) -> dict[str, str]:
    """Return what an entity says now and forecasts; raises FieldError for one of something else."""
    if is_own(hass, entity_id):
        raise FieldError(CONF_ENTITY_ID, "own_entity")
    state = hass.states.get(entity_id)
    unit = str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, "")) if state else ""
    reporter, now = ForecastingReporter(f"entity:{entity_id}", entity_id), _now()
    try:
        to_grams_per_kwh(1.0, unit)
        assert state is not None  # noqa: S101  # it has a unit
        # Lists of something else, such as prices, may stand beside.
        with suppress(UnknownIntensityUnitError):
            reporter.forecast(forecast_of(state.attributes, _origin(entity_id, unit), now=now), now)
        if (value := _number(state.state)) is not None:
            reporter.report(min(state.last_changed_timestamp, now), value, unit)
            reporter.heard(now)
    except UnknownIntensityUnitError as err:
        raise FieldError(CONF_ENTITY_ID, "unknown_unit", err.unit) from err
    except ValueError as err:
        raise FieldError(CONF_ENTITY_ID, "unreadable", str(err)) from err
    return said(reporter)


async def async_said_on_topic(hass: HomeAssistant, source: Mapping[str, Any]) -> dict[str, str]:
    """Return what is said on a topic, nothing where it is silent; raises FieldError."""
    topic, unit = source.get(CONF_TOPIC, ""), source.get(CONF_UNIT, "")
    if not is_topic(topic):
        raise FieldError(CONF_TOPIC, "not_a_topic")
    path = _path(source.get(CONF_PATH, ""))
    try:
        to_grams_per_kwh(1.0, unit)
    except UnknownIntensityUnitError as err:
        raise FieldError(CONF_UNIT, "unknown_unit", err.unit) from err
    try:
        payload = await async_first_message(hass, topic)
        return _said_in(payload, topic, unit, path)
    except NoBrokerError as err:
        raise FieldError("base", "no_broker", str(err)) from err
    except UnknownIntensityUnitError as err:
        raise FieldError(CONF_TOPIC, "unknown_unit", err.unit) from err
    except ValueError as err:
        raise FieldError(CONF_TOPIC, "unreadable", str(err)) from err


def _said_in(
    payload: bytes | None, topic: str, unit: str, path: BoundPath | None
) -> dict[str, str]:
    """Return what a message says; raises ValueError for one that cannot be used."""
    reporter, now = ForecastingReporter(f"topic:{topic}", topic), _now()
    if payload is not None:
        try:
            message = read_message(payload, _origin(topic, unit), now=now, path=path)
        except UnreadableMessageError as err:
            raise ValueError(f"{err}: {payload[:60].decode(errors='replace')}") from err
        reporter.forecast(message.forecast, now)
        if message.value is not None:
            reporter.report(now, message.value, message.unit)
    return said(reporter)


def _path(text: str) -> BoundPath | None:
    """Return where the value stands in a message, None where it is looked for."""
    if not text:
        return None
    try:
        return Path.checked(text).bound({})
    except ValueError as err:
        raise FieldError(CONF_PATH, "bad_path", str(err)) from err


def _origin(source: str, unit: str) -> Origin:
    return Origin(source=source, unit=unit, zone=dt_util.get_default_time_zone())


def _number(text: str) -> float | None:
    """Return a state as a number, None where it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _now() -> float:
    return dt_util.utcnow().timestamp()
