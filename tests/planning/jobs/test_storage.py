"""A battery that is charged while it is clean, kept from draining, and left alone when in doubt."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.jobs.job import NO_TARGET, Around, Seen, Target
from custom_components.carbon_meter.planning.jobs.storage import StorageJob, StorageSettings
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.jobs.closed_loop import follow, plan, wave
from tests.planning.problems import HOUR, START, hourly

BERLIN = ZoneInfo("Europe/Berlin")
HOME = StorageSettings(
    name="Battery",
    capacity=10_000.0,
    charge=3000.0,
    discharge=3000.0,
    zone=BERLIN,
    efficiency=0.9,
    reserve=10.0,
)
CLEAN_THEN_DIRTY = hourly([50, 60, 70, 80] + [600] * 8)


def at_level(level: float | None, **changed: float) -> StorageJob:
    """Return a battery of which a level is seen at the start."""
    job = StorageJob(replace(HOME, **changed))
    job.see(Seen(moment=START, level=level))
    return job


def planned_at_start(job: StorageJob, signal: Signal, net: float | None = None) -> Target:
    """Return what a battery should do at the start of a signal."""
    figures = None if net is None else np.full(len(signal.slots), net)
    task = job.task(START, Around(signal=signal, net=figures))
    assert task is not None
    return job.target(task.planned(signal, Objective.carbon()), START)


def test_it_charges_while_it_is_clean_and_gives_while_it_is_not() -> None:
    """Signed: W that it takes, below zero that it gives."""
    charging = planned_at_start(at_level(20.0), CLEAN_THEN_DIRTY, 1000.0)
    giving = planned_at_start(at_level(80.0), hourly([600] * 4 + [50] * 8))

    assert charging.run is True
    assert charging.power is not None
    assert charging.power > 0.0
    assert giving.run is True
    assert giving.power == pytest.approx(-400.0)


def test_what_it_does_by_itself_is_left_to_it() -> None:
    """Following what the site takes, second by second, is better than one power for an hour."""
    giving = planned_at_start(at_level(80.0), hourly([600] * 4 + [50] * 8), 1000.0)
    charging = planned_at_start(at_level(20.0), hourly([300] * 12), -2000.0)

    assert giving == charging == NO_TARGET


def test_waiting_for_a_dirtier_hour_is_told() -> None:
    """By itself it would give at once what is worth more later."""
    waiting = planned_at_start(at_level(30.0), hourly([100] * 2 + [600] * 4 + [100] * 2), 1000.0)

    assert waiting.run is False
    assert waiting.power == 0.0


def test_nothing_is_exported_where_the_site_is_not_known() -> None:
    """It gives what a home takes at any time, and no more."""
    giving = planned_at_start(at_level(80.0), hourly([600] * 4 + [50] * 8))
    unknown = planned_at_start(at_level(80.0), hourly([600] * 4 + [50] * 8), float("nan"))

    assert giving.power == pytest.approx(-400.0)
    assert unknown.power == pytest.approx(-400.0)


def test_the_power_of_the_roof_is_kept() -> None:
    """While the site gives 2 kW it charges with that."""
    net = np.concatenate([np.full(4, -2000.0), np.full(8, 1500.0)])
    job = at_level(20.0)
    signal = hourly([300] * 12)
    task = job.task(START, Around(signal=signal, net=net))
    assert task is not None
    planned = task.planned(signal, Objective.carbon())
    powers = planned.plan.power

    assert powers[:4].max() <= 2000.0 + 1e-6
    assert powers[:4].sum() > 3000.0
    assert powers[4:].min() < 0.0


def test_a_plan_does_not_drain_it() -> None:
    """In the end it holds as much as now."""
    job = at_level(60.0)
    planned = plan(job, wave(1), START)

    assert planned is not None
    assert planned.contents is not None
    assert planned.contents[-1] >= 6000.0 - 1.0
    assert planned.contents.min() >= 1000.0 - 1.0
    assert planned.contents.max() <= 10_000.0 + 1.0


def test_an_unknown_level_leaves_it_to_itself() -> None:
    """After five minutes; before that the last one counts."""
    job = at_level(20.0)
    planned = plan(job, CLEAN_THEN_DIRTY, START)
    job.see(Seen(moment=START + 120.0, level=None))
    assert job.target(planned, START + 120.0).run is True
    assert job.see(Seen(moment=START + 360.0, level=None))

    assert job.target(planned, START + 360.0) == NO_TARGET
    assert job.task(START + 360.0, Around(signal=CLEAN_THEN_DIRTY)) is None


@pytest.mark.parametrize("level", [float("nan"), -1.0, 101.0, 65535.0])
def test_there_is_no_such_level(level: float) -> None:
    """A code of an inverter is no per cent."""
    assert at_level(level).task(START, Around(signal=CLEAN_THEN_DIRTY)) is None


def test_where_nothing_is_gained_it_is_left_to_itself() -> None:
    """No swing, too little for its wear, or nothing known."""
    swing = hourly([300, 301, 302, 303, 304, 305] + [360] * 6)
    for job, signal in (
        (at_level(50.0), hourly([300] * 12)),
        (at_level(50.0), hourly([None] * 12)),
        (at_level(50.0, wear_carbon=80.0), swing),
        (at_level(50.0, least_gain=80.0), swing),
    ):
        assert planned_at_start(job, signal, 1000.0) == NO_TARGET
    assert planned_at_start(at_level(50.0), swing, 1000.0).run is True


def test_a_margin_is_asked_for() -> None:
    """Grams are no reason to cycle it."""
    job = at_level(20.0)
    task = job.task(START, Around(signal=CLEAN_THEN_DIRTY))
    assert task is not None
    planned = task.planned(CLEAN_THEN_DIRTY, Objective.carbon(), margin=Margin(absolute=1e6))

    assert job.target(planned, START) == NO_TARGET


def test_full_and_empty_end_it_at_once() -> None:
    """Whatever the plan has been; the reserve stays."""
    job = at_level(20.0)
    planned = plan(job, CLEAN_THEN_DIRTY, START)
    assert job.target(planned, START).run is True
    job.see(Seen(moment=START + 60.0, level=100.0))
    assert job.target(planned, START + 60.0) == Target(run=False, power=0.0)

    job = at_level(80.0)
    planned = plan(job, hourly([600] * 4 + [50] * 8), START)
    assert job.target(planned, START).run is True
    job.see(Seen(moment=START + 60.0, level=10.0))
    assert job.target(planned, START + 60.0) == Target(run=False, power=0.0)


def test_a_plan_that_is_over_says_nothing() -> None:
    """Nobody made a new one."""
    job = at_level(20.0)
    planned = plan(job, CLEAN_THEN_DIRTY, START)
    late = START + 30 * HOUR
    job.see(Seen(moment=late, level=20.0))

    assert job.target(planned, late) == NO_TARGET


def test_a_day_in_a_closed_loop_is_cleaner() -> None:
    """The home takes 1 kW; with the battery its carbon is less, at the same content in the end."""
    job = StorageJob(HOME)
    signal = wave(3)
    one_way = 0.9**0.5

    def cells(_now: float, level: float, power: float) -> float:
        change = power * one_way if power > 0.0 else power / one_way
        return level + change / 60.0 / HOME.capacity * 100.0

    course = follow(
        job,
        signal,
        50.0,
        lambda target, _level: max(target.power or 0.0, -1000.0),
        cells,
        days=1.0,
    )

    more = course.levels[-1] - 50.0
    stored = more / 100.0 * HOME.capacity / one_way / 1000.0 * float(signal.carbon.min())
    assert course.carbon < stored - 100.0
    assert 10.0 - 0.5 <= min(course.levels) < max(course.levels) <= 100.0


def test_a_day_tells_what_its_content_rose_by() -> None:
    """For the saving: 2 kWh went in, 19 % of its content are left of it."""
    job = StorageJob(HOME)
    for minute in range(0, 25 * 60, 5):
        done = min(minute / 60.0, 2.0)
        job.see(
            Seen(
                moment=START - HOUR + minute * 60.0,
                level=50.0 + 9.5 * done,
                power=1000.0 if minute < 120 else 0.0,
            )
        )

    pieces = job.done()
    assert pieces is not None
    assert sum(piece.energy for piece in pieces) == pytest.approx(2000.0)
    assert job.content_change == pytest.approx(1900.0)
    assert job.done() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"capacity": 0.0},
        {"capacity": float("nan")},
        {"efficiency": 0.0},
        {"efficiency": 1.2},
        {"reserve": 101.0},
        {"charge": -1.0},
        {"wear_carbon": -1.0},
        {"least_gain": -1.0},
        {"horizon": 0.0},
    ],
)
def test_there_is_no_such_battery(changed: dict[str, float]) -> None:
    """It is refused when it is set up."""
    with pytest.raises(ImpossibleAmountError):
        replace(HOME, **changed)


@given(
    st.lists(
        st.tuples(
            st.floats(-3600.0, 7200.0),
            st.none() | st.floats(-10.0, 110.0) | st.just(float("nan")),
            st.none() | st.floats(-5000.0, 5000.0) | st.just(float("nan")),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_seen_the_targets_can_be(
    looks: list[tuple[float, float | None, float | None]],
) -> None:
    """Never more than its power, nothing below the reserve, nothing above full."""
    job, now = StorageJob(HOME), START
    signal = hourly([300, 50, 600, 200] * 30)
    for seconds, level, power in looks:
        now += seconds
        job.see(Seen(moment=now, level=level, power=power))
        target = job.target(plan(job, signal, now), now)
        if target.power is None:
            assert target.run is None
            continue
        assert -3000.0 - 1e-6 <= target.power <= 3000.0 + 1e-6
        assert target.run is (target.power != 0.0)
        if level is not None and 0.0 <= level <= 10.0:
            assert target.power >= 0.0
        if level == 100.0:
            assert target.power <= 0.0
