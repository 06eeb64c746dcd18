"""A network whose places are counted by meters: from counters to grams, by the ids of the meters.

Meters count both ways within an interval. On a branch `forward` is from its start to its end;
at a source it is into the network, and `backward` what the source takes: export, charging,
standby.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .amounts import FloatArray, ImpossibleAmountError, amount, amounts, grams
from .network import Branch, EmissionFlow, Injection, Network, NetworkError

_TAKEN: Final = "{}/taken"
"""The node to which goes what a source takes, or what the meter of a load counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeteredBranch:
    """A line with a meter at its start, and either one at its end or a part that is lost.

    `loss` is from 0 up to 1, of what is sent in either direction.
    """

    start: str
    end: str
    meter: str
    end_meter: str | None = None
    loss: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MeteredSource:
    """A meter of what feeds a node: the grid, a generator, a battery. `source` is its kind."""

    node: str
    meter: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MeteredLoad:
    """A meter of something that only consumes; what no meter counts is the rest of its node."""

    node: str
    meter: str


class MeteredNetwork:
    """A network with loops, islands and losses, and the carbon of what its meters count.

    `phases` names the phases of the meters' figures, whose last axis they then are: each phase
    is a network of its own. Raises NetworkError for meters that are named twice, names that
    cannot be told apart and branches that cannot be.
    """

    def __init__(
        self,
        *,
        sources: Iterable[MeteredSource],
        branches: Iterable[MeteredBranch] = (),
        loads: Iterable[MeteredLoad] = (),
        phases: Iterable[str] = (),
    ) -> None:
        """Check the description; each branch becomes one for each direction."""
        self.sources, self.branches, self.loads = tuple(sources), tuple(branches), tuple(loads)
        self.phases = tuple(phases)
        _check(self.sources, self.branches, self.loads)
        ends: tuple[MeteredSource | MeteredLoad, ...] = (*self.sources, *self.loads)
        ways = [(branch.start, branch.end) for branch in self.branches]
        ways += [(end, start) for start, end in ways]
        ways += [(end.node, _TAKEN.format(end.meter)) for end in ends]
        self._kept = np.array([1.0 - branch.loss for branch in self.branches])
        self._kinds = {source.meter: source.source for source in self.sources}
        self._starts = {branch.meter: branch.start for branch in self.branches}
        self._starts |= {end.meter: end.node for end in ends}
        self._ends = {branch.meter: branch.end for branch in self.branches}
        self.network = Network(
            [Branch(start=start, end=end) for start, end in ways],
            [Injection(node=source.node, source=source.source) for source in self.sources],
        )

    def trace(
        self,
        *,
        forward: Mapping[str, Any],
        backward: Mapping[str, Any],
        intensity: Mapping[str, Any],
        unmetered: object | None = None,
    ) -> MeteredFlow:
        """Return the carbon of an interval, of many, of phases: one number by meter or arrays.

        `forward` and `backward` are in Wh; a meter that counts one way only is missing in
        `backward`, but none may be missing in `forward`. `intensity` has gCO2eq/kWh for every
        source that gave something. What is counted beyond what comes in is told as the
        `residual` of its node; see `Network.trace` for `unmetered`.

        Raises ImpossibleAmountError for figures that are missing or cannot be.
        """
        whole = self._figures(forward, backward, intensity)
        shape = next(iter(whole.values())).shape if whole else ()

        def columns(name: str, meters: Iterable[str]) -> FloatArray:
            found = [whole[name, meter] for meter in meters]
            return np.stack(found, axis=-1) if found else np.zeros((*shape, 0))

        lines, feeders = [b.meter for b in self.branches], [s.meter for s in self.sources]
        ends = [branch.end_meter for branch in self.branches]
        there, back = columns("forward", lines), columns("backward", lines)
        arrived, returned = there * self._kept, back / self._kept
        for place, end in enumerate(ends):
            if end is not None:
                arrived[..., place] = whole["forward", end]
                returned[..., place] = whole["backward", end]
        straight = [
            columns("backward", feeders),
            columns("forward", [load.meter for load in self.loads]),
        ]
        flow = self.network.trace(
            injected=columns("forward", feeders),
            intensity=columns("intensity", feeders),
            sent=np.concatenate([there, returned, *straight], axis=-1),
            received=np.concatenate([arrived, back, *straight], axis=-1),
            unmetered=unmetered,
        )
        return MeteredFlow(metered=self, flow=flow, figures=whole)

    def _figures(
        self, forward: Mapping[str, Any], backward: Mapping[str, Any], intensity: Mapping[str, Any]
    ) -> dict[tuple[str, str], FloatArray]:
        """Return the figures of all meters, checked and of one shape."""
        figures: dict[tuple[str, str], FloatArray] = {}
        ends = [branch.end_meter for branch in self.branches if branch.end_meter is not None]
        for meter in (*self._starts, *ends):
            figures["forward", meter] = self._energy("forward", forward.get(meter), meter)
            figures["backward", meter] = self._energy("backward", backward.get(meter, 0.0), meter)
        for meter in self._kinds:
            value = intensity.get(meter)
            if value is None and not figures["forward", meter].any():
                value = 0.0
            figures["intensity", meter] = checked_figure("intensity", value, meter)
        try:
            arrays = np.broadcast_arrays(*figures.values())
        except ValueError as err:
            raise ImpossibleAmountError("forward", f"the intervals do not fit: {err}") from err
        return dict(zip(figures, arrays, strict=True))

    def _energy(self, name: str, value: Any, meter: str) -> FloatArray:
        """Return a checked energy; a total must not be taken for that of each phase."""
        array = checked_figure(name, value, meter)
        if self.phases and array.any() and array.shape[-1:] != (len(self.phases),):
            raise ImpossibleAmountError(
                f"{name} of {meter}", f"expected one for each of {', '.join(self.phases)}"
            )
        return array

    def start_of(self, meter: str) -> str:
        """Return the node from which a meter looks forward: for sources and loads their own.

        Raises NetworkError for an unknown meter.
        """
        try:
            return self._starts[meter]
        except KeyError:
            raise NetworkError(f"there is no meter {meter!r}") from None

    def end_of(self, meter: str) -> str:
        """Return the node at the other end of a branch, for sources and loads their own."""
        return self._ends.get(meter) or self.start_of(meter)

    def is_source(self, meter: str) -> bool:
        """Return whether a meter is that of a source."""
        return meter in self._kinds

    def taken_by(self, meter: str) -> str:
        """Return the node to which goes what a source takes, or what the meter of a load counts."""
        return _TAKEN.format(meter)


