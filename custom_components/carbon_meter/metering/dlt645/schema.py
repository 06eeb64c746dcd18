"""The form of a DL/T 645 profile file, and the step from a checked file to a `Dlt645Profile`."""

from collections.abc import Mapping
from fractions import Fraction
import re
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import one_of, whole
from ..profile_schema import ProfileForm
from ..quantities import QUANTITIES, unit_factor
from .profile import DataBlock, Datum, Dlt645Profile

_IDENTIFIER: Final = whole(0, 0xFFFFFFFF)
_MOST_DIGITS: Final = 16


def _format(value: object) -> tuple[int, int]:
    """Return the digits of a format such as XXX.XX, and how many lie behind the point."""
    if (
        isinstance(value, str)
        and re.fullmatch(r"X+(\.X+)?", value)
        and value.count("X") <= _MOST_DIGITS
    ):
        return value.count("X"), len(value.partition(".")[2])
    raise probatio.Invalid("must be written as in the standard, for instance XXXXXX.XX")


_DATUM: Final = probatio.Schema(
    {
        probatio.Required("quantity"): one_of("quantity", QUANTITIES),
        probatio.Required("identifier"): _IDENTIFIER,
        probatio.Required("format"): _format,
        probatio.Required("unit"): str,
        probatio.Optional("signed", default=False): bool,
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)

_BLOCK: Final = probatio.Schema(
    {
        probatio.Required("identifier"): _IDENTIFIER,
        probatio.Required("quantities"): probatio.All([str], probatio.Length(min=2)),
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)


def _build(file: DataFile, arguments: Mapping[str, Any]) -> Dlt645Profile:
    """Return the profile that a checked file describes."""
    data: dict[str, Datum] = {}
    for index, row in enumerate(file.data["data"]):
        key = row["quantity"]
        if key in data:
            raise file.error(f"{key} has a data identifier already", "data", index)
        try:
            factor = unit_factor(row["unit"], QUANTITIES[key])
        except ValueError as err:
            raise file.error(str(err), "data", index, "unit") from err
        digits, decimals = row["format"]
        data[key] = Datum(
            quantity=key,
            identifier=row["identifier"],
            digits=digits,
            factor=factor * Fraction(1, 10**decimals),
            signed=row["signed"],
            sources=tuple(row["sources"]),
        )
    for index, row in enumerate(file.data["blocks"]):
        for key in row["quantities"]:
            if key not in data:
                raise file.error(f"{key} has no data identifier of its own", "blocks", index)
    return Dlt645Profile(
        **arguments,
        quantities=tuple(data),
        data=MappingProxyType(data),
        blocks=tuple(
            DataBlock(identifier=row["identifier"], quantities=tuple(row["quantities"]))
            for row in file.data["blocks"]
        ),
        identity=MappingProxyType(file.data["identity"]),
    )


DLT645: Final = ProfileForm(
    protocol="dlt645",
    fields={
        probatio.Required("data"): probatio.All([_DATUM], probatio.Length(min=1)),
        probatio.Optional("blocks", default=list): [_BLOCK],
        probatio.Optional("identity", default=dict): {
            one_of("identity", ["manufacturer", "model"]): _IDENTIFIER
        },
    },
    build=_build,
)
"""Data identifiers of DL/T 645-2007."""
