"""Which zone a zone is part of."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from .factor import WORLD

_CHINA: Final = {
    "NORTH": ("BJ", "TJ", "HE", "SX", "SD"),
    "NORTHEAST": ("LN", "JL", "HL"),
    "EAST": ("SH", "JS", "ZJ", "AH", "FJ"),
    "CENTRAL": ("JX", "HA", "HB", "HN"),
    "NORTHWEST": ("SN", "GS", "QH", "NX", "XJ"),
    "SOUTH": ("GD", "GX", "HI", "GZ", "YN"),
    "SOUTHWEST": ("CQ", "SC", "XZ"),
}
"""Provinces (ISO 3166-2:CN) by the regional grid that feeds them.

Inner Mongolia is missing: its west belongs to the north, its east to the north-east.
"""

AROUND: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{
            f"CN-{province}": f"CN-{region}"
            for region, provinces in _CHINA.items()
            for province in provinces
        },
        "AU-ACT": "AU-NSW",
    }
)
"""The zone around a zone, where it is not the zone that its code begins with."""


def zone_and_around(zone: str | None) -> Iterator[str]:
    """Yield a zone, then what it is part of, up to the world: CN-BJ, CN-NORTH, CN, 001."""
    part = (zone or "").upper()
    while part and part != WORLD:
        yield part
        part = AROUND.get(part) or part.rpartition("-")[0]
    yield WORLD