@dataclass(frozen=True, kw_only=True)
class MeteredFlow:
    """The carbon of what the meters of a network counted; NaN is what is not known."""

    metered: MeteredNetwork
    flow: EmissionFlow
    figures: Mapping[tuple[str, str], FloatArray]

    def with_intensities(self, intensity: Mapping[str, FloatArray]) -> MeteredFlow:
        """Return the same flow with other intensities, [T] gCO2eq/kWh by kind of source."""
        kinds = self.metered.network.sources
        flow = self.flow.with_intensities(np.stack([intensity[kind] for kind in kinds], axis=-1))
        figures = dict(self.figures)
        for source in self.metered.sources:
            figures["intensity", source.meter] = intensity[source.source]
        return replace(self, flow=flow, figures=figures)

    def intensity(self, node: str) -> FloatArray:
        """Return gCO2eq/kWh of the mix at a node."""
        return self.of_node(self.flow.intensity, node)

    def shares(self, node: str) -> dict[str, FloatArray]:
        """Return by kind of source the part of the mix at a node, 0 to 1."""
        network = self.metered.network
        parts = self.flow.shares[..., network.node(node), :]
        return {kind: parts[..., index] for index, kind in enumerate(network.sources)}

    def forward_carbon(self, meter: str) -> FloatArray:
        """Return the grams of what a meter counted forward: for a source, what it brought."""
        energy = self.figures["forward", meter]
        if self.metered.is_source(meter):
            return grams(energy, self.figures["intensity", meter])
        return grams(energy, self.intensity(self.metered.start_of(meter)))

    def backward_carbon(self, meter: str) -> FloatArray:
        """Return the grams of what a meter counted backward, never negative carbon."""
        energy = self.figures["backward", meter]
        return grams(energy, self.intensity(self.metered.end_of(meter)))

    def of_node(self, array: FloatArray, node: str) -> FloatArray:
        """Return what an array of `flow` has for a node."""
        return array[..., self.metered.network.node(node)]


def checked_figure(name: str, value: Any, meter: str) -> FloatArray:
    """Return a figure of a meter; raises ImpossibleAmountError for one missing or impossible."""
    if value is None:
        raise ImpossibleAmountError(f"{name} of {meter}", "it is missing")
    return amounts(f"{name} of {meter}", value)


def _check(
    sources: tuple[MeteredSource, ...],
    branches: tuple[MeteredBranch, ...],
    loads: tuple[MeteredLoad, ...],
) -> None:
    """Refuse a description that cannot be meant."""
    ends: tuple[MeteredSource | MeteredLoad, ...] = (*sources, *loads)
    meters = [end.meter for end in ends]
    for branch in branches:
        meters += [branch.meter, *([] if branch.end_meter is None else [branch.end_meter])]
        if not 0.0 <= amount(f"loss behind {branch.meter}", branch.loss) < 1.0:
            raise NetworkError(
                f"behind {branch.meter!r} {branch.loss} of the energy cannot be lost"
            )
        if branch.loss and branch.end_meter is not None:
            raise NetworkError(f"the loss behind {branch.meter!r} is metered: it is not given too")
    if twice := sorted(meter for meter, times in Counter(meters).items() if times > 1):
        raise NetworkError(f"meters are named twice: {', '.join(twice)}")
    nodes = {end.node for end in ends}
    nodes |= {end for branch in branches for end in (branch.start, branch.end)}
    if taken := sorted(nodes & {_TAKEN.format(meter) for meter in meters}):
        raise NetworkError(f"no node can be called {taken[0]!r}")
