"""The chain of models that a SunSpec meter announces itself with.

Layout: SunSpec Device Information Model Specification and its model 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function

from .electrical import Wiring
from .identity import Identity, text_words
from .image import Text

_MARKER: Final = (0x5375, 0x6E53)
_END: Final = (0xFFFF, 0)
_LENGTHS: Final = MappingProxyType({20: 105, 21: 124})
"""Of the integer models 201 to 204 and the float models 211 to 214, by all but the last digit."""

_WIRINGS: Final = (Wiring.SINGLE, Wiring.SPLIT, Wiring.WYE, Wiring.DELTA)


@dataclass(frozen=True, kw_only=True, slots=True)
class SunSpecLayout:
    """Where the chain lies and what is in it."""

    model: int | None = None
    """The meter model, 201 to 204 or 211 to 214; by default the profile's own for three phases."""

    base: int = 40000
    length: int | None = None
    """What the meter model announces; devices with fewer registers than the standard exist."""

    common_length: int = 66
    """Of model 1; real devices mostly say 65."""

    before: Mapping[int, int] = MappingProxyType({})
    """Lengths, by number, of the models of an inverter that the meter hangs behind."""


def sunspec_wiring(model: int) -> Wiring:
    """Return the wiring that a meter model is for."""
    return _WIRINGS[model % 10 - 1]


def meter_model(layout: SunSpecLayout, profile: ModbusProfile) -> int:
    """Return the meter model; raises ValueError for one that the profile is not for."""
    models = profile.sunspec_models
    if layout.model is None:
        return next((model for model in sorted(models) if model % 10 == 3), min(models))
    if layout.model not in models:
        raise ValueError(f"{profile.id} is not for the SunSpec model {layout.model}")
    return layout.model


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A chain laid out in registers."""

    texts: tuple[Text, ...]
    meter: int
    """Where the header of the meter model stands."""

    length: int
    """Registers of the meter model with its header."""


def lay_chain(layout: SunSpecLayout, model: int, identity: Identity, unit: int) -> Chain:
    """Return the registers of the chain; the points of the meter model are left to the image.

    The models before the meter are an inverter's: announced, and empty.
    """
    texts: list[Text] = []
    address = layout.base

    def add(words: tuple[int, ...]) -> None:
        nonlocal address
        texts.append(Text(function=Function.HOLDING, address=address, words=words))
        address += len(words)

    add(_MARKER)
    if layout.before:
        inverter = Identity(manufacturer=identity.manufacturer, model="inverter", serial="1")
        add(_common(inverter, layout.common_length, unit))
        for number, size in layout.before.items():
            add((number, size, *([0] * size)))
    add(_common(identity, layout.common_length, unit))
    length = layout.length or _LENGTHS[model // 10]
    meter = address
    add((model, length))
    address += length
    add(_END)
    return Chain(texts=tuple(texts), meter=meter, length=length + 2)


def _common(identity: Identity, length: int, unit: int) -> tuple[int, ...]:
    """Return model 1: maker, model, options, version, serial number, address on the bus."""
    words = (
        *text_words(identity.manufacturer, 16),
        *text_words(identity.model, 16),
        *text_words("", 8),
        *text_words("1.0", 8),
        *text_words(identity.serial, 16),
        unit,
        0x8000,
    )
    return (1, length, *words[:length])
