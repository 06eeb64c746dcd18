"""Why a file that somebody has chosen or pasted cannot be used."""

from enum import StrEnum
from typing import Any

from ..contract.fields import Fields


class Reason(StrEnum):
    """Each leads to other words, and to something else to do."""

    ANOTHER = "another_file"
    """It is something else altogether."""

    DAMAGED = "damaged"
    """A part is lost or mistyped."""

    VERSION = "other_version"
    """It is of a later version of Carbon Meter."""

    EXPIRED = "expired"


class UnusableError(Exception):
    """A file cannot be used; `reason` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def fields_of(value: dict[str, Any], kind: str, error: type[UnusableError]) -> Fields:
    """Return the fields of a file of this kind and version; raises `error` for any other."""
    version = value.get("v")
    if type(version) is not int or value.get("type") != kind:
        raise error(Reason.ANOTHER, f"its type is not {kind}")
    if version != 1:
        raise error(Reason.VERSION, f"version {version}")
    return Fields(value)
