"""Who a virtual meter says it is, in the registers where its family says so."""

from collections.abc import Mapping
from dataclasses import dataclass
import zlib

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import (
    IdentityRegister,
    WordOrder,
    clean_text,
)

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


def text_words(text: str, length: int) -> tuple[int, ...]:
    """Return a text in registers of two characters each, padded with zeros."""
    raw = text.encode("utf-8")[: 2 * length].ljust(2 * length, b"\0")
    return tuple(int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw), 2))


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
        place = (signature.function, signature.address)
        present = texts.get(place)
        if signature.text:
            if present and signature.text.lower() in clean_text(present.words).lower():
                continue
            words = text_words(signature.text, signature.length)
        else:
            words = _number_words(min(signature.codes), signature.length)
            if present and _number(present.words) in signature.codes:
                continue
        texts[place] = Text(function=signature.function, address=signature.address, words=words)
    return tuple(texts.values())


def _identity_words(register: IdentityRegister, said: str) -> tuple[int, ...]:
    """Return the words that read as what the meter says, as far as the register can say it."""
    if register.type == "text":
        return text_words(said, register.length)
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


def _number(words: tuple[int, ...]) -> int:
    number = 0
    for word in words:
        number = number << 16 | word
    return number
