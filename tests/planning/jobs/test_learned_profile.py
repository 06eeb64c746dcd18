"""A profile is learned from the runs of an appliance, with noise, gaps and restarts among them."""

from collections.abc import Sequence
import json
import math
import random
from typing import Any

from hypothesis import given, settings as effort, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.jobs.learned_profile import ProfileLearner
from tests.planning.jobs.machine import DISHWASHER as KITCHEN, WASHING, Machine
from tests.planning.problems import HOUR, START

MINUTE = 60.0
DISHWASHER = KITCHEN[:76]
"""Up to where it dries."""

PAUSE = 20 * MINUTE


def watch(
    learner: ProfileLearner, machine: Machine, start: float, end: float, *, step: float = MINUTE
) -> int:
    """Let a learner see a machine for some time; return how many runs it learned from."""
    count = round((end - start) / step)
    return sum(
        learner.see(start + place * step, machine.power(start + place * step))
        for place in range(count)
    )


def ran(
    learner: ProfileLearner, programme: Sequence[float], start: float, **machine: Any
) -> tuple[float, int]:
    """Let a learner see a run; return when it is over, and how many runs it learned from."""
    end = start + PAUSE + len(programme) * MINUTE + PAUSE
    whole = Machine(programme=programme, started=start + PAUSE, **machine)
    return end, watch(learner, whole, start, end)


def learned(runs: Sequence[Sequence[float]], **machine: Any) -> ProfileLearner:
    """Return what has learned from some runs."""
    learner, moment = ProfileLearner(), START
    for programme in runs:
        moment, count = ran(learner, programme, moment, **machine)
        assert count == 1
    return learner


@pytest.mark.parametrize("programme", [DISHWASHER, WASHING])
def test_one_run_is_a_profile(programme: list[float]) -> None:
    learner = learned([programme])
    profile = learner.profile()

    assert profile is not None
    assert profile.step == MINUTE
    assert profile.powers.tolist() == pytest.approx(programme)
    assert learner.runs == 1


def test_nothing_is_told_before_there_is_a_run() -> None:
    learner = ProfileLearner()
    watch(learner, Machine(programme=[]), START, START + 5 * HOUR)

    assert learner.profile() is None
    assert learner.runs == 0
    assert learner.confidence == 0.0


def test_noise_is_levelled_out() -> None:
    one, five = learned([WASHING], noise=60.0, standby=-60.0), ProfileLearner()
    moment = START
    for seed in range(5):
        chance = random.Random(seed)  # noqa: S311
        moment, _ = ran(five, WASHING, moment, noise=60.0, chance=chance, standby=-60.0)
    single, median = one.profile(), five.profile()

    assert single is not None
    assert median is not None
    assert median.energy == pytest.approx(sum(WASHING) / 60.0, rel=0.03)
    assert _missed(median, WASHING) < 0.7 * _missed(single, WASHING)
    assert five.runs == 5


def _missed(profile: Profile, programme: Sequence[float]) -> float:
    """Return the mean error of a profile in W."""
    length = max(len(profile.powers), len(programme))
    rows = [np.pad(row, (0, length - len(row))) for row in (profile.powers, np.array(programme))]
    return float(np.abs(rows[0] - rows[1]).mean())


def test_heating_that_takes_longer_in_winter_is_the_middle_of_all() -> None:
    """The water takes 12, 14 or 20 minutes to be hot; what comes after it lies on one another."""
    runs = [[2000.0] * heating + [100.0] * 40 + [400.0] * 8 for heating in (12, 14, 20)]
    profile = learned(runs).profile()

    assert profile is not None
    assert (profile.powers > 1500.0).sum() == 14
    assert (profile.powers == 400.0).sum() == 8
    assert profile.energy == pytest.approx(sum(runs[1]) / 60.0, rel=0.05)


