"""An appliance runs once each time that it is made ready, at the best moment, to its end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
import json
import math
from typing import Any

from hypothesis import given, settings as effort, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.jobs.appliance import (
    ApplianceJob,
    ApplianceSettings,
    Phase,
)
from custom_components.carbon_meter.planning.jobs.job import Around, Planned, Seen
from custom_components.carbon_meter.planning.plan import Plan
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.jobs.follower import CARBON, Follower
from tests.planning.jobs.machine import DISHWASHER, Machine
from tests.planning.problems import HOUR, slots_of

EVENING = datetime(2026, 11, 3, 18, tzinfo=UTC).timestamp()
MORNING = EVENING + 13 * HOUR
"""7:00 on the next day."""

MINUTE = 60.0
PROFILE = Profile.of(DISHWASHER, MINUTE)
SETTINGS = ApplianceSettings(profile=PROFILE, finish_by=time(7), zone=UTC)


def clean_at(start: float, hours: int = 72) -> Signal:
    """Return a signal that is best from a moment on, for four hours."""
    slots = slots_of([HOUR] * hours, EVENING)
    is_clean = (slots.starts >= start) & (slots.starts < start + 4 * HOUR)
    return Signal.of(slots, np.where(is_clean, 100.0, 400.0))


NIGHT = clean_at(EVENING + 8 * HOUR)
AROUND = Around(signal=NIGHT)


def job_from(data: dict[str, Any], settings: ApplianceSettings = SETTINGS) -> ApplianceJob:
    """Return a job as it is after a restart."""
    job = ApplianceJob(settings)
    job.restore(json.loads(json.dumps(data)))
    return job


def run(
    follower: Follower,
    machine: Machine,
    minutes: range,
    *,
    see: Callable[[float], dict[str, Any]] | None = None,
    obeys: bool = True,
) -> None:
    """Let a planner and a machine go through some minutes."""
    for minute in minutes:
        now = EVENING + minute * MINUTE
        seen = {"power": machine.power(now)} if see is None else see(now)
        before = follower.targets[-1][1].run if follower.targets else False
        target = follower.step(Seen(moment=now, **seen))
        if obeys and target.run and not before:
            machine.start(now)


def test_it_waits_for_the_clean_hours_and_runs_to_its_end() -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER)
    follower = Follower(job, NIGHT)
    job.ready(EVENING)
    follower.plan(EVENING)

    run(follower, machine, range(14 * 60))

    assert machine.started == EVENING + 8 * HOUR
    switched = follower.switched
    assert [is_on for _, is_on in switched] == [False, True, False]
    assert switched[1][0] == EVENING + 8 * HOUR
    # Dried and pumped out, and half an hour of silence.
    assert switched[2][0] == machine.started + 127 * MINUTE
    assert job.phase is Phase.DONE
    (taken,) = follower.done
    assert sum(piece.energy for piece in taken) == pytest.approx(PROFILE.energy, rel=0.01)
    assert taken[0].start == machine.started + MINUTE


def test_it_does_not_run_twice_for_one_time_that_it_is_ready() -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER)
    follower = Follower(job, NIGHT)

    def see(now: float) -> dict[str, Any]:
        return {"power": machine.power(now), "is_wanted": now >= EVENING + 30 * MINUTE}

    run(follower, machine, range(60 * 60), see=see)

    assert len(follower.done) == 1
    assert [is_on for _, is_on in follower.switched] == [False, True, False]
    assert job.phase is Phase.DONE


def test_it_is_ready_again_when_it_was_opened() -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER)
    follower = Follower(job, NIGHT)
    is_open = range(22 * 60, 24 * 60)

    def see(now: float) -> dict[str, Any]:
        minute = (now - EVENING) / MINUTE
        return {"power": machine.power(now), "is_wanted": minute not in is_open}

    run(follower, machine, range(48 * 60), see=see)

    assert len(follower.done) == 2
    assert follower.done[1][0].start > EVENING + 24 * HOUR


@pytest.mark.parametrize(
    ("ready", "finish_by", "deadline"),
    [
        (EVENING, None, MORNING),
        (MORNING - PROFILE.duration, None, MORNING),
        (MORNING - PROFILE.duration + MINUTE, None, MORNING + 24 * HOUR),
        (EVENING, EVENING + HOUR, EVENING + HOUR),
        (EVENING, EVENING + 40 * HOUR, EVENING + 40 * HOUR),
    ],
)
def test_the_deadline_is_the_first_that_can_be_kept_or_what_is_told(
    ready: float, finish_by: float | None, deadline: float
) -> None:
    job = ApplianceJob(SETTINGS)
    job.ready(ready, finish_by)

    task = job.task(ready, AROUND)

    assert job.deadline == deadline
    assert task is not None
    assert (task.start, task.end, task.deadline) == (ready, deadline, deadline)
    assert task.run_time == PROFILE.duration
    assert not task.is_rolling
    assert task.member.name == ""


def test_its_deadline_follows_the_settings_but_not_another_profile() -> None:
    job = ApplianceJob(SETTINGS)
    job.ready(MORNING - PROFILE.duration)
    job.settings = ApplianceSettings(
        profile=Profile.flat(1000.0, 3 * HOUR), finish_by=time(9), zone=UTC
    )

    assert job.deadline == MORNING + 2 * HOUR


def test_quiet_hours_and_late_deadlines_are_told() -> None:
    quiet = ApplianceSettings(
        profile=PROFILE, finish_by=time(7), zone=UTC, quiet=(time(22), time(6))
    )
    job = ApplianceJob(quiet)
    job.ready(EVENING)
    task = job.task(EVENING, AROUND)
    assert task is not None
    assert task.closed == ((EVENING + 4 * HOUR, EVENING + 12 * HOUR),)
    plan = task.planned(NIGHT, CARBON).plan
    assert plan.end is not None
    assert plan.end <= EVENING + 4 * HOUR

    late = job.task(MORNING - HOUR, AROUND)
    assert late is not None
    plan = late.planned(NIGHT, CARBON).plan
    assert plan.start == MORNING - HOUR
    assert [(each.wish.value, each.unit) for each in plan.relaxed] == [("deadline", "s")]


def test_a_door_that_is_opened_cancels_it() -> None:
    job = ApplianceJob(SETTINGS)
    assert job.see(Seen(moment=EVENING, is_wanted=False)) is False
    assert job.see(Seen(moment=EVENING + 60, is_wanted=True)) is True
    assert job.is_armed
    assert job.see(Seen(moment=EVENING + 120, is_wanted=None)) is False
    assert job.see(Seen(moment=EVENING + 180, is_wanted=True)) is False
    assert job.is_armed
    assert job.see(Seen(moment=EVENING + 240, is_wanted=False)) is True

    assert not job.is_armed
    assert job.deadline is None
    assert job.task(EVENING + 240, AROUND) is None
    assert job.target(None, EVENING + 240).run is False


def started_job() -> tuple[ApplianceJob, Planned, float]:
    """Return a job that was told to run a moment ago, with its plan."""
    job = ApplianceJob(SETTINGS)
    job.see(Seen(moment=EVENING, is_wanted=True, power=1.0))
    task = job.task(EVENING, AROUND)
    assert task is not None
    planned = task.planned(NIGHT, CARBON)
    start = EVENING + 8 * HOUR
    job.see(Seen(moment=start - 30, is_wanted=True, power=1.0))
    assert job.target(planned, start - 1).run is False
    target = job.target(planned, start)
    assert (target.run, target.power) == (True, 55.0)
    return job, planned, start


def test_a_start_that_turns_its_readiness_off_is_no_door_that_opens() -> None:
    """Many appliances say that they are not ready any more as soon as they run."""
    job, planned, start = started_job()
    job.see(Seen(moment=start + 2, is_wanted=False, power=1.0))
    assert job.target(planned, start + 2).run is True
    for second in range(30, 150, 30):
        job.see(Seen(moment=start + second, power=55.0))

    assert job.phase is Phase.RUNNING
    assert job.is_armed


def test_a_start_that_nobody_sees_is_doubted_and_then_cancelled_where_it_is_not_ready() -> None:
    job, planned, start = started_job()
    job.see(Seen(moment=start + 2, is_wanted=False, power=1.0))
    job.see(Seen(moment=start + 299, power=1.0))
    assert job.phase is Phase.WAITING
    assert not job.is_unconfirmed

    assert job.see(Seen(moment=start + 300, power=1.0)) is True
    assert job.phase is Phase.IDLE
    assert job.target(planned, start + 300).run is False


def test_a_start_that_nobody_sees_is_told() -> None:
    job, planned, start = started_job()
    for minute in range(1, 5):
        job.see(Seen(moment=start + 60 * minute, power=1.0))
        assert not job.is_unconfirmed

    job.see(Seen(moment=start + 300, power=1.0))
    assert job.is_unconfirmed
    assert job.target(planned, start + 300).run is True

    for second in (360, 390, 420):
        job.see(Seen(moment=start + second, power=55.0))
    assert not job.is_unconfirmed
    assert job.phase is Phase.RUNNING


def test_a_start_is_not_taken_back_by_another_plan() -> None:
    """The forecast changes while the machine fills with water, before it draws any power."""
    job, _, start = started_job()
    job.see(Seen(moment=start + 60, power=1.0))
    later = clean_at(start + 3 * HOUR)
    task = job.task(start + 60, Around(signal=later))
    assert task is not None
    planned = task.planned(later, CARBON)

    assert planned.plan.start == start + 60
    assert job.target(planned, start + 60).run is True


def test_a_lamp_is_no_run() -> None:
    job = ApplianceJob(SETTINGS)
    job.see(Seen(moment=EVENING, is_wanted=True, power=1.0))
    for second in range(0, 600, 20):
        job.see(Seen(moment=EVENING + second, power=40.0 if second % 80 < 60 else 1.0))

    assert job.phase is Phase.WAITING


def test_it_is_never_interrupted() -> None:
    """Its plan is gone, the deadline has passed, the door says it is open: it runs to its end."""
    job, planned, start = started_job()
    machine = Machine(programme=DISHWASHER, started=start, noise=1.0)
    plans: list[Planned | None] = [planned, None]
    for minute in range(1, 107):
        now = start + minute * MINUTE
        wanted = [True, None, False][minute % 3] if minute < 80 else None
        job.see(Seen(moment=now, power=machine.power(now), is_wanted=wanted))
        if minute == 20:
            job.cancel()
            job.ready(now)
            job.start_now(now)
        assert job.target(plans[minute % 2], now).run is True, minute
    assert job.phase is Phase.RUNNING


def test_what_is_left_of_a_run_is_planned_at_once() -> None:
    """So that others under the fuse make room for it."""
    job, _, start = started_job()
    machine = Machine(programme=DISHWASHER, started=start)
    for minute in range(1, 40):
        now = start + minute * MINUTE
        job.see(Seen(moment=now, power=machine.power(now)))
    task = job.task(now, AROUND)

    assert task is not None
    assert task.run_time == PROFILE.duration - 38 * MINUTE
    plan = task.planned(NIGHT, CARBON).plan
    assert plan.start == now
    assert plan.energy == pytest.approx(sum(DISHWASHER[38:]) / 60.0)
    assert task.deadline == MORNING
    assert job.target(None, now).power == DISHWASHER[38]


def test_what_is_left_of_a_long_step_is_known_to_the_minute() -> None:
    flat = replace(SETTINGS, profile=Profile.flat(600.0, 2 * HOUR))
    job = ApplianceJob(flat)
    job.start_now(EVENING)
    job.target(None, EVENING)
    job.see(Seen(moment=EVENING + 60))
    task = job.task(EVENING + 50 * MINUTE, AROUND)

    assert task is not None
    assert task.run_time == 70 * MINUTE


def test_what_nobody_sees_has_done_what_it_was_told() -> None:
    job = ApplianceJob(SETTINGS)
    follower = Follower(job, NIGHT)
    job.ready(EVENING)
    follower.plan(EVENING)

    run(follower, Machine(programme=[]), range(14 * 60), see=lambda _: {})

    assert [moment for moment, _ in follower.switched[1:]] == [
        EVENING + 8 * HOUR,
        EVENING + 8 * HOUR + PROFILE.duration,
    ]
    assert follower.done == [PROFILE.at(EVENING + 8 * HOUR)]


def test_a_socket_tells_when_it_was_told() -> None:
    """It is on while the programme is chosen, off until the start, and then on to the end."""
    job = ApplianceJob(SETTINGS)
    follower = Follower(job, NIGHT)

    def see(now: float) -> dict[str, Any]:
        minute = (now - EVENING) / MINUTE
        told = follower.targets[-1][1].run if follower.targets else None
        return {"is_on": minute < 30 or bool(told), "is_wanted": minute >= 20}

    run(follower, Machine(programme=[]), range(14 * 60), see=see)

    assert [is_on for _, is_on in follower.switched] == [False, True, False]
    assert follower.switched[1][0] == EVENING + 8 * HOUR
    assert len(follower.done) == 1
    # Nobody switches off what the user has switched on.
    assert {target.run for _, target in follower.targets[:20]} == {None}


def test_a_socket_that_is_switched_off_ends_the_run() -> None:
    job = ApplianceJob(SETTINGS)
    job.start_now(EVENING)
    job.see(Seen(moment=EVENING, is_on=False))
    assert job.target(None, EVENING).run is True
    job.see(Seen(moment=EVENING + 10, is_on=True))
    assert job.phase is Phase.RUNNING
    job.see(Seen(moment=EVENING + 20 * MINUTE, is_on=False))

    assert job.phase is Phase.DONE
    pieces = job.done()
    assert pieces is not None
    assert pieces[-1].end == EVENING + 20 * MINUTE
    assert job.done() is None


def test_a_meter_that_falls_silent_does_not_stop_it() -> None:
    """What was seen before is waited for, but not for ever."""
    job, planned, start = started_job()
    job.see(Seen(moment=start + 60))
    assert job.phase is Phase.WAITING
    job.see(Seen(moment=start + 300))
    assert job.phase is Phase.RUNNING
    longest = start + 1.5 * PROFILE.duration
    job.see(Seen(moment=longest - 1))
    assert job.target(planned, longest - 1).run is True
    job.see(Seen(moment=longest))
    assert job.phase is Phase.DONE


def test_a_start_that_was_slept_through_is_planned_anew() -> None:
    """Home Assistant was off from before the planned start; the rest of the night is still good."""
    job = ApplianceJob(SETTINGS)
    job.see(Seen(moment=EVENING, is_wanted=True, power=1.0))
    task = job.task(EVENING, AROUND)
    assert task is not None
    planned = task.planned(NIGHT, CARBON)
    back = EVENING + 9 * HOUR

    job = job_from(job.as_dict())
    assert job.see(Seen(moment=back, is_wanted=True, power=1.0)) is True
    assert job.target(planned, back).run is None
    task = job.task(back, AROUND)
    assert task is not None
    assert task.deadline == MORNING
    assert task.planned(NIGHT, CARBON).plan.start == back


def test_a_deadline_that_was_slept_through_is_told_and_it_runs_at_once() -> None:
    job = ApplianceJob(SETTINGS)
    job.see(Seen(moment=EVENING, is_wanted=True, power=1.0))
    back = MORNING + HOUR

    job = job_from(job.as_dict())
    job.see(Seen(moment=back, is_wanted=True, power=1.0))
    task = job.task(back, AROUND)

    assert task is not None
    assert task.deadline == MORNING
    planned = task.planned(NIGHT, CARBON)
    assert planned.plan.start == back
    assert job.target(planned, back).run is True


def test_a_plan_of_the_time_before_starts_nothing() -> None:
    job, planned, start = started_job()
    job.cancel()
    job.ready(start + 60)

    assert job.target(planned, start + 60).run is None
    nothing = Planned(plan=_without_pieces(planned.plan))
    assert job.target(nothing, start + 60).run is False


def _without_pieces(plan: Plan) -> Plan:
    return Plan(
        slots=plan.slots,
        pieces=(),
        outcome=plan.outcome,
        baseline=plan.baseline,
        baseline_pieces=(),
        lower_bound=0.0,
        reason=plan.reason,
    )


def test_it_starts_now_when_that_is_asked_for() -> None:
    quiet = ApplianceSettings(
        profile=PROFILE, finish_by=time(7), zone=UTC, quiet=(time(17), time(20))
    )
    job = ApplianceJob(quiet)
    job.start_now(EVENING)

    assert job.target(None, EVENING).run is True
    task = job.task(EVENING, AROUND)
    assert task is not None
    plan = task.planned(NIGHT, CARBON).plan
    assert plan.start == EVENING
    assert plan.relaxed == ()
    job.cancel()
    assert job.target(None, EVENING).run is False


def test_a_run_by_hand_is_left_alone_and_is_no_saving() -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER, started=EVENING)
    follower = Follower(job, NIGHT)

    run(follower, machine, range(-5, 180), obeys=False)

    assert follower.switched[1] == (EVENING + MINUTE, True)
    assert follower.switched[2] == (EVENING + 127 * MINUTE, False)
    assert follower.done == []
    assert job.phase is Phase.IDLE


def test_made_ready_while_it_runs_by_hand_that_is_its_run() -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER, started=EVENING)
    follower = Follower(job, NIGHT)
    run(follower, machine, range(10))
    assert job.phase is Phase.RUNNING
    assert not job.is_armed
    job.ready(EVENING + 10 * MINUTE)
    assert job.phase is Phase.WAITING

    run(follower, machine, range(10, 180), obeys=False)

    assert job.phase is Phase.DONE
    assert len(follower.done) == 1


def test_filled_again_soon_after_the_end_it_waits_again() -> None:
    """Before the half hour of silence is over, that ends a run."""
    job, _, start = started_job()
    machine = Machine(programme=DISHWASHER, started=start)
    for minute in range(1, 114):
        now = start + minute * MINUTE
        wanted = {1: False, 99: True, 100: False, 113: True}.get(minute)
        job.see(Seen(moment=now, power=machine.power(now), is_wanted=wanted))

    assert job.phase is Phase.WAITING
    assert job.deadline == MORNING
    assert job.done() is not None


def test_made_ready_by_hand_soon_after_the_end_it_waits_again() -> None:
    job, _, start = started_job()
    machine = Machine(programme=DISHWASHER, started=start)
    for minute in range(1, 114):
        now = start + minute * MINUTE
        job.see(Seen(moment=now, power=machine.power(now)))
        if minute == 60:
            job.ready(now, MORNING + 5 * HOUR)
            assert job.phase is Phase.RUNNING
            assert job.deadline == MORNING
    job.ready(now)

    assert job.phase is Phase.WAITING
    assert job.done() is not None


def test_a_power_that_never_falls_ends_the_run_one_day() -> None:
    job, _, start = started_job()
    for minute in range(1, 5 * 60):
        job.see(Seen(moment=start + minute * MINUTE, power=30.0))
        if job.phase is Phase.DONE:
            break

    assert minute * MINUTE == 2 * PROFILE.duration + MINUTE


_seen = st.builds(
    Seen,
    moment=st.sampled_from([30.0, 60.0, 600.0, 3000.0, 90_000.0, -45.0, -8000.0, math.nan, 1e300]),
    is_on=st.none() | st.booleans(),
    power=st.none() | st.sampled_from([0.0, 1.0, 55.0, 2000.0, -4.0, math.nan, math.inf, 1e9]),
    is_wanted=st.none() | st.booleans(),
)
"""Moments are steps from the one before."""


@effort(max_examples=60, deadline=None)
@given(rows=st.lists(_seen, max_size=60), restarts=st.sets(st.integers(0, 59)))
def test_whatever_is_seen_a_run_is_never_interrupted(rows: list[Seen], restarts: set[int]) -> None:
    job, moment, planned = ApplianceJob(SETTINGS), EVENING, None
    for place, row in enumerate(rows):
        if place in restarts:
            job = job_from(job.as_dict())
        step = row.moment
        moment = max(EVENING, moment + (step if abs(step) < 1e6 else 0.0))
        was_running = job.phase is Phase.RUNNING
        job.see(
            Seen(
                moment=step if not abs(step) < 1e6 else moment,
                is_on=row.is_on,
                power=row.power,
                is_wanted=row.is_wanted,
            )
        )
        task = job.task(moment, AROUND)
        planned = None if task is None else task.planned(NIGHT, CARBON)
        target = job.target(planned, moment)
        assert (task is None) or (task.deadline is not None and job.is_armed)
        if job.phase is Phase.RUNNING:
            assert target.run is True
        elif was_running:
            assert job.phase in {Phase.DONE, Phase.IDLE, Phase.WAITING}
        if (pieces := job.done()) is not None:
            assert sum(piece.energy for piece in pieces) > 0.0
            assert all(piece.end > piece.start for piece in pieces)


def test_home_assistant_was_off_while_it_ran() -> None:
    """Back in the middle the run goes on, back after its end it is over."""
    job, _, start = started_job()
    machine = Machine(programme=DISHWASHER, started=start)
    for minute in range(1, 20):
        now = start + minute * MINUTE
        job.see(Seen(moment=now, power=machine.power(now)))
    middle, after = job_from(job.as_dict()), job_from(job.as_dict())

    now = start + 70 * MINUTE
    middle.see(Seen(moment=now, power=machine.power(now)))
    assert middle.phase is Phase.RUNNING
    assert middle.target(None, now).run is True
    after.see(Seen(moment=start + 5 * HOUR, power=1.0))
    assert after.phase is Phase.DONE
    taken = after.done()
    assert taken is not None
    # What nobody saw is not made up.
    assert sum(piece.energy for piece in taken) == pytest.approx(sum(DISHWASHER[1:19]) / 60.0)


@pytest.mark.parametrize("back", [58, 93])
def test_a_pause_after_a_gap_is_not_the_end(back: int) -> None:
    """Home Assistant is off for 40 minutes, and comes back while the machine dries."""
    job, _, start = started_job()
    machine = Machine(programme=[*DISHWASHER[:98], *[2.0] * 10, *[400.0] * 5], started=start)
    for minute in (*range(1, back - 40), *range(back, 113)):
        now = start + minute * MINUTE
        job.see(Seen(moment=now, power=machine.power(now)))
        assert minute < 3 or job.phase is Phase.RUNNING
        assert job.target(None, now).run is True

    for minute in range(113, 145):
        job.see(Seen(moment=start + minute * MINUTE, power=1.0))
    assert job.phase is Phase.DONE


@given(at=st.integers(0, 14 * 60))
@effort(max_examples=15, deadline=None)
def test_a_restart_changes_nothing(at: int) -> None:
    job, machine = ApplianceJob(SETTINGS), Machine(programme=DISHWASHER)
    follower = Follower(job, NIGHT)
    job.ready(EVENING)
    follower.plan(EVENING)
    run(follower, machine, range(at))
    follower.job = job_from(job.as_dict())
    run(follower, machine, range(at, 14 * 60))

    assert follower.switched == [
        (EVENING, False),
        (EVENING + 8 * HOUR, True),
        (EVENING + 8 * HOUR + 127 * MINUTE, False),
    ]
    assert len(follower.done) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "asleep"},
        {"phase": "running"},
        {"phase": "waiting", "ready_since": None},
        {"phase": "waiting", "ready_since": 1e15},
        {"lasts": math.inf},
        {"told": "07:00"},
        {"wanted": 1},
        {"watch": None},
        {"watch": {}},
        {"finished": [[[1.0]]]},
    ],
)
def test_garbage_is_refused(change: dict[str, Any]) -> None:
    job = ApplianceJob(SETTINGS)
    job.ready(EVENING)
    data = job.as_dict()
    for garbage in ({**data, **change}, {key: data[key] for key in data if key not in change}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            job.restore(garbage)
    assert job.phase is Phase.WAITING


def test_moments_that_are_none_are_refused() -> None:
    job = ApplianceJob(SETTINGS)
    for call in (
        lambda: job.ready(math.nan),
        lambda: job.ready(EVENING, math.inf),
        lambda: job.start_now(-5.0),
    ):
        with pytest.raises(ValueError, match="no moment"):
            call()
    assert job.phase is Phase.IDLE
