"""The cheapest path is that of a linear programme, to rounding."""

from collections.abc import Sequence

import numpy as np
import pytest

from custom_components.carbon_meter.planning.store import Store
from custom_components.carbon_meter.planning.store_path import Segment, cheapest_path
from tests.planning.test_store import random_store


def linear_programme(store: Store, costs: Sequence[Sequence[Segment]], end_value: float) -> float:
    """Return the optimum by HiGHS."""
    highspy = pytest.importorskip("highspy")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    before = None
    last = len(store) - 1
    for slot, segments in enumerate(costs):
        parts = [solver.addVariable(0.0, length, obj=slope) for slope, length in segments]
        value = -end_value if slot == last else 0.0
        # HiGHS holds limits to 1e-7 only: what is exactly reached must not be infeasible.
        after = solver.addVariable(store.low[slot] - 1e-9, store.high[slot] + 1e-9, obj=value)
        moved = store.least[slot] + store.drift[slot]
        if before is None:
            solver.addConstr(after - sum(parts) == moved + store.keep[slot] * store.start)
        else:
            solver.addConstr(after - store.keep[slot] * before - sum(parts) == moved)
        before = after
    solver.minimize()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getObjectiveValue())


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_the_path_is_as_cheap_as_a_linear_programme(first: int) -> None:
    """Random stores with slopes of any sign and limits that had to be widened."""
    for seed in range(first, first + 50):
        rng = np.random.default_rng(seed)
        store = random_store(seed, discharges=bool(seed % 3)).within_reach()
        costs = []
        for least, most in zip(store.least, store.most, strict=True):
            one, other = sorted(rng.normal(1.0, 3.0, 2))
            costs.append([(one, -least), (other, most)])
        end_value = float(rng.choice([0.0, 2.0, 5.0]))

        path = cheapest_path(store, costs, end_value=end_value)

        best = linear_programme(store, costs, end_value)
        assert path.cost == pytest.approx(best, rel=1e-6, abs=1e-5)
        assert np.allclose(store.follow(path.changes), path.contents)
        assert (path.contents >= store.low - 1e-9).all()
        assert (path.contents <= store.high + 1e-9).all()
        assert (path.changes >= store.least - 1e-9).all()
        assert (path.changes <= store.most + 1e-9).all()


def test_what_is_as_good_either_way_is_left_alone() -> None:
    """Where moving energy gains nothing, nothing moves."""
    store = Store.of(
        start=5.0, keep=1.0, drift=0.0, least=-2.0, most=2.0, low=[0.0] * 3 + [5.0], high=10.0
    )

    path = cheapest_path(store, [[(1.0, 2.0), (1.0, 2.0)]] * 4)

    assert path.contents[-1] == 5.0
    assert path.cost == pytest.approx(4 * 2.0)


def test_many_equal_slots_keep_their_sums() -> None:
    """672 slots of one cost: as cheap as what has to be added."""
    store = Store.of(
        start=0.0, keep=1.0, drift=-1.0, least=0.0, most=3.0, low=np.zeros(672), high=50.0
    )

    path = cheapest_path(store, [[(0.3, 3.0)]] * 672)

    assert path.cost == pytest.approx(0.3 * 672)
    assert path.changes.sum() == pytest.approx(672)
