"""Whether the demo's plans are right: against every minute at which the dishwasher could start."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
import time
from typing import Any, Final

from demo.check import Verdict
from demo.client import ClientError, HomeAssistantClient
from demo.config_dir import Place
from demo.grid_signal import intensity_at
from demo.loads import DISHWASHER, PUMP, plug_of

MARGIN: Final = 20.0
"""g that waiting has to gain, else it runs at once: what the integration takes where not told."""

_MINUTE: Final = 60.0

_FOLLOWS: Final = 10.0
"""Seconds within which an automation has done what it was told."""

_PLANS: Final = 30.0
"""Seconds within which a load that was filled has its plan."""

_POLL: Final = 0.2


async def check_plans(
    client: HomeAssistantClient, loads: Mapping[str, Mapping[str, str]]
) -> list[Verdict]:
    """Return whether the dishwasher waits for the best minutes, and the pump does as it is told."""
    plan = await _plan(client, loads[DISHWASHER]["plan"])
    run = plan["runs"][0]
    start, end = _moment(run["start"]), _moment(run["end"])
    told, plug = await _told_and_done(client, loads[PUMP]["run_now"], await plug_of(client, PUMP))
    return [
        Verdict(
            name="Dishwasher, carbon of its plan",
            booked=grams(start, end, run["power"]),
            expected=least_grams(
                _moment(plan["made"]), _moment(plan["deadline"]), end - start, run["power"]
            ),
            unit="g",
            tolerance=MARGIN,
        ),
        Verdict(
            name="Pool pump, runs when it should",
            booked=float(plug == "on"),
            expected=float(told == "on"),
            unit="",
            tolerance=0.0,
        ),
    ]


async def _plan(client: HomeAssistantClient, entity: str) -> Mapping[str, Any]:
    """Return a plan with its runs, once there is one.

    Raises ClientError with what the entity shows when there is none.
    """
    give_up = time.monotonic() + _PLANS
    while True:
        state = await client.state(entity)
        if state["attributes"].get("runs"):
            return dict(state["attributes"])
        if time.monotonic() > give_up:
            msg = f"{entity} has no runs, it says {state['state']}: {state['attributes']}"
            raise ClientError(msg)
        await asyncio.sleep(_POLL)


async def _told_and_done(client: HomeAssistantClient, told: str, done: str) -> tuple[str, str]:
    """Return what is told and what is done, once they agree or have had time enough to."""
    give_up = time.monotonic() + _FOLLOWS
    while True:
        states = [(await client.state(entity))["state"] for entity in (told, done)]
        if states[0] == states[1] or time.monotonic() > give_up:
            return states[0], states[1]
        await asyncio.sleep(_POLL)


def grams(start: float, end: float, watts: float) -> float:
    """Return the g of a power over [start, end), minute by minute."""
    total, moment = 0.0, start
    while moment < end:
        until = min(end, (moment // _MINUTE + 1) * _MINUTE)
        hours = (until - moment) / 3600.0
        total += intensity_at(moment, Place().time_zone) * watts / 1000.0 * hours
        moment = until
    return total


def least_grams(earliest: float, deadline: float, seconds: float, watts: float) -> float:
    """Return the g of the best start at a whole minute, or at once."""
    first = (earliest // _MINUTE + 1) * _MINUTE
    starts = [earliest]
    while first + seconds <= deadline:
        starts.append(first)
        first += _MINUTE
    return min(grams(start, start + seconds, watts) for start in starts)


def _moment(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()
