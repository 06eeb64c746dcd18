"""Lists of intensities as other programs write them: attributes of entities, messages.

Nothing is known of them but what stands there. Rows are objects with a beginning, perhaps an end,
and a value, under the names that are in use; or an object whose names are the times.

    {"from": .., "to": .., "intensity": 120}                      NESO and integrations of it
    {"from": .., "to": .., "intensity": {"forecast": 120}}
    {"datetime": .., "carbonIntensity": 120}                      Electricity Maps
    {"point_time": .., "value": 800}                              WattTime
    {"start": .., "end": .., "value": 120}                        lists like those of Nord Pool
    {"Minutes5UTC": .., "CO2Emission": 120}                       Energi Data Service
    {"2026-11-22T12:00:00+01:00": 120}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, Final

from ...grade import Grade
from ..source import IntensityInterval
from .answers import first, number
from .overlay import overlaid
from .rows import Rows, step_of
from .times import listed_instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who tells: the id of the source, the unit it is known to use and where its clocks are."""

    source: str
    unit: str
    zone: tzinfo


LISTS: Final = (
    "forecast",
    "forecasts",
    "carbon_intensity_forecast",
    "co2_forecast",
    "raw_today",
    "raw_tomorrow",
    "all_rates",
    "rates",
    "history",
    "data",
    "records",
)
"""Names under which lists are looked for, the better ones first."""

_STARTS: Final = (
    "start",
    "from",
    "datetime",
    "date_time",
    "time",
    "timestamp",
    "hour",
    "start_time",
    "startTime",
    "period_start",
    "point_time",
    "validfrom",
)
_UTC_STARTS: Final = ("Minutes5UTC", "HourUTC")
_ENDS: Final = ("end", "to", "end_time", "endTime", "period_end", "validto")
_VALUES: Final = (
    "carbonIntensity",
    "carbon_intensity",
    "intensity",
    "intensity_forecast",
    "co2_intensity",
    "co2",
    "CO2Emission",
    "gco2",
    "value",
    "actual",
    "forecast",
)
"""Names of values, the better ones first; `forecast` may also be that of a list."""

_HOUR: Final = 3600.0
_MOST: Final = 5000
"""Rows of one list: two weeks of five minutes are 4032."""


def value_of(document: Any) -> Any:
    """Return what stands as the value in an object, also in one in it; all else as it is."""
    for _ in range(4):
        if not isinstance(document, Mapping):
            return document
        found = [document[key] for key in _VALUES if document.get(key) is not None]
        document = next((each for each in found if not isinstance(each, list)), found or None)
    return None


def has_value(document: Mapping[str, Any]) -> bool:
    """Return whether an object has a place for a value, be it null."""
    return any(key in document for key in _VALUES)


def unit_of(document: Any, otherwise: str) -> str:
    """Return the unit that an object names, else another."""
    if isinstance(document, Mapping):
        for key in ("unit", "units", "unit_of_measurement"):
            unit = document.get(key)
            if isinstance(unit, Mapping):
                unit = first(unit, _VALUES)
            if isinstance(unit, str) and unit:
                return unit
    return otherwise


def forecast_of(
    document: Any, origin: Origin, *, now: float, name: str | None = None
) -> list[IntensityInterval]:
    """Return all that an object forecasts, in order and without overlaps; none where it does not.

    Looks under `name`, else under the names that are in use. Times without an offset are local
    time of the origin; in a list that is in order the hour that comes twice is told apart. Raises
    UnknownIntensityUnitError where the unit of a list is none of carbon intensity: a price, a
    percentage.
    """
    if not isinstance(document, Mapping):
        return _list(document, origin, now)
    found: list[IntensityInterval] = []
    for key in (name,) if name else LISTS:
        content = document.get(key)
        own = replace(origin, unit=unit_of(content, origin.unit))
        if isinstance(content, Mapping):
            inner = first(content, LISTS)
            content = content if inner is None else inner
        found = overlaid(found, _list(content, own, now))
    return found


def _list(content: Any, origin: Origin, now: float) -> list[IntensityInterval]:
    """Return the rows of one list as intervals."""
    if isinstance(content, Mapping):
        entries: Iterable[Any] = [
            {"start": start, "value": value} for start, value in content.items()
        ]
    elif isinstance(content, list | tuple):
        entries = content
    else:
        return []
    rows = [entry for entry in entries if isinstance(entry, Mapping)][:_MOST]
    starts = _starts(rows, origin.zone)
    if not any(start is not None for start in starts):
        return []
    step = step_of(starts, _HOUR)
    intervals = Rows(origin.source, origin.unit, now=now)
    for row, start in zip(rows, starts, strict=True):
        value = number(value_of(row))
        if start is not None and value is not None:
            end = listed_instant(first(row, _ENDS), origin.zone, start)
            intervals.add(start, start + step if end is None else end, value, Grade.FORECAST)
    return intervals.intervals() if len(intervals.faults) < len(rows) else []


def _starts(rows: Iterable[Mapping[str, Any]], zone: tzinfo) -> list[float | None]:
    """Return when rows begin, each in the light of the one before."""
    starts: list[float | None] = []
    before: float | None = None
    for row in rows:
        start = listed_instant(first(row, _STARTS), zone, before)
        if start is None:
            start = listed_instant(first(row, _UTC_STARTS), UTC, before)
        starts.append(start)
        before = before if start is None else start
    return starts
