"""Numbers as devices write them: JSON numbers, texts, texts with a unit, pairs of both."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
import math
import re
from typing import Final

from ..quantities import Quantity, unit_factor

NOT_AVAILABLE: Final = frozenset(
    {"", "-", "--", "---", "?", "na", "n/a", "n.a.", "nan", "null", "none", "unknown"}
    | {"unavailable", "undefined", "invalid", "inf", "+inf", "-inf", "infinity", "-infinity"}
)
"""Texts in small letters that mean that the device does not know."""

_NUMBER: Final = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(.*)", re.DOTALL
)
_LONGEST: Final = 64


class UnreadableValueError(ValueError):
    """Something else than a number stands where one belongs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coding:
    """How a device writes one quantity."""

    quantity: Quantity
    factor: Fraction
    """What a bare number is multiplied by."""

    not_available: frozenset[Fraction | str] = frozenset()
    """Numbers, and texts in small letters, that mean that the device does not know."""

    decimal_comma: bool = False

    def decode(self, raw: object) -> Fraction | None:
        """Return the value in the quantity's unit, None where the device does not know it.

        Raises UnreadableValueError for what is no number. A unit that comes with the number
        (`"12.3 kWh"`, `{"value": 12.3, "unit": "kWh"}`) counts instead of the profile's.
        """
        match raw:
            case None:
                return None
            case bool():
                raise UnreadableValueError(f"{str(raw).lower()} is not a number")
            case int():
                return self._scaled(Fraction(raw), "")
            case float():
                if not math.isfinite(raw):
                    return None
                # As it is printed: 0.1 is a tenth.
                return self._scaled(Fraction(repr(raw)), "")
            case str():
                return self._decode_text(raw)
            case {"value": value, "unit": unit} | {"value": value, "units": unit}:
                return self._decode_pair(value, unit)
            case _:
                raise UnreadableValueError(f"{_shown(raw)} is not a number")

    def _decode_pair(self, value: object, unit: object) -> Fraction | None:
        """Return the value of a number with its unit beside it."""
        unit = unit.strip() if isinstance(unit, str) else ""
        match value:
            case bool():
                return self.decode(value)
            case int() | float() if unit and math.isfinite(value):
                return self._scaled(Fraction(repr(value)), unit)
            case dict():
                raise UnreadableValueError(f"{_shown(value)} is not a number")
            case str() if (bare := _NUMBER.fullmatch(value.strip())) and not bare.group(2):
                return self._decode_text(f"{value} {unit}")
            case _:
                return self.decode(value)

    def _decode_text(self, raw: str) -> Fraction | None:
        """Return the value of a text, with or without a unit."""
        text = raw.strip()
        if not text or text.split()[0].lower() in NOT_AVAILABLE | self.not_available:
            return None
        if text.lower() in self.not_available:
            return None
        if self.decimal_comma:
            text = text.replace(",", ".", 1)
        found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise UnreadableValueError(f"{_shown(raw)} is not a number")
        return self._scaled(Fraction(Decimal(found.group(1))), found.group(2))

    def _scaled(self, number: Fraction, unit: str) -> Fraction | None:
        """Return a number in the quantity's unit."""
        if number in self.not_available:
            return None
        if not unit:
            return number * self.factor
        try:
            return number * unit_factor(unit, self.quantity)
        except ValueError as err:
            raise UnreadableValueError(str(err)) from err


def checked(value: Fraction, quantity: Quantity) -> float:
    """Return a value as a float; raises UnreadableValueError beyond what a meter can report."""
    if abs(value) > quantity.limit or (quantity.counter and value < 0):
        raise UnreadableValueError(f"implausible value {_rounded(value)} {quantity.unit}".rstrip())
    return float(value)


def _rounded(value: Fraction) -> str:
    """Return a number for people, also one that no float can hold."""
    try:
        return f"{float(value):g}"
    except OverflowError:
        return "beyond all bounds of"


def _shown(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= 40 else f"{text[:40]}…"
