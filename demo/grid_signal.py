"""What the demo's grid emits by the hour of the day: a made-up signal, served without a network.

Home Assistant's own template integration turns it into a sensor with a forecast, as the sensor of
a grid operator would be; the same figures say what must come out of the books.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
import json
from string import Template
from typing import Any, Final
from zoneinfo import ZoneInfo

SENSOR: Final = "sensor.grid_signal"
UNIT: Final = "gCO2eq/kWh"

HOURS: Final = (
    *(248, 240, 234, 232, 238, 262, 304, 338, 322, 276, 222, 178),
    *(152, 146, 158, 196, 258, 348, 412, 428, 396, 344, 300, 270),
)
"""gCO2eq/kWh by the local hour: little at noon from the sun, most in the evening."""

_AHEAD: Final = 48

_VALUE: Final = Template("{{ $hours[now().hour] }}")

_FORECAST: Final = Template("""\
{% set hours = $hours %}
{% set begin = utcnow().replace(minute=0, second=0, microsecond=0) %}
{% set found = namespace(rows=[]) %}
{% for ahead in range($ahead) %}
{%- set start = as_local(begin + timedelta(hours=ahead)) %}
{%- set end = start + timedelta(hours=1) %}
{%- set row = dict(start=start.isoformat(), end=end.isoformat(), value=hours[start.hour]) %}
{%- set found.rows = found.rows + [row] %}
{%- endfor %}
{{ found.rows }}""")


def template_sensor() -> Sequence[Mapping[str, Any]]:
    """Return what stands under `template:` in the configuration of Home Assistant."""
    hours = json.dumps(HOURS)
    return [
        {
            "sensor": [
                {
                    "name": "Grid signal",
                    "unique_id": "grid_signal",
                    "unit_of_measurement": UNIT,
                    "state_class": "measurement",
                    "icon": "mdi:transmission-tower",
                    "state": _VALUE.substitute(hours=hours),
                    "attributes": {"forecast": _FORECAST.substitute(hours=hours, ahead=_AHEAD)},
                }
            ]
        }
    ]


def intensity_at(moment: float, zone: str) -> float:
    """Return gCO2eq/kWh of the grid at a moment in seconds since 1970 UTC."""
    return float(HOURS[datetime.fromtimestamp(moment, ZoneInfo(zone)).hour])
