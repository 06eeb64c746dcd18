"""Where the simulated homes are: feeders and groups, and what so many homes can show."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.privacy.rules import STRICT_K
from demo.community.homes import SimulatedHome

STREET: Final = "Heroes' street"
SOLAR: Final = "Solar roofs"
GROUPS: Final = frozenset({STREET, SOLAR})
_STATIONS: Final = ("Station North", "Station South")
_IN_STREET: Final = 8
"""Homes: too few to be shown."""

_TWO_STATIONS: Final = 4 * STRICT_K
"""Homes from which on either half of them is enough, also while some are away."""

_HOURS: Final = 2 * STRICT_K
"""Homes from which on no single one stands out in most hours.

In fewer the hours with a large load are hidden, and then their day is too: their operator
publishes days and longer only (docs/community/figures.md, "What is published").
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a home is."""

    feeder: str
    groups: tuple[str, ...] = ()


def finest(homes: int) -> Grain:
    """Return the shortest time that a community of so many homes publishes."""
    return Grain.HOUR if homes >= _HOURS else Grain.DAY


def place_of(home: SimulatedHome, homes: int) -> Place:
    """Return where a home of so many is; the one that means harm is in no group.

    What the community has beside a feeder has to be enough homes as well. So a small community
    has one station.
    """
    stations = _STATIONS if homes >= _TWO_STATIONS else _STATIONS[:1]
    groups = []
    if home.number < homes:
        if home.house.solar:
            groups.append(SOLAR)
        if home.number < _IN_STREET:
            groups.append(STREET)
    return Place(feeder=stations[home.number % len(stations)], groups=tuple(groups))


def by_place(homes: Iterable[SimulatedHome], count: int) -> Mapping[Place, Sequence[SimulatedHome]]:
    """Return homes by where they are, in a community of `count`."""
    result: dict[Place, list[SimulatedHome]] = defaultdict(list)
    for home in homes:
        result[place_of(home, count)].append(home)
    return result


def scopes(homes: Iterable[SimulatedHome], count: int) -> frozenset[str]:
    """Return the names of the feeders and groups that have homes."""
    places = [place_of(home, count) for home in homes]
    return frozenset(
        {place.feeder for place in places} | {group for place in places for group in place.groups}
    )
