"""A network as a user writes it down: a YAML file of sources, branches, loads and phases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import probatio

from ...datafile import DataFile, load_data_file
from .amounts import ImpossibleAmountError
from .metered import MeteredBranch, MeteredLoad, MeteredNetwork, MeteredSource
from .network import NetworkError


@dataclass(frozen=True, kw_only=True)
class DescribedNetwork:
    """A described network and its title."""

    title: str
    metered: MeteredNetwork
    meters: Mapping[str, int]
    """What the description calls its meters, and in which line."""

    phases_line: int | None
    """The line that names phases, if one does."""


def load_network(path: Path) -> DescribedNetwork:
    """Read a description; it takes the time of a file, so call it in an executor.

    Raises DataFileError, naming file and line, for a file that cannot be used.
    """
    file = load_data_file(path, _SCHEMA)
    return DescribedNetwork(
        title=file.data["title"],
        metered=_metered(file),
        meters=_meters(file),
        phases_line=file.line("phases") if file.data.get("phases") else None,
    )


def _metered(file: DataFile) -> MeteredNetwork:
    """Return the network of a file whose form is right."""
    data = file.data
    try:
        return MeteredNetwork(
            sources=[MeteredSource(**row) for row in data["sources"]],
            branches=[MeteredBranch(**row) for row in data.get("branches", [])],
            loads=[MeteredLoad(**row) for row in data.get("loads", [])],
            phases=data.get("phases", []),
        )
    except (NetworkError, ImpossibleAmountError) as err:
        raise file.error(str(err)) from err


def _meters(file: DataFile) -> dict[str, int]:
    """Return the line of each meter that a file names."""
    return {
        row[key]: file.line(part, index, key)
        for part in ("sources", "branches", "loads")
        for index, row in enumerate(file.data.get(part, []))
        for key in ("meter", "end_meter")
        if key in row
    }


def _text(value: Any) -> str:
    """Accept a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise probatio.Invalid("expected a text")
    return value.strip()


def _share(value: Any) -> float:
    """Accept a part of the energy, from 0 up to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise probatio.Invalid(f"{value!r} is no part of the energy: expected 0 up to 1")
    return float(value)


def _phases(value: Any) -> list[str]:
    """Accept the names of phases, each once."""
    names = probatio.Schema([_text])(value)
    if len(set(names)) < len(names):
        raise probatio.Invalid("a phase is named twice")
    return list(names)


_SCHEMA: Final[Callable[[Any], dict[str, Any]]] = probatio.Schema(
    {
        probatio.Required("title"): _text,
        probatio.Optional("phases"): _phases,
        probatio.Required("sources"): [
            {
                probatio.Required("node"): _text,
                probatio.Required("meter"): _text,
                probatio.Required("source"): _text,
            }
        ],
        probatio.Optional("branches"): [
            {
                probatio.Required("start"): _text,
                probatio.Required("end"): _text,
                probatio.Required("meter"): _text,
                probatio.Optional("end_meter"): _text,
                probatio.Optional("loss"): _share,
            }
        ],
        probatio.Optional("loads"): [
            {probatio.Required("node"): _text, probatio.Required("meter"): _text}
        ],
    }
)
"""The form of the file; see docs/accounting.md."""
