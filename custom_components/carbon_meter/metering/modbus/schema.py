"""The form of a Modbus profile file, and the step from a checked file to a `ModbusProfile`."""

from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import TEXT, one_of, scale, seconds, whole
from ..profile_schema import ProfileForm
from ..quantities import QUANTITIES, unit_factor
from .profile import ModbusProfile, Signature
from .registers import NUMBER_TYPES, Coding, Function, IdentityRegister, Register, WordOrder

MODBUS_LIMIT: Final = 125
"""Most registers that the Modbus application protocol allows in one read request."""

_REGISTERS: Final = 65536

_ADDRESS: Final = whole(0, 65535)
_FUNCTION: Final = one_of("function", Function)
_NUMBER_TYPE: Final = one_of("register type", NUMBER_TYPES)

_REGISTER: Final = probatio.Schema(
    {
        probatio.Required("quantity"): one_of("quantity", QUANTITIES),
        probatio.Required("address"): _ADDRESS,
        probatio.Required("unit"): str,
        probatio.Optional("type"): _NUMBER_TYPE,
        probatio.Optional("scale", default=1): scale,
        probatio.Optional("scale_register"): _ADDRESS,
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("word_order"): one_of("word order", WordOrder),
        probatio.Optional("coding"): one_of("coding", Coding),
        probatio.Optional("alone", default=False): bool,
        probatio.Optional("not_available", default=list): [whole(0, (1 << 64) - 1)],
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)

_IDENTITY: Final = probatio.Schema(
    {
        probatio.Required("address"): _ADDRESS,
        probatio.Required("type"): one_of("type", ["text", *NUMBER_TYPES]),
        probatio.Optional("length"): whole(1, MODBUS_LIMIT),
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("names", default=dict): {int: str},
        probatio.Optional("note"): str,
    }
)

_SIGNATURE: Final = probatio.Schema(
    probatio.All(
        {
            probatio.Required("address"): _ADDRESS,
            probatio.Optional("length", default=1): whole(1, MODBUS_LIMIT),
            probatio.Optional("function"): _FUNCTION,
            probatio.Exclusive("codes", "content"): probatio.All(
                [whole(0, (1 << 64) - 1)], probatio.Length(min=1)
            ),
            probatio.Exclusive("text", "content"): TEXT,
            probatio.Optional("note"): str,
        },
        probatio.AtLeastOne("codes", "text", msg="give either codes or a text"),
    )
)

_COMMON: Final = MappingProxyType(
    {
        probatio.Required("function"): _FUNCTION,
        probatio.Required("registers"): probatio.All([_REGISTER], probatio.Length(min=1)),
        probatio.Optional("type", default="f32"): _NUMBER_TYPE,
        probatio.Optional("word_order", default="big"): one_of("word order", WordOrder),
        probatio.Optional("max_registers", default=MODBUS_LIMIT): whole(1, MODBUS_LIMIT),
        probatio.Optional("signatures", default=list): [_SIGNATURE],
        probatio.Optional("identity", default=dict): {
            one_of("identity", ["manufacturer", "model", "serial"]): _IDENTITY
        },
        probatio.Optional("not_available", default=dict): {_NUMBER_TYPE: [whole(0, (1 << 64) - 1)]},
        probatio.Optional("message_spacing", default=0): seconds,
    }
)


def _build(file: DataFile, arguments: Mapping[str, Any]) -> ModbusProfile:
    """Return the profile that a checked file describes."""
    data = file.data
    function = Function(data["function"])
    for kind, codes in data["not_available"].items():
        _check_fits(file, 0, NUMBER_TYPES[kind].words, codes, "not_available", kind)
    registers = _registers(file, function)
    return ModbusProfile(
        **arguments,
        quantities=tuple(registers),
        registers=registers,
        max_registers=data["max_registers"],
        sunspec_models=frozenset(data.get("sunspec_models", ())),
        signatures=tuple(
            _signature(file, index, row, function) for index, row in enumerate(data["signatures"])
        ),
        identity=MappingProxyType(
            {
                key: _identity(file, key, row, function, WordOrder(data["word_order"]))
                for key, row in data["identity"].items()
            }
        ),
        message_spacing=data["message_spacing"],
    )


def _registers(file: DataFile, function: Function) -> Mapping[str, Register]:
    """Return the registers by quantity."""
    data = file.data
    registers: dict[str, Register] = {}
    for index, row in enumerate(data["registers"]):
        key = row["quantity"]
        if key in registers:
            raise file.error(f"{key} has a register already", "registers", index)
        coding = Coding(row["coding"]) if "coding" in row else None
        if coding and QUANTITIES[key].unit != "1":
            raise file.error(
                f"{coding} codes power factors, not {key}", "registers", index, "coding"
            )
        try:
            factor = row["scale"] * unit_factor(row["unit"], QUANTITIES[key])
        except ValueError as err:
            raise file.error(str(err), "registers", index, "unit") from err
        if coding is Coding.PERCENT_OR_RATIO:
            factor = row["scale"]
        kind = row.get("type", data["type"])
        words = NUMBER_TYPES[kind].words
        _check_fits(file, row["address"], words, row["not_available"], "registers", index)
        registers[key] = Register(
            quantity=key,
            address=row["address"],
            type=kind,
            function=Function(row.get("function", function)),
            word_order=WordOrder(row.get("word_order", data["word_order"])),
            factor=factor,
            scale_register=row.get("scale_register"),
            coding=coding,
            alone=row["alone"],
            not_available=frozenset(row["not_available"])
            | set(data["not_available"].get(kind, ())),
            sources=tuple(row["sources"]),
        )
    return MappingProxyType(registers)


def _check_fits(
    file: DataFile, address: int, words: int, codes: Iterable[int], *where: Hashable
) -> None:
    """Refuse what lies behind the last register, and codes that its words cannot hold."""
    if address + words > _REGISTERS:
        raise file.error(f"{words} registers from {address} on go beyond the last, 65535", *where)
    for code in codes:
        if code >> (16 * words):
            raise file.error(f"0x{code:X} does not fit in {words} registers", *where)


def _signature(file: DataFile, index: int, row: Mapping[str, Any], function: Function) -> Signature:
    _check_fits(file, row["address"], row["length"], row.get("codes", ()), "signatures", index)
    return Signature(
        address=row["address"],
        function=Function(row.get("function", function)),
        length=row["length"],
        codes=frozenset(row.get("codes", ())),
        text=row.get("text", ""),
    )


def _identity(
    file: DataFile, key: str, row: Mapping[str, Any], function: Function, word_order: WordOrder
) -> IdentityRegister:
    kind = row["type"]
    if kind == "text" and "length" not in row:
        raise file.error("a text needs its length in registers", "identity", key)
    length = row["length"] if kind == "text" else NUMBER_TYPES[kind].words
    _check_fits(file, row["address"], length, (), "identity", key)
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
