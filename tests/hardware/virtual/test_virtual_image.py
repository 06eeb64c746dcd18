"""Registers: what is where, what is refused, and what does not fit."""

from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import pytest

from custom_components.carbon_meter.metering.modbus.profile import Choice, ModbusProfile, Option
from custom_components.carbon_meter.metering.modbus.registers import (
    Coding,
    Function,
    Ratio,
    Register,
    ScaleCoding,
    WordOrder,
)
from hardware.virtual.image import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    Content,
    RefusedError,
    RegisterImage,
    Text,
    Variant,
)

HOLDING, INPUT = Function.HOLDING, Function.INPUT


def register(quantity: str, address: int, kind: str = "f32", **more: object) -> Register:
    fields = {"function": INPUT, "word_order": WordOrder.BIG} | more
    return Register(quantity=quantity, address=address, type=kind, **fields)  # type: ignore[arg-type]


def profile(*registers: Register, limit: int = 10) -> ModbusProfile:
    return ModbusProfile(
        id="test",
        vendor="Test",
        name="test",
        models=("test",),
        phases=3,
        protocol="modbus",
        quantities=(),
        registers=MappingProxyType({each.quantity: each for each in registers}),
        max_registers=limit,
    )


def refused(image: RegisterImage, function: Function, address: int, count: int) -> int:
    with pytest.raises(RefusedError) as caught:
        image.words(function, address, count, Content(values={}))
    return caught.value.code


def test_values_lie_where_the_profile_says() -> None:
    image = RegisterImage(profile(register("power", 4), register("voltage", 0, "u16")))
    content = Content(values={"power": -1.5, "voltage": 230.0})
    assert image.words(INPUT, 0, 6, content) == [230, 0, 0, 0, 0xBFC0, 0]
    assert image.words(INPUT, 4, 1, content) == [0xBFC0]
    assert image.words(INPUT, 5, 1, content) == [0]


def test_holes_are_zero_up_to_a_request_wide_and_refused_beyond() -> None:
    image = RegisterImage(
        profile(register("power", 10), register("voltage", 22), register("current", 35))
    )
    content = Content(values={"power": 1.0, "voltage": 1.0, "current": 1.0})
    assert image.words(INPUT, 12, 10, content) == [0] * 10
    assert refused(image, INPUT, 24, 1) == ILLEGAL_ADDRESS
    assert refused(image, INPUT, 23, 2) == ILLEGAL_ADDRESS
    assert refused(image, INPUT, 9, 2) == ILLEGAL_ADDRESS
    assert refused(image, INPUT, 36, 2) == ILLEGAL_ADDRESS
    assert refused(image, INPUT, 65535, 2) == ILLEGAL_ADDRESS


def test_the_two_spaces_are_separate() -> None:
    image = RegisterImage(
        profile(register("power", 0), register("voltage", 0, "u16", function=HOLDING))
    )
    content = Content(values={"power": 1.0, "voltage": 400.0})
    assert image.words(INPUT, 0, 2, content) == [0x3F80, 0]
    assert image.words(HOLDING, 0, 1, content) == [400]
    assert refused(image, HOLDING, 0, 2) == ILLEGAL_ADDRESS


@pytest.mark.parametrize("count", [0, 11, 126, 65535])
def test_a_meter_answers_no_more_than_it_can_in_one_request(count: int) -> None:
    image = RegisterImage(profile(register("power", 0)))
    assert refused(image, INPUT, 0, count) == ILLEGAL_VALUE


def test_a_register_that_must_be_read_alone_is_refused_in_a_block() -> None:
    image = RegisterImage(profile(register("power", 0), register("frequency", 2, alone=True)))
    content = Content(values={"power": 1.0, "frequency": 50.0})
    assert image.words(INPUT, 2, 2, content) == [0x4248, 0]
    assert image.words(INPUT, 0, 2, content) == [0x3F80, 0]
    assert refused(image, INPUT, 0, 4) == ILLEGAL_ADDRESS
    assert refused(image, INPUT, 1, 2) == ILLEGAL_ADDRESS


