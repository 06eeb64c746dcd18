"""Registers: every type both ways, exact scales, and codes that are no values."""

from decimal import Decimal
from fractions import Fraction
import math
import struct

from hypothesis import example, given, strategies as st
import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import (
    NUMBER_TYPES,
    Coding,
    Function,
    ImplausibleError,
    NotAvailableError,
    Register,
    WordOrder,
)
from custom_components.carbon_meter.metering.modbus.texts import IdentityRegister, clean_text
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.quantities import QUANTITIES

PACKAGED = load_profiles().of(ModbusProfile)
STRUCT = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q"}
STRUCT |= {"f32": "f", "f64": "d"}


def register(quantity: str = "power", kind: str = "f32", **changes: object) -> Register:
    fields = {
        "quantity": quantity,
        "address": 0x34,
        "type": kind,
        "function": Function.INPUT,
        "word_order": WordOrder.BIG,
    }
    return Register(**(fields | changes))


def words_of(kind: str, number: float, order: WordOrder = WordOrder.BIG) -> list[int]:
    """Return the words of a number by the standard library alone."""
    raw = struct.pack(f">{STRUCT[kind]}", number)
    words = [int.from_bytes(raw[index : index + 2], "big") for index in range(0, len(raw), 2)]
    return words if order is WordOrder.BIG else words[::-1]


def numbers(kind: str) -> st.SearchStrategy[float]:
    number_type = NUMBER_TYPES[kind]
    if number_type.floating:
        return st.floats(width=16 * number_type.words, allow_nan=False, allow_infinity=False)
    bits = 16 * number_type.words - number_type.signed
    return st.integers(-(1 << bits) if number_type.signed else 0, (1 << bits) - 1)


typed_numbers = st.sampled_from(sorted(NUMBER_TYPES)).flatmap(
    lambda kind: st.tuples(st.just(kind), numbers(kind))
)


@given(typed_numbers, st.sampled_from(WordOrder))
def test_what_a_meter_encodes_is_decoded(typed, order) -> None:
    kind, number = typed
    item = register(kind=kind, word_order=order)
    words = words_of(kind, number, order)

    if abs(number) > QUANTITIES["power"].limit or 0 < abs(number) < 1e-30:
        with pytest.raises(ImplausibleError):
            item.decode(words)
    else:
        assert item.decode(words) == float(number)
        assert item.encode(float(number)) == words


@given(
    st.sampled_from(["u16", "s16", "u32", "s32"]).flatmap(
        lambda kind: st.tuples(st.just(kind), numbers(kind))
    ),
    st.sampled_from(["0.1", "0.01", "0.001", "10", "1000", "0.5", "-0.1", "1e-4", "3", "0.3"]),
    st.integers(-4, 4),
)
@example(("u16", 2301), "0.1", 0)
def test_an_integer_is_scaled_to_the_nearest_float(typed, scale, exponent) -> None:
    kind, number = typed
    item = register(kind=kind, factor=Fraction(scale))
    exact = Decimal(number) * Decimal(scale) * Decimal(10) ** exponent

    if abs(exact) > QUANTITIES["power"].limit:
        with pytest.raises(ImplausibleError):
            item.decode(words_of(kind, number), exponent)
    else:
        assert item.decode(words_of(kind, number), exponent) == float(exact)
        assert item.encode(float(exact), exponent) == words_of(kind, number)


def test_two_thousand_three_hundred_and_one_tenths_are_as_written() -> None:
    volts = register("voltage", "u16", factor=Fraction("0.1"))

    assert repr(volts.decode([2301])) == "230.1"
    assert volts.encode(230.1) == [2301]


