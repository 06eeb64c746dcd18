"""Sites whose decisions are simulated: loads of every kind, days in the archive, the action."""

from collections.abc import Callable
from datetime import datetime
import json
import math
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant

from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE, GridHour
from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.const import DOMAIN
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EV, EVENING, HOUR, LoadedSite, open_with_loads

DAY = 24 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")
START = EVENING.timestamp()
CAR = {**EV, "level": "sensor.car_level"}
TANK = {
    "kind": "thermal",
    "device": "input_boolean.boiler",
    "body": "tank",
    "volume": 200.0,
    "loss": 2.0,
    "draw": 6.0,
    "heat_source": "heater",
    "control": "on_off",
    "power": 2000.0,
    "low": 48.0,
    "high": 60.0,
    "temperature": "sensor.boiler",
}
BATTERY = {
    "kind": "battery",
    "device": "input_boolean.battery",
    "level": "sensor.battery",
    "capacity": 10.0,
    "power": 3000.0,
}
OFFICE = {
    "kind": "air_zone",
    "device": "input_boolean.office",
    "temperature": "sensor.office",
    "area": 200.0,
    "power": 4000.0,
    "setpoint": 23.0,
    "from": "08:00:00",
    "to": "18:00:00",
}
HALL = {
    "kind": "light_zone",
    "device": "input_boolean.hall",
    "power": 1000.0,
    "from": "08:00:00",
    "to": "20:00:00",
    "dim": 80.0,
    "dim_least": 60.0,
    "peak": 25.0,
}
WAVE = [300.0 - 150.0 * math.cos(2 * math.pi * (hour - 3) / 24) for hour in range(24)]
"""gCO2eq/kWh by the hour of the local day: cleanest at three, dirtiest at fifteen o'clock."""


async def simulate(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Return the response, which JSON can tell."""
    response = await hass.services.async_call(
        DOMAIN, "simulate", data, blocking=True, return_response=True
    )
    assert response is not None
    assert json.loads(json.dumps(response, allow_nan=False)) == response
    return response


def by_way(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the alternatives by what they are; of weights the last."""
    return {each["way"]: each for each in response["alternatives"]}


def keys(response: dict[str, Any]) -> set[str]:
    return {note["key"] for note in response["notes"]}


def wave(moment: float, zone: ZoneInfo = BERLIN) -> float:
    """Return the intensity of an hour by its local clock."""
    return WAVE[datetime.fromtimestamp(moment, zone).hour]


async def live(
    home: LoadedSite,
    start: float,
    hours: int,
    value: Callable[[float], float] = wave,
    grade: Grade = Grade.MEASURED,
) -> None:
    """Let the archive hold hours of the grid, as the site's own book keeps them."""
    place = BEST_FIRST.index(grade)
    rows = []
    for number in range(hours):
        hour = int(start) + 3600 * number
        told = value(hour)
        unknown = math.isnan(told)
        rows.append(
            GridHour(
                hour=hour,
                value=[told] * 12,
                grade=[UNKNOWN_GRADE if unknown else place] * 12,
                source=["" if unknown else "entity"] * 12,
            )
        )
    archive = home.site.entry.runtime_data.keeper.archive
    await home.hass.async_add_executor_job(archive.put_grid, rows)


async def in_berlin(
    site: SiteUnderTest, now: datetime, *loads: Any, planning: dict[str, Any] | None = None
) -> LoadedSite:
    """Return a site that is set up at a local time, with three days of forecast."""
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(now)
    begin = now.timestamp() // HOUR * HOUR
    ahead = [wave(begin + hour * HOUR) for hour in range(74)]
    return await open_with_loads(site, loads or (APPLIANCE,), planning, forecast=ahead)


def local(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=BERLIN)
