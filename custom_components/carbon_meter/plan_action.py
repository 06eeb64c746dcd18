"""The action `carbon_meter.plan`: loads planned now, or any run that is told; with its response."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from .const import CONF_SITE, DOMAIN
from .data import CarbonMeterConfigEntry
from .loads.chosen import Chosen, async_loads, async_site
from .loads.keys import LoadKind
from .loads.plan_response import load_told, local_time, plan_told
from .planning.block import Profile
from .planning.jobs.tasks import MovableTask
from .planning.loads import BlockLoad, RunLoad
from .planning.window import Window
from .refusals import refused

SERVICE_PLAN: Final = "plan"

CONF_DURATION: Final = "duration"
CONF_EARLIEST: Final = "earliest"
CONF_FINISH_BY: Final = "finish_by"
CONF_INTERRUPTIBLE: Final = "interruptible"
CONF_LATEST: Final = "latest"
CONF_LOAD: Final = "load"
CONF_POWER: Final = "power"
CONF_PROFILE: Final = "profile"
CONF_READY: Final = "ready"
CONF_STEP: Final = "step"

_OF_LOADS: Final = frozenset({CONF_LOAD, CONF_FINISH_BY, CONF_READY})
_OF_A_RUN: Final = frozenset(
    {
        CONF_POWER,
        CONF_DURATION,
        CONF_EARLIEST,
        CONF_LATEST,
        CONF_INTERRUPTIBLE,
        CONF_PROFILE,
        CONF_STEP,
    }
)

_MOST_POWER: Final = 10_000_000.0
"""W; what is more is a slip of the unit."""

_MOST_STEPS: Final = 1440
_LONGEST: Final = 7 * 86400.0
"""Seconds from the present to the end of a run; forecasts reach three days."""

_USUAL_WINDOW: Final = 86400.0
"""Seconds within which a run is planned where nothing is told."""

_POSITIVE: Final = probatio.All(
    probatio.Coerce(float), probatio.Range(min=0.0, max=_MOST_POWER, min_included=False)
)

_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Optional(CONF_LOAD, default=list): probatio.All(cv.ensure_list, [cv.string]),
        probatio.Optional(CONF_FINISH_BY): cv.datetime,
        probatio.Optional(CONF_READY): cv.boolean,
        probatio.Optional(CONF_POWER): _POSITIVE,
        probatio.Optional(CONF_DURATION): cv.positive_time_period,
        probatio.Optional(CONF_EARLIEST): cv.datetime,
        probatio.Optional(CONF_LATEST): cv.datetime,
        probatio.Optional(CONF_INTERRUPTIBLE): cv.boolean,
        probatio.Optional(CONF_PROFILE): probatio.All(
            cv.ensure_list,
            [probatio.All(probatio.Coerce(float), probatio.Range(min=0.0, max=_MOST_POWER))],
            probatio.Length(min=1, max=_MOST_STEPS),
        ),
        probatio.Optional(CONF_STEP): cv.positive_time_period,
    }
)


@callback
def async_register_plan(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.plan`."""

    async def plan(call: ServiceCall) -> ServiceResponse:
        """Plan now and return the plans; raises ServiceValidationError for what cannot be."""
        data = call.data
        if data[CONF_LOAD] or not _OF_A_RUN & set(data):
            if told := sorted(_OF_A_RUN & set(data)):
                raise refused("plan_load_or_run", fields=", ".join(told))
            return await _async_plan_loads(hass, data)
        if told := sorted((_OF_LOADS - {CONF_LOAD}) & set(data)):
            raise refused("plan_needs_load", fields=", ".join(told))
        return await _async_plan_run(hass, async_site(hass, data.get(CONF_SITE)), data)

    hass.services.async_register(
        DOMAIN, SERVICE_PLAN, plan, _SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )


