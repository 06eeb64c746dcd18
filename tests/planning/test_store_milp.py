"""Costs that are not convex: pieces are filled in their order."""

import numpy as np
import pytest

from custom_components.carbon_meter.planning.store import Store
from custom_components.carbon_meter.planning.store_milp import cheapest_mixed, has_solver
from custom_components.carbon_meter.planning.store_path import cheapest_path
from tests.planning.test_store import random_store

pytestmark = pytest.mark.skipif(not has_solver(), reason="HiGHS is not installed")


def test_convex_costs_have_the_same_answer_as_without_a_solver() -> None:
    """Both are exact."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        store = random_store(seed).within_reach()
        costs = []
        for least, most in zip(store.least, store.most, strict=True):
            one, other = sorted(rng.normal(1.0, 3.0, 2))
            costs.append([(one, -least), (other, most)])

        found = cheapest_mixed(store, costs, end_value=1.0, offset=0.0, seconds=10.0, gap=1e-9)

        assert found is not None
        _, bound = found
        assert bound == pytest.approx(cheapest_path(store, costs, end_value=1.0).cost, abs=1e-4)


def test_a_cheap_piece_waits_for_the_dear_one_before_it() -> None:
    """One unit costs 3, the next -1: two units cost 2, and half of the first is not skipped."""
    store = Store.of(start=0.0, keep=1.0, drift=0.0, least=0.0, most=2.0, low=[1.5], high=2.0)

    found = cheapest_mixed(
        store, [[(3.0, 1.0), (-1.0, 1.0)]], end_value=0.0, offset=10.0, seconds=10.0, gap=0.0
    )

    assert found is not None
    changes, bound = found
    assert changes.tolist() == pytest.approx([2.0])
    assert bound == pytest.approx(12.0)


def test_no_time_is_no_answer_or_a_right_one() -> None:
    """What is not found in time is None; what is found keeps the limits."""
    store = random_store(7).within_reach()
    costs = [
        [(1.0, -least), (-2.0, most)] for least, most in zip(store.least, store.most, strict=True)
    ]

    found = cheapest_mixed(store, costs, end_value=0.0, offset=0.0, seconds=0.0, gap=0.0)

    if found is not None:
        contents = store.follow(found[0])
        assert (contents >= store.low - 1e-5).all()
        assert (contents <= store.high + 1e-5).all()
