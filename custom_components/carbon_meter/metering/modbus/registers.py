"""Registers: how a profile's number or text lies in 16-bit words, both ways.

Decoding and encoding stand side by side, so that what the virtual meters serve
and what the integration reads come from one description.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
import math
import struct
from types import MappingProxyType
from typing import Final

from modbus_connection import decode as words_decode, encode as words_encode

from ..quantities import QUANTITIES

_ONE: Final = Fraction(1)

SUNSPEC_NO_SCALE: Final = 0x8000
"""A SunSpec scale factor that is not implemented."""

_SCALE_LIMIT: Final = 10
"""SunSpec scale factors run from -10 to 10."""

_LARGEST_TRANSFORMER: Final = 60_000
"""Beyond what any current or voltage transformer divides by, scaled by ten or not."""

SMALLEST_FLOAT: Final = 1e-30
"""Integers and texts that are read as floats decode to less; no meter reports it."""

_LARGEST_RATIO: Final = QUANTITIES["power_factor"].limit
"""A power factor above it can only be a percentage; a little above 1 is measuring noise."""


class Function(StrEnum):
    """The two register spaces that meters use."""

    HOLDING = "holding"
    """Function code 3."""

    INPUT = "input"
    """Function code 4."""


class WordOrder(StrEnum):
    """Which of the words of a long number comes first."""

    BIG = "big"
    LITTLE = "little"


class Coding(StrEnum):
    """Numbers that are not what their bits say at first sight."""

    FOUR_QUADRANT = "four_quadrant"
    """Schneider's power factor from -2 to 2: beyond 1 in magnitude it is leading."""

    PERCENT_OR_RATIO = "percent_or_ratio"
    """A power factor that some makers give in per cent and some as a ratio."""

    MAGNITUDE = "magnitude"
    """A counter whose sign only repeats its direction."""


class ScaleCoding(StrEnum):
    """How a scale register gives its power of ten."""

    SUNSPEC = "sunspec"
    """A signed number from -10 to 10; 0x8000 is none."""

    SHARK = "shark"
    """Electro Industries' power and energy format: bits 4 to 6 are the power of ten of the
    energy's prefix (0, 3 or 6), bits 0 to 2 its decimals."""


