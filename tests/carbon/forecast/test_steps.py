"""From hours to the step of a source."""

from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.history import STEPS
from custom_components.carbon_meter.carbon.forecast.steps import in_steps


def test_hours_stay_hours() -> None:
    hours = np.array([[1.0, 5.0, 2.0]])

    np.testing.assert_array_equal(in_steps(hours, 3600), hours)


def test_a_ramp_goes_on_within_the_hours() -> None:
    (steps,) = in_steps(np.array([[100.0, 200, 300, 400]]), 900)

    np.testing.assert_allclose(np.diff(steps[4:-4]), 25)


@pytest.mark.parametrize("step", STEPS)
@given(arrays(np.float64, (3, 10), elements=st.floats(50, 100)))
def test_the_mean_of_each_hour_stays(step, hours) -> None:
    steps = in_steps(hours, step)

    assert steps.shape == (3, 10 * 3600 // step)
    np.testing.assert_allclose(steps.reshape(3, 10, -1).mean(axis=2), hours)


@given(arrays(np.float64, (3, 10), elements=st.floats(0, 5000)))
def test_no_step_is_negative(hours) -> None:
    assert (in_steps(hours, 300) >= 0).all()