@given(typed_numbers.filter(lambda typed: typed[1] == 0 or 1e-3 <= typed[1] < 1e12))
def test_encoding_is_as_near_as_the_type_allows(typed) -> None:
    kind, number = typed
    item = register("energy_total", kind, factor=Fraction("0.001"))
    value = float(number) / 1000
    words = item.encode(value)
    step = 0.0 if NUMBER_TYPES[kind].floating else 0.0005
    rounding = {"f32": 2**-24, "f64": 2**-53}.get(kind, 2**-50)

    assert math.isclose(item.decode(words), value, rel_tol=rounding * 4, abs_tol=step + 1e-40)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("u16", -1.0), ("u16", 65536.0), ("s16", 32768.0), ("s16", -32769.0), ("u32", 2.0**32)],
)
def test_what_does_not_fit_is_not_encoded(kind, value) -> None:
    with pytest.raises(OverflowError, match=f"power = .* does not fit in {kind}"):
        register(kind=kind).encode(value)


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("number", [math.nan, -math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("order", WordOrder)
def test_a_float_that_is_no_number_is_not_available(kind, number, order) -> None:
    with pytest.raises(NotAvailableError):
        register(kind=kind, word_order=order).decode(words_of(kind, number, order))


@pytest.mark.parametrize("payload", [0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF])
def test_every_nan_is_not_available(payload) -> None:
    with pytest.raises(NotAvailableError, match=f"{payload:08X}"):
        register().decode([payload >> 16, payload & 0xFFFF])


@given(typed_numbers, st.sampled_from(WordOrder))
def test_a_code_is_compared_with_the_words_most_significant_first(typed, order) -> None:
    kind, number = typed
    words = words_of(kind, number, order)
    most_significant_first = words if order is WordOrder.BIG else words[::-1]
    code = int("".join(f"{word:04x}" for word in most_significant_first), 16)
    item = register(kind=kind, word_order=order, not_available=frozenset({code}))

    with pytest.raises(NotAvailableError, match=f"0x{code:0{4 * len(words)}X}"):
        item.decode(words)


@pytest.mark.parametrize(
    ("profile", "key", "code"),
    [
        pytest.param(profile, key, code, id=f"{profile.id}-{key}-{code:X}")
        for profile in PACKAGED.values()
        for key, item in profile.registers.items()
        for code in item.not_available
    ],
)
def test_the_codes_of_every_packaged_profile(profile: ModbusProfile, key: str, code: int) -> None:
    item = profile.registers[key]
    words = [code >> shift & 0xFFFF for shift in range(16 * (item.words - 1), -1, -16)]
    assert len(words) == item.words

    for exponent in (0, -2, 3):
        with pytest.raises(NotAvailableError):
            item.decode(words, exponent)


def test_schneider_says_not_available_in_three_ways() -> None:
    registers = PACKAGED["schneider_iem3000"].registers

    for words in ([0x8000, 0x8000], [0xFFC0, 0x0000], [0x7FC0, 0x0000]):
        for key in ("voltage_l1", "power_factor", "current_avg"):
            with pytest.raises(NotAvailableError):
                registers[key].decode(words)
    for words in ([0x8000, 0, 0, 0], [0xFFC0, 0, 0xFFC0, 0]):
        for key in ("energy_import", "energy_export", "energy_import_l3"):
            with pytest.raises(NotAvailableError):
                registers[key].decode(words)


@pytest.mark.parametrize(
    ("words", "power_factor"),
    [
        ([0x3F80, 0x3D3A], 0.998131514),  # PM5330: leading import, 2 - 1.0018685
        ([0x3F7F, 0x6947], 0.997700155),  # its second phase: lagging
        ([0xBF03, 0xB774], -0.514518023),  # iEM3255: export
        ([0x3F9C, 0x3C3A], 0.779412031),  # PM3200: capacitive import
    ],
)
def test_captured_power_factors_of_schneider(words, power_factor) -> None:
    item = PACKAGED["schneider_iem3000"].registers["power_factor"]

    assert item.decode(words) == pytest.approx(power_factor, rel=1e-8)


@pytest.mark.parametrize(
    ("coded", "power_factor"),
    [(0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (1.25, 0.75), (-1.25, -0.75), (2.0, 0.0), (-0.5, -0.5)],
)
def test_the_four_quadrants(coded, power_factor) -> None:
    item = register("power_factor", coding=Coding.FOUR_QUADRANT)

    assert item.decode(words_of("f32", coded)) == power_factor


@given(st.floats(min_value=2, exclude_min=True, width=32, allow_infinity=False), st.booleans())
@example(2.5, False)
def test_beyond_the_four_quadrants_is_no_power_factor(coded, negative) -> None:
    item = register("power_factor", coding=Coding.FOUR_QUADRANT)

    with pytest.raises(ImplausibleError):
        item.decode(words_of("f32", -coded if negative else coded))


ratios = st.floats(-1, 1, width=32).filter(lambda value: not 0 < abs(value) < 1e-27)


@given(ratios)
def test_a_four_quadrant_power_factor_comes_back(value) -> None:
    item = register("power_factor", coding=Coding.FOUR_QUADRANT)

    assert item.decode(item.encode(value)) == value


@pytest.mark.parametrize(
    ("raw", "exponent", "power_factor"),
    [
        (9925, -4, 0.9925),  # Veris E51C2: a ratio
        (9412, -2, 0.9412),  # the standard: per cent
        (-7582, -4, -0.7582),
        (100, 0, 1.0),
        (1000, -3, 1.0),  # Acuvim II
        (1, 0, 1.0),
        (10005, -4, 1.0005),  # a ratio with noise, not one per cent
        (10005, -2, 1.0005),
        (0, 3, 0.0),
    ],
)
def test_a_power_factor_in_per_cent_or_as_a_ratio(raw, exponent, power_factor) -> None:
    item = PACKAGED["sunspec_meter_integer"].registers["power_factor"]

    assert item.decode(words_of("s16", raw), exponent) == power_factor


@given(ratios)
def test_any_power_factor_comes_back_from_a_percentage(value) -> None:
    item = register("power_factor", coding=Coding.PERCENT_OR_RATIO)

    assert item.decode(item.encode(value)) == pytest.approx(value, rel=1e-6, abs=1e-40)


@pytest.mark.parametrize(
    ("quantity", "kind", "number"),
    [
        ("voltage", "f32", 1.1e6),
        ("current_l1", "f32", -1.1e5),
        ("power", "f32", 3e38),
        ("power", "f64", -1.5e300),
        ("power_factor", "f32", 1.01),
        ("frequency", "f32", 5000.0),
        ("energy_import", "f32", -1.0),
        ("energy_export", "s64", -1),
        ("energy_total", "u64", 2**63),
    ],
)
def test_what_no_meter_can_say_is_implausible(quantity, kind, number) -> None:
    item = register(quantity, kind)
    words = words_of(kind, number)
    raw = "".join(f"{word:04X}" for word in words)

    with pytest.raises(ImplausibleError, match=f"0x{raw}") as caught:
        item.decode(words)
    assert QUANTITIES[quantity].unit in str(caught.value)


@given(
    st.sampled_from(
        [item for profile in PACKAGED.values() for item in profile.registers.values()]
    ).flatmap(
        lambda item: st.tuples(
            st.just(item),
            st.lists(st.integers(0, 0xFFFF), min_size=item.words, max_size=item.words),
        )
    ),
    st.integers(-10, 10),
)
def test_no_content_of_any_packaged_register_does_harm(drawn, exponent) -> None:
    """Whatever lies in a register is a possible value, unknown or refused."""
    item, words = drawn
    try:
        value = item.decode(words, exponent)
    except NotAvailableError, ImplausibleError:
        return
    quantity = QUANTITIES[item.quantity]
    assert isinstance(value, float)
    assert abs(value) <= quantity.limit
    assert not (quantity.counter and value < 0)


def test_a_register_says_where_it_is() -> None:
    assert register().place() == "input 0x0034"
    assert register(function=Function.HOLDING).place(40000) == "holding 0x9C74"


def text_words(text: bytes) -> list[int]:
    text += b"\0" * (len(text) % 2)
    return [int.from_bytes(text[index : index + 2], "big") for index in range(0, len(text), 2)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"iEM3255             ", "iEM3255"),
        (b"PM5330\0\0\0\0", "PM5330"),
        (b"Elkor\0 Hello", "Elkor"),  # rests of other texts behind the end
        (b"\0\0\0\0", ""),
        (b"\xff\xff\xff\xff", ""),
        (b"  M\xc3\xbcller\x07 ", "Müller"),
        (b"", ""),
    ],
)
def test_texts_lose_their_padding(raw, text) -> None:
    assert clean_text(text_words(raw)) == text


def test_texts_with_a_character_in_each_register_or_swapped_ones() -> None:
    assert clean_text([0x53, 0x4F, 0x43, 0x4F]) == "SOCO"
    assert clean_text([0x53, 0x4F, 0, 0]) == "SO"
    swapped = text_words(b"PSME0-30ECEB\0U")
    assert clean_text(swapped, swapped=True) == "SPEM-003CEBEU"


@given(st.lists(st.integers(0, 0xFFFF), max_size=32))
def test_any_words_make_a_printable_text(words) -> None:
    text = clean_text(words)

    assert text.isprintable()
    assert text == text.strip()


def identity(kind: str, length: int, **changes: object) -> IdentityRegister:
    return IdentityRegister(
        address=0, function=Function.HOLDING, type=kind, length=length, **changes
    )


@pytest.mark.parametrize(
    ("item", "words", "said"),
    [
        (identity("u32", 2), [0x00F7, 0xB24F], "16233039"),
        (identity("u32", 2, word_order=WordOrder.LITTLE), [0xB24F, 0x00F7], "16233039"),
        (identity("u32", 2), [0, 0], ""),
        (identity("text", 2), text_words(b"0\0\0\0"), ""),
        (identity("text", 2), text_words(b"0120"), "0120"),
        (identity("u32", 2), [0xFFFF, 0xFFFF], ""),
        (identity("u16", 1, names={15273: "PM5330"}), [15273], "PM5330"),
        (identity("u16", 1, names={15273: "PM5330"}), [15274], ""),
        (identity("text", 3), [0x504D, 0x3533, 0x3330], "PM5330"),
        (identity("swapped_text", 3), [0x4D50, 0x3335, 0x3033], "PM5330"),
    ],
)
def test_what_an_identity_register_says(item, words, said) -> None:
    assert item.decode(words) == said
