"""The form of a Speedwire profile file, and the step from a checked file to a profile."""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import TEXT, one_of, scale, whole
from ..profile_schema import ProfileForm
from ..quantities import QUANTITIES, Quantity, unit_factor
from .profile import Channel, SpeedwireProfile
from .telegram import COUNTER, CURRENT

_CHANNEL_NUMBER: Final = whole(1, 0x7FFF)
_SECONDS_PER_HOUR: Final = 3600

_CHANNEL: Final = probatio.Schema(
    {
        probatio.Required("quantity"): one_of("quantity", QUANTITIES),
        probatio.Required("channel"): _CHANNEL_NUMBER,
        probatio.Required("unit"): str,
        probatio.Optional("scale", default=1): scale,
        probatio.Exclusive("subtract", "other"): _CHANNEL_NUMBER,
        probatio.Exclusive("add", "other"): _CHANNEL_NUMBER,
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)


def _build(file: DataFile, arguments: Mapping[str, Any]) -> SpeedwireProfile:
    """Return the profile that a checked file describes."""
    channels: dict[str, Channel] = {}
    for index, row in enumerate(file.data["channels"]):
        key = row["quantity"]
        if key in channels:
            raise file.error(f"{key} has a channel already", "channels", index)
        try:
            factor = row["scale"] * _unit_factor(row["unit"], QUANTITIES[key])
        except ValueError as err:
            raise file.error(str(err), "channels", index, "unit") from err
        channels[key] = Channel(
            quantity=key,
            channel=row["channel"],
            type=COUNTER if QUANTITIES[key].counter else CURRENT,
            factor=factor,
            other=row.get("subtract", row.get("add")),
            other_sign=1 if "add" in row else -1,
            sources=tuple(row["sources"]),
        )
    return SpeedwireProfile(
        **arguments,
        quantities=tuple(channels),
        channels=MappingProxyType(channels),
        susy_ids=MappingProxyType(file.data["susy_ids"]),
    )


def _unit_factor(unit: str, quantity: Quantity) -> Fraction:
    """Return the factor from a unit to the quantity's own; counters may count by the second."""
    if quantity.counter and unit.endswith("s"):
        return unit_factor(f"{unit.removesuffix('s')}h", quantity) / _SECONDS_PER_HOUR
    return unit_factor(unit, quantity)


SPEEDWIRE: Final = ProfileForm(
    protocol="speedwire",
    fields={
        probatio.Required("channels"): probatio.All([_CHANNEL], probatio.Length(min=1)),
        probatio.Required("susy_ids"): probatio.All(
            {whole(0, 0xFFFF): TEXT}, probatio.Length(min=1)
        ),
    },
    build=_build,
)
"""Channels of SMA energy meters."""
