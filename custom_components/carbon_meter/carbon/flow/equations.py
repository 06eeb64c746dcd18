"""The equations of carbon emission flow, solved for one interval or for many at once.

Whatever comes into a node is mixed, and all that leaves it carries the mix (proportional
sharing). With P the energy that sources bring into node i, r what they carry, and F[j, i]
what node i receives from node j,

    x[i] * (P[i] + sum over j of F[j, i]) = r[i] + sum over j of x[j] * F[j, i]

(Kang et al., Carbon Emission Flow From Generation to Demand, 2015; the same system as flow
tracing, Tranberg et al. 2019, arXiv 1812.06679, and as the coupled import and export of
de Chalendar et al. 2019, PNAS, with zones as nodes.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .amounts import FloatArray, ImpossibleAmountError, amounts

_CHUNK: Final = 2_000_000
"""Matrix elements that are solved in one go: a few dozen megabytes at the most."""

_ACCURACY: Final = 1e-11
"""Largest error of the solution that is known beforehand with which the others are believed."""

type _BoolArray = NDArray[np.bool_]


def node_mix(injected: object, carried: object, received: object) -> FloatArray:
    """Return what each node's energy carries per unit, NaN where that is not known.

    `injected` [..., N] is what sources bring into each node, `carried` [..., N] or
    [..., N, K] what they carry with it (grams; or K things at once, such as the energy of
    each kind of source), `received` [..., N, N] what the node of the column receives from
    the node of the row. All in one unit of energy or of mean power; leading axes are
    intervals or phases, and each of their places is a network of its own. The result has
    the shape of `carried`, in its unit per unit of energy.

    A node through which nothing flows has no mix. Nor has one that sends what nobody brings
    it (a loop without a source, or an end without supply), nor any node that receives of it.

    Raises ImpossibleAmountError for numbers that are negative or not finite (`carried` may be
    negative: a removal) and for shapes that do not fit.
    """
    source = amounts("injected", injected)
    flow = amounts("received", received)
    load = amounts("carried", carried, signed=True)
    single = load.ndim == source.ndim
    if single:
        load = load[..., np.newaxis]
    nodes = source.shape[-1] if source.ndim else 0
    if flow.shape != (*source.shape, nodes) or load.shape[:-1] != source.shape:
        raise ImpossibleAmountError(
            "received", f"shapes {source.shape}, {load.shape} and {flow.shape} do not fit"
        )
    if nodes == 0:
        return load[..., 0] if single else load
    count = int(np.prod(source.shape[:-1], dtype=np.int64))
    source, flow = source.reshape(count, nodes), flow.reshape(count, nodes, nodes)
    mix: FloatArray = np.empty((count, nodes, load.shape[-1]))
    flat = load.reshape(mix.shape)
    step = max(1, _CHUNK // (nodes * nodes))
    for first in range(0, count, step):
        part = slice(first, first + step)
        mix[part] = _solve(source[part], flat[part], flow[part])
    mix = mix.reshape(load.shape)
    return mix[..., 0] if single else mix


def _solve(source: FloatArray, load: FloatArray, flow: FloatArray) -> FloatArray:
    """Solve intervals of one shape: [T, N], [T, N, K], [T, N, N]."""
    nodes = source.shape[-1]
    flow = flow.copy()
    flow[:, np.arange(nodes), np.arange(nodes)] = 0.0
    through = source + flow.sum(axis=-2)
    known = _known(source, flow, through)
    # Rows are divided by what flows through them: milliwatts and megawatts weigh the same.
    scale = np.where(known, through, 1.0)[..., np.newaxis]
    live = known[..., np.newaxis]
    matrix = np.where(live, -flow.swapaxes(-1, -2) / scale, 0.0)
    matrix[:, np.arange(nodes), np.arange(nodes)] = 1.0
    # As if every source carried one per unit: that solution is 1 everywhere and shows the error.
    test = source[..., np.newaxis]
    right = np.where(live, np.concatenate([load, test], axis=-1) / scale, 0.0)
    try:
        solved = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        doubtful = np.ones(len(source), dtype=bool)
        solved = np.zeros_like(right)
    else:
        error = np.abs(solved[..., -1] - 1.0)
        doubtful = ~np.all((error <= _ACCURACY) | ~known, axis=-1)
    mix = solved[..., :-1]
    for index in np.flatnonzero(doubtful):
        mix[index] = _eliminate(source[index], load[index], flow[index], known[index])
    return np.where(live, mix, np.nan)


def _known(source: FloatArray, flow: FloatArray, through: FloatArray) -> _BoolArray:
    """Return which nodes have energy whose origin is known altogether."""
    fed, busy = source > 0.0, through > 0.0
    edges = flow > 0.0
    if not np.all(fed | ~busy):
        fed = _spread(fed, edges)
    starved = ~fed & (busy | edges.any(axis=-1))
    if starved.any():
        starved = _spread(starved, edges)
    return busy & fed & ~starved


def _spread(marked: _BoolArray, edges: _BoolArray) -> _BoolArray:
    """Return the marked nodes and all that energy of theirs can come to.

    Each round doubles the number of branches that are passed: seven rounds for 70 in a row.
    """
    reach = edges.astype(np.float32)
    reach[:, np.arange(reach.shape[-1]), np.arange(reach.shape[-1])] = 1.0
    while True:
        reached: _BoolArray = (marked.astype(np.float32)[:, np.newaxis, :] @ reach)[:, 0, :] > 0.0
        if np.array_equal(reached, marked):
            return marked
        marked = reached
        reach = np.minimum(reach @ reach, 1.0)


def _eliminate(
    source: FloatArray, load: FloatArray, flow: FloatArray, known: _BoolArray
) -> FloatArray:
    """Solve one interval by taking its nodes away one by one, without any subtraction.

    A node that is taken away hands what it received straight on to those it sent to. Only
    positive numbers are added, so that a huge flow in a circle beside a tiny source does no
    harm, where iterating would take as many rounds as the one is larger than the other
    (Grassmann, Taksar, Heyman 1985, for Markov chains; Alfa, Xue, Ye 2002, for M-matrices).
    """
    source, load, flow = source.copy(), load.copy(), flow.copy()
    nodes = len(source)
    through = np.ones(nodes)
    for node in range(nodes - 1, -1, -1):
        if not known[node]:
            continue
        received, sent = flow[:node, node], flow[node, :node]
        through[node] = source[node] + received.sum()
        share = sent / through[node]
        flow[:node, :node] += received[:, np.newaxis] * share
        source[:node] += share * source[node]
        load[:node] += share[:, np.newaxis] * load[node]
        np.fill_diagonal(flow, 0.0)
    mix = np.zeros_like(load)
    for node in np.flatnonzero(known):
        mix[node] = (load[node] + flow[:node, node] @ mix[:node]) / through[node]
    return mix
