"""The electricity meters of a site, and which supply each of them is fed from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from ..flow.tree import TreeMeter

SITE: Final = "site"
"""The id of the connection where several of them are one; no meter has it."""


class Role(StrEnum):
    """Where a meter sits. No device knows it; the user says it."""

    GRID = "grid"
    SOLAR = "solar"
    BATTERY = "battery"
    SUBMETER = "submeter"

    @property
    def is_consumption(self) -> bool:
        """Return whether the meter's import has the carbon of the grid."""
        return self in (Role.GRID, Role.SUBMETER)


_SOURCES: Final = frozenset({Role.SOLAR, Role.BATTERY})
"""Roles of what gives energy and has nothing behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteMeter:
    """One electricity meter; `parent` is the id of the meter that it sits behind.

    A generator's meter is `reversed` when what it makes is counted as import.
    """

    id: str
    role: Role
    parent: str | None = None
    reversed: bool = False


class SiteMeters:
    """The meters in the order in which they come, and the tree that they are.

    With one meter at the grid connection whatever has no parent sits behind it. Several
    connections are one node as soon as something sits behind none of them in particular.
    Without any, nobody knows what feeds the site: each meter is taken to be fed by the grid.
    """

    def __init__(self, meters: Iterable[SiteMeter]) -> None:
        """Find out where each meter hangs; a parent that cannot be is none."""
        self._by_id = {meter.id: meter for meter in meters}
        self.meters: tuple[SiteMeter, ...] = tuple(self._by_id.values())
        self.ids: tuple[str, ...] = tuple(self._by_id)
        self.place = {meter_id: place for place, meter_id in enumerate(self.ids)}
        self._parent = _without_circles(
            {meter.id: self._stated_parent(meter) for meter in self.meters}
        )
        self.grids: tuple[str, ...] = tuple(
            meter.id
            for meter in self.meters
            if meter.role is Role.GRID and self._parent[meter.id] is None
        )
        self._is_one_node = len(self.grids) > 1 and any(
            parent is None and meter_id not in self.grids
            for meter_id, parent in self._parent.items()
        )
        self._feeder = {meter_id: self._found_feeder(meter_id) for meter_id in self.ids}
        self.sources: tuple[str, ...] = tuple(
            meter.id
            for meter in self.meters
            if meter.role in _SOURCES and self.root(meter.id) is not None
        )
        """Generators and batteries that feed into the tree."""

    def role(self, meter_id: str) -> Role:
        """Return the role of a meter; one at the grid behind another meter is a sub-meter."""
        meter = self._by_id[meter_id]
        if meter.role is Role.GRID and meter_id not in self.grids:
            return Role.SUBMETER
        return meter.role

    def with_role(self, role: Role) -> tuple[str, ...]:
        """Return the ids of the meters in a role."""
        return tuple(meter_id for meter_id in self.ids if self.role(meter_id) is role)

    def is_reversed(self, meter_id: str) -> bool:
        """Return whether a generator's meter counts what is made as import."""
        return self._by_id[meter_id].reversed

    def feeder(self, meter_id: str) -> str | None:
        """Return the meter whose mix a meter takes from, SITE where connections are one node."""
        return self._feeder[meter_id]

    @cached_property
    def feeding(self) -> frozenset[str | None]:
        """Return the places that something hangs on."""
        return frozenset(self._feeder.values())

    def behind(self, meter_id: str) -> list[str]:
        """Return the sub-meters that hang on a meter."""
        return [one for one in self.with_role(Role.SUBMETER) if self._feeder[one] == meter_id]

    @property
    def roots(self) -> tuple[str, ...]:
        """Return where energy from the grid comes in."""
        return (SITE,) if self._is_one_node else self.grids

    @cached_property
    def mixing(self) -> tuple[str, ...]:
        """Return the places whose mix always may differ: the roots and what lies above a source."""
        needed = set(self.roots)
        for source in self.sources:
            needed.update(self.upwards(self._feeder[source]))
        return tuple(place for place in (SITE, *self.ids) if place in needed)

    def inner(self, sending: Iterable[str]) -> tuple[str, ...]:
        """Return the places whose mix may differ from that of the place above them.

        Those are `mixing`, and the meters through which energy was sent up (`sending`) with
        what lies above them; all others have the mix of the place that feeds them.
        """
        needed = set(self.mixing)
        for meter_id in sending:
            if self.root(meter_id) is not None:
                needed.update(self.upwards(meter_id))
        return tuple(place for place in (SITE, *self.ids) if place in needed)

    def root(self, meter_id: str) -> str | None:
        """Return where the energy of the grid for a meter comes in, None where nobody knows."""
        return next((one for one in self.upwards(meter_id) if one in self.roots), None)

    def upwards(self, place: str | None) -> Iterator[str]:
        """Yield a place and all places above it."""
        while place is not None:
            yield place
            place = None if place == SITE else self._feeder[place]

    def place_of(self, meter_id: str, inner: Sequence[str]) -> str | None:
        """Return at which of the inner places a meter takes its energy; None for the grid's."""
        above = self._feeder[meter_id]
        while above is not None and above not in inner:
            above = None if above == SITE else self._feeder[above]
        return above

    def tree(self, inner: Sequence[str]) -> list[TreeMeter]:
        """Return the tree of the inner places and the sources."""
        found = [
            TreeMeter(id=place, parent=None if place in self.roots else self.place_of(place, inner))
            for place in inner
        ]
        found += [
            TreeMeter(id=source, parent=self.place_of(source, inner), source=self.role(source))
            for source in self.sources
        ]
        return found

    def _stated_parent(self, meter: SiteMeter) -> str | None:
        """Return the parent that was told, if there is such a meter."""
        return meter.parent if meter.parent in self._by_id else None

    def _found_feeder(self, meter_id: str) -> str | None:
        """Return the place above a meter: generators and batteries have nothing behind them."""
        if meter_id in self.grids:
            return SITE if self._is_one_node else None
        above = self._parent[meter_id]
        while above is not None and self._by_id[above].role in _SOURCES:
            above = self._parent[above]
        if above is None:
            roots = self.roots
            return roots[0] if len(roots) == 1 else None
        return SITE if self._is_one_node and above in self.grids else above


def _without_circles(parents: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the parents of meters; of those that hang on each other one has none."""
    found = dict(parents)
    # In the order of names: the same meters are the same tree in whatever order they come.
    for meter_id in sorted(found):
        above, passed = found[meter_id], {meter_id}
        while above is not None and above not in passed:
            passed.add(above)
            above = found[above]
        if above == meter_id:
            found[meter_id] = None
    return found
