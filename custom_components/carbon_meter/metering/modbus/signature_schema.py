"""How the contents that prove a family are written in a profile file."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import TEXT, one_of, whole
from .profile import Signature
from .registers import Function

MODBUS_LIMIT: Final = 125
"""Most registers that the Modbus application protocol allows in one read request."""

_REGISTERS: Final = 65536

_CONTENT: Final = {
    probatio.Required("address"): whole(0, 65535),
    probatio.Optional("length", default=1): whole(1, MODBUS_LIMIT),
    probatio.Optional("start", default=0): whole(0, MODBUS_LIMIT - 1),
    probatio.Optional("function"): one_of("function", Function),
    probatio.Exclusive("codes", "content"): probatio.All(
        [whole(1, (1 << 64) - 1)], probatio.Length(min=1)
    ),
    probatio.Exclusive("text", "content"): probatio.Any(
        TEXT, probatio.All([TEXT], probatio.Length(min=1))
    ),
    probatio.Optional("swapped", default=False): bool,
    probatio.Optional("note"): str,
}
_SOMETHING: Final = probatio.AtLeastOne("codes", "text", msg="give either codes or a text")

SIGNATURE: Final = probatio.Schema(
    probatio.All(
        {
            **_CONTENT,
            probatio.Optional("beside"): probatio.All(dict(_CONTENT), _SOMETHING),
            probatio.Optional("order", default=50): whole(0, 99),
        },
        _SOMETHING,
    )
)
"""One content that proves a family."""


def build_signature(
    file: DataFile, row: Mapping[str, Any], function: Function, *where: Hashable
) -> Signature:
    """Return the signature that a checked row describes; `where` is its place in the file."""
    words = row["length"] - row["start"]
    if words < 1:
        raise file.error("the content begins behind the end of its block", *where)
    if row["length"] > (limit := file.data["max_registers"]):
        raise file.error(f"no request brings more than max_registers, {limit}", *where)
    check_fits(file, row["address"], row["length"], (), *where)
    check_fits(file, row["address"], words, row.get("codes", ()), *where)
    if any(code == (1 << 16 * words) - 1 for code in row.get("codes", ())):
        raise file.error(
            "all ones prove nothing: devices answer so where they have nothing", *where
        )
    text = row.get("text", ())
    beside = row.get("beside")
    return Signature(
        address=row["address"],
        function=Function(row.get("function", function)),
        length=row["length"],
        start=row["start"],
        codes=frozenset(row.get("codes", ())),
        texts=(text,) if isinstance(text, str) else tuple(text),
        swapped=row["swapped"],
        beside=build_signature(file, beside, function, *where, "beside") if beside else None,
        order=row.get("order", 0),
    )


def check_fits(
    file: DataFile, address: int, words: int, codes: Iterable[int], *where: Hashable
) -> None:
    """Refuse what lies behind the last register, and codes that its words cannot hold."""
    if address + words > _REGISTERS:
        raise file.error(f"{words} registers from {address} on go beyond the last, 65535", *where)
    for code in codes:
        if code >> (16 * words):
            raise file.error(f"0x{code:X} does not fit in {words} registers", *where)
