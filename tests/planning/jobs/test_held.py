"""Values that are held for a while, and setpoints that know who chose them."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.planning.jobs.held import Held, flag, number, number_or_none
from custom_components.carbon_meter.planning.jobs.setpoint import Setpoint, rounded


def test_a_value_is_held() -> None:
    """For a minute, unless it has to change at once; a clock that goes back does not hold it."""
    held: Held[bool] = Held(60.0)

    assert held.take(True, 1000.0) is True
    assert held.take(False, 1059.0) is True
    assert held.take(False, 1060.0) is False
    assert held.take(True, 1061.0, at_once=True) is True
    assert held.take(False, 500.0) is False
    held.forget()
    assert held.take(True, 501.0) is True


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(0, 3)), min_size=2, max_size=40))
def test_changes_lie_apart(wishes: list[tuple[float, int]]) -> None:
    """Whatever is wanted when, as long as time goes on."""
    held: Held[int] = Held(60.0)
    now, last, changes = 1000.0, None, []
    for seconds, wanted in wishes:
        now += seconds
        value = held.take(wanted, now)
        if value != last:
            changes.append(now)
        last = value

    assert all(later - earlier >= 60.0 for earlier, later in pairwise(changes))


def test_a_held_value_survives() -> None:
    """With its age."""
    held: Held[float] = Held(60.0)
    held.take(21.0, 1000.0)
    again: Held[float] = Held(60.0)
    again.restore(held.as_dict(), number)

    assert again.take(20.0, 1059.0) == 21.0
    assert again.take(20.0, 1061.0) == 20.0
    empty: Held[float] = Held(60.0)
    again.restore(empty.as_dict(), number)
    assert again.value is None


@pytest.mark.parametrize("garbage", [{}, {"value": "x", "since": 1.0}, {"value": 1.0}, None, 3])
def test_garbage_is_refused(garbage: object) -> None:
    """Of a file."""
    held: Held[float] = Held(60.0)
    with pytest.raises((ValueError, KeyError, TypeError)):
        held.restore(garbage, number)  # type: ignore[arg-type]


def test_numbers_and_flags() -> None:
    """True is no number, 1 is no truth value."""
    assert number(3) == 3.0
    assert number_or_none(None) is None
    assert flag(True) is True
    for read, value in ((number, True), (number, "3"), (number, float("nan")), (flag, 1)):
        with pytest.raises((ValueError, TypeError)):
            read(value)


def test_steps_go_up_and_down() -> None:
    """By half degrees, and rounding is no step."""
    assert rounded(20.1, up=True) == 20.5
    assert rounded(20.1, up=False) == 20.0
    assert rounded(20.02, up=True) == 20.0
    assert rounded(20.48, up=False) == 20.5


def test_the_first_setpoint_is_the_base() -> None:
    """And each one after it, as long as nothing was asked for."""
    setpoint = Setpoint()

    assert not setpoint.see(None)
    assert not setpoint.see(float("nan"))
    assert not setpoint.see(400.0)
    assert setpoint.see(21.0)
    assert not setpoint.see(21.0)
    assert setpoint.see(20.0)
    assert setpoint.base == 20.0
    assert not setpoint.is_moved


def test_what_was_asked_for_is_never_the_base() -> None:
    """Neither while it is asked for, nor while the device has not followed back yet."""
    setpoint = Setpoint()
    setpoint.see(21.0)
    setpoint.ask(22.0, 0.0)
    assert not setpoint.see(22.0)
    assert setpoint.is_moved
    setpoint.ask(21.0, 3600.0)
    assert not setpoint.see(22.0)
    assert setpoint.is_moved
    assert not setpoint.see(21.0)
    assert not setpoint.is_moved
    assert setpoint.see(22.0)
    assert setpoint.base == 22.0


def test_a_device_that_never_obeys_keeps_its_own_wish() -> None:
    """Nobody follows the target: what the user sets is the base as soon as nothing is moved."""
    setpoint = Setpoint()
    setpoint.see(21.0)
    setpoint.ask(22.0, 0.0)
    assert not setpoint.see(19.0)
    setpoint.ask(21.0, 3600.0)

    assert setpoint.see(19.0)
    assert setpoint.base == 19.0