def test_who_the_meter_is_shows_where_only_that_is_asked_for() -> None:
    text = Text(function=INPUT, address=1, words=(71,))
    image = RegisterImage(profile(register("voltage", 0, "u32")), texts=(text,))
    content = Content(values={"voltage": 65536.0 * 3 + 9})
    assert image.words(INPUT, 1, 1, content) == [71]
    assert image.words(INPUT, 0, 2, content) == [3, 9]


def test_scale_factors_are_served_beside_their_values() -> None:
    image = RegisterImage(
        profile(
            register("voltage", 0, "s16", scale_register=3),
            register("power", 1, "s16", scale_register=4),
        ),
        base=100,
        variant=Variant(exponents={"W": 1}),
    )
    content = Content(values={"voltage": 230.4, "power": -12340.0})
    assert image.words(INPUT, 100, 5, content) == [2304, 0x10000 - 1234, 0, 0xFFFF, 1]
    assert image.rounded("voltage", 230.44) == 230.4
    assert image.rounded("power", -12344.0) == -12340


def test_little_word_order_and_swapped_words() -> None:
    image = RegisterImage(
        profile(
            register("power", 0, word_order=WordOrder.LITTLE),
            register("energy_import", 2, "u64"),
        )
    )
    content = {"power": 1.0, "energy_import": float(0x0001_0002_0003_0004)}
    assert image.words(INPUT, 0, 6, Content(values=content)) == [0, 0x3F80, 1, 2, 3, 4]
    swapped = Content(values=content, swapped=True)
    assert image.words(INPUT, 0, 6, swapped) == [0x3F80, 0, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("kind", "codes", "words"),
    [
        ("f32", (), [0x7FC0, 0]),
        ("f64", (), [0x7FF8, 0, 0, 0]),
        ("f32", (0x80008000,), [0x8000, 0x8000]),
        ("s16", (0x8000,), [0x8000]),
        ("u32", (0xFFFFFFFF, 0), [0xFFFF, 0xFFFF]),
        ("s64", (0x8000000000000001,), [0x8000, 0, 0, 1]),
        ("u16", (), [0]),
    ],
)
def test_what_is_not_known_is_served_as_its_code(
    kind: str, codes: tuple[int, ...], words: list[int]
) -> None:
    each = register("power", 0, kind, not_available=frozenset(codes))
    image = RegisterImage(profile(each))
    assert image.words(INPUT, 0, len(words), Content(values={})) == words
    known = Content(values={"power": 5.0}, unavailable={"power"})
    assert image.words(INPUT, 0, len(words), known) == words
    assert image.can_be_unavailable("power") is (kind != "u16")


def test_a_code_follows_the_word_order() -> None:
    each = register(
        "power",
        0,
        "u32",
        word_order=WordOrder.LITTLE,
        not_available=frozenset({0xFFFF0001}),
    )
    image = RegisterImage(profile(each))
    assert image.words(INPUT, 0, 2, Content(values={})) == [1, 0xFFFF]


@pytest.mark.parametrize(
    ("quantity", "kind", "value", "words"),
    [
        ("energy_import", "u16", 65536.0 + 5, [5]),
        ("energy_import", "u32", 2.0**32 + 7.2, [0, 7]),
        ("energy_import", "s16", 32768.0 + 3, [3]),
        ("power", "s16", 1e6, [0x7FFE]),
        ("power", "s16", -1e6, [0x8001]),
        ("power", "u16", -5.0, [0]),
        ("power", "u16", 1e9, [0xFFFE]),
        ("power", "f32", 1e39, [0x7FC0, 0]),
    ],
)
def test_what_does_not_fit_is_served_as_real_meters_do(
    quantity: str, kind: str, value: float, words: list[int]
) -> None:
    image = RegisterImage(profile(register(quantity, 0, kind)))
    assert image.words(INPUT, 0, len(words), Content(values={quantity: value})) == words


