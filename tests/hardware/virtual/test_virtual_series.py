"""Powers that are constant between known moments."""

import numpy as np
import pytest

from hardware.virtual import Constant, Steps
from hardware.virtual.chance import between, smooth, uniform


def test_steps_hold_until_the_next_one() -> None:
    steps = Steps([(10.0, 100.0), (20.5, -50.0)])
    times = np.array([0.0, 9.999, 10.0, 20.4, 20.5, 1e9])
    assert steps.power(times).tolist() == [0, 0, 100, 100, -50, -50]
    assert steps.edges(0, 20.5).tolist() == [10.0]
    assert steps.edges(10, 20.6).tolist() == [10.0, 20.5]


def test_lasting_steps_end_at_zero() -> None:
    steps = Steps.lasting(100.0, [(30, 1000), (60, 2000)])
    assert steps.power(np.array([99.0, 100.0, 130.0, 189.9, 190.0])).tolist() == [
        0,
        1000,
        2000,
        2000,
        0,
    ]


def test_steps_out_of_order_are_an_error() -> None:
    with pytest.raises(ValueError, match="order"):
        Steps([(10.0, 1.0), (10.0, 2.0)])


def test_a_constant_never_changes() -> None:
    constant = Constant(watts=42.0)
    assert constant.edges(0, 1e9).size == 0
    assert constant.power(np.array([0.0, 1e9])).tolist() == [42.0, 42.0]


def test_chance_depends_on_nothing_but_its_arguments() -> None:
    index = np.arange(20000.0)
    numbers = uniform(1, "name", index)
    assert np.array_equal(uniform(1, "name", index[::-1])[::-1], numbers)
    assert not np.array_equal(uniform(2, "name", index), numbers)
    assert not np.array_equal(uniform(1, "other", index), numbers)
    # What independent uniform numbers give within five standard errors.
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 5 / np.sqrt(12 * 20000)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 5 / np.sqrt(20000)


def test_chance_between_and_smooth() -> None:
    index = np.arange(1000.0)
    numbers = between(1, "name", index, 5, 7)
    assert numbers.min() >= 5
    assert numbers.max() < 7
    middle = smooth(1, "name", index + 0.5)
    ends = uniform(1, "name", index), uniform(1, "name", index + 1)
    assert middle == pytest.approx((ends[0] + ends[1]) / 2)