class Confidence(StrEnum):
    """How well a register is known."""

    CONFIRMED = "confirmed"
    """Two or more independent sources give it."""

    SINGLE = "single"
    """One source gives it."""

    DERIVED = "derived"
    """No source gives it: it follows from the registers around it."""

    UNVERIFIED = "unverified"
    """What the sources say of it is not certain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberType:
    """A numeric register type."""

    words: int
    signed: bool
    floating: bool = False


NUMBER_TYPES: Final = MappingProxyType(
    {
        "u16": NumberType(words=1, signed=False),
        "s16": NumberType(words=1, signed=True),
        "u32": NumberType(words=2, signed=False),
        "s32": NumberType(words=2, signed=True),
        "u64": NumberType(words=4, signed=False),
        "s64": NumberType(words=4, signed=True),
        "f32": NumberType(words=2, signed=True, floating=True),
        "f64": NumberType(words=4, signed=True, floating=True),
    }
)
"""The numeric types by the names that profiles use."""


class NotAvailableError(Exception):
    """The register holds a code that means: the meter does not know."""


class ImplausibleError(Exception):
    """The register holds something that no meter can truthfully report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """A register that says by how much a meter behind transformers sees less than flows."""

    name: str
    address: int
    function: Function
    type: str = "u16"
    word_order: WordOrder = WordOrder.BIG
    factor: Fraction = Fraction(1)

    @property
    def words(self) -> int:
        """Return how many 16-bit words the number takes."""
        return NUMBER_TYPES[self.type].words

    def decode(self, words: Sequence[int]) -> Fraction:
        """Return the ratio; raises ImplausibleError for one that no transformer has."""
        number = _unpacker(self.type, self.word_order)(words)
        all_ones = all(word == 0xFFFF for word in words)
        if all_ones or not math.isfinite(number) or not 0 < number <= _LARGEST_TRANSFORMER:
            raise ImplausibleError(f"with the ratio {self.name} = {number:g}")
        return Fraction(number) * self.factor


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """Where one quantity lies and how to make a value of it.

    `address` counts from the start of the meter's block: 0 for meters with a
    fixed map, the model's header for SunSpec.
    """

    quantity: str
    address: int
    type: str
    function: Function
    word_order: WordOrder
    factor: Fraction = Fraction(1)
    """From the number in the register to the unit of the quantity."""

    scale_register: int | None = None
    """Address of a scale factor: the value is multiplied by ten to its power."""

    scale_coding: ScaleCoding = ScaleCoding.SUNSPEC
    ratios: tuple[Ratio, ...] = ()
    """The value is multiplied by each of them."""

    plus: tuple[int, ...] = ()
    """Addresses of numbers of the same form that are added; one that does not exist is nothing."""

    minus: tuple[int, ...] = ()
    """Addresses of numbers of the same form that are subtracted."""

    models: tuple[str, ...] = ()
    """The models that have the register; empty for the whole family."""

    coding: Coding | None = None
    alone: bool = False
    """Whether it must be read in a request of its own."""

    not_available: frozenset[int] = frozenset()
    """Raw contents, words joined most significant first, that mean: not known."""

    sources: tuple[str, ...] = ()
    doubt: Confidence | None = None
    """Set where the number of sources says too much."""

    @property
    def confidence(self) -> Confidence:
        """Return how well the register is known."""
        if self.doubt is not None:
            return self.doubt
        return Confidence.CONFIRMED if len(self.sources) > 1 else Confidence.SINGLE

    @property
    def words(self) -> int:
        """Return how many 16-bit words the number takes."""
        return NUMBER_TYPES[self.type].words

    def place(self, base: int = 0) -> str:
        """Return the register for a message: its space and its address on the wire."""
        return f"{self.function} 0x{base + self.address:04X}"

    def decode(
        self,
        words: Sequence[int],
        scale_exponent: int = 0,
        *,
        plus: Iterable[Sequence[int]] = (),
        minus: Iterable[Sequence[int]] = (),
        ratio: Fraction = _ONE,
    ) -> float:
        """Return the value in the unit of its quantity.

        `plus` and `minus` are the words of the numbers that belong to it, `ratio` the product
        of its ratios.

        Raises NotAvailableError for a not-available code and ImplausibleError
        for a value beyond what `QUANTITIES` allows.
        """
        number = self._number(words)
        for other in plus:
            number += self._number(other)
        for other in minus:
            number -= self._number(other)
        factor = self.factor
        if ratio is not _ONE:
            factor *= ratio
        if scale_exponent:
            factor *= Fraction(10) ** scale_exponent
        value = _scaled(number, factor)
        if self.coding is Coding.FOUR_QUADRANT:
            value = _four_quadrant(value)
        elif self.coding is Coding.PERCENT_OR_RATIO and abs(value) > _LARGEST_RATIO:
            value = _scaled(number, factor / 100)
        elif self.coding is Coding.MAGNITUDE:
            value = abs(value)
        quantity = QUANTITIES[self.quantity]
        if abs(value) > quantity.limit or (quantity.counter and not _is_count(value)):
            raise ImplausibleError(f"{value:g} {quantity.unit} ({self._hex(words)})")
        return value

    def exponent(self, raw: int) -> int:
        """Return the power of ten that the word in the scale register stands for.

        Raises NotAvailableError where it says that there is none, ImplausibleError for one
        that no meter has.
        """
        if self.scale_coding is ScaleCoding.SHARK:
            prefix, decimals = raw >> 4 & 7, raw & 7
            if prefix not in (0, 3, 6) or decimals == 7:
                raise ImplausibleError(f"with the format 0x{raw:04X}")
            return prefix - decimals
        if raw == SUNSPEC_NO_SCALE:
            raise NotAvailableError("scale factor not implemented")
        exponent = raw - 0x10000 if raw & 0x8000 else raw
        if abs(exponent) > _SCALE_LIMIT:
            raise ImplausibleError(f"with the scale factor {exponent}")
        return exponent

    def _number(self, words: Sequence[int]) -> float:
        """Return the number in the words; raises as `decode` does."""
        if self.not_available and self._raw(words) in self.not_available:
            raise NotAvailableError(f"not-available code {self._hex(words)}")
        number = _unpacker(self.type, self.word_order)(words)
        if not math.isfinite(number):
            raise NotAvailableError(f"{number} ({self._hex(words)})")
        if number and abs(number) < SMALLEST_FLOAT:
            raise ImplausibleError(f"{number:g} ({self._hex(words)})")
        return number

    def _raw(self, words: Sequence[int]) -> int:
        return words_decode.combine_words(list(words), word_order=self.word_order.value)

    def _hex(self, words: Sequence[int]) -> str:
        return f"0x{self._raw(words):0{4 * self.words}X}"

    def encode(self, value: float, scale_exponent: int = 0, *, ratio: Fraction = _ONE) -> list[int]:
        """Return the words that decode to `value`, or as near as the type allows.

        Raises OverflowError when the number does not fit the register.
        """
        kind = NUMBER_TYPES[self.type]
        factor = self.factor * ratio
        if scale_exponent:
            factor *= Fraction(10) ** scale_exponent
        if self.coding is Coding.PERCENT_OR_RATIO and abs(100 * value) > _LARGEST_RATIO:
            factor /= 100
        number = value * factor.denominator / factor.numerator
        if kind.floating:
            encode = words_encode.encode_float32 if kind.words == 2 else words_encode.encode_float64
            return encode(number, word_order=self.word_order.value)
        bits = 16 * kind.words - kind.signed
        if not -(1 << bits) * kind.signed <= round(number) < 1 << bits:
            raise OverflowError(f"{self.quantity} = {value:g} does not fit in {self.type}")
        return words_encode.encode_int(
            round(number), count=kind.words, word_order=self.word_order.value
        )


