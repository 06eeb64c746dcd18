"""A device starts, stops, a load jumps: told once, with its size, and nothing else is."""

from collections.abc import Iterable
from itertools import pairwise
import math
import random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.metering.steps import PowerStep, StepDetector, StepKind
from tests.metering.appliances import START, Trace

SETTLED = 4


def detect(powers: Iterable[float | None], spacing: float = 1.0) -> list[PowerStep]:
    detector = StepDetector()
    found = (detector.observe(START + index * spacing, power) for index, power in enumerate(powers))
    return [step for step in found if step is not None]


def detect_trace(trace: Trace, spacing: int = 1) -> list[PowerStep]:
    detector = StepDetector()
    found = (detector.observe(time, power) for time, power in trace.samples(spacing))
    return [step for step in found if step is not None]


def score(trace: Trace, steps: list[PowerStep], spacing: int = 1) -> tuple[float, float]:
    """Return which part of the edges was found, and which part of what was found is one."""
    free = [step for step in steps if step.kind is not StepKind.TRANSIENT]
    told = len(free)
    for edge in trace.edges:
        for step in free:
            late = step.time - START - edge.at
            alike = abs(step.size - edge.size) <= max(30.0, 0.15 * abs(edge.size))
            if -1 <= late <= edge.takes + SETTLED * spacing and alike:
                free.remove(step)
                break
    hits = told - len(free)
    return hits / len(trace.edges), hits / max(1, told)


def test_a_kettle() -> None:
    started, stopped = detect([200.0] * 60 + [2200.0] * 180 + [200.0] * 60)

    assert started == PowerStep(
        time=START + 60,
        kind=StepKind.STARTED,
        size=2000.0,
        before=200.0,
        after=2200.0,
        duration=0.0,
        lasted=60.0,
    )
    assert (stopped.kind, stopped.size) == (StepKind.STOPPED, -2000.0)
    assert (stopped.time, stopped.lasted, stopped.ran) == (START + 240, 180.0, 180.0)


def test_a_step_is_told_with_the_fourth_sample_on_its_level() -> None:
    detector = StepDetector()
    told = [
        index
        for index in range(100)
        if detector.observe(START + index, 100.0 if index < 50 else 400.0) is not None
    ]
    assert told == [50 + SETTLED - 1]


def test_a_second_device_and_the_first_one_stops() -> None:
    steps = detect([100.0] * 60 + [2100.0] * 60 + [2900.0] * 60 + [900.0] * 60 + [100.0] * 60)

    assert [step.kind for step in steps] == ["started", "rose", "stopped", "stopped"]
    assert [step.ran for step in steps] == [None, None, 120.0, 120.0]


def test_a_load_that_falls_by_what_nobody_saw_rise() -> None:
    steps = detect([3000.0] * 60 + [1800.0] * 60 + [1500.0] * 60)
    assert [(step.kind, step.ran) for step in steps] == [("stopped", None), ("stopped", None)]
    steps = detect([100.0] * 60 + [3000.0] * 60 + [2500.0] * 60)
    assert [(step.kind, step.ran) for step in steps] == [("started", None), ("fell", None)]


def test_a_spike_is_no_step() -> None:
    (spike,) = detect([200.0] * 60 + [2200.0] + [200.0] * 60)

    assert spike.kind is StepKind.TRANSIENT
    assert (spike.time, spike.size, spike.duration) == (START + 60, 2000.0, 1.0)
    assert (spike.before, spike.after) == (200.0, 200.0)


def test_an_inrush_belongs_to_the_start() -> None:
    steps = detect([200.0] * 60 + [1400.0, 600.0] + [300.0] * 60 + [200.0] * 60)

    assert [(step.kind, step.size) for step in steps] == [("started", 100.0), ("stopped", -100.0)]
    assert steps[0].duration == 2.0


