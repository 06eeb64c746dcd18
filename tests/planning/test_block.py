"""A run without a pause starts at the best moment of all, not of a few."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.plan import Margin, ReasonKind, Wish
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, check_plan, grams, hourly, random_signal

CARBON = Objective.carbon()


def window(start: float, end: float, *quiet: tuple[float, float]) -> Window:
    """Return a window in hours after the start."""
    return Window(
        start=START + start * HOUR,
        end=START + end * HOUR,
        quiet=tuple((START + one * HOUR, START + two * HOUR) for one, two in quiet),
    )


def test_the_best_start_may_lie_inside_of_a_slot() -> None:
    """90 minutes that end with the cheap hour beat both starts of slots."""
    plan = plan_block(
        hourly([300, 200, 100, 400]), CARBON, Profile.flat(2000, 1.5 * HOUR), window(0, 4)
    )

    assert plan.start == START + 1.5 * HOUR
    assert plan.carbon == pytest.approx(2.0 * (0.5 * 200 + 100))
    assert plan.gap == 0.0
    assert plan.reason.kind is ReasonKind.MOVED
    assert plan.reason.numbers["later"] == 1.5 * HOUR
    assert plan.saved_carbon == pytest.approx(2.0 * (300 + 100 - 200))


def test_random_blocks_equal_every_minute_tried() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        signal = random_signal(rng, int(rng.integers(1, 8)))
        span = signal.slots.end - START
        powers = rng.choice([0.0, 100.0, 2000.0, 700.0], int(rng.integers(1, 5)))
        step = 60.0 * int(rng.integers(1, max(2, span // 60 // len(powers))))
        profile = Profile.of(powers, step)
        if profile.duration > span or profile.energy == 0.0:
            continue

        plan = plan_block(signal, CARBON, profile, Window(start=START, end=START + span))

        starts = np.arange(0.0, span - profile.duration + 1, 60.0)
        tried = [grams(signal, profile.at(START + start)) for start in starts]
        assert plan.value == pytest.approx(min(tried), rel=1e-9, abs=1e-9)
        assert plan.carbon == pytest.approx(grams(signal, plan.pieces), rel=1e-9, abs=1e-9)
        assert plan.baseline.value == pytest.approx(tried[0], rel=1e-9, abs=1e-9)
        check_plan(plan, profile.energy, START, START + span)


def test_a_long_learned_profile_equals_every_minute_tried() -> None:
    """More breakpoints than are tried one by one."""
    rng = np.random.default_rng(2)
    signal = Signal.of(Slots.of(START, START + 48 * HOUR, 900), rng.uniform(20, 600, 192))
    profile = Profile.of(rng.uniform(0, 2200, 45), 120)

    plan = plan_block(signal, CARBON, profile, window(0, 48))

    starts = np.arange(START, START + 46.5 * HOUR + 1, 60.0)
    assert plan.value == pytest.approx(
        min(grams(signal, profile.at(start)) for start in starts), rel=1e-9
    )


@settings(max_examples=60)
@given(
    carbon=st.lists(st.floats(0, 1000), min_size=2, max_size=24),
    minutes=st.integers(1, 300),
    offset=st.floats(0, 3599),
)
def test_never_worse_than_the_best_start_of_a_slot(carbon, minutes, offset) -> None:
    """The window of evcc and many templates starts with slots only."""
    signal = hourly(carbon)
    profile = Profile.flat(1000, minutes * 60)
    start, end = START + offset, signal.slots.end
    if start + profile.duration > end:
        return

    plan = plan_block(signal, CARBON, profile, Window(start=start, end=end))

    starts = [each for each in signal.slots.starts if start <= each <= end - profile.duration]
    for each in (start, *starts):
        assert plan.value <= grams(signal, profile.at(each)) * (1 + 1e-9) + 1e-9


def test_a_window_that_is_too_short_runs_at_once_and_tells_how_late_it_is() -> None:
    plan = plan_block(
        hourly([300, 200, 100, 50]), CARBON, Profile.flat(1000, 2 * HOUR), window(0, 1.5)
    )

    assert plan.start == START
    assert plan.reason.kind is ReasonKind.MUST_RUN
    [late] = plan.relaxed
    assert (late.wish, late.amount, late.unit) == (Wish.DEADLINE, 1800.0, "s")
    assert late.cost == pytest.approx(500.0 - 150.0)


@pytest.mark.parametrize("end", [-5.0, 0.0])
def test_a_deadline_that_has_passed_runs_at_once(end: float) -> None:
    plan = plan_block(hourly([300, 200]), CARBON, Profile.flat(1000, HOUR), window(0, end))

    assert plan.start == START
    assert plan.relaxed[0].amount == (1.0 - end) * HOUR


def test_quiet_hours_are_kept_whatever_they_cost_and_broken_by_the_least() -> None:
    signal = hourly([500, 10, 10, 400, 300])

    kept = plan_block(signal, CARBON, Profile.flat(1000, HOUR), window(0, 5, (1, 3)))
    broken = plan_block(signal, CARBON, Profile.flat(1000, 2.5 * HOUR), window(0, 5, (1, 3.5)))

    assert kept.start == START + 4 * HOUR
    assert not kept.relaxed
    [quiet] = broken.relaxed
    assert quiet.wish is Wish.QUIET
    assert quiet.amount == pytest.approx(1.0 * HOUR)
    assert quiet.cost == pytest.approx(max(0.0, broken.value - (0.5 * 400 + 20)))


def test_a_slot_without_a_forecast_is_avoided_unless_it_is_needed() -> None:
    signal = hourly([500, None, 400, 300, None])

    avoided = plan_block(signal, CARBON, Profile.flat(1000, 2 * HOUR), window(0, 5))
    needed = plan_block(signal, CARBON, Profile.flat(1000, 3 * HOUR), window(0, 3))

    assert avoided.start == START + 2 * HOUR
    assert avoided.carbon == pytest.approx(700.0)
    assert needed.carbon is None
    assert needed.saved_carbon is None
    [forecast] = needed.relaxed
    assert (forecast.wish, forecast.amount) == (Wish.FORECAST, 1000.0)


def test_beyond_the_signal_nothing_is_known() -> None:
    plan = plan_block(hourly([500, 400]), CARBON, Profile.flat(1000, HOUR), window(0, 9))

    assert plan.start == START + HOUR
    assert plan.slots.end == START + 9 * HOUR


def test_nothing_known_runs_at_once() -> None:
    plan = plan_block(hourly([float("nan")] * 4), CARBON, Profile.flat(1000, HOUR), window(0.5, 4))

    assert plan.reason.kind is ReasonKind.NOT_KNOWN
    assert plan.start == START + 0.5 * HOUR
    assert not plan.is_moved


def test_no_benefit_is_not_moved() -> None:
    signal = hourly([100, 99.9, 100])
    profile = Profile.flat(1000, HOUR)

    small = plan_block(signal, CARBON, profile, window(0, 3), margin=Margin(absolute=1.0))
    rising = plan_block(hourly([100, 200, 300]), CARBON, profile, window(0, 3))
    equal = plan_block(hourly([100, 100, 100]), CARBON, profile, window(0, 3))

    for plan in (small, rising, equal):
        assert plan.reason.kind is ReasonKind.NO_BENEFIT
        assert not plan.is_moved
        assert plan.saved_carbon == 0.0
    assert small.gap == pytest.approx(0.001)


def test_the_earlier_of_equals_and_the_second_key() -> None:
    signal = hourly([300, 100, 100, 100], price=[0.1, 0.3, 0.2, 0.2])
    profile = Profile.flat(1000, HOUR)

    assert plan_block(signal, CARBON, profile, window(0, 4)).start == START + HOUR
    both = Objective.lexicographic(Goal.CARBON)
    assert plan_block(signal, both, profile, window(0, 4)).start == START + 2 * HOUR
    cost = Objective.lexicographic(Goal.COST)
    assert plan_block(signal, cost, profile, window(0, 4)).start == START


@pytest.mark.parametrize("noise", [1e-15, 1e-11, 3e-10])
def test_noise_does_not_move_ties(noise: float) -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        carbon = rng.integers(1, 4, 24) * 100.0
        noisy = carbon * (1 + noise * rng.uniform(-1, 1, 24))
        profile = Profile.flat(1500, 2.5 * HOUR)

        plans = [
            plan_block(hourly(each), CARBON, profile, window(0, 24)) for each in (carbon, noisy)
        ]

        assert plans[0].pieces == plans[1].pieces


def test_negative_and_zero_prices() -> None:
    signal = hourly([100, 100, 100, 100], price=[0.2, -0.1, 0.0, -0.3])

    plan = plan_block(signal, Objective.cost(), Profile.flat(2000, HOUR), window(0, 4))

    assert plan.start == START + 3 * HOUR
    assert plan.cost == pytest.approx(-0.6)
    assert plan.gap == 0.0


def test_huge_and_tiny_loads() -> None:
    for power in (1e-3, 1e9):
        plan = plan_block(hourly([300, 100, 200]), CARBON, Profile.flat(power, HOUR), window(0, 3))
        assert plan.start == START + HOUR
        assert plan.value == pytest.approx(power * 0.1)


@pytest.mark.parametrize(
    ("powers", "step"), [([], 60), ([-1.0], 60), ([float("nan")], 60), ([1.0], 0), ([1.0], -5)]
)
def test_impossible_profiles_are_refused(powers, step) -> None:
    with pytest.raises(ImpossibleAmountError):
        Profile.of(powers, step)


def test_nothing_to_do() -> None:
    plan = plan_block(hourly([1, 2]), CARBON, Profile.of([0.0, 0.0], 600), window(0, 2))

    assert plan.reason.kind is ReasonKind.NOTHING_TO_DO
    assert plan.pieces == ()
    assert plan.start is plan.end is None
