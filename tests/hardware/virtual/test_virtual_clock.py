"""The virtual clock."""

import pytest

from hardware.virtual import VirtualClock


class Ticks:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_time_runs_as_fast_as_it_is_told() -> None:
    ticks = Ticks()
    clock = VirtualClock(1000.0, speed=60, ticks=ticks)
    assert clock.now() == 1000.0
    ticks.seconds += 2
    assert clock.now() == 1120.0
    clock.run(3600)
    assert clock.now() == 1120.0
    ticks.seconds += 1
    assert clock.now() == 4720.0


def test_a_frozen_clock_moves_only_by_steps() -> None:
    ticks = Ticks()
    clock = VirtualClock(1000.0, ticks=ticks)
    clock.freeze()
    ticks.seconds += 5
    assert clock.now() == 1000.0
    assert clock.step(7.5) == 1007.5
    clock.run()
    assert (clock.frozen, clock.speed, clock.now()) == (False, 1.0, 1007.5)
    ticks.seconds += 1
    assert clock.now() == 1008.5


def test_a_running_clock_can_be_stepped() -> None:
    ticks = Ticks()
    clock = VirtualClock(1000.0, speed=2, ticks=ticks)
    ticks.seconds += 1
    assert clock.step(10) == 1012.0
    ticks.seconds += 1
    assert clock.now() == 1014.0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_goes_forward_only(seconds: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        VirtualClock(0.0).step(seconds)


@pytest.mark.parametrize("speed", [0, -1, 3601, float("nan")])
def test_speeds_have_limits(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        VirtualClock(speed=speed)
