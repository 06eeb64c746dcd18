"""Profile files: what is wrong is named with its line, and nothing wrong becomes a profile."""

from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
import yaml

from custom_components.carbon_meter.datafile import DataFileError, Problem
from custom_components.carbon_meter.metering.modbus.profile import (
    DeviceSignature,
    ModbusProfile,
    Signature,
)
from custom_components.carbon_meter.metering.modbus.registers import (
    Coding,
    Confidence,
    Function,
    Register,
    ScaleCoding,
    WordOrder,
)
from custom_components.carbon_meter.metering.profile_library import FORMS
from custom_components.carbon_meter.metering.profile_schema import load_profile

PROFILE = """\
id: test_meter
vendor: Test
name: T-series
models: [T1, T2]
phases: 3
protocol: modbus
function: input
type: u32
word_order: little
max_registers: 40
message_spacing: 0.05
max_power: 50000
rollover: {energy_import: 1000000000}
not_available:
  u32: [0xFFFFFFFF]
signatures:
  - {function: holding, address: 11, codes: [71, 72]}
  - {address: 0x20, length: 4, text: Test}
identity:
  model: {address: 0x20, type: text, length: 8}
  serial: {function: holding, address: 0x100, type: u32}
registers:
  - {quantity: voltage_l1, address: 0, unit: V, scale: 0.1}
  - {quantity: power, address: 0x28, type: s32, unit: kW, scale: 0.01, note: signed}
  - {quantity: energy_import, address: 0x34, unit: kWh, scale: 0.1, not_available: [0x7FFFFFFF]}
  - quantity: power_factor
    address: 0x40
    type: s16
    function: holding
    word_order: big
    scale: 0.001
    unit: ""
    alone: true
sources: {manual: printed}
notes: [made up]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meter.yaml"
    path.write_text(text)
    return path


def load(tmp_path: Path, text: str = PROFILE) -> ModbusProfile:
    return load_profile(write(tmp_path, text), FORMS)


def test_a_profile_is_what_the_file_says(tmp_path) -> None:
    profile = load(tmp_path)

    assert (profile.id, profile.vendor, profile.title) == ("test_meter", "Test", "Test T-series")
    assert (profile.phases, profile.protocol) == (3, "modbus")
    assert (profile.max_registers, profile.message_spacing) == (40, 0.05)
    assert (profile.max_power, profile.rollover) == (50000.0, {"energy_import": 1e9})
    assert profile.signatures == (
        Signature(address=11, function=Function.HOLDING, length=1, codes=frozenset({71, 72})),
        Signature(address=32, function=Function.INPUT, length=4, texts=("Test",)),
    )
    voltage, power = profile.registers["voltage_l1"], profile.registers["power"]
    assert (voltage.type, voltage.word_order, voltage.function) == (
        "u32",
        WordOrder.LITTLE,
        Function.INPUT,
    )
    assert voltage.factor == Fraction(1, 10)
    assert (power.type, power.factor, power.not_available) == ("s32", 10, frozenset())
    energy = profile.registers["energy_import"]
    assert energy.factor == 100
    assert energy.not_available == {0xFFFFFFFF, 0x7FFFFFFF}
    factor = profile.registers["power_factor"]
    assert (factor.alone, factor.function, factor.words) == (True, Function.HOLDING, 1)
    assert profile.identity["model"].length == 8
    assert profile.identity["serial"].length == 2
    assert profile.identity["serial"].word_order is WordOrder.LITTLE


def test_what_a_file_may_leave_out(tmp_path) -> None:
    profile = load(
        tmp_path,
        "id: a\nvendor: V\nname: N\nmodels: [M]\nphases: 1\nprotocol: modbus\nfunction: holding\n"
        "registers:\n  - {quantity: power, address: 0, unit: W}\n",
    )

    assert profile.registers["power"].type == "f32"
    assert profile.registers["power"].word_order is WordOrder.BIG
    assert (profile.max_registers, profile.message_spacing, profile.max_power) == (125, 0.0, 1e6)
    assert profile.confirmed
    assert profile.rollover == profile.identity == {}


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        (("id: test_meter", "id: Test-Meter"), 1, "id: use small letters, digits and underscores"),
        (("vendor: Test\n", ""), 1, "vendor"),
        (("vendor: Test", "vendor: ''"), 2, "vendor"),
        (("vendor: Test", "vendor: 7"), 2, "vendor"),
        (("models: [T1, T2]", "models: []"), 4, "models"),
        (("phases: 3", "phases: 4"), 5, "phases: must be a whole number from 1 to 3"),
        (("phases: 3", "phases: true"), 5, "phases: must be a whole number from 1 to 3"),
        (("phases: 3", "phases: 3.0"), 5, "phases: must be a whole number from 1 to 3"),
        (("protocol: modbus", "protocol: mbus"), 6, "'mbus' is not a protocol; known are"),
        (("protocol: modbus", "protocol: sunspec"), 1, "sunspec_models: required"),
        (
            ("phases: 3", "sunspec_models: [203]\nphases: 3"),
            5,
            "sunspec_models: not a valid option",
        ),
        (("function: input", "function: coil"), 7, "'coil' is not a function; known are holding"),
        (("type: u32\nword", "type: u24\nword"), 8, "'u24' is not a register type; known are f32"),
        (("word_order: little", "word_order: mid"), 9, "'mid' is not a word order; known are big"),
        (("max_registers: 40", "max_registers: 126"), 10, "a whole number from 1 to 125"),
        (("max_registers: 40", "max_registers: 0"), 10, "a whole number from 1 to 125"),
        (("message_spacing: 0.05", "message_spacing: -1"), 11, "seconds from 0 to 60"),
        (("message_spacing: 0.05", "message_spacing: .inf"), 11, "seconds from 0 to 60"),
        (("message_spacing: 0.05", "message_spacing: .nan"), 11, "seconds from 0 to 60"),
        (("max_power: 50000", "max_power: 0"), 12, "max_power: must be a number above 0"),
        (("max_power: 50000", "max_power: .inf"), 12, "max_power: must be a number above 0"),
        (("max_power: 50000", "max_power: .nan"), 12, "max_power: must be a number above 0"),
        (("max_power: 50000", "max_power: true"), 12, "max_power: must be a number above 0"),
        (("import: 1000000000", "import: 0"), 13, "rollover.energy_import: must be a number abo"),
        (("{energy_import: 1", "{power: 1"), 13, "power is not a counter of this profile"),
        (("{energy_import: 1", "{energy_export: 1"), 13, "energy_export is not a counter of this"),
        (("u32: [0xFFFFFFFF]", "u32: [0x1FFFFFFFF]"), 15, "0x1FFFFFFFF does not fit in 2 regist"),
        (("u32: [0xFFFFFFFF]", "u32: [-1]"), 15, "must be a whole number from 0 to"),
        (("codes: [71, 72]", "codes: []"), 17, "codes"),
        (("codes: [71, 72]", "codes: [65536]"), 17, "0x10000 does not fit in 1 registers"),
        (("codes: [71, 72]", "length: 1"), 17, "give either codes or a text"),
        (("codes: [71, 72]", "codes: [71], text: x"), 17, "content"),
        (("address: 11,", "address: 65536,"), 17, "a whole number from 0 to 65535"),
        (("{address: 0x20, length: 4", "{address: 0xFFFE, length: 4"), 18, "beyond the last"),
        (("type: text, length: 8", "type: text"), 20, "a text needs its length in registers"),
        (("model: {address: 0x20", "model: {address: 0xFFFC"), 20, "beyond the last, 65535"),
        (("  model: {", "  colour: {"), 20, "'colour' is not a identity; known are manufacturer"),
        (("quantity: voltage_l1", "quantity: volts"), 23, "'volts' is not a quantity; known are"),
        (("address: 0, unit", "address: -1, unit"), 23, "registers.0.address: must be a whole"),
        (("address: 0, unit", "address: 0xFFFF, unit"), 23, "2 registers from 65535 on go beyond"),
        (("unit: V, scale: 0.1", "unit: A, scale: 0.1"), 23, "the unit 'A' does not fit voltage_"),
        (("unit: V, scale: 0.1", "unit: V, scale: 0"), 23, "scale: must be a number other than"),
        (("unit: V, scale: 0.1", "unit: V, scale: .nan"), 23, "scale: must be a number other tha"),
        (("unit: V, scale: 0.1", "unit: V, scale: 1e300"), 23, "scale: must be a number other th"),
        (("unit: V, scale: 0.1", "unit: V, scale: x"), 23, "scale: must be a number other than"),
        (("unit: V, scale: 0.1", "unit: V, scales: 1"), 23, "registers.0.scales"),
        (("unit: V, scale: 0.1", "unit: V, coding: percent_or_ratio"), 23, "codes power factors"),
        (("quantity: power,", "quantity: voltage_l1,"), 24, "voltage_l1 has a register already"),
        (("[0x7FFFFFFF]", "[0x7FFFFFFF0]"), 25, "0x7FFFFFFF0 does not fit in 2 registers"),
        (("    alone: true", "    alone: yes"), 33, "registers.3.alone: expected bool"),
        (("notes: [made up]", "note: made up"), 35, "note"),
        (("notes: [made up]", "vendor: Other"), 35, "the key 'vendor' is written twice"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, wrong, line, message) -> None:
    before, after = wrong
    assert PROFILE.count(before) == 1

    with pytest.raises(DataFileError) as caught:
        load(tmp_path, PROFILE.replace(before, after))

    problem = caught.value.problems[0]
    assert problem.file == str(tmp_path / "meter.yaml")
    assert (problem.line, message in problem.message) == (line, True), problem


def test_all_mistakes_that_the_schema_sees_are_told_at_once(tmp_path) -> None:
    text = PROFILE.replace("phases: 3", "phases: 9").replace("unit: kW, ", "")

    with pytest.raises(DataFileError) as caught:
        load(tmp_path, text)

    assert [problem.line for problem in caught.value.problems] == [5, 24]


def test_power_factors_may_be_in_per_cent_or_not(tmp_path) -> None:
    coded = PROFILE.replace('unit: ""', 'unit: "%"\n    coding: percent_or_ratio')

    assert load(tmp_path, coded).registers["power_factor"].coding is Coding.PERCENT_OR_RATIO
    assert load(tmp_path, coded).registers["power_factor"].decode([941]) == 0.941
    plain = PROFILE.replace('unit: ""', 'unit: "%"')
    assert load(tmp_path, plain).registers["power_factor"].decode([941]) == 0.00941


RICH = """\
id: rich
vendor: Test
name: R
models: [R1]
phases: 3
protocol: modbus
function: holding
other_function: input
type: u32
transport: [rtu, tcp_gateway]
serial_line: 9600 8N1
role: grid
ratios:
  pt: {address: 7, scale: 0.1}
  ct: {address: 6}