def test_scales_and_codings_are_applied_to_what_does_not_fit() -> None:
    kilo = register("power", 0, "s16", factor=Fraction(1000))
    image = RegisterImage(profile(kilo))
    assert image.words(INPUT, 0, 1, Content(values={"power": 1e9})) == [0x7FFE]
    flipped = register("power", 0, "s16", factor=Fraction(-1))
    image = RegisterImage(profile(flipped))
    assert image.words(INPUT, 0, 1, Content(values={"power": 1e9})) == [0x8001]
    percent = register("power_factor", 0, "s16", coding=Coding.PERCENT_OR_RATIO)
    image = RegisterImage(profile(percent))
    assert image.words(INPUT, 0, 1, Content(values={"power_factor": 0.98})) == [98]
    assert image.words(INPUT, 0, 1, Content(values={"power_factor": 1e6})) == [0x7FFE]


def test_garbage_is_other_words_each_time() -> None:
    image = RegisterImage(profile(register("power", 0), register("voltage", 2)))
    values = {"power": 1.0, "voltage": 1.0}
    clean = image.words(INPUT, 0, 4, Content(values=values))
    first, second = (
        image.words(INPUT, 0, 4, Content(values=values, garbage={"power"}, seed=seed))
        for seed in (1, 2)
    )
    assert first[:2] != clean[:2]
    assert first[:2] != second[:2]
    assert first[2:] == second[2:] == clean[2:]


def test_a_shorter_map_has_fewer_quantities() -> None:
    each = profile(register("power", 0), register("voltage", 2), register("current", 4))
    image = RegisterImage(each, length=5)
    assert image.quantities == ("power", "voltage")
    assert image.touched(INPUT, 1, 2) == {"power", "voltage"}
    assert image.touched(INPUT, 4, 2) == frozenset()


def test_what_is_added_is_parted_and_what_is_subtracted_has_one_side() -> None:
    total = register("energy_import", 0, "u32", plus=(2,))
    net = register("power", 4, "u16", minus=(5,))
    image = RegisterImage(profile(total, net))
    words = image.words(INPUT, 0, 6, Content(values={"energy_import": 1000.0, "power": -70.0}))
    assert words == [0, 750, 0, 250, 0, 70]
    assert image.rounded("energy_import", 1000.0) == 1000
    assert image.rounded("power", -70.0) == -70


def test_a_meter_behind_transformers_shows_less_than_flows() -> None:
    ct = Ratio(name="ct", address=9, function=INPUT)
    pt = Ratio(name="pt", address=8, function=INPUT, factor=Fraction(1, 10))
    each = register("power", 0, "s32", ratios=(pt, ct))
    plain = RegisterImage(profile(each))
    content = Content(values={"power": 120_000.0})
    assert plain.words(INPUT, 0, 10, content)[1] == 120_000 & 0xFFFF
    assert plain.words(INPUT, 8, 2, content) == [10, 1]
    image = RegisterImage(profile(each), variant=Variant(ratios={"ct": 40, "pt": 20}))
    assert image.words(INPUT, 0, 2, content) == [0, 1500]
    assert image.words(INPUT, 8, 2, content) == [20, 40]
    assert image.rounded("power", 120_050.0) == 120_080


def test_a_meter_has_one_option_of_a_choice() -> None:
    options = [
        Option(name=name, registers={"frequency": register("frequency", at, "u16")})
        for name, at in (("first", 0), ("second", 2))
    ]
    several = replace(
        profile(register("power", 4)),
        registers={"power": register("power", 4), **options[0].registers},
        choices=(Choice(name="place", options=tuple(options)),),
    )
    content = Content(values={"frequency": 50.0, "power": 1.0})
    assert RegisterImage(several).words(INPUT, 0, 1, content) == [50]
    image = RegisterImage(several, variant=Variant(options={"place": "second"}))
    assert image.words(INPUT, 2, 1, content) == [50]
    assert refused(image, INPUT, 0, 1) == ILLEGAL_ADDRESS
    with pytest.raises(ValueError, match="no option 'third' of place"):
        RegisterImage(several, variant=Variant(options={"place": "third"}))


def test_the_format_of_a_shark_holds_a_power_of_ten() -> None:
    each = register("energy_import", 0, "s32", scale_register=3, scale_coding=ScaleCoding.SHARK)
    image = RegisterImage(profile(each), variant=Variant(exponents={"Wh": -2}))
    words = image.words(INPUT, 0, 4, Content(values={"energy_import": 12.34}))
    assert words == [0, 1234, 0, 0x35]
    assert each.exponent(words[3]) == -2
