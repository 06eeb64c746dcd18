"""A battery's efficiency from what its meter counted."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.supply.efficiency import estimate_efficiency


def test_back_at_the_same_content_it_is_the_root_of_what_came_back() -> None:
    estimate = estimate_efficiency(
        charged=100_000.0, discharged=81_000.0, capacity=10_000.0, stored_change=0.0
    )

    assert estimate is not None
    assert estimate.one_way == pytest.approx(0.9)
    assert estimate.round_trip == pytest.approx(0.81)
    assert (estimate.low, estimate.high) == (estimate.one_way, estimate.one_way)


def test_without_knowing_the_content_the_bounds_close_as_energy_flows() -> None:
    widths = []
    for turns in (5, 50, 500):
        estimate = estimate_efficiency(
            charged=turns * 1000.0, discharged=turns * 810.0, capacity=1000.0
        )
        assert estimate is not None
        assert estimate.one_way == pytest.approx(0.9)
        assert estimate.low < estimate.one_way < estimate.high
        widths.append(estimate.high - estimate.low)

    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.2)
    assert widths[2] == pytest.approx(widths[1] / 10, rel=0.2)


@pytest.mark.parametrize(
    ("charged", "discharged"), [(0.0, 100.0), (100.0, 0.0), (1000.0, 30_000.0)]
)
def test_nothing_is_learnt_from_what_no_battery_does(charged, discharged) -> None:
    assert estimate_efficiency(charged=charged, discharged=discharged, capacity=100.0) is None


def test_impossible_figures_are_refused() -> None:
    with pytest.raises(ImpossibleAmountError):
        estimate_efficiency(charged=-1.0, discharged=1.0, capacity=1.0)


@given(
    st.floats(0.5, 1.0),
    st.lists(st.floats(1.0, 5000.0), min_size=20, max_size=60),
    st.floats(0.0, 500.0),
)
def test_the_truth_is_found_and_lies_within_the_bounds(efficiency, flows, standby) -> None:
    """A simulated battery of 10 kWh that is charged and discharged by turns."""
    capacity, stored, charged, discharged = 10_000.0, 5_000.0, 0.0, 0.0
    for number, flow in enumerate(flows):
        if number % 2:
            given = min(flow, stored * efficiency)
            discharged += given
            stored -= given / efficiency
        else:
            taken = min(flow, (capacity - stored) / efficiency)
            charged += taken
            stored += taken * efficiency
    figures = {"charged": charged, "discharged": discharged, "capacity": capacity}

    told = estimate_efficiency(**figures, stored_change=stored - 5_000.0)
    untold = estimate_efficiency(**figures)
    fading = estimate_efficiency(
        **figures, stored_change=stored - 5_000.0 - standby, standby=standby
    )

    assert told is not None
    assert told.one_way == pytest.approx(efficiency, rel=1e-9)
    assert fading is not None
    assert fading.one_way == pytest.approx(efficiency, rel=1e-9)
    if untold is not None:
        assert untold.low <= efficiency * (1 + 1e-9)
        assert untold.high >= efficiency * (1 - 1e-9)
