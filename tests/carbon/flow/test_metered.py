"""Networks by the ids of their meters, and as users write them down."""

from pathlib import Path

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.description import load_network
from custom_components.carbon_meter.carbon.flow.metered import (
    MeteredBranch,
    MeteredLoad,
    MeteredNetwork,
    MeteredSource,
)
from custom_components.carbon_meter.carbon.flow.network import NetworkError
from custom_components.carbon_meter.datafile import DataFileError

RING = MeteredNetwork(
    sources=[
        MeteredSource(node="north", meter="grid", source="grid"),
        MeteredSource(node="south", meter="roof", source="solar"),
    ],
    branches=[
        MeteredBranch(start="north", end="east", meter="ne"),
        MeteredBranch(start="east", end="south", meter="es", end_meter="es2"),
        MeteredBranch(start="south", end="north", meter="sn", loss=0.1),
    ],
    loads=[MeteredLoad(node="east", meter="press")],
)
FLOWS = {
    "forward": {
        "grid": 1000.0,
        "roof": 1000.0,
        "ne": 500.0,
        "es": 0.0,
        "es2": 0.0,
        "sn": 500.0,
        "press": 600.0,
    },
    "backward": {"es": 380.0, "es2": 400.0},
    "intensity": {"grid": 500.0, "roof": 50.0},
}

FEEDER = """\
title: Feeder
phases: [L1, L2, L3]
sources:
  - {node: N1, meter: tx, source: grid}
  - {node: N2, meter: pv, source: solar}
branches:
  - {start: N1, end: N2, meter: line}
loads:
  - {node: N2, meter: pump}
"""


def test_a_ring_with_a_metered_and_an_estimated_loss() -> None:
    flow = RING.trace(**FLOWS)

    north = (1000.0 * 500.0 + 450.0 * 50.0) / 1450.0
    east = (500.0 * north + 380.0 * 50.0) / 880.0
    assert flow.intensity("south") == pytest.approx(50.0)
    assert flow.intensity("north") == pytest.approx(north)
    assert flow.intensity("east") == pytest.approx(east)
    assert flow.forward_carbon("press") == pytest.approx(0.6 * east)
    assert flow.forward_carbon("sn") == pytest.approx(25.0)
    assert flow.backward_carbon("es") == pytest.approx(19.0)
    assert flow.forward_carbon("roof") == pytest.approx(50.0)
    assert flow.backward_carbon("roof") == 0.0
    # 50 Wh of the line south to north, 20 Wh of that south to east
    assert flow.flow.loss_carbon.sum() == pytest.approx(0.07 * 50.0)
    assert flow.of_node(flow.flow.loads, "east") == pytest.approx(280.0)
    out = flow.flow.load_carbon.sum() + flow.flow.loss_carbon.sum()
    assert out == pytest.approx(550.0, rel=1e-12)


def test_what_a_source_takes_has_the_mix_of_its_node() -> None:
    flow = RING.trace(**{**FLOWS, "backward": {**FLOWS["backward"], "grid": 200.0}})

    assert flow.backward_carbon("grid") == pytest.approx(0.2 * float(flow.intensity("north")))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"forward": {"grid": 1.0}}, "forward of ne: it is missing"),
        ({"forward": {**FLOWS["forward"], "es2": None}}, "forward of es2: it is missing"),
        ({"backward": {"ne": -1.0}}, "backward of ne"),
        ({"intensity": {"grid": 1.0}}, "intensity of roof: it is missing"),
        ({"forward": {**FLOWS["forward"], "ne": [1.0, 2.0], "es": [1.0] * 3}}, "do not fit"),
    ],
)
def test_figures_that_are_missing_or_cannot_be_are_named(changes, named) -> None:
    with pytest.raises(ImpossibleAmountError, match=named):
        RING.trace(**{**FLOWS, **changes})


def test_meters_that_are_not_there_have_no_place() -> None:
    with pytest.raises(NetworkError, match="no meter 'attic'"):
        RING.start_of("attic")
    assert (RING.start_of("ne"), RING.end_of("ne")) == ("north", "east")
    assert (RING.start_of("press"), RING.end_of("press")) == ("east", "east")