async def _async_plan_loads(hass: HomeAssistant, data: Mapping[str, Any]) -> ServiceResponse:
    """Plan loads anew, ready and due as it was told."""
    sites = async_loads(hass, data[CONF_LOAD], data.get(CONF_SITE))
    changes = {CONF_FINISH_BY, CONF_READY} & set(data)
    if changes and not data[CONF_LOAD]:
        raise refused("plan_needs_load", fields=", ".join(sorted(changes)))
    finish_by = local_time(data[CONF_FINISH_BY]) if CONF_FINISH_BY in data else None
    if finish_by is not None and finish_by <= dt_util.utcnow():
        raise refused("plan_time_past", time=finish_by.isoformat(" ", "minutes"))
    if finish_by is not None and data.get(CONF_READY) is False:
        raise refused("plan_ready_or_not")
    for chosen in sites:
        if changes:
            await _async_change(chosen, finish_by, is_ready=data.get(CONF_READY, True))
        else:
            await chosen.planner.async_replan(chosen.ids)
    return cast(
        "ServiceResponse",
        {
            "plans": [
                {"site": chosen.entry.title, **load_told(load, chosen.planner.speaker)}
                for chosen in sites
                for load in chosen.loads
            ]
        },
    )


async def _async_change(chosen: Chosen, finish_by: datetime | None, *, is_ready: bool) -> None:
    """Tell loads that they are ready, and by when they have to be done; each plans anew."""
    for load in chosen.loads:
        if load.kind not in {LoadKind.APPLIANCE, LoadKind.EV}:
            raise refused("plan_not_ready", load=load.subentry.title)
    for load in chosen.loads:
        if is_ready:
            await load.async_ready(finish_by)
        else:
            await load.async_cancel()


async def _async_plan_run(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, data: Mapping[str, Any]
) -> ServiceResponse:
    """Plan a run that belongs to no load, on the signal of a site; nothing is kept of it."""
    planner = entry.runtime_data.planner
    around = await planner.async_around()
    # The present is where the forecast begins: not a moment of it may be missing.
    now = around.signal.slots.start
    task = MovableTask(load=_run(data, now), start=now, deadline=None, run_time=0.0)
    found = await hass.async_add_executor_job(
        partial(task.planned, around.signal, planner.objective, margin=planner.margin)
    )
    told = plan_told(found.plan, planner.speaker)
    response = {"site": entry.title, "plan": told, "explanation": told["explanation"]}
    return cast("ServiceResponse", {"plans": [response]})


def _run(data: Mapping[str, Any], now: float) -> BlockLoad | RunLoad:
    """Return the run that was told."""
    window = _window(data, now)
    if CONF_PROFILE in data:
        return BlockLoad(name="", profile=_profile(data), window=window)
    if CONF_STEP in data:
        raise refused("plan_step_without_profile")
    for key in (CONF_POWER, CONF_DURATION):
        if key not in data:
            raise refused("plan_incomplete", field=key)
    duration = _seconds(data[CONF_DURATION])
    if data.get(CONF_INTERRUPTIBLE, False):
        return RunLoad(name="", power=data[CONF_POWER], run_time=duration, window=window)
    return BlockLoad(name="", profile=Profile.flat(data[CONF_POWER], duration), window=window)


def _profile(data: Mapping[str, Any]) -> Profile:
    """Return the powers that were told, one for each step."""
    beside = {CONF_POWER, CONF_DURATION} & set(data)
    if data.get(CONF_INTERRUPTIBLE):
        beside.add(CONF_INTERRUPTIBLE)
    if beside:
        raise refused("plan_profile_alone", fields=", ".join(sorted(beside)))
    if CONF_STEP not in data:
        raise refused("plan_incomplete", field=CONF_STEP)
    powers = data[CONF_PROFILE]
    if not any(powers):
        raise refused("plan_profile_empty")
    return Profile.of(powers, _seconds(data[CONF_STEP], len(powers)))


def _window(data: Mapping[str, Any], now: float) -> Window:
    """Return from when to when a run may be: from now on, for a day, where nothing is told."""
    start, end = now, None
    if CONF_EARLIEST in data:
        start = max(local_time(data[CONF_EARLIEST]).timestamp(), now)
    if CONF_LATEST in data:
        end = local_time(data[CONF_LATEST]).timestamp()
    end = start + _USUAL_WINDOW if end is None else end
    if end <= start:
        raise refused("plan_latest_before")
    if end - now > _LONGEST:
        raise refused("plan_too_far", days=f"{_LONGEST / 86400.0:.0f}")
    return Window(start=start, end=end)


def _seconds(told: timedelta, times: int = 1) -> float:
    """Return how long a run takes, or a step of it."""
    seconds = told.total_seconds()
    if not 0.0 < seconds * times <= _LONGEST:
        raise refused("plan_too_long", days=f"{_LONGEST / 86400.0:.0f}")
    return seconds
