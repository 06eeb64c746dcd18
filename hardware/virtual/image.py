"""The registers of a meter: a profile read the other way round.

Values go in, words come out. What is not in the family's map is refused with
exception 2, as real meters do; a hole that is no wider than one request is
answered with zeros, because families with such holes are read across them.
"""

from bisect import bisect_left
from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
import zlib

from modbus_connection import encode as words_encode

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import (
    NUMBER_TYPES,
    Coding,
    Function,
    Register,
    WordOrder,
)
from custom_components.carbon_meter.metering.quantities import QUANTITIES

ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3

_LARGEST: Final = max(kind.words for kind in NUMBER_TYPES.values())
_NOT_A_NUMBER: Final = MappingProxyType({"f32": 0x7FC00000, "f64": 0x7FF8000000000000})

EXPONENTS: Final[Mapping[str, int]] = MappingProxyType(
    {"V": -1, "A": -2, "Hz": -2, "W": 0, "VA": 0, "var": 0, "1": -2, "Wh": 0, "varh": 0, "VAh": 0}
)
"""Which power of ten a meter with scale factors gives a unit in, by default."""


class RefusedError(Exception):
    """The meter answers a request with an exception code."""

    def __init__(self, code: int) -> None:
        """Keep the exception code."""
        super().__init__(f"exception code {code}")
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Registers that always hold the same: who the meter is, and how its map is announced."""

    function: Function
    address: int
    words: tuple[int, ...]

    @property
    def end(self) -> int:
        """Return the address behind the last register."""
        return self.address + len(self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the registers hold at one moment."""

    values: Mapping[str, float]
    """By quantity, in the units of `QUANTITIES`."""

    unavailable: AbstractSet[str] = frozenset()
    """Quantities whose not-available code is served; a quantity without a value is one too."""

    swapped: bool = False
    """Whether long numbers have the other word order."""

    garbage: AbstractSet[str] = frozenset()
    """Quantities whose words mean nothing."""

    seed: int = 0
    """What the garbage is drawn from."""


