"""Read one factor file, keeping every row that is sound."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import probatio

from ...datafile import DataFile, Problem, load_data_file
from .amounts import Measure, to_grams_per_measure
from .factor import Carrier, EmissionFactor, FactorSource
from .periods import separate
from .schema import HEADER, ROW

HIGHEST_FIGURES: Final = {
    Measure.ENERGY: 5000.0,
    Measure.VOLUME: 5_000_000.0,
    Measure.MASS: 5000.0,
}
"""In gCO2eq per kWh, m³ and kg: what is higher is taken for a slip of unit or decimal point."""

BURNT: Final = frozenset(
    {
        Carrier.NATURAL_GAS,
        Carrier.LPG,
        Carrier.HEATING_OIL,
        Carrier.KEROSENE,
        Carrier.WOOD,
        Carrier.WOOD_CHIPS,
        Carrier.WOOD_PELLETS,
    }
)
"""Carriers whose energy is gross or net, ten percent apart."""

_OF_A_ROW: Final = frozenset(field.name for field in fields(EmissionFactor))


@dataclass(frozen=True, kw_only=True)
class FactorFile:
    """A factor file's source, its sound rows and what is wrong with the others.

    `line` is the line of the file's id.
    """

    line: int
    source: FactorSource
    factors: tuple[EmissionFactor, ...]
    problems: tuple[Problem, ...]


def read_factor_file(path: Path) -> FactorFile:
    """Read a factor file.

    A row with a hole, with a figure that cannot be, or for a time that another
    row is for too, is left out and named among the problems; the rest of the
    file stays usable.

    Raises DataFileError where nothing of the file can be used: it is not YAML,
    or its header does not say what its figures are.
    """
    file = load_data_file(path, HEADER)
    header = dict(file.data)
    rows = header.pop("factors")
    source = FactorSource(**header, file=str(path))

    kinds: dict[tuple[tuple[str, Any], ...], FactorSource] = {(): source}
    factors: list[EmissionFactor] = []
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        try:
            own, kind = _apart(ROW(row))
            if kind not in kinds:
                kinds[kind] = replace(source, **dict(kind))
            factors.append(_factor(kinds[kind], own, file.line("factors", index)))
        except probatio.Invalid as err:
            problems.extend(_problems(file, index, err))
    sound, repeated = separate(factors)
    return FactorFile(
        line=file.line("id"),
        source=source,
        factors=sound,
        problems=tuple(sorted([*problems, *repeated], key=lambda problem: problem.line)),
    )


def _apart(row: dict[str, Any]) -> tuple[dict[str, Any], tuple[tuple[str, Any], ...]]:
    """Return what a row says of its figure, and what it says otherwise than the header."""
    if (calorific := row.pop("calorific_value", None)) is not None:
        row["calorific_value"], row["calorific_per"] = calorific
    own = {key: value for key, value in row.items() if key in _OF_A_ROW}
    kind = {key: value for key, value in row.items() if key not in own}
    return own, tuple(sorted(kind.items()))


def _factor(source: FactorSource, row: dict[str, Any], line: int) -> EmissionFactor:
    """Return the factor of a row, in gCO2eq per kWh, m³ or kg."""
    value, measure = to_grams_per_measure(row["value"], source.unit)
    if value > HIGHEST_FIGURES[measure]:
        raise probatio.Invalid(
            f"{row['value']:g} {source.unit} is more than any supply emits "
            f"({HIGHEST_FIGURES[measure]:g} gCO2eq/{measure}): is the unit right?",
            ["value"],
        )
    told = measure is not Measure.ENERGY and "calorific_value" not in row
    if source.carrier in BURNT and source.heating_value is None and not told:
        raise probatio.Invalid(
            f"heating_value is missing: is energy of {source.carrier} meant gross or net?"
        )
    for bound in {"low", "high"} & set(row):
        row[bound] = to_grams_per_measure(row[bound], source.unit)[0]
    return EmissionFactor(**{**row, "value": value}, measure=measure, source=source, line=line)


def _problems(file: DataFile, index: int, err: probatio.Invalid) -> Iterator[Problem]:
    """Yield each thing that is wrong with a row, named by its zone."""
    row = file.data["factors"][index]
    zone = row.get("zone", "without a zone") if isinstance(row, dict) else "that is not a mapping"
    for error in err.errors if isinstance(err, probatio.MultipleInvalid) else [err]:
        place = ".".join(str(part) for part in ("factors", *error.path))
        yield Problem(
            file=str(file.path),
            line=file.line("factors", index, *error.path),
            message=f"{place}: {error.error_message}; the row {zone} is not used",
        )
