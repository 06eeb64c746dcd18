"""Read one factor file, keeping every row that is sound."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import probatio

from ...datafile import DataFile, Problem, load_data_file
from ..units import GRAMS_PER_KWH, to_grams_per_kwh
from .factor import EmissionFactor, FactorSource
from .schema import HEADER, ROW

HIGHEST_FIGURE: Final = 5000.0
"""In gCO2eq/kWh: what is higher is taken for a slip of the unit or of the decimal point."""


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

    A row with a hole, with a figure that cannot be, or written twice is left
    out and named among the problems; the rest of the file stays usable.

    Raises DataFileError where nothing of the file can be used: it is not YAML,
    or its header does not say what its figures are.
    """
    file = load_data_file(path, HEADER)
    header = dict(file.data)
    rows = header.pop("factors")
    source = FactorSource(**header, file=str(path))

    factors: list[EmissionFactor] = []
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        try:
            factors.append(_factor(source, ROW(row), file.line("factors", index)))
        except probatio.Invalid as err:
            problems.extend(_problems(file, index, err))
    repeated = [group for group in _by_time(factors) if len(group) > 1]
    unsure = {id(factor) for group in repeated for factor in group}
    return FactorFile(
        line=file.line("id"),
        source=source,
        factors=tuple(factor for factor in factors if id(factor) not in unsure),
        problems=tuple(
            sorted(
                [*problems, *(_repetition(source.file, group) for group in repeated)],
                key=lambda problem: problem.line,
            )
        ),
    )


def _factor(source: FactorSource, row: dict[str, Any], line: int) -> EmissionFactor:
    """Return the factor of a row, in gCO2eq/kWh."""
    value = to_grams_per_kwh(row["value"], source.unit)
    if value > HIGHEST_FIGURE:
        raise probatio.Invalid(
            f"{row['value']:g} {source.unit} is more than any supply emits "
            f"({HIGHEST_FIGURE:g} {GRAMS_PER_KWH}): is the unit right?",
            ["value"],
        )
    return EmissionFactor(**{**row, "value": value}, source=source, line=line)


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


def _by_time(factors: Iterable[EmissionFactor]) -> Iterable[list[EmissionFactor]]:
    """Return the factors grouped by what they are for: one each, unless a row is repeated."""
    groups = defaultdict(list)
    for factor in factors:
        groups[factor.zone, factor.year, factor.valid_from, factor.valid_to].append(factor)
    return groups.values()


def _repetition(file: str, group: list[EmissionFactor]) -> Problem:
    """Return the problem of rows for the same zone and time: which is right cannot be known."""
    lines = " and ".join(str(factor.line) for factor in group)
    return Problem(
        file=file,
        line=group[-1].line,
        message=f"{group[0].zone} is written more than once for the same time, in the lines "
        f"{lines}; none of these rows is used",
    )
