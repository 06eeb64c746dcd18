"""One register's words: of a value, of the code for an unknown one, or of no meaning.

A profile read the other way round: what the integration adds up, multiplies by ratios and
scales is parted, divided and scaled back here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final
import zlib

from modbus_connection import encode as words_encode

from custom_components.carbon_meter.metering.modbus.registers import (
    NUMBER_TYPES,
    Coding,
    Register,
    ScaleCoding,
    WordOrder,
)
from custom_components.carbon_meter.metering.quantities import QUANTITIES

_NOT_A_NUMBER: Final = MappingProxyType({"f32": 0x7FC00000, "f64": 0x7FF8000000000000})

_SHARE: Final = 0.25
"""Of a sum what lies in each register that is added; a tariff's part of an energy."""

type Ratios = Mapping[str, int]
"""What the ratio registers hold, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One of the numbers that make a register's value."""

    register: Register
    address: int
    sign: int
    """0 for the register itself, 1 for a number that is added to it, -1 for one subtracted."""

    def of(self, value: float) -> float:
        """Return what lies here of a value."""
        register = self.register
        if self.sign:
            return max(-value, 0.0) if self.sign < 0 else value * _SHARE
        value -= len(register.plus) * value * _SHARE
        return max(value, 0.0) if register.minus else value


def parts(register: Register) -> Iterator[Part]:
    """Yield the numbers that make a register's value, the register itself first."""
    yield Part(register=register, address=register.address, sign=0)
    for address in register.plus:
        yield Part(register=register, address=address, sign=1)
    for address in register.minus:
        yield Part(register=register, address=address, sign=-1)


def plain_ratios(register: Register) -> dict[str, int]:
    """Return what the ratio registers of a meter without transformers hold."""
    return {ratio.name: round(1 / ratio.factor) for ratio in register.ratios}


def ratio_of(register: Register, ratios: Ratios) -> Fraction:
    """Return by how much the register shows less than flows."""
    product = Fraction(1)
    for ratio in register.ratios:
        product *= ratios[ratio.name] * ratio.factor
    return product


def scale_word(register: Register, exponent: int) -> int:
    """Return what the scale register holds for a power of ten.

    The other coding knows no more than three zeros and six decimals.
    """
    if register.scale_coding is ScaleCoding.SHARK:
        return 3 << 4 | (3 - exponent)
    return exponent & 0xFFFF


def decoded(register: Register, words: list[list[int]], exponent: int, ratios: Ratios) -> float:
    """Return what a reader makes of the words of each part."""
    own, *others = words
    plus = len(register.plus)
    return register.decode(
        own,
        exponent,
        plus=others[:plus],
        minus=others[plus:],
        ratio=ratio_of(register, ratios),
    )


def unknown(register: Register) -> list[int]:
    """Return the register's not-available code; zeros where the family has none."""
    raw = _NOT_A_NUMBER.get(register.type, 0)
    if register.not_available:
        # Zero is a code of last resort: some counters use it beside the proper one.
        raw = max(register.not_available)
    words = [raw >> 16 * place & 0xFFFF for place in reversed(range(register.words))]
    return words if register.word_order is WordOrder.BIG else words[::-1]


def can_be_unknown(register: Register) -> bool:
    """Return whether the register has a code that means: not known."""
    return bool(register.not_available) or register.type in _NOT_A_NUMBER


def fitted(
    register: Register, value: float, exponent: int, ratio: Fraction = Fraction(1)
) -> list[int]:
    """Return the words of a value; where it does not fit, of what a real meter would show.

    A counter rolls over at the end of its register, anything else stays at the limit.
    """
    try:
        return register.encode(value, exponent, ratio=ratio)
    except OverflowError:
        kind = NUMBER_TYPES[register.type]
        if kind.floating:
            return unknown(register)
        step = float(register.factor * ratio) * 10.0**exponent
        if register.coding is Coding.PERCENT_OR_RATIO:
            step /= 100
        number = round(value / step)
        top = 1 << 16 * kind.words - kind.signed
        if QUANTITIES[register.quantity].counter:
            number %= top
        # The last code at either end mostly means: not known.
        number = max(1 - top if kind.signed else 0, min(top - 2, number))
        return words_encode.encode_int(
            number, count=register.words, word_order=register.word_order.value
        )


def garbage(seed: int, register: Register) -> list[int]:
    """Return words without a meaning."""
    return [
        zlib.crc32(f"{seed} {register.quantity} {place}".encode()) & 0xFFFF
        for place in range(register.words)
    ]
