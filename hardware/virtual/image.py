"""The registers of a meter: a profile read the other way round.

Values go in, words come out. What is not in the family's map is refused with
exception 2, as real meters do; a hole that is no wider than one request is
answered with zeros, because families with such holes are read across them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import (
    NUMBER_TYPES,
    Function,
    Register,
)
from custom_components.carbon_meter.metering.quantities import QUANTITIES

from .encoding import (
    Part,
    Ratios,
    can_be_unknown,
    decoded,
    fitted,
    garbage,
    parts,
    plain_ratios,
    ratio_of,
    scale_word,
    unknown,
)

ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3

_LARGEST: Final = max(kind.words for kind in NUMBER_TYPES.values())

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """Which of the meters of a family it is."""

    options: Mapping[str, str] = MappingProxyType({})
    """The option by the choice's name; by default the first."""

    ratios: Ratios = MappingProxyType({})
    """What the ratio registers hold, by name; by default what leaves every value as it is."""

    exponents: Mapping[str, int] = MappingProxyType({})
    """Powers of ten by unit, over `EXPONENTS`, for profiles with scale factors."""

    model: str = ""
    """What the meter calls its model: some registers are of some models only."""


def registers_of(profile: ModbusProfile, variant: Variant) -> tuple[Register, ...]:
    """Return the registers that a meter of the family has.

    Raises ValueError for an option that the profile does not have.
    """
    found = list(profile.fixed_registers)
    for choice in profile.choices:
        name = variant.options.get(choice.name, choice.options[0].name)
        chosen = [option for option in choice.options if option.name == name]
        if not chosen:
            raise ValueError(f"{profile.id} has no option {name!r} of {choice.name}")
        found += chosen[0].registers.values()
    return tuple(
        register
        for register in (*found, *profile.checks)
        if not register.models
        or any(name.lower() in variant.model.lower() for name in register.models)
    )


class RegisterImage:
    """A meter's register space, built once from its profile."""

    def __init__(
        self,
        profile: ModbusProfile,
        *,
        base: int = 0,
        texts: tuple[Text, ...] = (),
        variant: Variant | None = None,
        length: int | None = None,
    ) -> None:
        """Lay the registers out.

        `base` is where the profile's addresses count from, `texts` what never
        changes, `length` how many registers the map has where that is fewer than the
        profile knows.
        """
        self.profile = profile
        self._base = base
        variant = variant or Variant()
        registers = [
            register
            for register in registers_of(profile, variant)
            if length is None or register.address + register.words <= length
        ]
        # What repeats a quantity comes last.
        self._registers: dict[str, Register] = {}
        for register in registers:
            self._registers.setdefault(register.quantity, register)
        self._ratios = {
            name: raw
            for register in registers
            for name, raw in (plain_ratios(register) | dict(variant.ratios)).items()
        }
        self._texts = (*texts, *self._ratio_texts(registers))
        self._exponents = {**EXPONENTS, **variant.exponents}
        self._parts: dict[Function, list[Part]] = {}
        laid = (part for register in registers for part in parts(register))
        for part in sorted(laid, key=lambda each: each.address):
            self._parts.setdefault(part.register.function, []).append(part)
        self._starts = {
            function: [base + part.address for part in found]
            for function, found in self._parts.items()
        }
        self._scales = self._lay_scales(registers)
        self._areas = self._lay_areas()

    @property
    def quantities(self) -> tuple[str, ...]:
        """Return the quantities that have registers here."""
        return tuple(self._registers)

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
        for start, part in self._within(function, address, end):
            register = part.register
            if register.alone and (start, start + register.words) != (address, end):
                raise RefusedError(ILLEGAL_ADDRESS)
            _put(words, start - address, self._encoded(part, content))
        return words

    def touched(self, function: Function, address: int, count: int) -> frozenset[str]:
        """Return the quantities that a request asks for, in part at least."""
        found = self._within(function, address, address + count)
        return frozenset(part.register.quantity for _, part in found)

    def can_be_unavailable(self, quantity: str) -> bool:
        """Return whether the quantity's register has a code that means: not known."""
        return can_be_unknown(self._registers[quantity])

    def rounded(self, quantity: str, value: float) -> float:
        """Return what a reader makes of a value, after the register's rounding.

        Raises NotAvailableError where the value is itself a not-available code.
        """
        register = self._registers[quantity]
        exponent, ratio = self._exponent(register), ratio_of(register, self._ratios)
        words = [fitted(register, part.of(value), exponent, ratio) for part in parts(register)]
        return decoded(register, words, exponent, self._ratios)

    def _within(self, function: Function, address: int, end: int) -> list[tuple[int, Part]]:
        """Return the numbers that lie in a span, in part at least, with their addresses."""
        starts = self._starts.get(function, [])
        first, last = bisect_left(starts, address - _LARGEST), bisect_left(starts, end)
        found = self._parts.get(function, [])
        return [
            (start, part)
            for start, part in zip(starts[first:last], found[first:last], strict=True)
            if start + part.register.words > address
        ]

    def _encoded(self, part: Part, content: Content) -> list[int]:
        """Return the words of one number."""
        register = part.register
        key = register.quantity
        if key in content.garbage:
            return garbage(content.seed, register)
        value = content.values.get(key)
        if value is None or key in content.unavailable:
            words = unknown(register)
        else:
            ratio = ratio_of(register, self._ratios)
            words = fitted(register, part.of(value), self._exponent(register), ratio)
        return words[::-1] if content.swapped else words

    def _exponent(self, register: Register) -> int:
        if register.scale_register is None:
            return 0
        return self._exponents[QUANTITIES[register.quantity].unit]

    def _ratio_texts(self, registers: Iterable[Register]) -> list[Text]:
        """Return the registers of the ratios."""
        known = {ratio.name: ratio for register in registers for ratio in register.ratios}
        return [
            Text(function=ratio.function, address=ratio.address, words=(self._ratios[name],))
            for name, ratio in known.items()
        ]

    def _lay_scales(self, registers: Iterable[Register]) -> dict[Function, dict[int, int]]:
        """Return the words of the scale factors by address."""
        scales: dict[Function, dict[int, int]] = {}
        for register in registers:
            if register.scale_register is not None:
                word = scale_word(register, self._exponent(register))
                at = self._base + register.scale_register
                scales.setdefault(register.function, {})[at] = word
        return scales

    def _lay_areas(self) -> dict[Function, list[tuple[int, int]]]:
        """Return the spans of addresses that are answered."""
        areas: dict[Function, list[tuple[int, int]]] = {}
        for function in Function:
            spans = [
                (self._base + part.address, self._base + part.address + part.register.words)
                for part in self._parts.get(function, [])
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
