"""Hours of each day: counted from what is seen, whatever the clock and restarts do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
import json
import math
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings as effort, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.jobs.job import Around, Planned, Seen
from custom_components.carbon_meter.planning.jobs.run_time import RunTimeJob, RunTimeSettings
from custom_components.carbon_meter.planning.run_time import Rules, State
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.jobs.follower import CARBON, Follower
from tests.planning.problems import HOUR, slots_of

MIDNIGHT = datetime(2026, 11, 3, tzinfo=UTC).timestamp()
DAY = 24 * HOUR
MINUTE = 60.0
PUMP = RunTimeSettings(power=800.0, hours=4.0, zone=UTC)
RULES = Rules(least_run=1800.0, least_pause=1200.0, most_starts=2)


def daily(clean: tuple[int, int], start: float = MIDNIGHT, days: int = 5) -> Signal:
    """Return a signal that is best between two hours of each day."""
    slots = slots_of([HOUR] * 24 * days, start)
    hours = np.arange(24 * days) % 24
    return Signal.of(slots, np.where((hours >= clean[0]) & (hours < clean[1]), 100.0, 400.0))


NOON = daily((11, 16))
AROUND = Around(signal=NOON)


def planned_by(job: RunTimeJob, now: float, signal: Signal = NOON) -> Planned | None:
    """Return the plan of a job."""
    task = job.task(now, Around(signal=signal))
    return None if task is None else task.planned(signal, CARBON)


def follow(
    job: RunTimeJob,
    minutes: range,
    *,
    signal: Signal = NOON,
    see: Callable[[float, bool], dict[str, Any]] | None = None,
    start: float = MIDNIGHT,
) -> Follower:
    """Let a planner and a pump that obeys go through some minutes."""
    follower = Follower(job, signal)
    for minute in minutes:
        now = start + minute * MINUTE
        on = bool(follower.targets and follower.targets[-1][1].run)
        follower.step(Seen(moment=now, **({"is_on": on} if see is None else see(now, on))))
    return follower


def hours_on(follower: Follower, start: float, end: float) -> float:
    """Return for how many hours it was told to run in some time."""
    return sum(
        (min(after[0], end) - moment) / HOUR
        for (moment, target), after in zip(follower.targets, follower.targets[1:], strict=False)
        if target.run and start <= moment < end
    )


def test_it_runs_its_hours_each_day_when_it_is_clean() -> None:
    job = RunTimeJob(PUMP)
    follower = follow(job, range(3 * 24 * 60))

    for day in range(3):
        start = MIDNIGHT + day * DAY
        assert hours_on(follower, start, start + DAY) == pytest.approx(4.0, abs=0.05)
        assert hours_on(follower, start + 11 * HOUR, start + 16 * HOUR) == pytest.approx(4, abs=0.1)
    assert len(follower.done) == 2
    energies = [sum(piece.energy for piece in pieces) for pieces in follower.done]
    assert energies == pytest.approx([3200.0, 3200.0], rel=0.02)
    assert len(follower.switched) == 7


def test_what_was_never_seen_is_counted_by_what_it_was_told() -> None:
    job = RunTimeJob(PUMP)
    follower = follow(job, range(2 * 24 * 60), see=lambda _now, _on: {})

    assert hours_on(follower, MIDNIGHT, MIDNIGHT + DAY) == pytest.approx(4.0, abs=0.05)
    assert sum(piece.energy for piece in follower.done[0]) == pytest.approx(3200.0, rel=0.02)


def test_what_runs_by_hand_counts_and_the_rest_is_planned_anew() -> None:
    job = RunTimeJob(replace(PUMP, begin=time(10), end=time(18)))
    job.see(Seen(moment=MIDNIGHT, is_on=False))
    assert job.see(Seen(moment=MIDNIGHT + 8 * HOUR, is_on=True)) is True
    for minute in range(1, 91):
        job.see(Seen(moment=MIDNIGHT + 8 * HOUR + minute * MINUTE, power=780.0))
    assert job.see(Seen(moment=MIDNIGHT + 9.5 * HOUR, power=2.0)) is True

    assert job.ran == pytest.approx(1.5)
    task = job.task(MIDNIGHT + 9.5 * HOUR, AROUND)
    assert task is not None
    assert task.run_time == pytest.approx(2.5 * HOUR)
    assert (task.load.start, task.load.end) == (MIDNIGHT + 10 * HOUR, MIDNIGHT + 18 * HOUR)
    assert task.start == MIDNIGHT + 9.5 * HOUR
    assert task.deadline == MIDNIGHT + 18 * HOUR
    assert task.load.state == State(is_on=False, seconds=0.5 * HOUR)


def test_what_runs_before_its_window_stands_when_that_begins() -> None:
    job = RunTimeJob(replace(PUMP, begin=time(10), end=time(18), rules=RULES))
    job.see(Seen(moment=MIDNIGHT + 9 * HOUR, is_on=True))
    task = job.task(MIDNIGHT + 9 * HOUR, AROUND)

    assert task is not None
    assert task.load.state == State(is_on=False, seconds=HOUR)


def test_a_day_ends_with_its_window_not_at_midnight() -> None:
    job = RunTimeJob(replace(PUMP, begin=time(20), end=time(6)))
    for minute in range(19 * 60, 30 * 60):
        job.see(Seen(moment=MIDNIGHT + minute * MINUTE, is_on=22 * 60 <= minute < 26 * 60))

    assert job.ran == pytest.approx(4.0)
    assert job.task(MIDNIGHT + 29.9 * HOUR, AROUND) is None
    assert job.see(Seen(moment=MIDNIGHT + 30 * HOUR, is_on=False)) is True
    assert job.ran == 0.0
    pieces = job.done()
    assert pieces is not None
    assert [(piece.start, piece.end) for piece in pieces] == [
        (MIDNIGHT + 22 * HOUR, MIDNIGHT + 26 * HOUR)
    ]
    assert job.done() is None


def test_what_runs_across_the_end_of_a_window_is_in_both_days() -> None:
    job = RunTimeJob(PUMP)
    for minute in range(23 * 60, 25 * 60, 7):
        job.see(Seen(moment=MIDNIGHT + minute * MINUTE, power=800.0))

    pieces = job.done()
    assert pieces is not None
    assert (pieces[0].start, pieces[-1].end) == (MIDNIGHT + 23 * HOUR, MIDNIGHT + DAY)
    assert job.ran == pytest.approx((25 * 60 - 1 - 24 * 60) / 60.0, abs=0.12)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_days_on_which_the_clock_changes(day: tuple[int, int, int], hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(*day, tzinfo=berlin).timestamp()
    job = RunTimeJob(replace(PUMP, zone=berlin))
    signal = daily((1, 6), start)
    follower = follow(job, range((hours + 2) * 60), signal=signal, start=start)

    first = follower.task
    assert first is not None
    assert first.deadline == start + hours * HOUR + 24 * HOUR
    assert hours_on(follower, start, start + hours * HOUR) == pytest.approx(4.0, abs=0.05)
    assert len(follower.done) == 1


@effort(max_examples=12, deadline=None)
@given(restarts=st.sets(st.integers(0, 30 * 60), max_size=4))
def test_a_restart_loses_nothing(restarts: set[int]) -> None:
    job = RunTimeJob(PUMP)
    follower = Follower(job, NOON)
    for minute in range(30 * 60):
        if minute in restarts:
            data = json.loads(json.dumps(follower.job.as_dict()))
            follower.job = RunTimeJob(PUMP)
            follower.job.restore(data)
        on = bool(follower.targets and follower.targets[-1][1].run)
        follower.step(Seen(moment=MIDNIGHT + minute * MINUTE, is_on=on))

    assert hours_on(follower, MIDNIGHT, MIDNIGHT + DAY) == pytest.approx(4.0, abs=0.05)
    assert len(follower.done) == 1


def test_hours_that_nobody_saw_count_where_it_ran_on_both_sides() -> None:
    job = RunTimeJob(PUMP)
    job.see(Seen(moment=MIDNIGHT, is_on=True))
    job.see(Seen(moment=MIDNIGHT + 2 * HOUR, is_on=True))
    assert job.ran == pytest.approx(2.0)
    job.see(Seen(moment=MIDNIGHT + 4 * HOUR, is_on=False))
    assert job.ran == pytest.approx(2.0)
    job.see(Seen(moment=MIDNIGHT + 4 * HOUR + 60, is_on=None))
    job.see(Seen(moment=MIDNIGHT + 4 * HOUR + 120, is_on=True))
    assert job.ran == pytest.approx(2.0)


def test_least_run_and_pause_hold_for_any_new_plan() -> None:
    job = RunTimeJob(replace(PUMP, rules=RULES))
    now, later = planned_by(job, MIDNIGHT, daily((0, 5))), planned_by(job, MIDNIGHT)
    assert now is not None
    assert later is not None
    job.see(Seen(moment=MIDNIGHT - HOUR, is_on=False))
    assert job.target(now, MIDNIGHT).run is True
    job.see(Seen(moment=MIDNIGHT, is_on=True))

    assert job.target(later, MIDNIGHT + 1799).run is True
    assert job.target(later, MIDNIGHT + 1800).run is False
    job.see(Seen(moment=MIDNIGHT + 1800, is_on=False))
    assert job.target(now, MIDNIGHT + 1800 + 1199).run is False
    assert job.target(now, MIDNIGHT + 1800 + 1200).run is True


def test_what_is_switched_on_by_hand_is_left_to_the_hand() -> None:
    job = RunTimeJob(replace(PUMP, rules=RULES))
    planned = planned_by(job, MIDNIGHT)
    job.see(Seen(moment=MIDNIGHT, is_on=False))
    assert job.target(planned, MIDNIGHT).run is False
    job.see(Seen(moment=MIDNIGHT + 60, is_on=True))

    assert job.target(planned, MIDNIGHT + 60).run is False


@pytest.mark.parametrize(
    "change", [{"power": 0.0}, {"power": math.nan}, {"hours": -1.0}, {"longest_pause": math.inf}]
)
def test_loads_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleAmountError):
        replace(PUMP, **change)


def test_the_plan_knows_how_long_it_has_run_and_how_often_it_started() -> None:
    job = RunTimeJob(replace(PUMP, rules=RULES))
    job.see(Seen(moment=MIDNIGHT, is_on=False))
    job.see(Seen(moment=MIDNIGHT + 60, is_on=True))
    job.see(Seen(moment=MIDNIGHT + 300, is_on=True))
    task = job.task(MIDNIGHT + 300, AROUND)

    assert task is not None
    assert task.load.state == State(is_on=True, seconds=240.0)
    assert task.load.rules.most_starts == 1
    for second, is_on in ((600, False), (900, True), (1200, False), (1500, True)):
        job.see(Seen(moment=MIDNIGHT + second, is_on=is_on))
    task = job.task(MIDNIGHT + 1500, AROUND)
    assert task is not None
    assert task.load.rules.most_starts == 0
    assert task.planned(NOON, CARBON).plan.energy == pytest.approx(800.0 * task.run_time / HOUR)


def test_it_runs_after_its_longest_pause_whatever_the_plan() -> None:
    settings = replace(
        PUMP, hours=1.0, longest_pause=3 * HOUR, quiet=(time(0), time(23)), begin=time(2)
    )
    job = RunTimeJob(settings)
    follower = follow(job, range(24 * 60), signal=daily((20, 23)))

    starts = [(moment - MIDNIGHT) / HOUR for moment, is_on in follower.switched if is_on]
    assert starts[0] == pytest.approx(3.0, abs=0.05)
    pauses = [
        after[0] - before[0]
        for before, after in zip(follower.switched, follower.switched[1:], strict=False)
        if not before[1] and before[0] > MIDNIGHT
    ]
    assert max(pauses) <= 3 * HOUR + 2 * MINUTE


def test_no_hours_are_left_when_it_has_run() -> None:
    job = RunTimeJob(replace(PUMP, hours=0.5))
    plan = planned_by(job, MIDNIGHT, daily((0, 5)))
    job.see(Seen(moment=MIDNIGHT, is_on=True))
    for minute in range(1, 30):
        assert not job.see(Seen(moment=MIDNIGHT + minute * MINUTE, is_on=True))
    assert job.see(Seen(moment=MIDNIGHT + 30 * MINUTE, is_on=True)) is True

    assert job.task(MIDNIGHT + 30 * MINUTE, AROUND) is None
    assert job.target(plan, MIDNIGHT + 30 * MINUTE).run is False
    assert job.target(None, MIDNIGHT + 30 * MINUTE).power == 0.0


def test_nothing_is_said_before_it_is_planned() -> None:
    job = RunTimeJob(PUMP)

    assert job.target(None, MIDNIGHT).run is None
    task = job.task(MIDNIGHT, AROUND)
    assert task is not None
    assert task.run_time == 4 * HOUR
    assert task.end == MIDNIGHT + DAY


def test_more_hours_than_there_are_is_told() -> None:
    job = RunTimeJob(replace(PUMP, hours=30.0))
    plan = planned_by(job, MIDNIGHT + 4 * HOUR)

    assert plan is not None
    assert plan.plan.energy == pytest.approx(800.0 * 20)
    assert [(each.wish.value, each.unit) for each in plan.plan.relaxed] == [("deadline", "Wh")]


def test_another_window_in_the_middle_of_a_day() -> None:
    """Longer, and what has run still counts; shorter than now, and the day is over."""
    job = RunTimeJob(replace(PUMP, begin=time(8), end=time(20)))
    for minute in range(8 * 60, 15 * 60):
        job.see(Seen(moment=MIDNIGHT + minute * MINUTE, is_on=minute < 9 * 60))
    job.settings = replace(job.settings, end=time(22))
    assert job.see(Seen(moment=MIDNIGHT + 15 * HOUR, is_on=False)) is False
    assert job.ran == pytest.approx(1.0)
    task = job.task(MIDNIGHT + 15 * HOUR, AROUND)
    assert task is not None
    assert task.deadline == MIDNIGHT + 22 * HOUR

    job.settings = replace(job.settings, end=time(12))
    assert job.see(Seen(moment=MIDNIGHT + 15 * HOUR + 60, is_on=False)) is True
    assert job.ran == 0.0
    assert job.done() is not None
    task = job.task(MIDNIGHT + 15 * HOUR + 60, AROUND)
    assert task is not None
    assert task.deadline == MIDNIGHT + 36 * HOUR


_rows = st.lists(
    st.builds(
        Seen,
        moment=st.sampled_from([1.0, 60.0, 900.0, 7200.0, 200_000.0, -30.0, -9000.0, math.nan]),
        is_on=st.none() | st.booleans(),
        power=st.none() | st.sampled_from([0.0, 3.0, 790.0, -5.0, math.nan, math.inf, 1e12]),
    ),
    max_size=50,
)
"""Moments are steps from the one before."""


@effort(max_examples=60, deadline=None)
@given(rows=_rows)
def test_whatever_is_seen_no_more_is_counted_than_time_has_passed(rows: list[Seen]) -> None:
    job, moment, passed = RunTimeJob(replace(PUMP, rules=RULES, longest_pause=HOUR)), MIDNIGHT, 0.0
    for row in rows:
        if math.isfinite(row.moment):
            moment += row.moment
            passed += max(0.0, row.moment)
        job.see(
            replace(row, moment=moment) if math.isfinite(row.moment) else row,
        )
        task = job.task(moment, AROUND)
        target = job.target(planned_by(job, moment), moment)
        assert target.run is not None or task is not None
        assert 0.0 <= job.ran <= passed / HOUR + 1e-9
        assert task is None or 0.0 < task.run_time <= 4 * HOUR
        assert task is None or task.deadline is None or task.deadline > moment


@pytest.mark.parametrize(
    "change",
    [
        {"window": 5},
        {"window": [1.0]},
        {"ran": None},
        {"ran": math.nan},
        {"ran": -1.0},
        {"starts": "two"},
        {"is_on": 1},
        {"since": 1e15},
        {"course": {}},
        {"finished": 4},
    ],
)
def test_garbage_is_refused(change: dict[str, Any]) -> None:
    job = RunTimeJob(PUMP)
    job.see(Seen(moment=MIDNIGHT, is_on=True))
    job.see(Seen(moment=MIDNIGHT + HOUR, is_on=True))
    data = job.as_dict()
    for garbage in ({**data, **change}, {key: data[key] for key in data if key not in change}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            job.restore(garbage)
    assert job.ran == pytest.approx(1.0)
