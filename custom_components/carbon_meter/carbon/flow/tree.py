"""The meters of a site as a tree: each sub-meter is weighed with the mix at its own place.

A meter looks down the tree, away from the grid: what it lets through towards the loads goes
`down`, what comes back towards the grid goes `up`. A generator or a battery is a meter too:
what it gives goes up, what it takes (standby, charging) goes down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .amounts import FloatArray
from .metered import MeteredBranch, MeteredFlow, MeteredNetwork, MeteredSource, checked_figure
from .network import Network, NetworkError

GRID: Final = "grid"
"""The kind of source that comes in at the roots."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeMeter:
    """One meter and the meter above it; a root, at the connection to the grid, has none.

    `source` is the kind of what gives energy behind it (solar, battery); None for a meter
    with loads or further meters behind it. `loss` is the part, from 0 up to 1, of the energy
    that is lost between the meter and what lies behind it; roots and sources have none.
    """

    id: str
    parent: str | None = None
    source: str | None = None
    loss: float = 0.0


class MeterTree:
    """The meters of a site, and the carbon of what they count: a network whose nodes they are.

    Raises NetworkError for meters that are named twice, hang on an unknown meter, on a source
    or on each other in a circle, for a source without a meter above it, and for a loss that
    cannot be.
    """

    def __init__(self, meters: Iterable[TreeMeter]) -> None:
        """Check the tree and describe it as a network."""
        self.meters = tuple(meters)
        self._by_id = {meter.id: meter for meter in self.meters}
        for meter in self.meters:
            _check(meter, self._by_id)
        sources = [
            MeteredSource(node=self.feeding(meter.id), meter=meter.id, source=meter.source or GRID)
            for meter in self.meters
            if _brings(meter)
        ]
        branches = [
            MeteredBranch(
                start=self.feeding(meter.id), end=meter.id, meter=meter.id, loss=meter.loss
            )
            for meter in self.meters
            if not _brings(meter)
        ]
        self.metered = MeteredNetwork(sources=sources, branches=branches)

    @property
    def network(self) -> Network:
        """Return the network that the tree is."""
        return self.metered.network

    def feeding(self, meter_id: str) -> str:
        """Return the meter whose mix a meter lets down: the one above it, a root its own.

        Raises NetworkError for an unknown meter.
        """
        if (meter := self._by_id.get(meter_id)) is None:
            raise NetworkError(f"there is no meter {meter_id!r}")
        return meter.id if meter.parent is None else meter.parent

    def behind(self, meter_id: str) -> str:
        """Return the place behind a meter; a source stands at the one above it."""
        return self.feeding(meter_id) if self.is_source(meter_id) else meter_id

    def is_source(self, meter_id: str) -> bool:
        """Return whether a meter is that of a generator or a battery."""
        return self._by_id[meter_id].source is not None

    def trace(
        self,
        *,
        down: Mapping[str, Any],
        up: Mapping[str, Any],
        intensity: Mapping[str, Any],
        unmetered: object | None = None,
    ) -> TreeFlow:
        """Return the carbon of an interval, or of many (arrays).

        `down` and `up` have Wh by meter, nothing where a meter does not count that way, but
        `down` for each root and inner meter; `intensity` has gCO2eq/kWh for every root (what
        the grid delivers there) and every source, as far as it gave something. Losses are taken
        off what a meter counts on its way down and put on what it counts on its way up. What is
        counted beyond what comes in is told as the `residual` of the meter above; see
        `Network.trace` for `unmetered`.

        Raises ImpossibleAmountError for figures that are missing or cannot be.
        """
        forward, backward = self.directed(down, up)
        flow = self.metered.trace(
            forward=forward, backward=backward, intensity=intensity, unmetered=unmetered
        )
        return TreeFlow(tree=self, metered=flow)

    def directed(
        self, down: Mapping[str, Any], up: Mapping[str, Any]
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Return figures as the network has them: `forward` of a source is what it gives.

        Raises ImpossibleAmountError for figures that are missing or cannot be.
        """
        forward: dict[str, FloatArray] = {}
        backward: dict[str, FloatArray] = {}
        for meter in self.meters:
            absent = None if meter.source is None else 0.0
            falls = checked_figure("down", down.get(meter.id, absent), meter.id)
            rises = checked_figure("up", up.get(meter.id, 0.0), meter.id)
            flipped = meter.source is not None
            forward[meter.id], backward[meter.id] = (rises, falls) if flipped else (falls, rises)
        return forward, backward


@dataclass(frozen=True, kw_only=True)
class TreeFlow:
    """The carbon of what the meters of a tree counted; NaN is what is not known."""

    tree: MeterTree
    metered: MeteredFlow

    def intensity(self, meter_id: str) -> FloatArray:
        """Return gCO2eq/kWh of the mix behind a meter; for a source, of what it is fed with."""
        return self.metered.intensity(self.tree.behind(meter_id))

    def shares(self, meter_id: str) -> dict[str, FloatArray]:
        """Return by kind of source the part of the mix behind a meter, 0 to 1."""
        return self.metered.shares(self.tree.behind(meter_id))

    def down(self, meter_id: str) -> FloatArray:
        """Return the Wh that went down through a meter."""
        way = "backward" if self.tree.is_source(meter_id) else "forward"
        return self.metered.figures[way, meter_id]

    def down_carbon(self, meter_id: str) -> FloatArray:
        """Return the grams of what went down through a meter: for a root, of gross import."""
        if self.tree.is_source(meter_id):
            return self.metered.backward_carbon(meter_id)
        return self.metered.forward_carbon(meter_id)

    def up_carbon(self, meter_id: str) -> FloatArray:
        """Return the grams of what came up through a meter; they are never negative carbon."""
        if self.tree.is_source(meter_id):
            return self.metered.forward_carbon(meter_id)
        return self.metered.backward_carbon(meter_id)

    def load(self, meter_id: str) -> FloatArray:
        """Return the Wh that stayed behind a meter and went through no meter further down."""
        return self.metered.of_node(self.metered.flow.loads, meter_id)

    def load_carbon(self, meter_id: str) -> FloatArray:
        """Return the grams of that load."""
        return self.metered.of_node(self.metered.flow.load_carbon, meter_id)

    def residual(self, meter_id: str) -> FloatArray:
        """Return the Wh, negative, that left the place behind a meter without having come in."""
        return self.metered.of_node(self.metered.flow.residual, meter_id)

    @property
    def all_shares(self) -> FloatArray:
        """Return the parts of the mix at each node of the tree's network, by kind of source."""
        return self.metered.flow.shares

    @property
    def loss_carbon(self) -> FloatArray:
        """Return the grams that are lost between the meters."""
        carbon: FloatArray = self.metered.flow.loss_carbon.sum(axis=-1)
        return carbon


def _brings(meter: TreeMeter) -> bool:
    """Return whether energy comes into the tree at a meter: at a root or a source."""
    return meter.parent is None or meter.source is not None


def _check(meter: TreeMeter, by_id: Mapping[str, TreeMeter]) -> None:
    """Refuse a meter from which no way leads up to a root, and one that cannot stand there."""
    if meter.parent is None and meter.source is not None:
        raise NetworkError(f"source {meter.id!r} has no meter above it")
    if meter.loss and _brings(meter):
        raise NetworkError(f"meter {meter.id!r} is a root or a source: it has no loss")
    passed = {meter.id}
    lower = meter
    while lower.parent is not None:
        upper = by_id.get(lower.parent)
        if upper is None:
            raise NetworkError(f"meter {lower.id!r} hangs on {lower.parent!r}, which is unknown")
        if upper.source is not None:
            raise NetworkError(f"meter {lower.id!r} hangs on {upper.id!r}, which is a source")
        if upper.id in passed:
            raise NetworkError(f"meter {upper.id!r} hangs on itself")
        passed.add(upper.id)
        lower = upper
