"""Whether the demo's plans are right: against every minute at which the dishwasher could start."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from demo.check import Verdict
from demo.client import HomeAssistantClient
from demo.config_dir import Place
from demo.grid_signal import intensity_at
from demo.loads import DISHWASHER, PUMP, plug_of

MARGIN: Final = 20.0
"""g that waiting has to gain, else it runs at once: what the integration takes where not told."""

_MINUTE: Final = 60.0


async def check_plans(
    client: HomeAssistantClient, loads: Mapping[str, Mapping[str, str]]
) -> list[Verdict]:
    """Return whether the dishwasher waits for the best minutes, and the pump does as it is told."""
    plan = (await client.state(loads[DISHWASHER]["plan"]))["attributes"]
    run = plan["runs"][0]
    start, end = _moment(run["start"]), _moment(run["end"])
    told = await client.state(loads[PUMP]["run_now"])
    plug = await client.state(await plug_of(client, PUMP))
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
            booked=float(plug["state"] == "on"),
            expected=float(told["state"] == "on"),
            unit="",
            tolerance=0.0,
        ),
    ]


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
