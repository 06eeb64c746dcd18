"""The 24/7 score of carbon-free energy."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.carbon_free import carbon_free_score
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError


def test_score() -> None:
    """Oracle: contracted 0.50, with the grid's part 0.62, volumetric 0.70."""
    score = carbon_free_score(
        [2000.0, 1000.0, 3000.0, 4000.0], [0.0, 2000.0, 4000.0, 1000.0], [0.3, 0.4, 0.6, 0.2]
    )

    assert score is not None
    assert round(score.contracted, 12) == 0.50
    assert round(score.score, 12) == 0.62
    assert round(score.volumetric, 12) == 0.70
    assert score.excess == 2000.0


def test_without_a_load_there_is_no_score() -> None:
    assert carbon_free_score([0.0, 0.0], [5.0, 5.0], 0.5) is None
    assert carbon_free_score([], [], []) is None


@pytest.mark.parametrize(
    ("load", "clean", "share"),
    [
        ([-1.0], [0.0], [0.5]),
        ([1.0], [float("nan")], [0.5]),
        ([1.0], [1.0], [1.5]),
        ([1.0, 2.0], [1.0], [0.5, 0.5, 0.5]),
        ([1.0], None, [0.5]),
    ],
)
def test_impossible_figures_are_refused(load, clean, share) -> None:
    with pytest.raises(ImpossibleAmountError):
        carbon_free_score(load, clean, share)


@given(
    st.lists(
        st.tuples(st.floats(0.1, 1e4), st.floats(0, 1e4), st.floats(0, 1)), min_size=1, max_size=30
    )
)
def test_no_hour_lends_to_another(hours) -> None:
    load, clean, share = np.array(hours).T

    score = carbon_free_score(load, clean, share)

    assert score is not None
    assert 0.0 <= score.contracted <= score.volumetric * (1 + 1e-9) <= 1.0 + 2e-9
    assert score.contracted <= score.score * (1 + 1e-9) <= 1.0 + 2e-9
    assert score.contracted * load.sum() + score.excess == pytest.approx(clean.sum(), abs=1e-6)
