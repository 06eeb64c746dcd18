"""The form of a factor file: a header, then one row for each figure."""

from collections.abc import Callable
from datetime import date, datetime
import math
import re
from typing import Any, Final

import probatio

from ..units import UnknownIntensityUnitError, to_grams_per_kwh
from .factor import Carrier, Method, Scope, Stage

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ZONE: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]+)*|\d{3}")
_YEARS: Final = range(1990, 2101)


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
        to_grams_per_kwh(1.0, _text(value))
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


def _period(row: dict[str, Any]) -> dict[str, Any]:
    """Accept a row that says when its figure holds."""
    start, end = row.get("valid_from"), row.get("valid_to")
    if start is None and end is None and "year" not in row:
        raise probatio.Invalid("a year, or valid_from, is missing")
    if start is not None and end is not None and end <= start:
        raise probatio.Invalid(f"{end} does not come after valid_from, {start}", ["valid_to"])
    return row


HEADER: Final = probatio.Schema(
    {
        probatio.Required("id"): _id,
        probatio.Required("title"): _text,
        probatio.Required("publisher"): _text,
        probatio.Required("edition"): _text,
        probatio.Required("scope"): probatio.Coerce(Scope),
        probatio.Required("includes_td"): _flag,
        probatio.Optional("unit"): _unit,
        probatio.Optional("carrier"): probatio.Coerce(Carrier),
        probatio.Optional("stage"): probatio.Coerce(Stage),
        probatio.Optional("method"): probatio.Coerce(Method),
        probatio.Optional("url"): _text,
        probatio.Optional("licence"): _text,
        probatio.Optional("attribution"): _text,
        probatio.Optional("gases"): _text,
        probatio.Optional("gwp"): _text,
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
        },
        _period,
    )
)
"""One row of `factors`."""
