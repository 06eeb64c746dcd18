"""Quantiles that show no home: means over k of them, rounded to steps wider than a home."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.community.privacy.quantiles import (
    QUANTILES,
    rounded,
    safe_quantiles,
)
from custom_components.carbon_meter.community.privacy.rules import STANDARD, Rules

LOOSE = Rules(k=1, dominance=1.0, clear_only=True)


@pytest.mark.parametrize(
    ("homes", "said"),
    [
        (0, ()),
        (15, ()),
        (29, ()),
        (30, (0.5,)),
        (59, (0.5,)),
        (60, (0.25, 0.5, 0.75)),
        (97, (0.25, 0.5, 0.75)),
        (98, QUANTILES),
    ],
)
def test_more_homes_more_quantiles(homes: int, said: tuple[float, ...]) -> None:
    found = safe_quantiles(np.arange(1000, 1000 + homes), STANDARD)
    assert tuple(found) == said


def test_they_are_near_the_true_ones() -> None:
    wh = np.arange(10_000)
    for quantile, amount in safe_quantiles(wh, STANDARD).items():
        assert amount == pytest.approx(float(np.quantile(wh, quantile)), rel=0.13)


def test_a_window_with_a_large_home_is_left_out() -> None:
    """Of 60 homes the mean around the third quarter is of the 38th to the 52nd."""
    wh = np.array([100] * 52 + [10**6] * 8, dtype=np.int64)
    assert set(safe_quantiles(wh, STANDARD)) == {0.25, 0.5, 0.75}
    wh[51] = 10**6
    assert set(safe_quantiles(wh, STANDARD)) == {0.25, 0.5}


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, 0), (1, 1), (9.5, 10), (110, 100), (113, 125), (7000, 6300)]
)
def test_preferred_numbers(amount: float, expected: float) -> None:
    assert rounded(amount) == pytest.approx(expected)


@given(st.lists(st.integers(0, 10**6), max_size=200), st.integers(0, 10**6))
def test_one_home_of_fifteen_moves_a_mean_by_less_than_a_step(wh, other) -> None:
    """Unless it dominates, a home is at most 15 % of its window."""
    before = safe_quantiles(np.array(wh, dtype=np.int64), STANDARD)
    for amount in before.values():
        assert amount == 0 or rounded(amount) == pytest.approx(amount)
    assert len(before) in (0, 1, 2, 3, 4, 5)
    assert set(safe_quantiles(np.array([*wh, other], dtype=np.int64), STANDARD)) <= set(QUANTILES)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=200))
def test_quantiles_rise(wh) -> None:
    found = list(safe_quantiles(np.array(wh, dtype=np.int64), LOOSE).values())
    assert found == sorted(found)
