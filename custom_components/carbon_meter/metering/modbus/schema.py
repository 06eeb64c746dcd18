"""The form of a Modbus profile file, and the step from a checked file to a `ModbusProfile`."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import TEXT, one_of, scale, seconds, whole
from ..profile_schema import ProfileForm
from ..quantities import QUANTITIES, unit_factor
from .profile import Choice, DeviceSignature, ModbusProfile, Option
from .registers import (
    NUMBER_TYPES,
    Coding,
    Confidence,
    Function,
    Ratio,
    Register,
    ScaleCoding,
    WordOrder,
)
from .signature_schema import MODBUS_LIMIT, SIGNATURE, build_signature, check_fits
from .texts import TEXT_TYPES, IdentityRegister

_ADDRESS: Final = whole(0, 65535)
_FUNCTION: Final = one_of("function", Function)
_NUMBER_TYPE: Final = one_of("register type", NUMBER_TYPES)

_FORM: Final = MappingProxyType(
    {
        probatio.Required("address"): _ADDRESS,
        probatio.Optional("type"): _NUMBER_TYPE,
        probatio.Optional("scale", default=1): scale,
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("word_order"): one_of("word order", WordOrder),
        probatio.Optional("note"): str,
    }
)
"""What every number in registers may say of itself."""

_REGISTER: Final = probatio.Schema(
    {
        **_FORM,
        probatio.Required("quantity"): one_of("quantity", QUANTITIES),
        probatio.Required("unit"): str,
        probatio.Optional("scale_register"): _ADDRESS,
        probatio.Optional("scale_coding", default="sunspec"): one_of("scale coding", ScaleCoding),
        probatio.Optional("times", default=list): [TEXT],
        probatio.Optional("plus", default=list): [_ADDRESS],
        probatio.Optional("minus", default=list): [_ADDRESS],
        probatio.Optional("models", default=list): [TEXT],
        probatio.Optional("coding"): one_of("coding", Coding),
        probatio.Optional("alone", default=False): bool,
        probatio.Optional("not_available", default=list): [whole(0, (1 << 64) - 1)],
        probatio.Optional("confidence"): one_of("confidence", ["derived", "unverified"]),
        probatio.Optional("sources", default=list): [str],
    }
)

_CHOICE: Final = probatio.Schema(
    {
        probatio.Required("name"): TEXT,
        probatio.Required("options"): probatio.All(
            [
                probatio.Schema(
                    {
                        probatio.Required("name"): TEXT,
                        probatio.Required("registers"): probatio.All(
                            [_REGISTER], probatio.Length(min=1)
                        ),
                    }
                )
            ],
            probatio.Length(min=2),
        ),
    }
)

_IDENTITY: Final = probatio.Schema(
    {
        probatio.Required("address"): _ADDRESS,
        probatio.Required("type"): one_of("type", [*TEXT_TYPES, *NUMBER_TYPES]),
        probatio.Optional("length"): whole(1, MODBUS_LIMIT),
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("names", default=dict): {int: str},
        probatio.Optional("note"): str,
    }
)

_COMMON: Final = MappingProxyType(
    {
        probatio.Required("function"): _FUNCTION,
        probatio.Optional("registers", default=list): [_REGISTER],
        probatio.Optional("other_function"): _FUNCTION,
        probatio.Optional("type", default="f32"): _NUMBER_TYPE,
        probatio.Optional("word_order", default="big"): one_of("word order", WordOrder),
        probatio.Optional("max_registers", default=MODBUS_LIMIT): whole(1, MODBUS_LIMIT),
        probatio.Optional("ratios", default=dict): {TEXT: probatio.Schema(dict(_FORM))},
        probatio.Optional("choices", default=list): [_CHOICE],
        probatio.Optional("checks", default=list): [_REGISTER],
        probatio.Optional("signatures", default=list): [SIGNATURE],
        probatio.Optional("device_identification"): {
            probatio.Required("vendor"): TEXT,
            probatio.Required("product"): TEXT,
        },
        probatio.Optional("identity", default=dict): {
            one_of("identity", ["manufacturer", "model", "serial"]): _IDENTITY
        },
        probatio.Optional("not_available", default=dict): {_NUMBER_TYPE: [whole(0, (1 << 64) - 1)]},
        probatio.Optional("message_spacing", default=0): seconds,
        probatio.Optional("transport", default=list): [
            one_of("transport", ["rtu", "rtu_over_tcp", "tcp", "tcp_gateway"])
        ],
        probatio.Optional("serial_line", default=""): str,
        probatio.Optional("role"): one_of("role", ["grid", "solar", "battery", "load"]),
    }
)


def _build(file: DataFile, arguments: Mapping[str, Any]) -> ModbusProfile:
    """Return the profile that a checked file describes."""
    data = file.data
    function = Function(data["function"])
    for kind, codes in data["not_available"].items():
        check_fits(file, 0, NUMBER_TYPES[kind].words, codes, "not_available", kind)
    ratios = _ratios(file, function)
    build = partial(_registers, file, function, ratios)
    registers = dict(build(data["registers"], "registers"))
    choices = _choices(file, build, registers)
    for option in (option for choice in choices for option in choice.options):
        for key, register in option.registers.items():
            registers.setdefault(key, register)
    if not registers:
        raise file.error("no register is described")
    checks = [build([row], "checks", index) for index, row in enumerate(data["checks"])]
    for index, check in enumerate(checks):
        if not set(check) <= set(registers):
            raise file.error("checks repeat a quantity that has a register", "checks", index)
    other = data.get("other_function")
    word_order = WordOrder(data["word_order"])
    return ModbusProfile(
        **arguments,
        quantities=tuple(registers),
        registers=MappingProxyType(registers),
        max_registers=data["max_registers"],
        function=function,
        other_function=Function(other) if other else None,
        choices=choices,
        checks=tuple(register for check in checks for register in check.values()),
        sunspec_models=frozenset(data.get("sunspec_models", ())),
        signatures=tuple(
            build_signature(file, row, function, "signatures", index)
            for index, row in enumerate(data["signatures"])
        ),
        device_signature=(
            DeviceSignature(**data["device_identification"])
            if "device_identification" in data
            else None
        ),
        identity=MappingProxyType(
            {
                key: _identity(file, key, row, function, word_order)
                for key, row in data["identity"].items()
            }
        ),
        message_spacing=data["message_spacing"],
        transport=tuple(data["transport"]),
        serial_line=data["serial_line"],
        role=data.get("role", ""),
    )


def _ratios(file: DataFile, function: Function) -> dict[str, Ratio]:
    """Return the ratios by the names that registers refer to."""
    ratios: dict[str, Ratio] = {}
    for name, row in file.data["ratios"].items():
        kind = row.get("type", "u16")
        check_fits(file, row["address"], NUMBER_TYPES[kind].words, (), "ratios", name)
        if row["scale"] < 0:
            raise file.error("a ratio is above zero", "ratios", name, "scale")
        ratios[name] = Ratio(
            name=name,
            address=row["address"],
            function=Function(row.get("function", function)),
            type=kind,
            word_order=WordOrder(row.get("word_order", file.data["word_order"])),
            factor=row["scale"],
        )
    return ratios


def _choices(
    file: DataFile,
    build: Callable[..., Mapping[str, Register]],
    fixed: Mapping[str, Register],
) -> tuple[Choice, ...]:
    """Return the choices; their quantities are in no other place."""
    choices: list[Choice] = []
    taken = set(fixed)
    for index, row in enumerate(file.data["choices"]):
        options: list[Option] = []
        for number, each in enumerate(row["options"]):
            where = ("choices", index, "options", number)
            registers = build(each["registers"], *where, "registers")
            if both := taken.intersection(registers):
                raise file.error(f"{min(both)} has a register already", *where)
            if options and not set(options[0].registers).intersection(registers):
                raise file.error("an option shares no quantity with the first", *where)
            if each["name"] in {option.name for option in options}:
                raise file.error(f"{each['name']!r} is the name of another option", *where)
            options.append(Option(name=each["name"], registers=registers))
        taken.update(key for option in options for key in option.registers)
        choices.append(Choice(name=row["name"], options=tuple(options)))
    return tuple(choices)


def _registers(
    file: DataFile,
    function: Function,
    ratios: Mapping[str, Ratio],
    rows: Iterable[Mapping[str, Any]],
    *where: Hashable,
) -> Mapping[str, Register]:
    """Return the registers of some rows by quantity; `where` is the place of the rows."""
    registers: dict[str, Register] = {}
    for index, row in enumerate(rows):
        # A check is a single row, which stands where its list does.
        place = where if where[0] == "checks" else (*where, index)
        key = row["quantity"]
        if key in registers:
            raise file.error(f"{key} has a register already", *place)
        registers[key] = _register(file, function, ratios, row, place)
    return MappingProxyType(registers)


def _register(
    file: DataFile,
    function: Function,
    ratios: Mapping[str, Ratio],
    row: Mapping[str, Any],
    place: tuple[Hashable, ...],
) -> Register:
    """Return one register."""
    data = file.data
    key = row["quantity"]
    kind = row.get("type", data["type"])
    words = NUMBER_TYPES[kind].words
    for address in (row["address"], *row["plus"], *row["minus"]):
        check_fits(file, address, words, row["not_available"], *place)
    unknown = set(row["times"]) - set(ratios)
    if unknown:
        raise file.error(f"there is no ratio {min(unknown)!r}", *place, "times")
    if row["models"] and "model" not in data["identity"]:
        raise file.error("nothing in `identity` tells the model", *place, "models")
    doubt = row.get("confidence")
    return Register(
        quantity=key,
        address=row["address"],
        type=kind,
        function=Function(row.get("function", function)),
        word_order=WordOrder(row.get("word_order", data["word_order"])),
        factor=_factor(file, row, place),
        scale_register=row.get("scale_register"),
        scale_coding=ScaleCoding(row["scale_coding"]),
        ratios=tuple(ratios[name] for name in row["times"]),
        plus=tuple(row["plus"]),
        minus=tuple(row["minus"]),
        models=tuple(row["models"]),
        coding=Coding(row["coding"]) if "coding" in row else None,
        alone=row["alone"],
        not_available=frozenset(row["not_available"]) | set(data["not_available"].get(kind, ())),
        sources=tuple(row["sources"]),
        doubt=Confidence(doubt) if doubt else None,
    )


def _factor(file: DataFile, row: Mapping[str, Any], place: tuple[Hashable, ...]) -> Fraction:
    """Return what makes a value of the number; refuses a coding that does not fit the quantity."""
    quantity = QUANTITIES[row["quantity"]]
    coding = Coding(row["coding"]) if "coding" in row else None
    if coding is Coding.MAGNITUDE:
        if not quantity.counter:
            raise file.error(f"{coding} codes counters, not {quantity.key}", *place, "coding")
    elif coding and quantity.unit != "1":
        raise file.error(f"{coding} codes power factors, not {quantity.key}", *place, "coding")
    if coding is Coding.PERCENT_OR_RATIO:
        return Fraction(row["scale"])
    try:
        return Fraction(row["scale"] * unit_factor(row["unit"], quantity))
    except ValueError as err:
        raise file.error(str(err), *place, "unit") from err


def _identity(
    file: DataFile, key: str, row: Mapping[str, Any], function: Function, word_order: WordOrder
) -> IdentityRegister:
    kind = row["type"]
    if kind in TEXT_TYPES and "length" not in row:
        raise file.error("a text needs its length in registers", "identity", key)
    length = row["length"] if kind in TEXT_TYPES else NUMBER_TYPES[kind].words
    check_fits(file, row["address"], length, (), "identity", key)
    return IdentityRegister(
        address=row["address"],
        function=Function(row.get("function", function)),
        type=kind,
        length=length,
        word_order=word_order,
        names=MappingProxyType(row["names"]),
    )


MODBUS: Final = ProfileForm(protocol="modbus", fields=_COMMON, build=_build)
"""A fixed map."""

SUNSPEC: Final = ProfileForm(
    protocol="sunspec",
    fields={
        **_COMMON,
        probatio.Required("sunspec_models"): probatio.All(
            [whole(1, 65534)], probatio.Length(min=1)
        ),
    },
    build=_build,
)
"""A map of SunSpec models."""
