"""Two keys in one weight: the second never changes the order of the first."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.single_weight import single_weights
from tests.planning.problems import hourly, random_signal


@given(seed=st.integers(0, 2**32 - 1))
def test_the_first_key_goes_before(seed: int) -> None:
    """Whatever differs in carbon stays in order; what does not is ordered by price."""
    rng = np.random.default_rng(seed)
    signal = random_signal(rng, int(rng.integers(2, 30)))
    weights = Objective.lexicographic(Goal.CARBON).weights(signal)

    found = single_weights(weights)

    for one in range(len(found)):
        for other in range(len(found)):
            if weights.first[one] < weights.first[other] * (1.0 - 2e-9):
                assert found[one] < found[other]
            if weights.first[one] == weights.first[other]:
                assert (found[one] < found[other]) == (weights.second[one] < weights.second[other])


def test_the_first_key_is_hardly_changed() -> None:
    """A bound of one is one of the other to the seventh place."""
    signal = hourly([100, 200, 300], price=[0.3, 0.1, 0.2])
    weights = Objective.lexicographic(Goal.CARBON).weights(signal)

    assert single_weights(weights) == pytest.approx(weights.first, rel=1e-6)


def test_what_is_not_known_is_as_bad_as_the_worst() -> None:
    """And where nothing is known all slots are alike."""
    weights = Objective.carbon().weights(hourly([100, None, 300]))
    nothing = Objective.carbon().weights(hourly([None, None]))

    assert single_weights(weights).tolist() == [0.1, 0.3, 0.3]
    assert single_weights(nothing).tolist() == [1.0, 1.0]
