"""Which meter sits behind which: the tree of a site's meters."""

from collections.abc import Mapping

from .const import CONF_PARENT, CONF_ROLE, Role, carrier_of
from .coordinator import MeterCoordinator
from .metering.tree_error import Child, TreeError, tree_error


class MeterTree:
    """The meters of a site by the meter that they sit behind.

    A meter says its parent by the id or the unique id of its subentry. One that says none
    sits behind the grid connection, if there is just one. Only meters of the same energy
    carrier sit behind one another.
    """

    def __init__(self, meters: Mapping[str, MeterCoordinator]) -> None:
        """Take the meters by the ids of their subentries."""
        self._meters = meters
        self._children: dict[str, list[str]] = {}
        self._errors: dict[tuple[str, int], tuple[tuple[int | None, ...], TreeError | None]] = {}
        for subentry_id in meters:
            parent = self._parent(subentry_id)
            if parent is not None:
                self._children.setdefault(parent, []).append(subentry_id)

    def _parent(self, subentry_id: str) -> str | None:
        """Return the meter that a meter sits behind; what would lead in a circle is none."""
        data = self._meters[subentry_id].subentry.data
        others = {
            key: meter.subentry
            for key, meter in self._meters.items()
            if carrier_of(meter.subentry.data) is carrier_of(data)
        }
        wanted = data.get(CONF_PARENT)
        if wanted is None:
            found = [key for key, one in others.items() if one.data[CONF_ROLE] == Role.GRID]
        else:
            found = [key for key, one in others.items() if wanted in (key, one.unique_id)]
        if len(found) != 1 or self._is_above(subentry_id, found[0]):
            return None
        return found[0]

    def _is_above(self, subentry_id: str, other: str) -> bool:
        """Return whether a meter is another one or one of those before it."""
        seen: set[str] = set()
        place: str | None = other
        while place is not None and place not in seen:
            if place == subentry_id:
                return True
            seen.add(place)
            place = next(
                (parent for parent, behind in self._children.items() if place in behind), None
            )
        return False

    def children(self, subentry_id: str) -> tuple[str, ...]:
        """Return the meters right behind a meter."""
        return tuple(self._children.get(subentry_id, ()))

    def error(self, subentry_id: str, length: int) -> TreeError | None:
        """Return a meter less those behind it over the last hour or day (`HOUR`, `DAY`).

        Those that are missing are named by the ids of their subentries.
        """
        members = (subentry_id, *self.children(subentry_id))
        reached = tuple(self._meters[key].watch.audit.last_complete(length) for key in members)
        known = self._errors.get((subentry_id, length))
        if known is None or known[0] != reached:
            children = {
                key: Child(
                    audit=self._meters[key].watch.audit, feeds=counts_as_import(self._meters[key])
                )
                for key in members[1:]
            }
            known = reached, tree_error(self._meters[subentry_id].watch.audit, children, length)
            self._errors[subentry_id, length] = known
        return known[1]


def counts_as_import(meter: MeterCoordinator) -> bool:
    """Return whether a generator's meter counts what it makes as import.

    It is mounted either way round, and a generator makes more than it draws.
    """
    total = meter.account.ledger.total
    is_generator = meter.subentry.data[CONF_ROLE] == Role.SOLAR
    return is_generator and total.import_energy > total.export_energy
