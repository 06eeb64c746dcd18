"""The chain of SunSpec models in a device.

Bases and header layout: SunSpec Device Information Model Specification. The
library's own scan gives up a whole chain that ends without its end mark; devices
do that, so the walk here keeps what it has found.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ..errors import MeterRejectedError
from .texts import clean_text, said

BASES: Final = (40000, 50000, 0, 4096)
"""Where the chain may start. 4096 is not in the standard: an AcuRev 1310 has it there."""

_MARKER: Final = [0x5375, 0x6E53]
_END: Final = 0xFFFF
_COMMON: Final = 1
_MAX_MODELS: Final = 100
_LONGEST: Final = 1500
"""Words; the longest models of the standard stay well below it."""

type ReadHolding = Callable[[int, int], Awaitable[list[int]]]
"""Read `count` holding registers at `address`; raises MeterError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SunSpecModel:
    """One model of the chain."""

    model: int
    address: int
    """Where the header (id, length) stands."""

    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SunSpecCommon:
    """Model 1: who the device behind the following models is."""

    manufacturer: str
    model: str
    serial: str


async def walk_models(read: ReadHolding) -> list[SunSpecModel]:
    """Return the models of the device in chain order; empty when it has no chain.

    Raises MeterError when the device stops answering on the way.
    """
    for base in BASES:
        try:
            if await read(base, 2) == _MARKER:
                return await _walk(read, base + 2)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
    return []


async def _walk(read: ReadHolding, address: int) -> list[SunSpecModel]:
    """Follow the announced lengths, whatever the standard says they should be."""
    models: list[SunSpecModel] = []
    while len(models) < _MAX_MODELS:
        try:
            model, length = await read(address, 2)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
            break
        if model in (0, _END) or not 0 < length <= _LONGEST:
            break
        models.append(SunSpecModel(model=model, address=address, length=length))
        address += 2 + length
    return models


async def read_common(
    read: ReadHolding, models: list[SunSpecModel], at: SunSpecModel
) -> SunSpecCommon:
    """Return the identity block that precedes a model: each meter of an inverter has its own.

    What the device refuses to tell is empty.
    """
    before = [model for model in models if model.model == _COMMON and model.address < at.address]
    if not before or before[-1].length < 64:
        return SunSpecCommon(manufacturer="", model="", serial="")
    # Mn 16 words, Md 16, Opt 8, Vr 8, SN 16: read apart, as some devices answer short blocks only.
    start = before[-1].address + 2
    manufacturer, model, serial = [
        clean_text(await _text_words(read, start + offset)) for offset in (0, 16, 48)
    ]
    return SunSpecCommon(manufacturer=manufacturer, model=model, serial=said(serial))


async def _text_words(read: ReadHolding, address: int) -> list[int]:
    """Return the sixteen words of a text, in halves where the device gives no more at once."""
    for count in (16, 8):
        words: list[int] = []
        try:
            for offset in range(0, 16, count):
                words += await read(address + offset, count)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
        else:
            return words
    return []
