"""Which published figures somebody asks for: a scope, a grain, a time; checked, then read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from ..community.hub.periods import View
from ..community.hub.view import view
from ..community.ledger.calendar import HOUR, Grain
from ..community.ledger.cells import Scope
from ..community.ledger.database import LedgerError
from ..refusals import failed, refused
from .hub import Hub

CONF_BEGIN: Final = "begin"
CONF_END: Final = "end"
CONF_GRAIN: Final = "grain"
CONF_NAME: Final = "name"
CONF_SCOPE: Final = "scope"

MOST_HOURS: Final = 800
"""A month of hours in one answer; more is for statistics and exports."""

LONGEST: Final = 30 * 366 * 86400
"""Seconds; longer than any community has told."""

_BACK: Final = {
    Grain.HOUR: 2 * 86400,
    Grain.DAY: 31 * 86400,
    Grain.MONTH: 370 * 86400,
    Grain.YEAR: 10 * 366 * 86400,
}
"""Seconds before now from which on is told what nobody has asked more precisely."""

ASKED: Final[dict[str | probatio.Marker, Any]] = {
    probatio.Optional(CONF_GRAIN, default=Grain.DAY.value): probatio.Coerce(Grain),
    probatio.Optional(CONF_SCOPE, default=Scope.COMMUNITY.value): probatio.Coerce(Scope),
    probatio.Optional(CONF_NAME): cv.string,
    probatio.Optional(CONF_BEGIN): cv.datetime,
    probatio.Optional(CONF_END): cv.datetime,
}
"""Fields of an action or a message; times without an offset are Home Assistant's."""


async def async_view(hub: Hub, data: Mapping[str, Any], *, whole: bool = False) -> View:
    """Return what was published; `whole` lifts the limit of hours.

    Raises ServiceValidationError for what cannot be meant, HomeAssistantError where the store
    cannot be read.
    """
    grain: Grain = data[CONF_GRAIN]
    scope: Scope = data[CONF_SCOPE]
    name = data.get(CONF_NAME) if scope is not Scope.COMMUNITY else None
    if scope is not Scope.COMMUNITY and not name:
        raise refused("hub_name_of_scope")
    now = dt_util.utcnow().timestamp()
    end = _moment(data[CONF_END]) if CONF_END in data else int(now)
    begin = _moment(data[CONF_BEGIN]) if CONF_BEGIN in data else end - _BACK[grain]
    if begin >= end:
        raise refused("start_after_end")
    if end - begin > LONGEST:
        raise refused("hub_too_long")
    if grain is Grain.HOUR and not whole and end - begin > MOST_HOURS * HOUR:
        raise refused("hub_too_many_hours", hours=str(MOST_HOURS))
    publisher = hub.opened.publisher

    def read() -> View:
        first = publisher.begin(grain, begin)
        return view(publisher, grain, first, end, scope=scope, name=name)

    try:
        return await hub.hass.async_add_executor_job(read)
    except LedgerError as err:
        raise failed("hub_unusable", err, hub=hub.entry.title) from err


def _moment(told: datetime) -> int:
    """Return seconds since 1970 UTC; raises ServiceValidationError for what no clock shows."""
    try:
        moment = int(dt_util.as_utc(told).timestamp())
    except (ValueError, OverflowError) as err:
        raise refused("hub_no_such_time") from err
    if moment < 0:
        raise refused("hub_no_such_time")
    return moment