def test_the_programme_that_runs_most_often_counts_and_among_as_many_the_newest() -> None:
    eco, quick = DISHWASHER, [2000.0] * 10 + [100.0] * 20
    learner = learned([eco, quick, eco])
    profile = learner.profile()
    assert profile is not None
    assert profile.powers.tolist() == pytest.approx(eco)
    assert learner.runs == 2
    assert learner.confidence == pytest.approx(3 / 5)

    moment, _ = ran(learner, quick, START + 100 * HOUR)
    profile = learner.profile()
    assert profile is not None
    assert profile.duration == 30 * MINUTE
    # Of many runs the newest five count.
    for _ in range(4):
        moment, _ = ran(learner, quick, moment)
    assert (learner.runs, learner.confidence) == (5, pytest.approx(6 / 7))


def test_a_long_run_has_longer_steps() -> None:
    """Five hours of drying in 240 steps at the most."""
    drying = [600.0] * 200 + [900.0] * 100
    profile = learned([drying]).profile()

    assert profile is not None
    assert profile.step == 120.0
    assert len(profile.powers) == 150
    assert profile.energy == pytest.approx(sum(drying) / 60.0)
    # A shorter run of the same programme is put on top of it in the same steps.
    both = learned([drying, drying[20:280]]).profile()
    assert both is not None
    assert both.step == 120.0
    assert both.energy == pytest.approx((sum(drying) + sum(drying[20:280])) / 120.0, rel=0.08)


def test_what_is_short_or_endless_is_no_run() -> None:
    learner = ProfileLearner()
    moment, count = ran(learner, [2000.0, 2000.0], START)
    assert count == 0
    moment, count = ran(learner, [100.0] * 13 * 60, moment)
    assert count == 0
    assert learner.profile() is None
    moment, count = ran(learner, [2000.0] * 4, moment)
    assert count == 1


def test_a_pause_is_part_of_a_run_and_drying_with_the_power_of_a_lamp_is_its_end() -> None:
    learner = learned([[2000.0] * 20 + [0.5] * 9 + [2000.0] * 10 + [4.0] * 25])
    profile = learner.profile()

    assert profile is not None
    assert profile.duration == 39 * MINUTE


def test_what_is_pumped_out_after_long_drying_is_no_run_of_its_own() -> None:
    profile = learned([KITCHEN]).profile()

    assert profile is not None
    assert profile.powers.tolist() == pytest.approx(DISHWASHER)


def test_standby_power_is_learned_too() -> None:
    """An appliance that takes 14 W all day does not run all day."""
    learner = ProfileLearner()
    machine = Machine(programme=DISHWASHER, standby=8.0, noise=0.5)
    watch(learner, machine, START, START + 8 * HOUR)
    assert learner.threshold == pytest.approx(16.0, abs=1.0)
    machine.standby = 14.0
    assert watch(learner, machine, START + 8 * HOUR, START + 14 * HOUR) == 0
    assert learner.threshold == pytest.approx(28.0, abs=1.0)
    machine.start(START + 14 * HOUR)
    assert watch(learner, machine, START + 14 * HOUR, START + 18 * HOUR) == 1
    # A jump beyond the threshold looks like a run at first, but like none that ends.
    machine.standby = 40.0
    assert watch(learner, machine, START + 18 * HOUR, START + 48 * HOUR) == 0
    machine = Machine(programme=[2000.0] * 20, standby=40.0, started=START + 49 * HOUR)
    assert watch(learner, machine, START + 48 * HOUR, START + 52 * HOUR) == 1


