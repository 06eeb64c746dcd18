"""A store's limits are widened by the least that lets them be kept."""

from dataclasses import replace

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.store import Store


def random_store(seed: int, *, discharges: bool = True) -> Store:
    """Return a store whose limits can often not be kept."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 30))
    return Store.of(
        start=rng.uniform(-2.0, 12.0),
        keep=rng.uniform(0.7, 1.0, count) if rng.random() < 0.5 else 1.0,
        drift=rng.normal(0.0, 0.7, count),
        least=-rng.uniform(0.0, 3.0, count) * discharges,
        most=rng.uniform(0.0, 3.0, count),
        low=rng.uniform(0.0, 5.0, count),
        high=rng.uniform(5.0, 10.0, count),
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_limits_within_reach_are_kept_by_a_path(seed: int) -> None:
    """Changing as much as the limits and the powers allow keeps the lower limit everywhere."""
    store = random_store(seed)
    reach = store.within_reach()

    assert (reach.low <= store.low).all()
    assert (reach.high >= store.high).all()
    ceiling = reach.high.copy()
    for slot in range(len(store) - 1, 0, -1):
        before = (ceiling[slot] - store.drift[slot] - store.least[slot]) / store.keep[slot]
        ceiling[slot - 1] = min(ceiling[slot - 1], before)
    content, changes = store.start, []
    for slot in range(len(store)):
        idle = store.keep[slot] * content + store.drift[slot]
        changes.append(min(store.most[slot], ceiling[slot] - idle))
        content = idle + changes[-1]
        assert changes[-1] >= store.least[slot] - 1e-9
    contents = store.follow(np.array(changes))
    assert (contents >= reach.low - 1e-9).all()
    assert (contents <= reach.high + 1e-9).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_no_path_comes_closer_than_the_widened_limits(seed: int) -> None:
    """Random paths that keep the upper limit never lie above what the lower one was lowered to."""
    store = random_store(seed)
    reach = store.within_reach()
    lowered = reach.low < store.low
    rng = np.random.default_rng(seed)
    for _ in range(20):
        contents = store.follow(rng.uniform(store.least, store.most))
        if (contents <= reach.high + 1e-9).all():
            assert (contents[lowered] <= reach.low[lowered] + 1e-9).all()


def test_limits_that_can_be_kept_stay() -> None:
    """Nothing is widened without need."""
    store = Store.of(start=5.0, keep=1.0, drift=0.0, least=-1.0, most=1.0, low=[1.0] * 4, high=9.0)

    reach = store.within_reach()

    assert (reach.low == store.low).all()
    assert (reach.high == store.high).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"keep": 0.0}, "keep: a store that keeps nothing"),
        ({"keep": -0.5}, "keep"),
        ({"drift": float("nan")}, "drift"),
        ({"start": float("inf")}, "start"),
        ({"low": 4.0, "high": 3.0}, "low: a lower limit lies above"),
        ({"least": 2.0}, "least: a lower limit lies above"),
        ({"most": [1.0, 2.0]}, "expected 3 numbers"),
        ({"drift": "much"}, "drift"),
    ],
)
def test_impossible_stores_are_refused(changed: dict[str, object], message: str) -> None:
    """What no store is has an error that names it."""
    good: dict[str, object] = {
        "start": 1.0,
        "keep": 1.0,
        "drift": 0.0,
        "least": 0.0,
        "most": 1.0,
        "low": [0.0, 0.0, 0.0],
        "high": 2.0,
    }
    with pytest.raises(ImpossibleAmountError, match=message):
        Store.of(**(good | changed))  # type: ignore[arg-type]


def test_a_path_is_followed_slot_by_slot() -> None:
    """The content keeps a part, drifts, and changes."""
    store = Store.of(start=10.0, keep=0.5, drift=1.0, least=0.0, most=9.0, low=[0.0, 0.0], high=99)

    assert store.follow(np.array([2.0, 0.0])).tolist() == [8.0, 5.0]
    assert replace(store, start=0.0).follow(np.array([0.0, 0.0])).tolist() == [1.0, 1.5]
