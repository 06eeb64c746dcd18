"""A site's electricity as a network: the tree of its meters, or one that the user describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..flow.metered import MeteredBranch, MeteredLoad, MeteredNetwork, MeteredSource
from ..flow.network import NetworkError
from ..flow.tree import MeterTree
from ..supply.metered import GRID, with_own_kinds
from .meters import Role, SiteMeters


@dataclass(frozen=True, kw_only=True)
class SiteNetwork:
    """A network whose meters are those of a site, and where in it each meter stands."""

    network: MeteredNetwork
    meters: SiteMeters
    described: bool
    """Whether the user described it; else it is the tree of the meters."""

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Return the meters of generators and batteries."""
        return tuple(one.meter for one in self.network.sources if one.source != GRID)

    @cached_property
    def batteries(self) -> tuple[str, ...]:
        """Return the meters of batteries."""
        return tuple(one for one in self.sources if self.meters.role(one) is Role.BATTERY)

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Return the meters of the network that count what the grid delivers."""
        return tuple(one.meter for one in self.network.sources if one.source == GRID)

    @cached_property
    def counted(self) -> frozenset[str]:
        """Return the meters whose figures decide what is mixed in the network."""
        network = self.network
        found = {end.meter for end in self._ends}
        found |= {branch.meter for branch in network.branches}
        return frozenset(found | {b.end_meter for b in network.branches if b.end_meter is not None})

    @cached_property
    def taken_nodes(self) -> frozenset[str]:
        """Return the nodes at which energy leaves the site or is stored: no consumption."""
        kept = [one for one in self.sources if self.meters.role(one) is not Role.BATTERY]
        return frozenset(
            self.network.taken_by(one.meter)
            for one in self.network.sources
            if one.meter not in kept
        )

    @cached_property
    def nodes(self) -> dict[str, str | None]:
        """Return the node of each sub-meter, see `node_of`."""
        return {one: self.node_of(one) for one in self.meters.with_role(Role.SUBMETER)}

    def node_of(self, meter_id: str) -> str | None:
        """Return the node whose mix a meter takes; None for that of the grid.

        A meter that a described network does not name takes that of the place behind the one
        above it, and without such a one that of the grid's connection.
        """
        at_start = self._starts.get(meter_id)
        if at_start is not None:
            return at_start
        passed = {meter_id}
        above = self.meters.feeder(meter_id)
        while above is not None and above not in passed:
            if above in self._starts:
                return self._behind[above]
            passed.add(above)
            above = self.meters.feeder(above) if above in self.meters.place else None
        first = next((one.node for one in self.network.sources if one.source == GRID), None)
        return first if self.described else None

    @cached_property
    def _starts(self) -> dict[str, str]:
        """Return from which node each meter of the network looks forward."""
        found = {branch.meter: branch.start for branch in self.network.branches}
        found |= {b.end_meter: b.start for b in self.network.branches if b.end_meter is not None}
        return found | {end.meter: end.node for end in self._ends}

    @cached_property
    def _behind(self) -> dict[str, str]:
        """Return the node behind each meter of the network."""
        found = {branch.meter: branch.end for branch in self.network.branches}
        found |= {b.end_meter: b.end for b in self.network.branches if b.end_meter is not None}
        return found | {end.meter: end.node for end in self._ends}

    @property
    def _ends(self) -> tuple[MeteredSource | MeteredLoad, ...]:
        return (*self.network.sources, *self.network.loads)


def tree_network(meters: SiteMeters, inner: Sequence[str]) -> SiteNetwork:
    """Return the tree of a site's meters, of which `inner` may have a mix of their own."""
    return SiteNetwork(
        network=with_own_kinds(MeterTree(meters.tree(inner)).metered),
        meters=meters,
        described=False,
    )


def described_network(network: MeteredNetwork, meters: SiteMeters) -> SiteNetwork:
    """Return a described network with the roles of a site's meters.

    A source is the grid, a generator or a battery as its meter's role says; one without such a
    role is the grid where the description calls it so. Raises NetworkError for a meter that the
    site does not have and for phases: an hour of a meter is one figure, not three. A network
    in which each phase has meters of its own has no need of them.
    """
    if network.phases:
        raise NetworkError("a meter's hours have no phases: give each phase a meter of its own")
    named = [one.meter for one in network.sources] + [one.meter for one in network.loads]
    for branch in network.branches:
        named += [branch.meter, *([] if branch.end_meter is None else [branch.end_meter])]
    if missing := sorted(set(named) - set(meters.ids)):
        raise NetworkError(f"the site has no meter {missing[0]!r}")

    def kind(source: MeteredSource) -> str:
        role = meters.role(source.meter)
        if role is Role.GRID:
            return GRID
        return source.source if role is Role.SUBMETER else role.value

    fed = MeteredNetwork(
        sources=[replace(source, source=kind(source)) for source in network.sources],
        branches=network.branches,
        loads=network.loads,
    )
    return SiteNetwork(network=with_own_kinds(fed), meters=meters, described=True)


def with_ids(network: MeteredNetwork, ids: Mapping[str, str]) -> MeteredNetwork:
    """Return a network whose meters have other names: those by which the site knows them."""

    def branch(one: MeteredBranch) -> MeteredBranch:
        end = None if one.end_meter is None else ids[one.end_meter]
        return replace(one, meter=ids[one.meter], end_meter=end)

    return MeteredNetwork(
        sources=[replace(one, meter=ids[one.meter]) for one in network.sources],
        branches=[branch(one) for one in network.branches],
        loads=[replace(one, meter=ids[one.meter]) for one in network.loads],
        phases=network.phases,
    )


def network_as_dict(network: MeteredNetwork) -> dict[str, Any]:
    """Return what describes a network, for JSON."""
    return {
        "sources": [[one.node, one.meter, one.source] for one in network.sources],
        "branches": [
            [one.start, one.end, one.meter, one.end_meter, one.loss] for one in network.branches
        ],
        "loads": [[one.node, one.meter] for one in network.loads],
    }


def network_from_dict(data: Mapping[str, Any]) -> MeteredNetwork:
    """Return the network that `network_as_dict` described."""
    return MeteredNetwork(
        sources=[
            MeteredSource(node=node, meter=meter, source=source)
            for node, meter, source in data["sources"]
        ],
        branches=[
            MeteredBranch(start=start, end=end, meter=meter, end_meter=end_meter, loss=loss)
            for start, end, meter, end_meter, loss in data["branches"]
        ],
        loads=[MeteredLoad(node=node, meter=meter) for node, meter in data["loads"]],
    )
