"""A network that the user describes: nodes, branches with losses, sources; loops and islands too.

The description is made once. Each interval (or each phase, or a year of both) is then one call
with arrays in the order of the description.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .amounts import FloatArray, ImpossibleAmountError, amounts, grams, intensity_of
from .equations import node_mix

UNMETERED: Final = "unmetered"
"""The kind of source that stands for energy which leaves a node without having come in."""


class NetworkError(ValueError):
    """A description of a network that cannot be meant; the message names the place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """A line between two nodes. Flows from `start` to `end` are positive."""

    start: str
    end: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Injection:
    """A place where energy comes into the network; `source` is its kind, such as grid or solar."""

    node: str
    source: str


class Network:
    """The description of a network, and the carbon of what flows in it.

    `nodes` are the ends of the branches and the places of the injections, in the order in
    which they come. Raises NetworkError for a branch from a node to itself, and for a source
    of the kind UNMETERED.
    """

    def __init__(self, branches: Iterable[Branch], injections: Iterable[Injection]) -> None:
        """Number the nodes and the kinds of sources."""
        self.branches = tuple(branches)
        self.injections = tuple(injections)
        for branch in self.branches:
            if branch.start == branch.end:
                raise NetworkError(f"a branch leads from {branch.start!r} to itself")
        if any(injection.source == UNMETERED for injection in self.injections):
            raise NetworkError(f"{UNMETERED!r} is no kind of source that can be metered")
        ends = [end for branch in self.branches for end in (branch.start, branch.end)]
        places = [injection.node for injection in self.injections]
        self.nodes = tuple(dict.fromkeys([*places, *ends]))
        kinds = [injection.source for injection in self.injections]
        self.sources = tuple(dict.fromkeys([*kinds, UNMETERED]))
        number = {node: index for index, node in enumerate(self.nodes)}
        kind = {source: index for index, source in enumerate(self.sources)}
        self._start = np.array([number[branch.start] for branch in self.branches], dtype=np.intp)
        self._end = np.array([number[branch.end] for branch in self.branches], dtype=np.intp)
        self._place = np.array([number[place] for place in places], dtype=np.intp)
        self._kind = np.array([kind[source] for source in kinds], dtype=np.intp)

    def node(self, name: str) -> int:
        """Return the place of a node in the arrays; raises NetworkError for an unknown one."""
        try:
            return self.nodes.index(name)
        except ValueError:
            raise NetworkError(f"there is no node {name!r}") from None

    def trace(  # noqa: PLR0913  # what is known of a network
        self,
        *,
        injected: object,
        intensity: object,
        sent: object,
        received: object | None = None,
        loads: object | None = None,
        unmetered: object | None = None,
    ) -> EmissionFlow:
        """Return the carbon of an interval, or of many.

        `injected` [..., G] in Wh and `intensity` [..., G] in gCO2eq/kWh belong to the
        injections, `sent` and `received` [..., B] in Wh to the branches: what a meter at the
        start and one at the end say, positive from start to end, the same number where there
        is one meter (`received` None: no losses). Flows that run backwards are turned round.
        Where two meters say that more arrives than was sent, as much was sent as arrives, and
        the balance of the node that sends tells the difference. With opposite signs both ends
        feed the line, and all of it is loss. `loads` [..., N] in Wh belong to the nodes; None
        takes for load what is left at each node. Leading axes are intervals, phases or both
        and are broadcast; each of their places is a network of its own.

        What leaves a node beyond what comes in is told as a negative `residual`. With
        `unmetered` (gCO2eq/kWh, one or per node) it is a source of that intensity, kind
        UNMETERED; else it has the mix of what is known to come in, None where nothing is.

        Raises ImpossibleAmountError for numbers that cannot be, or do not fit the description.
        """
        generated = self._fit("injected", injected, len(self.injections))
        factor = self._fit("intensity", intensity, len(self.injections))
        at_start = self._fit("sent", sent, len(self.branches), signed=True)
        at_end = (
            at_start
            if received is None
            else self._fit("received", received, len(self.branches), signed=True)
        )
        given = None if loads is None else self._fit("loads", loads, len(self.nodes))
        other = None if unmetered is None else amounts("unmetered", unmetered)
        shapes = [array.shape[:-1] for array in (generated, factor, at_start, at_end)]
        shapes += [] if given is None else [given.shape[:-1]]
        shapes += [] if other is None or not other.ndim else [other.shape[:-1]]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError as err:
            raise ImpossibleAmountError("sent", f"the intervals do not fit: {err}") from err
        flows = _Flows(at_start, at_end)
        matrix = self._matrix(shape, flows)
        carried = self._carried(shape, generated, factor)
        source = carried[..., 1:].sum(axis=-1)
        inflow = source + matrix.sum(axis=-2)
        outflow = self._outflow(shape, flows)
        left = inflow - outflow
        used = np.maximum(left, 0.0) if given is None else np.broadcast_to(given, inflow.shape)
        residual = left - used
        # What rounding leaves of a difference is no energy that came from nowhere.
        residual[np.abs(residual) <= 1e-12 * (inflow + outflow)] = 0.0
        if other is not None:
            missing = np.maximum(-residual, 0.0)
            source = source + missing
            carried[..., -1] += missing
            carried[..., 0] += grams(missing, other)
        mix = node_mix(source, carried, matrix)
        return EmissionFlow(
            network=self,
            intensity=mix[..., 0] * 1000.0,
            shares=np.maximum(mix[..., 1:], 0.0),  # what rounding leaves is no share
            carried=carried,
            flows=flows,
            loads=used,
            residual=residual,
        )

    @staticmethod
    def _fit(name: str, values: object, length: int, *, signed: bool = False) -> FloatArray:
        """Return checked numbers whose last axis has the given length."""
        array = amounts(name, values, signed=signed)
        if array.shape[-1:] != (length,):
            raise ImpossibleAmountError(name, f"expected {length} numbers, not {array.shape}")
        return array

    def _matrix(self, shape: tuple[int, ...], flows: _Flows) -> FloatArray:
        """Return what each node receives from each other."""
        matrix = np.zeros((*shape, len(self.nodes), len(self.nodes)))
        _add_at(matrix, (..., self._start, self._end), flows.forth_received)
        _add_at(matrix, (..., self._end, self._start), flows.back_received)
        return matrix

    def _outflow(self, shape: tuple[int, ...], flows: _Flows) -> FloatArray:
        """Return what each node sends into branches."""
        outflow = np.zeros((*shape, len(self.nodes)))
        _add_at(outflow, (..., self._start), flows.forth_sent)
        _add_at(outflow, (..., self._end), flows.back_sent)
        return outflow

    def _carried(
        self, shape: tuple[int, ...], generated: FloatArray, factor: FloatArray
    ) -> FloatArray:
        """Return by node what sources bring: grams, then Wh of each kind of source."""
        carried = np.zeros((*shape, len(self.nodes), 1 + len(self.sources)))
        _add_at(carried[..., 0], (..., self._place), grams(generated, factor))
        _add_at(carried, (..., self._place, 1 + self._kind), generated)
        return carried


