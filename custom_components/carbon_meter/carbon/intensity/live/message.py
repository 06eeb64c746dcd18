"""What a message on a topic says of the carbon intensity."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
import re
from typing import Any, Final

from ....metering.json.documents import NotJsonError, decode_payload
from ....metering.json.path import BoundPath
from ..source import IntensityInterval
from .answers import number
from .shapes import Origin, forecast_of, has_value, unit_of, value_of

_WITH_UNIT: Final = re.compile(r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(\S.*)?")

_LONGEST: Final = 100
"""Characters of a number with its unit."""


class UnreadableMessageError(ValueError):
    """A message does not say an intensity, nor that there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """An intensity that holds from now on, and what is forecast."""

    value: float | None
    """In `unit`; None where the sender says that nothing is known."""

    unit: str
    forecast: tuple[IntensityInterval, ...] = ()


def read_message(
    payload: bytes | str, origin: Origin, *, now: float, path: BoundPath | None = None
) -> Message:
    """Return what a payload says: a number, perhaps with its unit, or a JSON object.

    `path` is where the value stands in an object, else it is looked for under the names that are in
    use. The origin's unit is taken where the message names none. Raises UnreadableMessageError for
    anything else and UnknownIntensityUnitError for a forecast in a unit that is none.
    """
    try:
        document = decode_payload(payload)
    except NotJsonError as err:
        raise UnreadableMessageError(str(err)) from err
    value = path.find(document) if path is not None else value_of(document)
    own = replace(origin, unit=unit_of(document, origin.unit))
    forecast: list[IntensityInterval] = []
    if isinstance(document, Mapping | list):
        forecast = forecast_of(document, own, now=now)
    searched = isinstance(document, Mapping) and document and path is None
    if searched and not forecast and not has_value(document):
        # A message about something else does not mean that nothing is known any more.
        raise UnreadableMessageError(f"no intensity among {', '.join(map(str, document))[:80]}")
    return _message(value, own.unit, tuple(forecast))


def _message(value: Any, unit: str, forecast: tuple[IntensityInterval, ...]) -> Message:
    """Return the message of what stands as a value."""
    if isinstance(value, str):
        match = _WITH_UNIT.fullmatch(value.strip()[:_LONGEST])
        if match is not None:
            value, unit = match[1], match[2] or unit
        elif value.strip().lower() in ("", "unknown", "unavailable", "none", "null"):
            value = None
    if value is None or (isinstance(value, list | dict) and forecast):
        return Message(value=None, unit=unit, forecast=forecast)
    if (found := number(value)) is None:
        raise UnreadableMessageError(f"{str(value)[:40]!r} is not a number")
    return Message(value=found, unit=unit, forecast=forecast)
