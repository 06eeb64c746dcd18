"""The form of a profile file: what every protocol has in common, and how a protocol adds its own.

A protocol is a `ProfileForm`: the fields that its files have on top of the common ones, and
the step from a checked file to its kind of `Profile`. Packaged protocols and those of plugins
come through the same door.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import probatio

from ..datafile import DataFile, load_data_file
from .fields import TEXT, one_of, positive, whole
from .profile import Profile
from .quantities import QUANTITIES

COMMON_FIELDS: Final = MappingProxyType(
    {
        probatio.Required("id"): probatio.Match(
            r"^[a-z0-9_]+$", msg="use small letters, digits and underscores"
        ),
        probatio.Required("vendor"): TEXT,
        probatio.Required("name"): TEXT,
        probatio.Required("models"): probatio.All([TEXT], probatio.Length(min=1)),
        probatio.Required("phases"): whole(1, 3),
        probatio.Required("protocol"): str,
        probatio.Optional("max_power", default=1e6): positive,
        probatio.Optional("rollover", default=dict): {str: positive},
        probatio.Optional("export_positive", default=list): [TEXT],
        probatio.Optional("confirmed", default=True): bool,
        probatio.Optional("category", default=""): str,
        probatio.Optional("sources", default=dict): {str: str},
        probatio.Optional("notes", default=list): [str],
    }
)
"""What every profile file may have; unknown keys are refused, so that a typing error shows."""


@dataclass(frozen=True, kw_only=True)
class ProfileForm:
    """How the profile files of one protocol look."""

    protocol: str
    """What such a file has as its `protocol`."""

    fields: Mapping[Any, Any]
    """Schema of the fields on top of the common ones."""

    build: Callable[[DataFile, Mapping[str, Any]], Profile]
    """Make a profile of a checked file and the arguments of `Profile` that every file has.

    Raises DataFileError (`file.error(...)`) for what the schema cannot see. `quantities` is
    not among the arguments: only the protocol knows.
    """

    @cached_property
    def schema(self) -> probatio.Schema:
        """Return the form of a whole file."""
        return probatio.Schema({**COMMON_FIELDS, **self.fields})


def load_profile(path: Path, forms: Iterable[ProfileForm]) -> Profile:
    """Read one profile file.

    Raises DataFileError naming file and line for everything that is wrong.
    """
    by_protocol = {form.protocol: form for form in forms}
    known = probatio.Schema(
        {probatio.Required("protocol"): one_of("protocol", by_protocol)}, extra=probatio.ALLOW_EXTRA
    )

    def check(document: Any) -> Any:
        """Check the one field that says how to check the others, then those."""
        return by_protocol[known(document)["protocol"]].schema(document)

    file = load_data_file(path, check)
    profile = by_protocol[file.data["protocol"]].build(file, _common(file.data))
    for key in profile.rollover:
        if key not in profile.quantities or not QUANTITIES[key].counter:
            raise file.error(f"{key} is not a counter of this profile", "rollover", key)
    return profile


def _common(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `Profile` that every file has."""
    return {
        "id": data["id"],
        "vendor": data["vendor"],
        "name": data["name"],
        "models": tuple(data["models"]),
        "phases": data["phases"],
        "protocol": data["protocol"],
        "max_power": data["max_power"],
        "rollover": MappingProxyType(data["rollover"]),
        "export_positive": frozenset(maker.lower() for maker in data["export_positive"]),
        "confirmed": data["confirmed"],
        "category": data["category"],
        "sources": MappingProxyType(data["sources"]),
        "notes": tuple(data["notes"]),
    }
