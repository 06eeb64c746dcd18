"""Carbon emission flow of 70 nodes: beside the limit of 1 ms, and beside plain iteration.

The peer repeats the equation of each node until nothing changes any more, with numpy, as flow
tracing is often written down. Both answers are compared in every round.
"""

from collections.abc import Callable, Sequence
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.carbon.flow.equations import node_mix
from custom_components.carbon_meter.carbon.flow.network import Branch, Injection, Network

_NODES: Final = 70
_MESHES: Final = 60  # branches beyond those of a tree
_LIMIT: Final = 1.0  # ms
_TIMES: Final = 20  # solutions in a row that are one sample
_ROUNDS: Final = 50
_SETTLED: Final = 1e-9  # relative change at which the iteration ends

type _Array = NDArray[np.float64]


def run(rounds: int | None = None) -> Sequence[Row]:
    """Measure the solution by itself, and with a described network around it."""
    source, carbon, received = _network()
    branches = np.argwhere(received > 0.0)
    network = Network(
        [Branch(start=str(start), end=str(end)) for start, end in branches],
        [Injection(node=str(node), source="plant") for node in range(_NODES)],
    )
    sent = received[received > 0.0]
    intensity = np.divide(carbon, source, out=np.zeros(_NODES), where=source > 0.0) * 1000.0
    actions: dict[str, Callable[[], object]] = {
        "solve": lambda: node_mix(source, carbon, received),
        "describe": lambda: network.trace(injected=source, intensity=intensity, sent=sent),
        "iterate": lambda: _iterate(source, carbon, received),
    }
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for number in range((rounds or _ROUNDS) + 1):
        _check(node_mix(source, carbon, received), _iterate(source, carbon, received))
        names = list(actions)
        first = number % len(names)
        for name in names[first:] + names[:first]:
            spent = _milliseconds(actions[name])
            if number:  # the first round warms up
                samples[name].append(spent)
    limit = [_LIMIT] * len(samples["solve"])
    what = f"flow solution of {_NODES} nodes with {len(sent)} branches"
    return [
        _row(what, samples["solve"], limit, "the limit"),
        _row(what, samples["solve"], samples["iterate"], "iteration with numpy"),
        _row(f"{what}, from branches to grams", samples["describe"], limit, "the limit"),
    ]


def _row(what: str, ours: Sequence[float], peer: Sequence[float], peer_name: str) -> Row:
    return compare(
        benchmark="carbon",
        what=what,
        unit="ms",
        better=Better.LOWER,
        ours=ours,
        peer=peer,
        peer_name=peer_name,
    )


def _network() -> tuple[_Array, _Array, _Array]:
    """Return sources in Wh, their carbon in g and the flows of a meshed network in Wh."""
    rng = np.random.default_rng(70)
    received = np.zeros((_NODES, _NODES))
    for node in range(1, _NODES):
        received[rng.integers(0, node), node] = rng.uniform(10.0, 100.0)
    starts, ends = rng.integers(0, _NODES, (2, _MESHES))
    apart = starts != ends
    received[starts[apart], ends[apart]] += rng.uniform(1.0, 50.0, int(apart.sum()))
    source = np.where(rng.random(_NODES) < 0.3, rng.uniform(0.0, 100.0, _NODES), 0.0)
    source[0] = 1000.0
    return source, source * rng.uniform(0.0, 1.0, _NODES), received


def _iterate(source: _Array, carbon: _Array, received: _Array) -> _Array:
    """Return the mix of each node in g/Wh by repeating the equation of each node."""
    through = source + received.sum(axis=0)
    mix = np.zeros_like(source)
    while True:
        after: _Array = (carbon + received.T @ mix) / through
        if np.abs(after - mix).max() <= _SETTLED * np.abs(after).max():
            return after
        mix = after


def _check(ours: _Array, peer: _Array) -> None:
    """Stop where the two do not say the same."""
    assert np.allclose(ours, peer, rtol=1e-6, atol=0.0), "the solutions differ"


def _milliseconds(action: Callable[[], object]) -> float:
    """Return what one time takes on the clock."""
    begin = time.perf_counter()
    for _ in range(_TIMES):
        action()
    return (time.perf_counter() - begin) / _TIMES * 1000.0
