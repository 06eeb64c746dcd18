"""Who a virtual meter says it is, in the registers where its family says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
import zlib

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile, Signature
from custom_components.carbon_meter.metering.modbus.registers import (
    WordOrder,
)
from custom_components.carbon_meter.metering.modbus.texts import TEXT_TYPES, IdentityRegister

from .image import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Maker, model and serial number of one meter."""

    manufacturer: str
    model: str
    serial: str

    @classmethod
    def of(cls, profile: ModbusProfile, name: str, **given: str) -> Identity:
        """Return the identity that was given, the rest from the profile and the meter's name."""
        return cls(
            manufacturer=given.get("manufacturer") or profile.vendor,
            model=given.get("model") or profile.models[0],
            serial=given.get("serial") or str(10_000_000 + zlib.crc32(name.encode()) % 80_000_000),
        )


def text_words(text: str, length: int, *, swapped: bool = False) -> tuple[int, ...]:
    """Return a text in registers of two characters each, padded with zeros."""
    raw = text.encode("utf-8")[: 2 * length].ljust(2 * length, b"\0")
    order: Literal["big", "little"] = "little" if swapped else "big"
    return tuple(int.from_bytes(raw[place : place + 2], order) for place in range(0, len(raw), 2))


def identification_objects(profile: ModbusProfile, identity: Identity) -> dict[int, bytes]:
    """Return the objects of function 43/14 (0 maker, 1 product) where they prove the family."""
    signature = profile.device_signature
    if signature is None:
        return {}
    return {
        0: _with(identity.manufacturer, signature.vendor).encode(),
        1: _with(identity.model, signature.product).encode(),
        2: b"V1.0",
    }


def _with(said: str, needed: str) -> str:
    """Return what the meter says, with what proves the family in it."""
    return said if needed.lower() in said.lower() else f"{needed} {said}"


def identity_texts(profile: ModbusProfile, identity: Identity) -> tuple[Text, ...]:
    """Return the registers that prove the family and tell the meter from its siblings.

    Only for families with a fixed map; a SunSpec chain carries its own.
    """
    said = {
        "manufacturer": identity.manufacturer,
        "model": identity.model,
        "serial": identity.serial,
    }
    texts = {
        (register.function, register.address): Text(
            function=register.function,
            address=register.address,
            words=_identity_words(register, said[key]),
        )
        for key, register in profile.identity.items()
    }
    for signature in profile.signatures:
        for each in filter(None, (signature, signature.beside)):
            place = (each.function, each.address)
            present = texts.get(place)
            if present is None or not each.matches(present.words):
                words = _signature_words(each)
                texts[place] = Text(function=each.function, address=each.address, words=words)
    return tuple(texts.values())


def _signature_words(signature: Signature) -> tuple[int, ...]:
    """Return a block that proves the family: its first text or its smallest code."""
    words = signature.length - signature.start
    if signature.texts:
        content = text_words(signature.texts[0], words, swapped=signature.swapped)
    else:
        content = _number_words(min(signature.codes), words)
    return (*([0] * signature.start), *content)


def _identity_words(register: IdentityRegister, said: str) -> tuple[int, ...]:
    """Return the words that read as what the meter says, as far as the register can say it."""
    if register.type in TEXT_TYPES:
        return text_words(said, register.length, swapped=register.type == "swapped_text")
    if register.names:
        number = _code(register.names, said)
    else:
        number = int(said) if said.isdecimal() else zlib.crc32(said.encode())
    words = _number_words(number, register.length)
    return words if register.word_order is WordOrder.BIG else words[::-1]


def _code(names: Mapping[int, str], said: str) -> int:
    """Return the code of a model, of any model of the family where it has none."""
    return next((code for code, name in names.items() if name == said), min(names))


def _number_words(number: int, length: int) -> tuple[int, ...]:
    return tuple(number >> 16 * place & 0xFFFF for place in reversed(range(length)))
