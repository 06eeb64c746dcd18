"""Flow tracing between grid zones."""

import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.flow.zones import trace_zones


def test_two_zones_that_trade_in_a_row() -> None:
    """A clean zone passes on to a dirty one, which passes on to one that makes nothing."""
    flow = trace_zones(
        [100.0, 100.0, 0.0],
        [2.0, 80.0, 0.0],
        [[0.0, 40.0, 0.0], [-40.0, 0.0, 70.0], [0.0, -70.0, 0.0]],
    )

    # (80 g + 40 Wh of 20 g/kWh) / 140 Wh
    dirty = (80.0 + 0.8) / 0.14
    assert flow.production_intensity[:2].tolist() == [20.0, 800.0]
    assert np.isnan(flow.production_intensity[2])
    assert flow.consumption_intensity == pytest.approx([20.0, dirty, dirty])
    assert flow.consumption.tolist() == [60.0, 70.0, 70.0]
    assert flow.consumption_carbon.sum() == pytest.approx(82.0, rel=1e-12)
    assert flow.received_carbon[0, 1] == pytest.approx(0.8)


def test_where_two_sides_differ_the_receiver_is_believed() -> None:
    flow = trace_zones([10.0, 1.0], [5.0, 0.0], [[0.0, 5.0], [-4.0, 0.0]])

    assert flow.received.tolist() == [[0.0, 4.0], [0.0, 0.0]]
    assert flow.consumption.tolist() == [6.0, 5.0]


def test_pumped_storage_consumes() -> None:
    flow = trace_zones([100.0, -20.0], [50.0, 0.0], [[0.0, 30.0], [-30.0, 0.0]])

    assert flow.consumption_intensity.tolist() == [500.0, 500.0]
    assert flow.consumption.tolist() == [70.0, 30.0]


@pytest.mark.parametrize(
    ("generation", "carbon", "exchange"),
    [
        ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, 2.0], [[0.0, 1.0]]),
        ([1.0, 2.0], [1.0, 2.0], [[0.0, math.nan], [0.0, 0.0]]),
        ([1.0, 2.0], [1.0, -2.0], [[0.0, 0.0], [0.0, 0.0]]),
        ([1.0, None], [1.0, 2.0], [[0.0, 0.0], [0.0, 0.0]]),
        ([1.0], [1.0], [[0.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_figures_that_cannot_be_are_refused(generation, carbon, exchange) -> None:
    with pytest.raises(ImpossibleAmountError):
        trace_zones(generation, carbon, exchange)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_all_that_is_emitted_is_consumed(seed, count) -> None:
    """Hours of zones that all generate and trade with a third of the others."""
    rng = np.random.default_rng(seed)
    generation = rng.uniform(1.0, 1e6, (5, count))
    carbon = generation * rng.uniform(0.0, 1.0, (5, count))
    trade = np.triu(rng.normal(0.0, 1e5, (5, count, count)), 1)
    trade *= rng.random(trade.shape) < 0.3
    flow = trace_zones(generation, carbon, trade - trade.swapaxes(-1, -2))

    assert flow.consumption.sum(axis=-1) == pytest.approx(generation.sum(axis=-1), rel=1e-9)
    carbon_out = flow.consumption_carbon.sum(axis=-1)
    # Zones that export more than they have make the sum a difference of larger numbers.
    through = np.abs(flow.consumption_carbon).sum(axis=-1)
    assert np.abs(carbon_out - carbon.sum(axis=-1)) == pytest.approx(0.0, abs=1e-9 * through.max())
