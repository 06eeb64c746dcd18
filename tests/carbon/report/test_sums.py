"""Sums whose parts add up in every bit."""

from fractions import Fraction
import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.report.sums import ExactSum

numbers = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)


@given(numbers, st.data())
def test_a_sum_is_the_true_one_rounded_once(values, data) -> None:
    first = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(first, len(values)))

    found = ExactSum("test", np.array(values)).between(first, end)

    true = float(sum((Fraction(value) for value in values[first:end]), Fraction()))
    assert found == pytest.approx(true, rel=2.3e-16, abs=len(values) * 2.0**-60)


@given(st.lists(st.floats(2.0**-8, 1e9), min_size=1, max_size=60))
def test_amounts_above_a_few_milligrams_lose_nothing(values) -> None:
    assert ExactSum("test", np.array(values)).between(0, len(values)) == math.fsum(values)


def test_ten_tenths_are_one() -> None:
    tenths = ExactSum("test", np.full(10_000_000, 0.1))

    assert tenths.between(0, 10) == 1.0
    assert tenths.between(0, 10_000_000) == 1_000_000.0


def test_nothing_adds_up_to_nothing() -> None:
    assert ExactSum("test", np.zeros(3)).between(0, 3) == 0.0
    assert ExactSum("test", np.zeros(0)).between(0, 0) == 0.0


def test_more_than_the_world_uses_is_refused() -> None:
    with pytest.raises(ImpossibleAmountError, match="import: the sum"):
        ExactSum("import", np.full(10, 1e12))
