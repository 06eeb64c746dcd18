"""Networks as users describe them: losses, loops, phases, meters that disagree."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.network import (
    UNMETERED,
    Branch,
    Injection,
    Network,
    NetworkError,
)

THREE_BUSES = Network(
    [Branch(start="1", end="2"), Branch(start="1", end="3"), Branch(start="2", end="3")],
    [Injection(node="1", source="coal"), Injection(node="2", source="wind")],
)
GENERATION = {"injected": [100_000.0, 60_000.0], "intensity": [800.0, 0.0]}


def test_three_buses_without_losses() -> None:
    """Oracle: x = 800, 266.667, 606.061; loads 13 333.3 + 66 666.7 = 80 000."""
    flow = THREE_BUSES.trace(**GENERATION, sent=[30_000.0, 70_000.0, 40_000.0])

    assert [round(value, 3) for value in flow.intensity] == [800.0, 266.667, 606.061]
    assert flow.loads.tolist() == [0.0, 50_000.0, 110_000.0]
    assert [round(value, 1) for value in flow.load_carbon] == [0.0, 13_333.3, 66_666.7]
    assert flow.load_carbon.sum() == pytest.approx(80_000.0, rel=1e-12)
    assert flow.branch_carbon == pytest.approx([24_000.0, 56_000.0, 10_666.667], rel=1e-7)
    assert not flow.residual.any()


def test_three_buses_with_losses() -> None:
    """Oracle: received 29.5, 68, 39.4 -> x = 800, 263.687, 603.252; 77 841.79 + 2 158.21."""
    flow = THREE_BUSES.trace(
        **GENERATION,
        sent=[30_000.0, 70_000.0, 40_000.0],
        received=[29_500.0, 68_000.0, 39_400.0],
    )

    assert [round(value, 3) for value in flow.intensity] == [800.0, 263.687, 603.252]
    assert flow.loads.tolist() == [0.0, 49_500.0, 107_400.0]
    assert round(float(flow.load_carbon.sum()), 2) == 77_841.79
    assert round(float(flow.loss_carbon.sum()), 2) == 2_158.21
    assert flow.load_carbon.sum() + flow.loss_carbon.sum() == pytest.approx(80_000.0, rel=1e-12)


def test_a_phase_of_a_feeder() -> None:
    """Oracle: TX 1 kW at 500 -> N1 (load 3), N2 PV 4 at 45, load 2, N2->N1 2 -> 196.667, 45."""
    feeder = Network(
        [Branch(start="N1", end="N2")],
        [Injection(node="N1", source="grid"), Injection(node="N2", source="solar")],
    )

    flow = feeder.trace(injected=[1000.0, 4000.0], intensity=[500.0, 45.0], sent=[-2000.0])

    assert round(flow.at("N1") or 0.0, 3) == 196.667
    assert flow.at("N2") == 45.0
    assert flow.loads.tolist() == [3000.0, 2000.0]
    assert flow.load_carbon.sum() == pytest.approx(680.0, rel=1e-12)
    assert flow.branch_carbon.tolist() == [-90.0]
    assert flow.share("N1", ["solar"]) == pytest.approx(2.0 / 3.0)
    assert flow.share("N1", ["solar", "grid"]) == pytest.approx(1.0)


def test_three_phases_are_three_networks_and_a_load_is_weighed_over_them() -> None:
    """Solar on one phase: the others get nothing of it."""
    feeder = Network(
        [Branch(start="TX", end="N1")],
        [Injection(node="TX", source="grid"), Injection(node="N1", source="solar")],
    )

    flow = feeder.trace(
        injected=[[1000.0, 0.0], [1000.0, 0.0], [500.0, 1500.0]],
        intensity=[500.0, 50.0],
        sent=[[1000.0], [1000.0], [500.0]],
    )

    node = feeder.node("N1")
    assert flow.intensity[:, node].tolist() == [500.0, 500.0, 162.5]
    # 1 kWh at 500, 1 kWh at 500, 2 kWh at 162.5
    assert flow.load_intensity(axis=0)[node] == pytest.approx(1325.0 / 4.0)
    assert np.isnan(flow.load_intensity(axis=0)[feeder.node("TX")])
    with pytest.raises(NetworkError, match="each of"):
        flow.at("N1")


def test_what_is_sent_but_metered_nowhere_is_told() -> None:
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[1000.0], intensity=[400.0], sent=[1500.0])

    assert flow.residual.tolist() == [-500.0, 0.0]
    assert flow.intensity.tolist() == [400.0, 400.0]
    total = flow.load_carbon.sum() + flow.residual_carbon.sum()
    assert total == pytest.approx(float(flow.injected_carbon.sum()))


def test_what_is_metered_nowhere_can_be_a_source_of_its_own() -> None:
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[1000.0], intensity=[400.0], sent=[1500.0], unmetered=700.0)

    assert flow.residual.tolist() == [-500.0, 0.0]
    assert flow.intensity.tolist() == pytest.approx([500.0, 500.0])
    assert flow.share("B", [UNMETERED]) == pytest.approx(1.0 / 3.0)
    assert flow.injected_carbon.sum() == flow.load_carbon.sum() == pytest.approx(750.0)
    assert not flow.residual_carbon.any()


def test_an_end_that_nothing_feeds_is_unknown() -> None:
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[0.0], intensity=[400.0], sent=[100.0])

    assert flow.at("A") is None
    assert flow.at("B") is None
    assert flow.residual.tolist() == [-100.0, 0.0]
    assert np.isnan(flow.load_carbon[1])


def test_a_line_that_is_fed_from_both_ends_loses_all_of_it() -> None:
    line = Network(
        [Branch(start="A", end="B")],
        [Injection(node="A", source="one"), Injection(node="B", source="two")],
    )

    flow = line.trace(
        injected=[100.0, 50.0], intensity=[400.0, 100.0], sent=[30.0], received=[-20.0]
    )

    assert flow.intensity.tolist() == [400.0, 100.0]
    assert flow.loads.tolist() == [70.0, 30.0]
    assert flow.loss_carbon.tolist() == [pytest.approx((30.0 * 400.0 + 20.0 * 100.0) / 1000.0)]


def test_more_arrives_than_was_sent_and_the_sender_tells() -> None:
    """The two meters of a line differ: no loss is negative, and nothing is lost."""
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[100.0], intensity=[400.0], sent=[100.0], received=[101.0])

    assert flow.loss_carbon.tolist() == [0.0]
    assert flow.residual[0] == pytest.approx(-1.0)
    assert flow.loads.tolist() == [0.0, 101.0]


def test_metered_loads_leave_a_residual() -> None:
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[100.0], intensity=[500.0], sent=[60.0], loads=[30.0, 70.0])

    assert flow.residual.tolist() == [10.0, -10.0]
    carbon = flow.load_carbon.sum() + flow.residual_carbon.sum()
    assert carbon == pytest.approx(float(flow.injected_carbon.sum()))


def test_rounding_is_no_residual() -> None:
    line = Network([Branch(start="A", end="B")], [Injection(node="A", source="grid")])

    flow = line.trace(injected=[0.1 + 0.2], intensity=[500.0], sent=[0.3], loads=[0.0, 0.3])

    assert flow.residual.tolist() == [0.0, 0.0]


def test_parallel_lines_and_sources_at_one_node_add_up() -> None:
    network = Network(
        [Branch(start="A", end="B", name="one"), Branch(start="A", end="B", name="two")],
        [Injection(node="A", source="grid"), Injection(node="A", source="solar")],
    )

    flow = network.trace(injected=[30.0, 10.0], intensity=[400.0, 0.0], sent=[15.0, 25.0])

    assert flow.intensity.tolist() == [300.0, 300.0]
    assert flow.loads.tolist() == [0.0, 40.0]
    assert flow.shares[1].tolist() == [0.75, 0.25, 0.0]


@pytest.mark.parametrize(
    "figures",
    [
        {"injected": [1.0]},
        {"injected": [1.0, -2.0]},
        {"intensity": [1.0, float("nan")]},
        {"sent": [1.0, 2.0]},
        {"sent": [1.0, 2.0, None]},
        {"received": [1.0]},
        {"loads": [1.0]},
        {"loads": [-1.0, 0.0, 0.0]},
        {"unmetered": -1.0},
        {"injected": np.zeros((4, 2)), "sent": np.zeros((5, 3))},
    ],
)
def test_figures_that_do_not_fit_are_refused(figures) -> None:
    fitting = {**GENERATION, "sent": [1.0, 2.0, 3.0]}

    with pytest.raises(ImpossibleAmountError):
        THREE_BUSES.trace(**{**fitting, **figures})


def test_descriptions_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(NetworkError, match="'A' to itself"):
        Network([Branch(start="A", end="A")], [])
    with pytest.raises(NetworkError, match="unmetered"):
        Network([], [Injection(node="A", source=UNMETERED)])
    with pytest.raises(NetworkError, match="no node 'X'"):
        THREE_BUSES.node("X")


@st.composite
def described(draw):
    """Return a network in which all that leaves a node has come in: losses, loops, intervals."""
    count = draw(st.integers(2, 9))
    intervals = draw(st.integers(1, 3))
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
                lambda pair: pair[0] != pair[1]
            ),
            min_size=1,
            max_size=14,
        )
    )
    places = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=5))
    seed = draw(st.integers(0, 2**32 - 1))
    return count, intervals, pairs, places, np.random.default_rng(seed)


@settings(max_examples=200)
@given(described(), st.booleans())
def test_no_watt_hour_and_no_gram_is_lost_or_made(drawn, unmetered) -> None:
    """Random meshed networks with losses, backward flows and meters that do not agree."""
    _, intervals, pairs, places, rng = drawn
    network = Network(
        [Branch(start=str(a), end=str(b)) for a, b in pairs],
        [Injection(node=str(place), source=f"s{number}") for number, place in enumerate(places)],
    )
    injected = rng.uniform(0.0, 1e4, (intervals, len(places)))
    intensity = rng.uniform(0.0, 1000.0, (intervals, len(places)))
    sent = rng.uniform(-5e3, 5e3, (intervals, len(pairs)))
    kept = rng.uniform(0.8, 1.0, (intervals, len(pairs)))
    received = np.where(sent > 0.0, sent * kept, sent / kept)

    flow = network.trace(
        injected=injected,
        intensity=intensity,
        sent=sent,
        received=received,
        unmetered=650.0 if unmetered else None,
    )

    lost = np.abs(sent - received).sum(axis=-1)
    stays = flow.loads.sum(axis=-1) + flow.residual.sum(axis=-1) + lost
    assert stays == pytest.approx(injected.sum(axis=-1), rel=1e-9)
    known = ~np.isnan(flow.intensity).any(axis=-1)
    out = flow.load_carbon + flow.residual_carbon
    carbon = out.sum(axis=-1) + flow.loss_carbon.sum(axis=-1)
    brought = flow.injected_carbon.sum(axis=-1)
    assert carbon[known] == pytest.approx(brought[known], rel=1e-9)
    assert flow.shares.sum(axis=-1)[~np.isnan(flow.intensity)] == pytest.approx(1.0, rel=1e-9)
    if unmetered:
        # All that flows has an origin then: only nodes without any energy have no mix.
        nodes = len(network.nodes)
        through = np.zeros((intervals, nodes))
        for number, (a, b) in enumerate(pairs):
            start, end = network.node(str(a)), network.node(str(b))
            through[:, start] += np.abs(sent[:, number])
            through[:, end] += np.abs(sent[:, number])
        assert known.all() or not (through[np.isnan(flow.intensity)] > 1e-9).any()
