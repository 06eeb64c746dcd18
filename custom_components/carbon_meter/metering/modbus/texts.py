"""What a meter says of itself, as texts and numbers in registers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from modbus_connection import decode as words_decode

from .registers import Function, WordOrder

TEXT_TYPES: Final = ("text", "swapped_text")
"""Texts with two characters in a register, the first or the second one first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityRegister:
    """Where a meter says who it is: a text or a number."""

    address: int
    function: Function
    type: str
    """`text`, `swapped_text`, or a numeric type."""

    length: int
    """Words to read."""

    word_order: WordOrder = WordOrder.BIG
    names: Mapping[int, str] = MappingProxyType({})
    """Names of the codes that a numeric register can hold."""

    def decode(self, words: Sequence[int]) -> str:
        """Return what the register says as a text, empty when it says nothing."""
        if self.type in TEXT_TYPES:
            return said(clean_text(words, swapped=self.type == "swapped_text"))
        raw = words_decode.combine_words(list(words), word_order=self.word_order.value)
        if raw in (0, (1 << (16 * self.length)) - 1):
            return ""
        if self.names:
            return self.names.get(raw, "")
        return str(raw)


def said(text: str) -> str:
    """Return a text, empty where it is nothing but zeros: a number that was never given."""
    return text if text.strip("0 ") else ""


def clean_text(words: Sequence[int], *, swapped: bool = False) -> str:
    """Return the text that lies in registers without its padding.

    There are two characters in each, the second one first where they are swapped; some
    makers put one there, in the low byte.
    """
    if swapped:
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    width = 1 if words and words[0] and not any(word >> 8 for word in words) else 2
    raw = b"".join(word.to_bytes(width, "big") for word in words)
    text = raw.split(b"\0", 1)[0].decode("utf-8", errors="ignore")
    return "".join(character for character in text if character.isprintable()).strip()
