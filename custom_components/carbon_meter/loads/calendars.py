"""The events of a calendar: when a car is away, or when somebody is in a zone."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..planning.jobs.job import Stretches

_AHEAD: Final = timedelta(hours=96)
_BEHIND: Final = timedelta(hours=24)
"""What is asked for of a calendar, from now on and before: an event may have begun."""

_PATIENCE: Final = 10.0
"""Seconds that plans wait for a calendar."""


async def async_stretches(hass: HomeAssistant, calendar: str, now: float) -> Stretches | None:
    """Return from when to when there are events around now; None where it cannot be said."""
    moment = dt_util.utc_from_timestamp(now)
    if not hass.services.has_service("calendar", "get_events"):
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            response = await hass.services.async_call(
                "calendar",
                "get_events",
                {
                    "entity_id": calendar,
                    "start_date_time": moment - _BEHIND,
                    "end_date_time": moment + _AHEAD,
                },
                blocking=True,
                return_response=True,
            )
    except Exception as err:  # noqa: BLE001  # whatever it is, what was known before holds
        LOGGER.debug("%s: its events are not known: %r", calendar, err)
        return None
    found = response.get(calendar) if isinstance(response, dict) else None
    events = found.get("events") if isinstance(found, dict) else None
    return _joined(events) if isinstance(events, list) else None


def _joined(events: list[Any]) -> Stretches:
    """Return the times of events in order, those that touch as one."""
    spans = []
    for event in events:
        start, end = _moment(event, "start"), _moment(event, "end")
        if start is not None and end is not None and end > start:
            spans.append((start, end))
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _moment(event: Any, key: str) -> float | None:
    """Return a time of an event; a day begins at midnight of the home."""
    value = event.get(key) if isinstance(event, dict) else None
    if not isinstance(value, str):
        return None
    if (moment := dt_util.parse_datetime(value)) is not None:
        local = moment if moment.tzinfo else moment.replace(tzinfo=dt_util.get_default_time_zone())
        return local.timestamp()
    if (day := dt_util.parse_date(value)) is not None:
        return dt_util.start_of_local_day(datetime(day.year, day.month, day.day)).timestamp()  # noqa: DTZ001
    return None
