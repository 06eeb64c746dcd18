"""Who a virtual meter says it is."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile, Signature
from custom_components.carbon_meter.metering.modbus.registers import (
    Function,
    WordOrder,
)
from custom_components.carbon_meter.metering.modbus.texts import IdentityRegister
from hardware.virtual.identity import Identity, identity_texts, text_words

IDENTITY = Identity(manufacturer="Maker", model="B", serial="123456789")


def words_at(profile: ModbusProfile, address: int) -> tuple[int, ...]:
    return next(text.words for text in identity_texts(profile, IDENTITY) if text.address == address)


@pytest.fixture
def plain(profiles: dict[str, ModbusProfile]) -> ModbusProfile:
    return replace(profiles["eastron_sdm120"], signatures=(), identity=MappingProxyType({}))


def test_texts_are_two_characters_to_a_word_and_padded() -> None:
    assert text_words("ABC", 3) == (0x4142, 0x4300, 0)
    assert text_words("ABCDE", 2) == (0x4142, 0x4344)


def test_signatures_are_served(plain: ModbusProfile) -> None:
    signatures = (
        Signature(address=5, function=Function.HOLDING, length=1, codes=frozenset({9, 7})),
        Signature(address=9, function=Function.INPUT, length=2, codes=frozenset({0x534F434F})),
        Signature(address=20, function=Function.HOLDING, length=3, texts=("SOCO", "other")),
    )
    texts = {
        text.address: text
        for text in identity_texts(replace(plain, signatures=signatures), IDENTITY)
    }
    assert texts[5].words == (7,)
    assert (texts[9].words, texts[9].function) == ((0x534F, 0x434F), Function.INPUT)
    assert texts[20].words == (0x534F, 0x434F, 0)


def test_a_text_that_already_proves_the_family_is_kept(plain: ModbusProfile) -> None:
    place = IdentityRegister(address=5, function=Function.HOLDING, type="text", length=8)
    signature = Signature(address=5, function=Function.HOLDING, length=8, texts=("maker",))
    proved = replace(
        plain, signatures=(signature,), identity=MappingProxyType({"manufacturer": place})
    )
    assert words_at(proved, 5) == text_words("Maker", 8)
    other = replace(proved, signatures=(replace(signature, texts=("Elsewhere",)),))
    assert words_at(other, 5) == text_words("Elsewhere", 8)


@pytest.mark.parametrize(
    ("order", "words"), [(WordOrder.BIG, (0x075B, 0xCD15)), (WordOrder.LITTLE, (0xCD15, 0x075B))]
)
def test_a_serial_number_can_be_a_number(
    plain: ModbusProfile, order: WordOrder, words: tuple[int, ...]
) -> None:
    place = IdentityRegister(
        address=5, function=Function.HOLDING, type="u32", length=2, word_order=order
    )
    numbered = replace(plain, identity=MappingProxyType({"serial": place}))
    assert words_at(numbered, 5) == words


def test_a_model_can_be_a_code(plain: ModbusProfile) -> None:
    place = IdentityRegister(
        address=5,
        function=Function.HOLDING,
        type="u16",
        length=1,
        names=MappingProxyType({70: "A", 71: "B"}),
    )
    signature = Signature(address=5, function=Function.HOLDING, length=1, codes=frozenset({70, 71}))
    coded = replace(plain, signatures=(signature,), identity=MappingProxyType({"model": place}))
    assert words_at(coded, 5) == (71,)


def test_what_was_not_given_comes_from_the_profile(plain: ModbusProfile) -> None:
    identity = Identity.of(plain, "grid 1", model="", serial="")
    assert (identity.manufacturer, identity.model) == ("Eastron", plain.models[0])
    assert identity.serial.isdecimal()
    assert Identity.of(plain, "grid 2").serial != identity.serial
    assert Identity.of(plain, "grid 1", serial="X1").serial == "X1"