@pytest.mark.parametrize(
    ("branches", "named"),
    [
        ([MeteredBranch(start="a", end="b", meter="grid")], "named twice: grid"),
        ([MeteredBranch(start="a", end="b", meter="x", end_meter="x")], "named twice: x"),
        ([MeteredBranch(start="a", end="a", meter="x")], "to itself"),
        ([MeteredBranch(start="a", end="b", meter="x", loss=1.0)], "cannot be lost"),
        ([MeteredBranch(start="a", end="b", meter="x", end_meter="y", loss=0.1)], "is metered"),
        ([MeteredBranch(start="a", end="grid/taken", meter="x")], "no node can be called"),
    ],
)
def test_networks_that_cannot_be_are_refused(branches, named) -> None:
    with pytest.raises(NetworkError, match=named):
        MeteredNetwork(
            sources=[MeteredSource(node="a", meter="grid", source="grid")], branches=branches
        )


def described(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_three_phase_feeder_from_a_file(tmp_path) -> None:
    """Oracle on L1: TX 1 kW at 500, PV 4 at 45 -> 196.667 and 45; grams 3*196.667+2*45 = 680."""
    network = load_network(described(tmp_path, FEEDER))

    flow = network.metered.trace(
        forward={
            "tx": [1000.0, 2000.0, 2000.0],
            "pv": [4000.0, 0.0, 1000.0],
            "line": [0.0, 1000.0, 500.0],
            "pump": [500.0, 500.0, 500.0],
        },
        backward={"line": [2000.0, 0.0, 0.0]},
        intensity={"tx": 500.0, "pv": 45.0},
    )

    assert network.title == "Feeder"
    assert [round(float(value), 3) for value in flow.intensity("N1")] == [196.667, 500.0, 500.0]
    assert flow.intensity("N2") == pytest.approx([45.0, 500.0, (250.0 + 45.0) / 1.5])
    grams = flow.flow.load_carbon[0].sum()
    assert grams == pytest.approx(680.0, rel=1e-12)
    total = flow.forward_carbon("pump").sum()
    assert total == pytest.approx(0.5 * (45.0 + 500.0 + 295.0 / 1.5))


def test_a_loss_and_a_second_meter_from_a_file(tmp_path) -> None:
    text = FEEDER.replace("phases: [L1, L2, L3]\n", "").replace(
        "meter: line", "meter: line, loss: 0.5"
    )
    text = text.replace("loads:", "  - {start: N2, end: N3, meter: in, end_meter: out}\nloads:")
    network = load_network(described(tmp_path, text)).metered

    flow = network.trace(
        forward={"tx": 1000.0, "pv": 0.0, "line": 1000.0, "pump": 0.0, "in": 500.0, "out": 400.0},
        backward={},
        intensity={"tx": 300.0},
    )

    assert flow.flow.loss_carbon.sum() == pytest.approx(0.6 * 300.0)
    assert flow.of_node(flow.flow.load_carbon, "N3") == pytest.approx(120.0)


def test_a_total_is_not_taken_for_each_phase(tmp_path) -> None:
    network = load_network(described(tmp_path, FEEDER)).metered
    energies = dict.fromkeys(("tx", "pv", "line", "pump"), np.ones(3))

    for bad in (3000.0, [1.0, 2.0], np.ones((3, 4))):
        with pytest.raises(ImpossibleAmountError, match="one for each of L1, L2, L3"):
            network.trace(
                forward={**energies, "tx": bad},
                backward={},
                intensity={"tx": 500.0, "pv": 45.0},
            )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (FEEDER.replace("phases: [L1, L2, L3]", "phases: [L1, L1]"), 2, "named twice"),
        (FEEDER.replace("meter: pv, source: solar", "meter: pv"), 5, "source"),
        (FEEDER.replace("meter: line", "meter: line, loss: 1.5"), 7, "no part of the energy"),
        (FEEDER.replace("meter: line", "meter: line, loss: yes"), 7, "no part of the energy"),
        (FEEDER.replace("meter: line", "meter: ''"), 7, "expected a text"),
        (FEEDER.replace("meter: line", "meter: tx"), 1, "named twice: tx"),
        (FEEDER.replace("end: N2", "end: N1"), 1, "to itself"),
        (FEEDER.replace("title: Feeder", "name: Feeder"), 1, "name"),
        ("", 1, "empty"),
        ("- 1", 1, "expected a mapping"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_line(tmp_path, text, line, message) -> None:
    with pytest.raises(DataFileError, match=message) as caught:
        load_network(described(tmp_path, text))

    assert line in {problem.line for problem in caught.value.problems}
