"""The form of a profile file, and the step from a checked file to a `Profile`."""

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeIs

import probatio

from ..datafile import DataFile, load_data_file
from .profile import Profile, Protocol, Signature
from .quantities import QUANTITIES, unit_factor
from .registers import NUMBER_TYPES, Coding, Function, IdentityRegister, Register, WordOrder

MODBUS_LIMIT: Final = 125
"""Most registers that the Modbus application protocol allows in one read request."""

_REGISTERS: Final = 65536
_SMALLEST_SCALE: Final = 1e-12


def _one_of(kind: str, names: object) -> Any:
    """Return a check whose message names what is allowed."""
    allowed = sorted(str(name) for name in names)  # type: ignore[attr-defined]

    def check(value: object) -> str:
        if value not in allowed:
            raise probatio.Invalid(f"{value!r} is not a {kind}; known are {', '.join(allowed)}")
        return str(value)

    return check


def _whole(low: int, high: int) -> Any:
    """Return a check for a whole number; true is none, though Python counts it as one."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise probatio.Invalid(f"must be a whole number from {low} to {high}")
        return value

    return check


def _scale(value: object) -> Fraction:
    """Return a scale exactly as it is written: 0.1 is a tenth."""
    if _is_number(value) and _SMALLEST_SCALE <= abs(value) <= 1 / _SMALLEST_SCALE:
        return Fraction(str(value))
    raise probatio.Invalid("must be a number other than zero, from 1e-12 to 1e12 in magnitude")


def _positive(value: object) -> float:
    """Return a number above zero."""
    if _is_number(value) and 0 < value < math.inf:
        return float(value)
    raise probatio.Invalid("must be a number above 0")


def _seconds(value: object) -> float:
    """Return a stretch of time up to a minute."""
    if _is_number(value) and 0 <= value <= 60:
        return float(value)
    raise probatio.Invalid("must be a number of seconds from 0 to 60")


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ADDRESS: Final = _whole(0, 65535)
_TEXT: Final = probatio.All(str, probatio.Length(min=1))
_FUNCTION: Final = _one_of("function", Function)
_NUMBER_TYPE: Final = _one_of("register type", NUMBER_TYPES)

_REGISTER: Final = probatio.Schema(
    {
        probatio.Required("quantity"): _one_of("quantity", QUANTITIES),
        probatio.Required("address"): _ADDRESS,
        probatio.Required("unit"): str,
        probatio.Optional("type"): _NUMBER_TYPE,
        probatio.Optional("scale", default=1): _scale,
        probatio.Optional("scale_register"): _ADDRESS,
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("word_order"): _one_of("word order", WordOrder),
        probatio.Optional("coding"): _one_of("coding", Coding),
        probatio.Optional("alone", default=False): bool,
        probatio.Optional("not_available", default=list): [_whole(0, (1 << 64) - 1)],
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)

_IDENTITY: Final = probatio.Schema(
    {
        probatio.Required("address"): _ADDRESS,
        probatio.Required("type"): _one_of("type", ["text", *NUMBER_TYPES]),
        probatio.Optional("length"): _whole(1, MODBUS_LIMIT),
        probatio.Optional("function"): _FUNCTION,
        probatio.Optional("names", default=dict): {int: str},
        probatio.Optional("note"): str,
    }
)

_SIGNATURE: Final = probatio.Schema(
    probatio.All(
        {
            probatio.Required("address"): _ADDRESS,
            probatio.Optional("length", default=1): _whole(1, MODBUS_LIMIT),
            probatio.Optional("function"): _FUNCTION,
            probatio.Exclusive("codes", "content"): probatio.All(
                [_whole(0, (1 << 64) - 1)], probatio.Length(min=1)
            ),
            probatio.Exclusive("text", "content"): _TEXT,
            probatio.Optional("note"): str,
        },
        probatio.AtLeastOne("codes", "text", msg="give either codes or a text"),
    )
)

PROFILE_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required("id"): probatio.Match(
            r"^[a-z0-9_]+$", msg="use small letters, digits and underscores"
        ),
        probatio.Required("vendor"): _TEXT,
        probatio.Required("name"): _TEXT,
        probatio.Required("models"): probatio.All([_TEXT], probatio.Length(min=1)),
        probatio.Required("phases"): _whole(1, 3),
        probatio.Required("protocol"): _one_of("protocol", Protocol),
        probatio.Required("function"): _FUNCTION,
        probatio.Required("registers"): probatio.All([_REGISTER], probatio.Length(min=1)),
        probatio.Optional("type", default="f32"): _NUMBER_TYPE,
        probatio.Optional("word_order", default="big"): _one_of("word order", WordOrder),
        probatio.Optional("max_registers", default=MODBUS_LIMIT): _whole(1, MODBUS_LIMIT),
        probatio.Optional("sunspec_models", default=list): [_whole(1, 65534)],
        probatio.Optional("signatures", default=list): [_SIGNATURE],
        probatio.Optional("identity", default=dict): {
            _one_of("identity", ["manufacturer", "model", "serial"]): _IDENTITY
        },
        probatio.Optional("not_available", default=dict): {
            _NUMBER_TYPE: [_whole(0, (1 << 64) - 1)]
        },
        probatio.Optional("message_spacing", default=0): _seconds,
        probatio.Optional("max_power", default=1e6): _positive,
        probatio.Optional("rollover", default=dict): {str: _positive},
        probatio.Optional("export_positive", default=list): [_TEXT],
        probatio.Optional("confirmed", default=True): bool,
        probatio.Optional("category"): str,
        probatio.Optional("sources", default=dict): {str: str},
        probatio.Optional("notes", default=list): [str],
    }
)
"""The form of a profile file; unknown keys are refused, so that a typing error shows."""


def load_profile(path: Path) -> Profile:
    """Read one profile file.

    Raises DataFileError naming file and line for everything that is wrong.
    """
    file = load_data_file(path, PROFILE_SCHEMA)
    data = file.data
    function = Function(data["function"])
    protocol = Protocol(data["protocol"])
    if (protocol is Protocol.SUNSPEC) != bool(data["sunspec_models"]):
        raise file.error(
            "sunspec_models belong to the protocol sunspec, and only to it", "protocol"
        )
    for kind, codes in data["not_available"].items():
        _check_fits(file, 0, NUMBER_TYPES[kind].words, codes, "not_available", kind)
    registers = _registers(file, function)
    for key in data["rollover"]:
        if key not in registers or not QUANTITIES[key].counter:
            raise file.error(f"{key} is not a counter of this profile", "rollover", key)
    return Profile(
        id=data["id"],
        vendor=data["vendor"],
        name=data["name"],
        models=tuple(data["models"]),
        phases=data["phases"],
        protocol=protocol,
        registers=registers,
        max_registers=data["max_registers"],
        sunspec_models=frozenset(data["sunspec_models"]),
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
        max_power=data["max_power"],
        rollover=MappingProxyType(data["rollover"]),
        export_positive=frozenset(maker.lower() for maker in data["export_positive"]),
        confirmed=data["confirmed"],
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