FORMATS: Final = MappingProxyType(
    {
        "u16": ">H",
        "s16": ">h",
        "u32": ">I",
        "s32": ">i",
        "u64": ">Q",
        "s64": ">q",
        "f32": ">f",
        "f64": ">d",
    }
)


@cache
def _unpacker(number_type: str, word_order: WordOrder) -> Callable[[Sequence[int]], float]:
    """Return what makes a number of words; built once per type, called for every register."""
    pack = struct.Struct(f">{NUMBER_TYPES[number_type].words}H").pack
    unpack = struct.Struct(FORMATS[number_type]).unpack
    if word_order is WordOrder.BIG:
        return lambda words: unpack(pack(*words))[0]
    return lambda words: unpack(pack(*reversed(words)))[0]


def _scaled(number: float, factor: Fraction) -> float:
    """Return a number times a factor; of an integer the nearest float, rounded once."""
    numerator, denominator = factor.as_integer_ratio()
    return number * numerator / denominator


LEAST_COUNT: Final = 1e-9
"""Wh or varh; no meter counts less, but words without a meaning often decode to less."""


def _is_count(value: float) -> bool:
    return value == 0 or value >= LEAST_COUNT


def _four_quadrant(value: float) -> float:
    """Return the signed power factor of Schneider's four-quadrant number.

    From 0 to 1 it is the power factor itself (lagging, import), from 1 to 2 the
    leading import is 2 - x; the negative half mirrors it for export. What lies
    beyond 2 is none, and is left as it is.
    """
    if not 1 < abs(value) <= 2:
        return value
    return math.copysign(2 - abs(value), value)
