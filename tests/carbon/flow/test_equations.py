"""The equations of carbon emission flow: solvable or not, whatever the network looks like."""

from fractions import Fraction
import math

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.equations import node_mix


def flows(count: int, **branches: float) -> np.ndarray:
    """Return a matrix of flows from branches such as n0_1=30."""
    matrix = np.zeros((count, count))
    for name, value in branches.items():
        start, end = name[1:].split("_")
        matrix[int(start), int(end)] = value
    return matrix


def test_three_buses() -> None:
    """Oracle: Kang et al. 2015; G1 = 100 at 800, G2 = 60 at 0, 1->2 30, 1->3 70, 2->3 40."""
    mix = node_mix(
        [100.0, 60.0, 0.0], [80_000.0, 0.0, 0.0], flows(3, n0_1=30.0, n0_2=70.0, n1_2=40.0)
    )

    assert [round(value, 3) for value in mix] == [800.0, 266.667, 606.061]
    loads = np.array([0.0, 50.0, 110.0]) * mix
    assert [round(value, 1) for value in loads] == [0.0, 13_333.3, 66_666.7]
    assert loads.sum() == pytest.approx(80_000.0, rel=1e-12)


def test_a_node_without_energy_has_no_mix() -> None:
    assert np.isnan(node_mix([0.0], [0.0], [[0.0]]))


def test_a_circle_without_a_source_has_no_mix_and_gives_none_to_others() -> None:
    matrix = flows(4, n1_2=5.0, n2_1=4.0, n2_3=1.0, n0_3=1.0)

    mix = node_mix([1.0, 0.0, 0.0, 0.0], [500.0, 0.0, 0.0, 0.0], matrix)

    assert mix[0] == 500.0
    assert np.isnan(mix[1:]).all()


def test_a_node_that_sends_what_nobody_brings_is_unknown_and_so_is_what_it_feeds() -> None:
    mix = node_mix([10.0, 0.0, 0.0], [4000.0, 0.0, 0.0], flows(3, n0_2=5.0, n1_2=1e-3))

    assert mix[0] == 400.0
    assert np.isnan(mix[1:]).all()


def test_islands_are_solved_each_by_itself() -> None:
    mix = node_mix(
        [10.0, 0.0, 20.0, 0.0], [1000.0, 0.0, 8000.0, 0.0], flows(4, n0_1=10.0, n2_3=20.0)
    )

    assert mix.tolist() == [100.0, 100.0, 400.0, 400.0]


def test_a_source_without_carbon_is_a_source() -> None:
    assert node_mix([5.0, 0.0], [0.0, 0.0], flows(2, n0_1=5.0)).tolist() == [0.0, 0.0]


def test_what_a_node_sends_to_itself_does_not_count() -> None:
    assert node_mix([5.0], [500.0], [[3.0]]).tolist() == [100.0]


@pytest.mark.parametrize("circling", [1e3, 1e9, 1e12, 1e15])
def test_a_flow_in_a_circle_that_dwarfs_its_source_does_no_harm(circling) -> None:
    """The linear solver loses all digits there; the answer stays exact."""
    matrix = flows(3, n0_1=1e-3, n1_2=circling, n2_1=circling - 0.5)

    mix = node_mix([1e-3, 0.0, 0.0], [0.7654321, 0.0, 0.0], matrix)

    assert mix == pytest.approx([765.4321] * 3, rel=1e-12)


def test_a_node_without_a_mix_does_not_disturb_such_a_circle() -> None:
    matrix = flows(4, n0_1=1e-3, n1_2=1e12, n2_1=1e12)

    mix = node_mix([1e-3, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], matrix)

    assert mix[:3] == pytest.approx([500.0] * 3, rel=1e-12)
    assert np.isnan(mix[3])


def test_several_things_are_carried_at_once() -> None:
    """Grams, and the energy of each kind of source: the mix of sources at each node."""
    carried = [[80_000.0, 100.0, 0.0], [0.0, 0.0, 60.0], [0.0, 0.0, 0.0]]

    mix = node_mix([100.0, 60.0, 0.0], carried, flows(3, n0_1=30.0, n0_2=70.0, n1_2=40.0))

    assert mix[:, 1] + mix[:, 2] == pytest.approx([1.0, 1.0, 1.0], rel=1e-14)
    assert mix[:, 1] * 800.0 == pytest.approx(mix[:, 0], rel=1e-12)


def test_intervals_are_solved_each_by_itself(monkeypatch) -> None:
    rng = np.random.default_rng(7)
    source = rng.uniform(0.0, 10.0, (50, 6))
    matrix = rng.uniform(0.0, 5.0, (50, 6, 6)) * (rng.random((50, 6, 6)) < 0.4)
    source[10] = 0.0
    source[20, 1:] = 0.0
    carried = source * rng.uniform(0.0, 900.0, 6)
    one_by_one = np.stack([node_mix(*step) for step in zip(source, carried, matrix, strict=True)])

    assert np.array_equal(node_mix(source, carried, matrix), one_by_one, equal_nan=True)
    monkeypatch.setattr("custom_components.carbon_meter.carbon.flow.equations._CHUNK", 100)
    assert np.array_equal(node_mix(source, carried, matrix), one_by_one, equal_nan=True)
    assert np.isnan(one_by_one[10]).all()


