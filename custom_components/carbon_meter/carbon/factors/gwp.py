"""Global warming potentials: other gases as carbon dioxide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import load_data_file

_SETS: Final = Path(__file__).parent / "gwp"

AR5: Final = "ar5"
"""Id of the set of the IPCC's Fifth Assessment Report, without climate-carbon feedback."""

AR6: Final = "ar6"
"""Id of the set of the IPCC's Sixth Assessment Report."""


@dataclass(frozen=True, kw_only=True)
class GwpSet:
    """What one gram of each gas warms over 100 years, in grams of CO2."""

    id: str
    title: str
    url: str
    licence: str
    via: str
    potentials: Mapping[str, float]


def _potential(value: Any) -> float:
    """Accept a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise probatio.Invalid(f"{value!r} is not a number")
    if not math.isfinite(value) or value <= 0:
        raise probatio.Invalid(f"{value} is not a warming potential")
    return float(value)


_SCHEMA: Final[Callable[[Any], dict[str, Any]]] = probatio.Schema(
    {
        probatio.Required("id"): str,
        probatio.Required("title"): str,
        probatio.Required("url"): str,
        probatio.Required("licence"): str,
        probatio.Required("via"): str,
        probatio.Required("potentials"): {str: _potential},
    }
)


@cache
def load_gwp_sets() -> Mapping[str, GwpSet]:
    """Return the packaged sets by their ids. Reads files, so call it in an executor.

    Raises DataFileError, with file and line, for a file that is not a set.
    """
    sets = {}
    for path in sorted(_SETS.glob("*.yaml")):
        data = load_data_file(path, _SCHEMA).data
        data = {**data, "potentials": MappingProxyType(data["potentials"])}
        sets[data["id"]] = GwpSet(**data)
    return MappingProxyType(sets)


def co2_equivalent(masses: Mapping[str, float], gwp: GwpSet) -> float:
    """Return the mass of CO2 that warms as much as some gases, in the unit of the masses.

    `masses` are by formula: CO2, CH4, N2O, SF6 and so on.

    Raises LookupError for a gas that the set does not have, ValueError for a
    mass that is not finite.
    """
    missing = sorted(set(masses) - set(gwp.potentials))
    if missing:
        raise LookupError(f"{gwp.id} has no warming potential of {', '.join(missing)}")
    total = math.fsum(mass * gwp.potentials[gas] for gas, mass in masses.items())
    if not math.isfinite(total):
        raise ValueError("a mass is not finite")
    return total