def test_runs_with_holes_are_left_out() -> None:
    learner = ProfileLearner()
    machine = Machine(programme=DISHWASHER, started=START + 10 * MINUTE)
    for minute in range(180):
        now = START + minute * MINUTE
        if not 30 <= minute < 45:
            learner.see(now, machine.power(now))
        else:
            learner.see(now, [None, math.nan, math.inf][minute % 3])
    assert learner.profile() is None

    # One that was on before anybody looked has no beginning.
    late = ProfileLearner()
    watch(late, machine, START + 30 * MINUTE, START + 180 * MINUTE)
    assert late.profile() is None
    # Some minutes are no hole.
    short = ProfileLearner()
    for minute in range(180):
        now = START + minute * MINUTE
        short.see(now, None if 50 <= minute < 58 else machine.power(now))
    profile = short.profile()
    assert profile is not None
    assert profile.energy == pytest.approx(sum(DISHWASHER) / 60.0, rel=0.02)


def test_a_clock_that_goes_back_spoils_a_run_and_nothing_else() -> None:
    learner = learned([WASHING])
    machine = Machine(programme=WASHING, started=START + 500 * HOUR)
    watch(learner, machine, START + 500 * HOUR, START + 501 * HOUR)
    learner.see(START + 499 * HOUR, 100.0)
    watch(learner, machine, START + 499.5 * HOUR, START + 505 * HOUR)

    assert learner.runs == 2
    profile = learner.profile()
    assert profile is not None
    assert profile.powers.tolist() == pytest.approx(WASHING, abs=1.0)


@effort(max_examples=10, deadline=None)
@given(
    restarts=st.sets(st.integers(0, 2 * 24 * 60), max_size=5),
    seed=st.integers(0, 100),
    step=st.sampled_from([10.0, 37.0, 60.0]),
)
def test_a_restart_changes_nothing(restarts: set[int], seed: int, step: float) -> None:
    chance = random.Random(seed)  # noqa: S311
    learner, other = ProfileLearner(), ProfileLearner()
    for run in range(3):
        start = START + run * 4 * HOUR
        machine = Machine(programme=WASHING, started=start + 600.0, noise=5.0, chance=chance)
        for place in range(round(2 * HOUR / step)):
            now = start + place * step
            power = machine.power(now)
            if int((now - START) / MINUTE) in restarts:
                data = json.loads(json.dumps(other.as_dict()))
                other = ProfileLearner()
                other.restore(data)
            learner.see(now, power)
            other.see(now, power)
    one, two = learner.profile(), other.profile()

    assert one is not None
    assert two is not None
    assert two.powers.tolist() == pytest.approx(one.powers.tolist(), abs=0.1)
    assert one.energy == pytest.approx(sum(WASHING) / 60.0, rel=0.03)
    assert (learner.runs, other.runs) == (3, 3)


@given(
    rows=st.lists(
        st.tuples(
            st.floats(-100.0, 5000.0) | st.just(math.nan),
            st.none() | st.floats(),
        ),
        max_size=80,
    )
)
def test_whatever_is_seen_a_profile_is_possible(rows: list[tuple[float, float | None]]) -> None:
    learner, moment = ProfileLearner(), START
    for step, power in rows:
        moment += 0.0 if math.isnan(step) else step
        learner.see(math.nan if math.isnan(step) else moment, power)
        profile = learner.profile()
        assert (profile is None) == (learner.runs == 0)
        assert profile is None or len(profile.powers) <= 241
        assert 0.0 <= learner.confidence < 1.0
        assert 10.0 <= learner.threshold <= 100.0


@pytest.mark.parametrize(
    "change",
    [
        {"runs": 4},
        {"runs": [{"step": 0.0, "powers": [1.0]}]},
        {"runs": [{"step": 60.0, "powers": []}]},
        {"runs": [{"step": 60.0, "powers": [-5.0]}]},
        {"standby": None},
        {"standby": math.nan},
        {"started": 1e15},
        {"is_whole": "yes"},
        {"course": 3},
    ],
)
def test_garbage_is_refused(change: dict[str, Any]) -> None:
    learner = learned([WASHING])
    data = learner.as_dict()
    for garbage in ({**data, **change}, {key: data[key] for key in data if key not in change}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            learner.restore(garbage)
    assert learner.runs == 1
