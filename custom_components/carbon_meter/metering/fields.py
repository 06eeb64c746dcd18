"""Checks for the fields of profile files, whose messages say what is allowed."""

from fractions import Fraction
import math
from typing import Any, Final, TypeIs

import probatio

_SMALLEST_SCALE: Final = 1e-12

TEXT: Final = probatio.All(str, probatio.Length(min=1))
"""A text that says something."""


def one_of(kind: str, names: object) -> Any:
    """Return a check whose message names what is allowed."""
    allowed = sorted(str(name) for name in names)  # type: ignore[attr-defined]

    def check(value: object) -> str:
        if value not in allowed:
            raise probatio.Invalid(f"{value!r} is not a {kind}; known are {', '.join(allowed)}")
        return str(value)

    return check


def whole(low: int, high: int) -> Any:
    """Return a check for a whole number; true is none, though Python counts it as one."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise probatio.Invalid(f"must be a whole number from {low} to {high}")
        return value

    return check


def scale(value: object) -> Fraction:
    """Return a scale exactly as it is written: 0.1 is a tenth."""
    if is_number(value) and _SMALLEST_SCALE <= abs(value) <= 1 / _SMALLEST_SCALE:
        return Fraction(str(value))
    raise probatio.Invalid(
        "must be a number other than zero, from 1e-12 to 1e12 in magnitude, without quotes"
    )


def positive(value: object) -> float:
    """Return a number above zero."""
    if is_number(value) and 0 < value < math.inf:
        return float(value)
    raise probatio.Invalid("must be a number above 0")


def seconds(value: object) -> float:
    """Return a stretch of time up to a minute."""
    if is_number(value) and 0 <= value <= 60:
        return float(value)
    raise probatio.Invalid("must be a number of seconds from 0 to 60")


def is_number(value: object) -> TypeIs[int | float]:
    """Return whether a decoded value is a number; true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
