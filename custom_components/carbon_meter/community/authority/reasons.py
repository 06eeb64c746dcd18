"""Why a file that somebody has chosen or pasted cannot be used."""

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Each leads to other words, and to something else to do."""

    ANOTHER = "another_file"
    """It is something else altogether."""

    DAMAGED = "damaged"
    """A part is lost or mistyped."""

    VERSION = "other_version"
    """It is of a later version of Carbon Meter."""

    EXPIRED = "expired"


def file_version(value: dict[str, Any], kind: str) -> int | None:
    """Return the version that a file of this kind says it has, None if it is of another kind."""
    version = value.get("v")
    return version if type(version) is int and value.get("type") == kind else None