def test_phases_and_intervals_lead_the_axes() -> None:
    source = np.array([[[1.0, 0.0]], [[2.0, 0.0]], [[0.0, 3.0]]])
    matrix = np.broadcast_to(flows(2, n0_1=1.0), (3, 1, 2, 2))

    mix = node_mix(source, source * 100.0, matrix)

    assert mix.shape == (3, 1, 2)
    assert mix[0, 0].tolist() == [100.0, 100.0]
    assert np.isnan(mix[2, 0]).all()


def test_an_empty_network_has_an_empty_solution() -> None:
    assert node_mix(np.zeros((4, 0)), np.zeros((4, 0)), np.zeros((4, 0, 0))).shape == (4, 0)
    assert node_mix(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("injected", "carried", "received"),
    [
        ([-1.0], [1.0], [[0.0]]),
        ([math.nan], [1.0], [[0.0]]),
        ([1.0], [math.inf], [[0.0]]),
        ([1.0], [1.0], [[-1.0]]),
        ([1.0], [1.0, 2.0], [[0.0]]),
        ([1.0, 2.0], [1.0, 2.0], [[0.0]]),
        ("none", [1.0], [[0.0]]),
    ],
)
def test_impossible_flows_are_refused(injected, carried, received) -> None:
    with pytest.raises(ImpossibleAmountError):
        node_mix(injected, carried, received)


@st.composite
def networks(draw):
    """Return a network of up to eight nodes: loops, islands, dead ends, tiny and large flows."""
    count = draw(st.integers(1, 8))
    sizes = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
    source = draw(st.lists(sizes, min_size=count, max_size=count))
    factor = draw(st.lists(st.floats(0.0, 1200.0), min_size=count, max_size=count))
    cells = st.one_of(st.just(0.0), st.just(0.0), sizes)
    flow = draw(
        st.lists(st.lists(cells, min_size=count, max_size=count), min_size=count, max_size=count)
    )
    return source, factor, flow


def exact_mix(source, factor, flow) -> list[Fraction | None]:
    """Return the solution in fractions, by Gauss elimination, node by node; None where none is."""
    count = len(source)
    flow = [[0 if i == j else Fraction(flow[i][j]) for j in range(count)] for i in range(count)]
    fed = {i for i in range(count) if source[i] > 0}
    busy = {i for i in range(count) if source[i] > 0 or any(flow[j][i] for j in range(count))}
    while more := {j for i in fed for j in range(count) if flow[i][j]} - fed:
        fed |= more
    unknown = {i for i in range(count) if i not in fed and (i in busy or any(flow[i]))}
    while more := {j for i in unknown for j in range(count) if flow[i][j]} - unknown:
        unknown |= more
    nodes = sorted((busy & fed) - unknown)
    rows = []
    for i in nodes:
        through = Fraction(source[i]) + sum(flow[j][i] for j in range(count))
        row = [-flow[j][i] + (through if i == j else 0) for j in nodes]
        rows.append([*row, Fraction(source[i]) * Fraction(factor[i])])
    for step in range(len(nodes)):
        pivot = next(row for row in range(step, len(nodes)) if rows[row][step])
        rows[step], rows[pivot] = rows[pivot], rows[step]
        rows[step] = [value / rows[step][step] for value in rows[step]]
        for other in range(len(nodes)):
            if other != step and rows[other][step]:
                scale = rows[other][step]
                rows[other] = [a - scale * b for a, b in zip(rows[other], rows[step], strict=True)]
    solved = {node: rows[place][-1] for place, node in enumerate(nodes)}
    return [solved.get(node) for node in range(count)]


@settings(max_examples=150)
@given(networks())
def test_the_solution_is_the_exact_one(network) -> None:
    source, factor, flow = network
    carried = np.multiply(source, factor)

    mix = node_mix(source, carried, flow)

    for found, exact in zip(mix, exact_mix(*network), strict=True):
        if exact is None:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(float(exact), rel=1e-9, abs=1e-9)


@settings(max_examples=150)
@given(networks())
def test_no_mix_is_cleaner_or_dirtier_than_all_sources(network) -> None:
    source, factor, flow = network

    mix = node_mix(source, np.multiply(source, factor), flow)

    known = mix[~np.isnan(mix)]
    used = [f for s, f in zip(source, factor, strict=True) if s > 0] or [0.0]
    assert (known >= min(used) * (1 - 1e-9) - 1e-9).all()
    assert (known <= max(used) * (1 + 1e-9) + 1e-9).all()
