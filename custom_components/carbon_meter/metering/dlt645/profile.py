"""A family of DL/T 645 meters as data, and how its numbers are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from ..profile import Profile
from ..quantities import QUANTITIES

_SIGN: Final = 0x80


class ImplausibleError(Exception):
    """The bytes of a datum are not a value that a meter can truthfully report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Datum:
    """Where one quantity is found, and how it is written."""

    quantity: str
    identifier: int
    """The data identifier, DI3 first."""

    digits: int
    """Decimal digits, two in a byte, the low byte first."""

    factor: Fraction
    """From the digits, without their point, to the unit of the quantity."""

    signed: bool = False
    """Whether the highest bit is the direction: set for export."""

    sources: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Return how many bytes the datum has."""
        return (self.digits + 1) // 2

    def decode(self, raw: bytes) -> float | None:
        """Return the value in the unit of the quantity; None if the meter does not know it.

        All bits set mean: not available. Raises ImplausibleError for what is no decimal
        number, for more than any meter can report, and for a counter below zero.
        """
        if all(byte == 0xFF for byte in raw):
            return None
        number = bytearray(reversed(raw))
        negative = self.signed and bool(number[0] & _SIGN)
        if negative:
            number[0] &= ~_SIGN
        text = number.hex()
        if not text.isdecimal():
            raise ImplausibleError(f"0x{raw[::-1].hex().upper()} is not a decimal number")
        value = float(int(text) * self.factor)
        if negative:
            value = -value
        quantity = QUANTITIES[self.quantity]
        if abs(value) > quantity.limit or (quantity.counter and value < 0):
            raise ImplausibleError(f"implausible value {value:g}")
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class DataBlock:
    """Several data that one question brings, one behind the other."""

    identifier: int
    quantities: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dlt645Profile(Profile):
    """Which data identifiers hold which quantity."""

    data: Mapping[str, Datum]
    """By quantity."""

    blocks: tuple[DataBlock, ...] = ()
    identity: Mapping[str, int] = MappingProxyType({})
    """Data identifiers of texts, by `manufacturer` and `model`."""
