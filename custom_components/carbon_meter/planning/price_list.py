"""Prices of electricity as other programs write them: lists among the attributes of an entity.

    raw_today, raw_tomorrow: {"start": .., "end": .., "value": 0.31}           lists of Nord Pool
    prices, prices_today: {"time": .., "price": 0.31}                          lists of ENTSO-E
    data: {"start_time": .., "end_time": .., "price_per_kwh": 0.31}            EPEX Spot
    data: {"start_timestamp": <ms>, "end_timestamp": <ms>, "marketprice": 95}  aWATTar, per MWh
    rates: {"start": .., "end": .., "value_inc_vat": 0.31}                     Octopus Energy
    forecasts: {"start_time": .., "end_time": .., "per_kwh": 0.31}             Amber
    today, tomorrow: {"startsAt": .., "total": 0.31}                           Tibber
    {"2026-11-22T12:00:00+01:00": 0.31}

The unit is that of the entity, unless the name of a value says another one. A price may be below
zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from itertools import pairwise
import math
from typing import Any, Final

from ..carbon.intensity.live.answers import first
from ..carbon.intensity.live.rows import step_of
from ..carbon.intensity.live.times import listed_instant
from .realised import PriceInterval

LISTS: Final = (
    "raw_today",
    "raw_tomorrow",
    "prices",
    "prices_today",
    "prices_tomorrow",
    "all_rates",
    "rates",
    "forecast",
    "forecasts",
    "data",
    "today",
    "tomorrow",
)
"""Names under which lists are looked for; a later one counts where two tell the same time."""

_STARTS: Final = (
    "start",
    "startsAt",
    "start_time",
    "startTime",
    "start_timestamp",
    "from",
    "valid_from",
    "validfrom",
    "time",
    "datetime",
    "timestamp",
    "hour",
)
_ENDS: Final = ("end", "end_time", "endTime", "end_timestamp", "to", "till", "valid_to", "validto")

_PER_MWH: Final = 1 / 1000
_MINOR: Final = 1 / 100

_VALUES: Final[Mapping[str, float | None]] = {
    "price_per_kwh": 1.0,
    "per_kwh": 1.0,
    "value_inc_vat": None,
    "total": None,
    "price": None,
    "value": None,
    "price_ct_per_kwh": _MINOR,
    "price_eur_per_mwh": _PER_MWH,
    "marketprice": _PER_MWH,
}
"""Names of values, the better ones first, with their factor where the name says the unit."""

_MINOR_UNITS: Final = frozenset(
    {"ct", "cent", "cents", "c", "¢", "öre", "øre", "ore", "p", "pence", "gr", "fen", "分"}
)
_QUANTITIES: Final[Mapping[str, float]] = {"kwh": 1.0, "mwh": 1000.0, "wh": 0.001}

_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_SHORTEST: Final = 60.0
_MOST: Final = 5000
"""Rows of one list."""

_HIGHEST: Final = 1e6
"""Currency per kWh: beyond it stands a code for "not known"."""


class PriceUnitError(ValueError):
    """A unit that is none of a price of energy."""


def factor_of(unit: str) -> float:
    """Return by what a figure in a unit is multiplied to be in currency per kWh.

    No unit at all is that one. Raises PriceUnitError for a unit that is none of a price of energy.
    """
    money, slash, energy = unit.strip().rpartition("/")
    if not slash:
        if unit.strip():
            raise PriceUnitError(f"{unit} is no unit of a price of energy")
        return 1.0
    per = _QUANTITIES.get(energy.strip().lower())
    if per is None or "co2" in money.lower():
        raise PriceUnitError(f"{unit} is no unit of a price of energy")
    return (_MINOR if money.strip().lower() in _MINOR_UNITS else 1.0) / per


def prices_of(document: Any, unit: str, zone: tzinfo) -> list[PriceInterval]:
    """Return all prices that an object tells, in order and without overlaps, in currency per kWh.

    `zone` is where times without an offset are. Raises PriceUnitError for a unit that is none.
    """
    factor = factor_of(unit)
    found: list[PriceInterval] = []
    if isinstance(document, Mapping):
        for key in LISTS:
            found = put_over(found, _list(document.get(key), factor, zone))
    return found


def put_over(below: Sequence[PriceInterval], above: Sequence[PriceInterval]) -> list[PriceInterval]:
    """Return two rows of prices as one, each in order and without overlaps; `above` counts."""
    if not above or not below:
        return list(above or below)
    found = list(above)
    gaps = [(-math.inf, above[0].start)]
    gaps += [(before.end, after.start) for before, after in pairwise(above)]
    gaps.append((above[-1].end, math.inf))
    place = 0
    for start, end in gaps:
        while place < len(below) and below[place].end <= start:
            place += 1
        at = place
        while at < len(below) and below[at].start < end:
            each = below[at]
            cut = PriceInterval(
                start=max(each.start, start), end=min(each.end, end), value=each.value
            )
            if cut.end > cut.start:
                found.append(cut)
            at += 1
    return sorted(found, key=lambda each: each.start)


def _list(content: Any, factor: float, zone: tzinfo) -> list[PriceInterval]:
    """Return the rows of one list."""
    if isinstance(content, Mapping):
        entries: Iterable[Any] = [{"start": key, "value": value} for key, value in content.items()]
    elif isinstance(content, list | tuple):
        entries = content
    else:
        return []
    rows = [entry for entry in entries if isinstance(entry, Mapping)][:_MOST]
    starts = _starts(rows, zone)
    step = step_of(starts, _HOUR)
    by_start: dict[float, PriceInterval] = {}
    for row, start in zip(rows, starts, strict=True):
        value = _value(row, factor)
        if start is None or value is None:
            continue
        end = listed_instant(first(row, _ENDS), zone, start) or start + step
        if _SHORTEST <= end - start <= _DAY:
            by_start[start] = PriceInterval(start=start, end=end, value=value)
    ordered = [by_start[start] for start in sorted(by_start)]
    cut = [
        PriceInterval(start=each.start, end=min(each.end, after.start), value=each.value)
        for each, after in pairwise(ordered)
    ]
    return [*cut, *ordered[-1:]]


def _value(row: Mapping[str, Any], factor: float) -> float | None:
    """Return the price of a row in currency per kWh, None where there is none."""
    for key, own in _VALUES.items():
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            found = float(value) * (factor if own is None else own)
        except ValueError:
            continue
        if abs(found) <= _HIGHEST:
            return found
    return None


def _starts(rows: Iterable[Mapping[str, Any]], zone: tzinfo) -> list[float | None]:
    """Return when rows begin, each in the light of the one before."""
    starts: list[float | None] = []
    before: float | None = None
    for row in rows:
        start = listed_instant(first(row, _STARTS), zone, before)
        starts.append(start)
        before = before if start is None else start
    return starts