class RegisterImage:
    """A meter's register space, built once from its profile."""

    def __init__(
        self,
        profile: ModbusProfile,
        *,
        base: int = 0,
        texts: tuple[Text, ...] = (),
        exponents: Mapping[str, int] = MappingProxyType({}),
        length: int | None = None,
    ) -> None:
        """Lay the registers out.

        `base` is where the profile's addresses count from, `texts` what never
        changes, `exponents` the powers of ten by unit (over `EXPONENTS`), `length`
        how many registers the map has where that is fewer than the profile knows.
        """
        self.profile = profile
        self._base = base
        self._texts = texts
        self._exponents = {**EXPONENTS, **exponents}
        self._registers: dict[Function, list[Register]] = {}
        for register in sorted(profile.registers.values(), key=lambda each: each.address):
            if length is None or register.address + register.words <= length:
                self._registers.setdefault(register.function, []).append(register)
        self._starts = {
            function: [base + register.address for register in registers]
            for function, registers in self._registers.items()
        }
        self._scales = self._lay_scales()
        self._areas = self._lay_areas()

    @property
    def quantities(self) -> tuple[str, ...]:
        """Return the quantities that have registers here."""
        return tuple(
            register.quantity for registers in self._registers.values() for register in registers
        )

    def words(self, function: Function, address: int, count: int, content: Content) -> list[int]:
        """Return what a request brings; raises RefusedError."""
        if not 1 <= count <= self.profile.max_registers:
            raise RefusedError(ILLEGAL_VALUE)
        end = address + count
        if not any(low <= address and end <= high for low, high in self._areas[function]):
            raise RefusedError(ILLEGAL_ADDRESS)
        words = [0] * count
        for text in self._texts:
            # Some meters say who they are only where that is all they are asked for.
            if text.function is function and (text.address, text.end) == (address, end):
                return list(text.words)
            if text.function is function and text.address < end and text.end > address:
                _put(words, text.address - address, text.words)
        for at, word in self._scales.get(function, {}).items():
            if address <= at < end:
                words[at - address] = word
        for start, register in self._within(function, address, end):
            if register.alone and (start, start + register.words) != (address, end):
                raise RefusedError(ILLEGAL_ADDRESS)
            _put(words, start - address, self._encoded(register, content))
        return words

    def touched(self, function: Function, address: int, count: int) -> frozenset[str]:
        """Return the quantities that a request asks for, in part at least."""
        found = self._within(function, address, address + count)
        return frozenset(register.quantity for _, register in found)

    def can_be_unavailable(self, quantity: str) -> bool:
        """Return whether the quantity's register has a code that means: not known."""
        register = self.profile.registers[quantity]
        return bool(register.not_available) or register.type in _NOT_A_NUMBER

    def rounded(self, quantity: str, value: float) -> float:
        """Return what a reader makes of a value, after the register's rounding.

        Raises NotAvailableError where the value is itself a not-available code.
        """
        register = self.profile.registers[quantity]
        exponent = self._exponent(register)
        return register.decode(_fitted(register, value, exponent), exponent)

    def _within(self, function: Function, address: int, end: int) -> list[tuple[int, Register]]:
        """Return the registers that lie in a span, in part at least, with their addresses."""
        starts = self._starts.get(function, [])
        first, last = bisect_left(starts, address - _LARGEST), bisect_left(starts, end)
        registers = self._registers.get(function, [])
        return [
            (start, register)
            for start, register in zip(starts[first:last], registers[first:last], strict=True)
            if start + register.words > address
        ]

    def _encoded(self, register: Register, content: Content) -> list[int]:
        """Return the words of one register."""
        key = register.quantity
        if key in content.garbage:
            return _garbage(content.seed, register)
        value = content.values.get(key)
        if value is None or key in content.unavailable:
            words = _unknown(register)
        else:
            words = _fitted(register, value, self._exponent(register))
        return words[::-1] if content.swapped else words

    def _exponent(self, register: Register) -> int:
        if register.scale_register is None:
            return 0
        return self._exponents[QUANTITIES[register.quantity].unit]

    def _lay_scales(self) -> dict[Function, dict[int, int]]:
        """Return the words of the scale factors by address."""
        scales: dict[Function, dict[int, int]] = {}
        for function, registers in self._registers.items():
            for register in registers:
                if register.scale_register is not None:
                    word = self._exponent(register) & 0xFFFF
                    scales.setdefault(function, {})[self._base + register.scale_register] = word
        return scales

    def _lay_areas(self) -> dict[Function, list[tuple[int, int]]]:
        """Return the spans of addresses that are answered."""
        areas: dict[Function, list[tuple[int, int]]] = {}
        for function in Function:
            spans = [
                (self._base + register.address, self._base + register.address + register.words)
                for register in self._registers.get(function, [])
            ]
            spans += [(at, at + 1) for at in self._scales.get(function, {})]
            spans += [(text.address, text.end) for text in self._texts if text.function is function]
            merged: list[tuple[int, int]] = []
            for low, high in sorted(spans):
                if merged and low - merged[-1][1] <= self.profile.max_registers:
                    merged[-1] = (merged[-1][0], max(merged[-1][1], high))
                else:
                    merged.append((low, high))
            areas[function] = merged
        return areas


def _put(words: list[int], offset: int, part: tuple[int, ...] | list[int]) -> None:
    """Lay a number or text over an answer, as far as it lies in it."""
    if offset >= 0 and offset + len(part) <= len(words):
        words[offset : offset + len(part)] = part
        return
    for position, word in enumerate(part, start=offset):
        if 0 <= position < len(words):
            words[position] = word


def _unknown(register: Register) -> list[int]:
    """Return the register's not-available code; zeros where the family has none."""
    raw = _NOT_A_NUMBER.get(register.type, 0)
    if register.not_available:
        # Zero is a code of last resort: some counters use it beside the proper one.
        raw = max(register.not_available)
    words = [raw >> 16 * place & 0xFFFF for place in reversed(range(register.words))]
    return words if register.word_order is WordOrder.BIG else words[::-1]


def _fitted(register: Register, value: float, exponent: int) -> list[int]:
    """Return the words of a value; where it does not fit, of what a real meter would show.

    A counter rolls over at the end of its register, anything else stays at the limit.
    """
    try:
        return register.encode(value, exponent)
    except OverflowError:
        kind = NUMBER_TYPES[register.type]
        if kind.floating:
            return _unknown(register)
        step = float(register.factor) * 10.0**exponent
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


def _garbage(seed: int, register: Register) -> list[int]:
    """Return words without a meaning."""
    return [
        zlib.crc32(f"{seed} {register.quantity} {place}".encode()) & 0xFFFF
        for place in range(register.words)
    ]