device_identification: {vendor: Maker, product: PAC}
signatures:
  - address: 64001
    length: 27
    start: 1
    text: [7KM, 7KT]
    beside: {address: 50000, length: 4, codes: [0x0053004F0043004F]}
    order: 45
identity:
  model: {address: 11, type: u16, names: {345: ET340}}
registers:
  - {quantity: power, address: 0, minus: [2], unit: W, times: [pt, ct]}
  - {quantity: energy_import, address: 4, plus: [8, 10], unit: Wh, sources: [a, b]}
  - {quantity: energy_export, address: 12, unit: Wh, models: [ET340], confidence: derived}
  - quantity: reactive_energy_import
    address: 14
    unit: varh
    scale_register: 16
    scale_coding: shark
    coding: magnitude
    sources: [a]
choices:
  - name: scale of the frequency
    options:
      - name: hundredths
        registers:
          - {quantity: frequency, address: 20, scale: 0.01, unit: Hz}
      - name: thousandths
        registers:
          - {quantity: frequency, address: 20, scale: 0.001, unit: Hz}
          - {quantity: voltage, address: 22, unit: V}
checks:
  - {quantity: power, address: 24, type: f32, unit: W}
"""


def test_what_a_rich_profile_says(tmp_path) -> None:
    profile = load(tmp_path, RICH)

    assert (profile.function, profile.other_function) == (Function.HOLDING, Function.INPUT)
    assert (profile.transport, profile.serial_line) == (("rtu", "tcp_gateway"), "9600 8N1")
    assert profile.role == "grid"
    power = profile.registers["power"]
    assert power.minus == (2,)
    assert [(each.name, each.address, each.factor) for each in power.ratios] == [
        ("pt", 7, Fraction(1, 10)),
        ("ct", 6, Fraction(1)),
    ]
    assert profile.registers["energy_import"].plus == (8, 10)
    assert profile.registers["energy_import"].confidence is Confidence.CONFIRMED
    assert profile.registers["energy_export"].models == ("ET340",)
    assert profile.registers["energy_export"].confidence is Confidence.DERIVED
    packed = profile.registers["reactive_energy_import"]
    assert (packed.scale_coding, packed.coding) == (ScaleCoding.SHARK, Coding.MAGNITUDE)
    assert packed.confidence is Confidence.SINGLE
    (choice,) = profile.choices
    assert [option.name for option in choice.options] == ["hundredths", "thousandths"]
    assert profile.registers["frequency"].factor == Fraction(1, 100)
    assert set(profile.quantities) == set(profile.registers)
    assert {"frequency", "voltage"} <= set(profile.quantities)
    assert [item.quantity for item in profile.fixed_registers] == list(profile.registers)[:4]
    assert [item.quantity for item in profile.checks] == ["power"]
    (signature,) = profile.signatures
    assert (signature.start, signature.texts, signature.order) == (1, ("7KM", "7KT"), 45)
    assert signature.beside is not None
    assert signature.beside.codes == {0x0053004F0043004F}
    assert profile.device_signature == DeviceSignature(vendor="Maker", product="PAC")
    assert profile.is_provable


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        (("other_function: input", "other_function: coil"), 8, "'coil' is not a function"),
        (("[rtu, tcp_gateway]", "[bus]"), 10, "'bus' is not a transport"),
        (("role: grid", "role: roof"), 12, "'roof' is not a role; known are battery, grid"),
        (("scale: 0.1}", "scale: -0.1}"), 14, "a ratio is above zero"),
        (("ct: {address: 6}", "ct: {address: 65536}"), 15, "a whole number from 0 to 65535"),
        (("times: [pt, ct]", "times: [pt, xt]"), 27, "there is no ratio 'xt'"),
        (("start: 1", "start: 27"), 18, "the content begins behind the end of its block"),
        (("codes: [0x0053004F0043004F]", "codes: [0xFFFFFFFFFFFFFFFF]"), 22, "all ones prove not"),
        (("codes: [0x0053004F0043004F]", "codes: [0]"), 22, "must be a whole number from 1"),
        (("product: PAC", "product: ''"), 16, "device_identification.product"),
        (("minus: [2]", "minus: [65535]"), 27, "2 registers from 65535 on go beyond the last"),
        (("  model: {address: 11", "  serial: {address: 11"), 29, "nothing in `identity` tells"),
        (("confidence: derived", "confidence: good"), 29, "'good' is not a confidence"),
        (("scale_coding: shark", "scale_coding: bcd"), 34, "'bcd' is not a scale coding"),
        (
            ("quantity: voltage, address: 22, unit: V", "quantity: power, address: 22, unit: W"),
            43,
            "power has a register already",
        ),
        (("name: thousandths", "name: hundredths"), 43, "is the name of another option"),
        (("type: f32, unit: W", "type: f32, unit: A"), 48, "the unit 'A' does not fit power"),
        (
            (
                "{quantity: power, address: 24, type: f32, unit: W}",
                "{quantity: current, address: 24, unit: A}",
            ),
            48,
            "checks repeat a quantity",
        ),
    ],
)
def test_a_mistake_in_a_rich_profile_is_named_with_its_line(tmp_path, wrong, line, message) -> None:
    before, after = wrong
    assert RICH.count(before) == 1

    with pytest.raises(DataFileError) as caught:
        load(tmp_path, RICH.replace(before, after))

    problem = caught.value.problems[0]
    assert (problem.line, message in problem.message) == (line, True), problem


def test_a_profile_describes_a_register(tmp_path) -> None:
    head = RICH[: RICH.index("registers:")]

    with pytest.raises(DataFileError, match="no register is described"):
        load(tmp_path, head)


def test_options_share_a_quantity(tmp_path) -> None:
    other = RICH.replace(
        "- {quantity: frequency, address: 20, scale: 0.001, unit: Hz}\n", "# another\n"
    )

    with pytest.raises(DataFileError, match="an option shares no quantity with the first"):
        load(tmp_path, other)


DOCUMENT = yaml.safe_load(PROFILE) | yaml.safe_load(RICH)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 70000)
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["f32", "u64", "text", "sunspec", "holding", "%", "kWh", "energy_import"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def places(node: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [where] * bool(where) + [
        place for key in keys for place in places(node[key], (*where, key))
    ]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(places(DOCUMENT)), ANYTHING), min_size=1, max_size=3))
def test_no_malformed_profile_does_more_than_be_refused(tmp_path, changes) -> None:
    document = deepcopy(DOCUMENT)
    for where, value in changes:
        node = document
        try:
            for key in where[:-1]:
                node = node[key]
            node[where[-1]] = value
        except IndexError, KeyError, TypeError:
            continue  # an earlier change took the place away
    path = write(tmp_path, yaml.safe_dump(document, allow_unicode=True))
    lines = path.read_text().count("\n") + 1

    problems: tuple[Problem, ...] = ()
    registers: list[Register] = []
    try:
        registers = list(load_profile(path, FORMS).registers.values())
    except DataFileError as err:
        problems = err.problems

    assert bool(problems) != bool(registers)
    assert all(1 <= problem.line <= lines for problem in problems)
    assert all(register.address + register.words <= 65536 for register in registers)