@pytest.mark.parametrize("noise", [0.0, 3.0, 5.0])
@pytest.mark.parametrize("slope", [15.0, 20.0, 50.0, 200.0, 700.0])
def test_a_ramp_is_one_step(slope, noise) -> None:
    chance = random.Random(7)  # noqa: S311
    seconds = round(2100 / slope)
    ramp = [200 + slope * index for index in range(1, seconds + 1)]
    powers = [200.0] * 100 + ramp + [ramp[-1]] * 100
    (step,) = detect([power + chance.gauss(0, noise) for power in powers])

    assert step.kind is StepKind.STARTED
    assert step.size == pytest.approx(ramp[-1] - 200, abs=40)
    assert step.duration == pytest.approx(seconds, abs=8)


@pytest.mark.parametrize("slope", [0.2, 1.0, 3.0, 5.0, -1.0, -5.0])
def test_a_slow_drift_is_no_step(slope) -> None:
    assert detect([5000 + slope * index for index in range(600)]) == []


def test_export_is_power_as_well() -> None:
    steps = detect([-3000.0] * 60 + [-1000.0] * 60 + [-3000.0] * 60)
    assert [(step.kind, step.size) for step in steps] == [
        ("started", 2000.0),
        ("stopped", -2000.0),
    ]


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_missing_samples_change_nothing(nothing) -> None:
    steps = detect(
        [200.0] * 60 + [nothing] * 5 + [200.0] * 5 + [nothing, 2200.0, nothing] + [2200.0] * 60
    )
    assert [(step.kind, step.size) for step in steps] == [("started", 2000.0)]


def test_what_happens_in_a_gap_is_not_told_and_ends_no_running_time() -> None:
    detector = StepDetector()
    found = []
    for second in [*range(120), *range(200, 320), *range(320, 400)]:
        power = 200.0 if second < 60 or second >= 320 else 2200.0
        found.append(detector.observe(START + second, power))
    steps = [step for step in found if step is not None]
    assert [(step.kind, step.ran) for step in steps] == [("started", None), ("stopped", None)]
    assert steps[1].lasted == 120.0


def test_a_clock_that_is_set_back_starts_afresh() -> None:
    detector = StepDetector()
    for second in range(60):
        assert detector.observe(START + second, 200.0) is None
    for second in range(60):
        assert detector.observe(START - 86400 + second, 2200.0) is None
    assert detector.level == 2200.0


def test_a_sample_that_comes_twice_counts_once() -> None:
    detector = StepDetector()
    found = [
        detector.observe(START + second, power)
        for second, power in enumerate([200.0] * 20 + [900.0] * 20)
        for _ in range(3)
    ]
    assert len([step for step in found if step is not None]) == 1


@pytest.mark.parametrize("spacing", [11.0, 15.0, 60.0, 900.0])
def test_a_meter_that_is_asked_seldom_says_nothing(spacing) -> None:
    assert detect([200.0] * 20 + [2200.0] * 20, spacing) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("noise", "least"), [(0.0, 1.0), (3.0, 1.0), (5.0, 0.98), (10.0, 0.9)])
def test_a_house_full_of_appliances(noise, least, seed) -> None:
    """A fridge, kettles, a heat pump, a washing machine and a car: four hours, 70 edges."""
    trace = Trace(14_400, seed)
    trace.fridge(400)
    for begin in (1000, 3600, 7000, 9000):
        trace.run(begin, 170, 2000.0)
    trace.run(2000, 3000, 1800.0, ramp=100)
    trace.washing_machine(5500)
    trace.ev(9500)
    trace.noise(noise)
    recall, precision = score(trace, detect_trace(trace))

    assert len(trace.edges) == 70
    assert recall >= least
    assert precision >= 0.98


