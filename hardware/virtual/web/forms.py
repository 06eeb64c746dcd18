"""How devices write numbers, and that they do not know one."""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from custom_components.carbon_meter.metering.quantities import Quantity, unit_factor


class Form(StrEnum):
    """How a device writes its numbers."""

    NUMBER = "number"
    TEXT = "text"
    """`"12.345"`."""

    TEXT_WITH_UNIT = "text_with_unit"
    """`"12.345 Wh"`."""

    DECIMAL_COMMA = "decimal_comma"
    """`" 12,345"`."""


class Unknown(StrEnum):
    """How a device says that it does not know a quantity."""

    NULL = "null"
    ABSENT = "absent"
    NAN = "nan"
    """The number that JSON does not have, as many devices write it all the same."""

    HUGE = "huge"
    """A number too large to be one: 1e999."""

    TEXT = "text"
    """`"NaN"`."""


DIGITS = 3
"""Places behind the point."""


def rounded(number: Fraction) -> Decimal:
    """Return a number as a device prints it."""
    return Decimal(round(number * 10**DIGITS)).scaleb(-DIGITS)


def written(number: Decimal, form: Form, quantity: Quantity) -> Any:
    """Return what stands on a page for a number."""
    match form:
        case Form.TEXT:
            return f"{number:.{DIGITS}f}"
        case Form.TEXT_WITH_UNIT:
            return f"{number:.{DIGITS}f} {quantity.unit}"
        case Form.DECIMAL_COMMA:
            return f" {number:.{DIGITS}f}".replace(".", ",")
        case Form.NUMBER:
            return float(number)


def factor_beside(present: Any, quantity: Quantity) -> Fraction | None:
    """Return the factor of the unit that stands beside a number, None where there is none."""
    if isinstance(present, dict) and "value" in present:
        unit = present.get("unit", present.get("units"))
        if isinstance(unit, str):
            return unit_factor(unit, quantity)
    return None


def unknown(form: Unknown) -> Any:
    """Return what stands on a page for a quantity that is not known."""
    match form:
        case Unknown.NAN:
            return float("nan")
        case Unknown.HUGE:
            return float("inf")
        case Unknown.TEXT:
            return "NaN"
        case Unknown.NULL | Unknown.ABSENT:
            return None
