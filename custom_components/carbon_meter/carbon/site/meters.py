"""The electricity meters of a site, and which supply each of them is fed from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
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
        self.meters: tuple[SiteMeter, ...] = tuple(meters)
        self._by_id = {meter.id: meter for meter in self.meters}
        self.ids: tuple[str, ...] = tuple(self._by_id)
        self.place = {meter_id: place for place, meter_id in enumerate(self.ids)}
        self.grids: tuple[str, ...] = tuple(
            meter.id for meter in self.meters if self._is_connection(meter)
        )
        self._is_one_node = len(self.grids) > 1 and any(
            self._stated_parent(meter) is None and meter.id not in self.grids
            for meter in self.meters
        )
        self._feeder = {meter.id: self._found_feeder(meter) for meter in self.meters}
        for meter_id in self.ids:
            self._break_circle(meter_id)
        self.sources: tuple[str, ...] = tuple(
            meter.id
            for meter in self.meters
            if meter.role in {Role.SOLAR, Role.BATTERY} and self._feeder[meter.id] is not None
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

    @property
    def roots(self) -> tuple[str, ...]:
        """Return where energy from the grid comes in."""
        return (SITE,) if self._is_one_node else self.grids

    def inner(self, sending: Iterable[str]) -> tuple[str, ...]:
        """Return the places whose mix may differ from that of the place above them.

        Those are the roots, what lies above a source, and above a meter through which energy
        was sent up (`sending`); all others have the mix of the place that feeds them.
        """
        needed = set(self.roots)
        for meter_id in (*self.sources, *sending):
            above = self._feeder[meter_id] if meter_id in self.sources else meter_id
            while above is not None and above not in needed:
                needed.add(above)
                above = self._feeder[above]
        return tuple(place for place in (SITE, *self.ids) if place in needed)

    def place_of(self, meter_id: str, inner: Sequence[str]) -> str | None:
        """Return at which of the inner places a meter takes its energy; None for the grid's."""
        above = self._feeder[meter_id]
        while above is not None and above not in inner:
            above = self._feeder[above]
        return above

    def tree(self, inner: Sequence[str]) -> list[TreeMeter]:
        """Return the tree of the inner places and the sources."""
        found = []
        for place in inner:
            root = place in self.roots
            found.append(TreeMeter(id=place, parent=None if root else self.place_of(place, inner)))
        found += [
            TreeMeter(id=source, parent=self.place_of(source, inner), source=self.role(source))
            for source in self.sources
        ]
        return found

    def _stated_parent(self, meter: SiteMeter) -> str | None:
        return meter.parent if meter.parent in self._by_id else None

    def _is_connection(self, meter: SiteMeter) -> bool:
        return meter.role is Role.GRID and self._stated_parent(meter) in {None, meter.id}

    def _found_feeder(self, meter: SiteMeter) -> str | None:
        """Return the place above a meter: generators and batteries have nothing behind them."""
        if meter.id in self.grids:
            return SITE if self._is_one_node else None
        passed = {meter.id}
        above = self._stated_parent(meter)
        while above is not None and self._by_id[above].role in {Role.SOLAR, Role.BATTERY}:
            if above in passed:
                above = None
                break
            passed.add(above)
            above = self._stated_parent(self._by_id[above])
        if above is None or above == meter.id:
            roots = self.roots
            return roots[0] if len(roots) == 1 else None
        return SITE if self._is_one_node and above in self.grids else above

    def _break_circle(self, meter_id: str) -> None:
        """Let what hangs on itself hang on nothing."""
        passed = {meter_id}
        above = self._feeder[meter_id]
        while above is not None and above != SITE:
            if above in passed:
                self._feeder[meter_id] = None
                return
            passed.add(above)
            above = self._feeder[above]