@pytest.mark.parametrize("spacing", [2, 5, 10])
def test_slower_samples_find_what_lasts(spacing) -> None:
    trace = Trace(14_400)
    trace.fridge(400)
    for begin in (1000, 3600, 7000, 9000):
        trace.run(begin, 170, 2000.0)
    trace.ev(9500)
    trace.noise(3.0)
    recall, precision = score(trace, detect_trace(trace, spacing), spacing)

    assert recall >= 0.95
    assert precision >= 0.95


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("watts", [30.0, 100.0, 300.0])
def test_clouds_over_a_solar_roof_are_noise(watts, seed) -> None:
    clouds = Trace(14_400, seed)
    clouds.clouds(watts)
    assert len(detect_trace(clouds)) <= 8

    trace = Trace(14_400, seed)
    for begin in range(1000, 13_000, 1000):
        trace.run(begin, 170, 3000.0)
    trace.clouds(watts)
    recall, precision = score(trace, detect_trace(trace))
    assert recall >= 0.9
    assert precision >= 0.7


def test_the_kinds_of_a_day_are_those_of_its_devices() -> None:
    trace = Trace(4000)
    trace.run(0, 4000, 150.0)
    for begin in (500, 1500, 2500):
        trace.run(begin, 240, 2000.0)
    trace.noise(2.0)
    steps = detect_trace(trace)

    assert [step.kind for step in steps] == ["started", "stopped"] * 3
    assert [step.ran for step in steps[1::2]] == pytest.approx([240.0] * 3, abs=2)


levels = st.lists(st.integers(-40, 40).map(lambda level: 100.0 * level), min_size=2, max_size=12)


@settings(deadline=None)
@given(levels, st.integers(5, 60))
def test_steps_add_up_to_what_the_level_did(levels, holds) -> None:
    powers = [level for level in levels for _ in range(holds)]
    changes = [(after - before) for before, after in pairwise(levels) if after != before]
    steps = detect(powers)

    assert [step.size for step in steps] == pytest.approx(changes)
    assert [step.duration for step in steps] == [0.0] * len(steps)
    assert sum(step.size for step in steps) == pytest.approx(levels[-1] - levels[0])
    for before, after in pairwise(steps):
        assert after.before == pytest.approx(before.after)
        assert after.lasted == after.time - before.time


@settings(deadline=None)
@given(st.floats(-5000, 5000), st.lists(st.floats(-14, 14), min_size=10, max_size=300))
def test_a_constant_load_with_little_noise_has_no_step(level, noise) -> None:
    assert detect(level + watts for watts in noise) == []


@settings(deadline=None)
@given(st.lists(st.integers(-3000, 3000), max_size=200), st.sampled_from([-8192, -512, 64, 4096]))
def test_a_constant_load_more_changes_nothing(powers, offset) -> None:
    plain = detect(float(power) for power in powers)
    shifted = detect(float(power + offset) for power in powers)

    assert [(step.time, step.kind, step.ran) for step in shifted] == [
        (step.time, step.kind, step.ran) for step in plain
    ]
    assert [step.size for step in shifted] == pytest.approx([step.size for step in plain], abs=1e-6)
    assert [step.before for step in shifted] == pytest.approx(
        [step.before + offset for step in plain], abs=1e-6
    )


anything = st.none() | st.floats() | st.floats(-1e4, 1e4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 20), anything), max_size=120))
def test_whatever_comes_is_survived_and_told_in_time(samples) -> None:
    detector, now = StepDetector(), START
    for spacing, power in samples:
        now += spacing
        step = detector.observe(now, power)
        if step is not None:
            assert abs(step.size) > 0
            assert math.isfinite(step.size)
            assert step.time <= now
            assert step.duration >= 0
            assert step.lasted >= 0
            assert step.ran is None or step.ran > 0


@settings(deadline=None)
@given(st.lists(st.floats(-5000, 5000), min_size=400, max_size=400))
def test_a_change_is_over_after_three_hundred_samples_at_the_latest(powers) -> None:
    detector = StepDetector()
    left = None
    for second, power in enumerate(powers):
        step = detector.observe(START + second, power)
        if detector._left is None:
            left = None
        elif left is None:
            left = second
        else:
            assert second - left <= 300
        if step is not None:
            assert START + second - step.time <= 300
