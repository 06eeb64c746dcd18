"""The numbers of a full reading at once: the way that nearly every register goes.

What is decoded here is decoded as `Register.decode` does it. Whatever is not plain (a
not-available code, a value out of bounds, a coding of its own) is left to that: it knows why.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
import struct
from typing import Any, Final

from ..quantities import QUANTITIES
from .registers import (
    FORMATS,
    LEAST_COUNT,
    SMALLEST_FLOAT,
    ImplausibleError,
    NotAvailableError,
    Register,
    WordOrder,
)

_UNSCALED: Final = -1
"""Stands for the scale of a register that has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """A number that stands for itself, and where it lies in the answer to its request."""

    register: Register
    index: int
    """Its place among all fields of the reading."""

    request: int
    start: int
    end: int
    scale: tuple[int, int] | None
    """Request and offset of its scale factor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Number:
    """A plain number, prepared."""

    quantity: str
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    offset: int
    end: int
    codes: frozenset[bytes]
    scale: tuple[int, int] | None
    factors: dict[int, tuple[int, int] | None] = field(default_factory=dict)
    """Numerator and denominator by what the scale register holds, None where that is nothing."""

    register: Register
    least: float
    most: float
    index: int


class QuickReader:
    """Decodes the plain numbers of a reading by a plan that is made once."""

    def __init__(self, plain: Iterable[Plain], words: Sequence[int]) -> None:
        """Prepare; `words` are how many each request brings."""
        self._packs = [struct.Struct(f">{count}H").pack for count in words]
        # With the lowest word first it is the turned answer that is read.
        groups: dict[tuple[int, bool], list[_Number]] = {}
        for item in plain:
            turned = item.register.word_order is WordOrder.LITTLE
            length = words[item.request]
            start = length - item.end if turned else item.start
            groups.setdefault((item.request, turned), []).append(_prepared(item, start))
        self._groups = tuple((*key, tuple(numbers)) for key, numbers in groups.items())

    def read(self, contents: Sequence[Sequence[int]], values: dict[str, float]) -> list[int]:
        """Put the values of the plain numbers; return which fields need a closer look."""
        doubtful: list[int] = []
        for request, turned, numbers in self._groups:
            words = contents[request]
            raw = self._packs[request](*(reversed(words) if turned else words))
            for item in numbers:
                (number,) = item.unpack(raw, item.offset)
                if item.scale is None:
                    factor = item.factors[_UNSCALED]
                else:
                    word = contents[item.scale[0]][item.scale[1]]
                    factor = item.factors[word] if word in item.factors else _learned(item, word)
                if (
                    factor is None
                    or (item.codes and raw[item.offset : item.end] in item.codes)
                    or (number and -SMALLEST_FLOAT < number < SMALLEST_FLOAT)
                ):
                    doubtful.append(item.index)
                    continue
                value = number * factor[0] / factor[1]
                if item.least <= value <= item.most or value == 0:
                    values[item.quantity] = value
                else:
                    doubtful.append(item.index)
        return doubtful


def _prepared(item: Plain, start: int) -> _Number:
    """Return what does not change from one reading to the next."""
    register = item.register
    quantity = QUANTITIES[register.quantity]
    number = _Number(
        quantity=register.quantity,
        unpack=struct.Struct(FORMATS[register.type]).unpack_from,
        offset=2 * start,
        end=2 * (start + register.words),
        codes=frozenset(code.to_bytes(2 * register.words) for code in register.not_available),
        scale=item.scale,
        register=register,
        least=LEAST_COUNT if quantity.counter else -quantity.limit,
        most=quantity.limit,
        index=item.index,
    )
    if item.scale is None:
        number.factors[_UNSCALED] = register.factor.as_integer_ratio()
    return number


def _learned(item: _Number, word: int) -> tuple[int, int] | None:
    """Return the factor with what the scale register holds, and remember it."""
    try:
        factor = item.register.factor * Fraction(10) ** item.register.exponent(word)
    except ImplausibleError, NotAvailableError:
        item.factors[word] = None
    else:
        item.factors[word] = factor.as_integer_ratio()
    return item.factors[word]
