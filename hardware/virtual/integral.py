"""Energy: the exact integral of a power that is constant between known moments.

The sums are kept per day of virtual time, so that a request costs the same
whatever the speed, and nothing has to run while nobody asks.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from .chance import Array

type Phases = tuple[float, float, float]

_PIECE: Final = 86400.0
_KEPT: Final = 3
"""Pieces in memory: the present one, and two for questions about the past."""


class FlowSource(Protocol):
    """Something that energy flows through, import positive."""

    def edges(self, start: float, end: float) -> Array:
        """Return the moments from `start` to before `end` at which the flow may change."""

    def flows(self, times: Array) -> Array:
        """Return a row for each time: W of phase 1, 2, 3, then var of phase 1, 2, 3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """Power at one moment, per phase: W and var, import positive."""

    active: Phases
    reactive: Phases


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """What has flowed since the beginning, in Wh and varh."""

    imported: Phases
    """Per phase, each phase counted for itself."""

    exported: Phases
    total_imported: float
    """The phases netted at every moment, as utilities bill it."""

    total_exported: float
    reactive_imported: float
    reactive_exported: float


@dataclass(frozen=True, slots=True)
class _Piece:
    edges: Array
    flows: Array
    rates: Array
    """Per edge: the ten figures of `Energy` per hour until the next edge."""

    sums: Array
    """Per edge: the ten figures from the beginning of the piece to the edge."""

    whole: Array


class Integral:
    """The energy that has flowed through a source since `start` (seconds since 1970 UTC)."""

    def __init__(self, source: FlowSource, start: float) -> None:
        """Begin to count at `start`."""
        self._source = source
        self._start = start
        self._pieces: OrderedDict[int, _Piece] = OrderedDict()
        self._before: list[Array] = [np.zeros(10)]

    def flow(self, at: float) -> Flow:
        """Return the power that flows at a moment."""
        piece, row = self._find(max(at, self._start))[1:]
        values = piece.flows[row].tolist()
        return Flow(active=tuple(values[:3]), reactive=tuple(values[3:]))

    def energy(self, at: float) -> Energy:
        """Return what has flowed from the beginning to a moment, nothing before the beginning."""
        at = max(at, self._start)
        number, piece, row = self._find(at)
        hours = (at - piece.edges[row]) / 3600
        values = (self._before[number] + piece.sums[row] + piece.rates[row] * hours).tolist()
        return Energy(
            imported=tuple(values[0:3]),
            exported=tuple(values[3:6]),
            total_imported=values[6],
            total_exported=values[7],
            reactive_imported=values[8],
            reactive_exported=values[9],
        )

    def forget(self, since: float) -> None:
        """Work out anew what comes after a moment, because the source has been changed."""
        kept = max(0, self._number(since))
        del self._before[kept + 1 :]
        for number in [number for number in self._pieces if number >= kept]:
            del self._pieces[number]

    def _number(self, at: float) -> int:
        return int((at - self._start) // _PIECE)

    def _find(self, at: float) -> tuple[int, _Piece, int]:
        """Return the piece that a moment lies in, with its number and the row in force."""
        wanted = self._number(at)
        while len(self._before) <= wanted:
            known = len(self._before) - 1
            self._before.append(self._before[known] + self._piece(known).whole)
        piece = self._piece(wanted)
        return wanted, piece, int(np.searchsorted(piece.edges, at, side="right")) - 1

    def _piece(self, number: int) -> _Piece:
        piece = self._pieces.get(number)
        if piece is None:
            piece = self._pieces[number] = self._built(number)
            while len(self._pieces) > _KEPT:
                self._pieces.popitem(last=False)
        else:
            self._pieces.move_to_end(number)
        return piece

    def _built(self, number: int) -> _Piece:
        """Integrate one day."""
        start = self._start + number * _PIECE
        end = self._start + (number + 1) * _PIECE
        edges = np.unique(np.concatenate(([start], self._source.edges(start, end))))
        flows = self._source.flows(edges)
        rates = _rates(flows)
        hours = np.diff(edges, append=end)[:, np.newaxis] / 3600
        sums = np.cumsum(rates * hours, axis=0)
        return _Piece(
            edges=edges,
            flows=flows,
            rates=rates,
            sums=np.concatenate((np.zeros((1, 10)), sums[:-1])),
            whole=sums[-1],
        )


def _rates(flows: Array) -> Array:
    """Return what each of the ten counters gains per hour under the flows."""
    active = flows[:, :3]
    net = active.sum(axis=1, keepdims=True)
    reactive = flows[:, 3:].sum(axis=1, keepdims=True)
    signed = (active, -active, net, -net, reactive, -reactive)
    rates: Array = np.maximum(np.concatenate(signed, axis=1), 0.0)
    return rates


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewired:
    """A flow as a meter sees it: `mix[i][j]` is the share of phase j in the meter's phase i."""

    source: FlowSource
    mix: tuple[Phases, Phases, Phases]

    def edges(self, start: float, end: float) -> Array:
        """Return the moments at which the flow may change."""
        return self.source.edges(start, end)

    def flows(self, times: Array) -> Array:
        """Return W and var per phase of the meter for each time."""
        rows = self.source.flows(times)
        mix = np.array(self.mix).T
        return np.concatenate((rows[:, :3] @ mix, rows[:, 3:] @ mix), axis=1)


type Listener = Callable[[float], None]
"""Called with the moment from which on a source has changed."""
