"""The form of a factor file: a header, then one row for each figure."""

from collections.abc import Callable
from datetime import date, datetime
import math
import re
from typing import Any, Final

import probatio

from ..units import UnknownIntensityUnitError
from .amounts import HeatingValue, Measure, UnknownUnitError, to_grams_per_measure, to_kwh_per
from .factor import Carrier, Confidence, Method, Scope, Stage
from .technology import Technology

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ZONE: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]+)*|\d{3}")
_YEARS: Final = range(1990, 2101)
_CALORIFIC: Final = re.compile(r"(?P<figure>[0-9]+(?:\.[0-9]+)?)\s+(?P<unit>\S.*)")


def _text(value: Any) -> str:
    """Accept a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise probatio.Invalid("expected a text")
    return value.strip()


def _id(value: Any) -> str:
    """Accept a name that can stand in an audit trail and in a file name."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise probatio.Invalid("expected lower-case letters, digits, - and _")
    return value


def _flag(value: Any) -> bool:
    """Accept true and false, nothing that merely counts as one of them."""
    if not isinstance(value, bool):
        raise probatio.Invalid("expected true or false")
    return value


def _unit(value: Any) -> str:
    """Accept a unit that can be converted."""
    try:
        to_grams_per_measure(1.0, _text(value))
    except UnknownIntensityUnitError as err:
        raise probatio.Invalid(str(err)) from err
    return _text(value)


def _zone(value: Any) -> str:
    """Accept a country, a part of one (CN-BJ, US-CAMX) or a UN M49 area."""
    if isinstance(value, int):
        raise probatio.Invalid(f"a zone is a text: write it in quotes, not as the number {value}")
    if not isinstance(value, str) or not _ZONE.fullmatch(value):
        raise probatio.Invalid(
            f"{value!r} is not a zone: expected an ISO 3166-1 alpha-2 code such as DE, a part of "
            'one such as CN-BJ, or "001" for the world'
        )
    return value


def _figure(value: Any) -> float:
    """Accept a finite number that is not negative."""
    if value is None:
        raise probatio.Invalid("the figure is missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise probatio.Invalid(f"{value!r} is not a number")
    try:
        figure = float(value)
    except OverflowError:
        figure = math.inf
    if not math.isfinite(figure):
        raise probatio.Invalid(f"{figure} is not a figure")
    if figure < 0:
        raise probatio.Invalid(f"{value} is negative")
    return figure


def _positive(value: Any) -> float:
    """Accept a finite number above zero."""
    figure = _figure(value)
    if figure == 0:
        raise probatio.Invalid("0 cannot be")
    return figure


def _share(value: Any) -> float:
    """Accept a share of a whole."""
    figure = _positive(value)
    if figure > 1:
        raise probatio.Invalid(f"{value} is more than the whole")
    return figure


def _calorific(value: Any) -> tuple[float, Measure]:
    """Accept a calorific value with its unit, such as 39.3 MJ/m3, as kWh per m³ or kg."""
    match = _CALORIFIC.fullmatch(str(value).strip())
    if match is None:
        raise probatio.Invalid(f"{value!r} is not a calorific value such as 39.3 MJ/m3")
    try:
        figure, measure = to_kwh_per(float(match["figure"]), match["unit"])
    except UnknownUnitError as err:
        raise probatio.Invalid(
            f"{match['unit']!r} is not a unit of a calorific value such as MJ/m3 or kWh/kg"
        ) from err
    return _positive(figure), measure


def _year(value: Any) -> int:
    """Accept a calendar year."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in _YEARS:
        raise probatio.Invalid(f"{value!r} is not a year from {_YEARS[0]} to {_YEARS[-1]}")
    return value


def _day(value: Any) -> date:
    """Accept a calendar day, without a time."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise probatio.Invalid(f"{value!r} is not a day: write it as 2025-01-31, without quotes")
    return value


def _consistent(row: dict[str, Any]) -> dict[str, Any]:
    """Accept a row that says when its figure holds, between its own bounds."""
    start, end = row.get("valid_from"), row.get("valid_to")
    if start is None and end is None and "year" not in row:
        raise probatio.Invalid("a year, or valid_from, is missing")
    if start is not None and end is not None and end <= start:
        raise probatio.Invalid(f"{end} does not come after valid_from, {start}", ["valid_to"])
    low, high = row.get("low", row["value"]), row.get("high", row["value"])
    if not low <= row["value"] <= high:
        raise probatio.Invalid(f"{row['value']:g} does not lie between low and high", ["value"])
    return row


_KIND: Final[dict[Any, Any]] = {
    probatio.Optional("unit"): _unit,
    probatio.Optional("carrier"): probatio.Coerce(Carrier),
    probatio.Optional("stage"): probatio.Coerce(Stage),
    probatio.Optional("method"): probatio.Coerce(Method),
    probatio.Optional("technology"): probatio.Coerce(Technology),
    probatio.Optional("heating_value"): probatio.Coerce(HeatingValue),
    probatio.Optional("biogenic"): _flag,
    probatio.Optional("confidence"): probatio.Coerce(Confidence),
    probatio.Optional("gases"): _text,
    probatio.Optional("gwp"): _text,
}
"""What a figure counts: said in the header of all rows, and in a row of its own."""

HEADER: Final = probatio.Schema(
    {
        probatio.Required("id"): _id,
        probatio.Required("title"): _text,
        probatio.Required("publisher"): _text,
        probatio.Required("edition"): _text,
        probatio.Required("scope"): probatio.Coerce(Scope),
        probatio.Required("includes_td"): _flag,
        **_KIND,
        probatio.Optional("published"): _day,
        probatio.Optional("via"): _text,
        probatio.Optional("url"): _text,
        probatio.Optional("licence"): _text,
        probatio.Optional("attribution"): _text,
        probatio.Optional("notes"): _text,
        probatio.Required("factors"): list,
    }
)
"""The whole file; the rows are checked one by one with ROW, so that one bad row costs no other."""

ROW: Final[Callable[[Any], dict[str, Any]]] = probatio.Schema(
    probatio.All(
        {
            probatio.Required("zone"): _zone,
            probatio.Required("value"): _figure,
            probatio.Optional("year"): _year,
            probatio.Optional("valid_from"): _day,
            probatio.Optional("valid_to"): _day,
            probatio.Optional("name"): _text,
            probatio.Optional("note"): _text,
            probatio.Optional("ref"): _text,
            probatio.Optional("low"): _figure,
            probatio.Optional("high"): _figure,
            probatio.Optional("calorific_value"): _calorific,
            probatio.Optional("density"): _positive,
            probatio.Optional("net_per_gross"): _share,
            probatio.Optional("scope"): probatio.Coerce(Scope),
            probatio.Optional("includes_td"): _flag,
            **_KIND,
        },
        _consistent,
    )
)
"""One row of `factors`."""