def _add_at(target: FloatArray, places: Any, values: FloatArray) -> None:
    """Add values to their places in an array, those that come twice as well."""
    *lead, last = places
    if values.size < values.shape[-1] ** 2:
        np.add.at(target, places, values)
        return
    # Column by column where there are more intervals than columns: several times as fast.
    lead = lead[1:]
    for column in range(values.shape[-1]):
        at = (..., *(one[column] for one in lead), last[column])
        target[at] += values[..., column]


class _Flows:
    """What branches send and receive in their own direction and in the other one, Wh."""

    def __init__(self, at_start: FloatArray, at_end: FloatArray) -> None:
        """Turn signed figures into positive ones, none of which arrives without being sent."""
        self.forth_received = np.maximum(at_end, 0.0)
        self.forth_sent = np.maximum(np.maximum(at_start, 0.0), self.forth_received)
        self.back_received = np.maximum(-at_start, 0.0)
        self.back_sent = np.maximum(np.maximum(-at_end, 0.0), self.back_received)


@dataclass(frozen=True, kw_only=True)
class EmissionFlow:
    """The carbon of a network's energy; the last axis of each array is told.

    Every gram is somewhere: `injected_carbon` is the sum of `load_carbon`, `loss_carbon` and
    `residual_carbon`. NaN is what is not known.
    """

    network: Network
    intensity: FloatArray
    """gCO2eq/kWh of the mix at each node."""

    shares: FloatArray
    """[..., N, S]: the part of the mix at each node that comes from each kind of source."""

    carried: FloatArray
    flows: _Flows
    loads: FloatArray
    """Wh that stay at each node."""

    residual: FloatArray
    """Wh by which each node's balance does not close: what came in, less what left or stayed."""

    def with_intensities(self, intensity: FloatArray) -> EmissionFlow:
        """Return the same flow with gCO2eq/kWh by kind of source, [..., S], UNMETERED the last.

        Who feeds whom does not depend on anybody's intensity: nothing is solved again.
        """
        carried = self.carried.copy()
        carried[..., 0] = grams(carried[..., 1:], intensity[..., np.newaxis, :]).sum(axis=-1)
        mix = np.einsum("...ns,...s->...n", self.shares, intensity)
        return replace(self, intensity=mix, carried=carried)

    @property
    def injected_carbon(self) -> FloatArray:
        """Return the grams that sources bring into each node."""
        return self.carried[..., 0]

    @property
    def load_carbon(self) -> FloatArray:
        """Return the grams that stay at each node."""
        return grams(self.loads, self.intensity)

    @property
    def residual_carbon(self) -> FloatArray:
        """Return the grams of each node's residual; unmetered sources have closed their part."""
        left = self.residual + self.carried[..., -1]
        return grams(left, self.intensity)

    @property
    def branch_carbon(self) -> FloatArray:
        """Return the grams that enter each branch at its start, less those that come back."""
        forth = grams(self.flows.forth_sent, self._at_start)
        return forth - grams(self.flows.back_received, self._at_end)

    @property
    def loss_carbon(self) -> FloatArray:
        """Return the grams that are lost in each branch."""
        flows = self.flows
        return grams(flows.forth_sent - flows.forth_received, self._at_start) + grams(
            flows.back_sent - flows.back_received, self._at_end
        )

    @property
    def _at_start(self) -> FloatArray:
        """Return the intensity at the start of each branch."""
        return self.intensity[..., self.network._start]  # noqa: SLF001  # one module, one idea

    @property
    def _at_end(self) -> FloatArray:
        """Return the intensity at the end of each branch."""
        return self.intensity[..., self.network._end]  # noqa: SLF001

    def at(self, node: str) -> float | None:
        """Return the intensity at a node of a single interval, None where it is not known.

        Raises NetworkError for an unknown node and for a flow of several intervals.
        """
        value = self.intensity[..., self.network.node(node)]
        if value.ndim:
            raise NetworkError(f"{node!r} has an intensity for each of {value.shape} intervals")
        return None if np.isnan(value) else float(value)

    def share(self, node: str, sources: Sequence[str]) -> FloatArray:
        """Return the part of a node's mix that comes from some kinds of sources, 0 to 1."""
        kinds = [self.network.sources.index(source) for source in sources]
        part: FloatArray = self.shares[..., self.network.node(node), kinds].sum(axis=-1)
        return part

    def load_intensity(self, axis: int) -> FloatArray:
        """Return gCO2eq/kWh of each node's load over phases or intervals, the given axis.

        A weighted mean: grams over energy, NaN for a node without a load.
        """
        return intensity_of(self.load_carbon.sum(axis=axis), self.loads.sum(axis=axis))
