"""Zones that are cooled, or heated, ahead: for who is there, by the schedule, and no further."""

from dataclasses import replace
from datetime import time
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.alternatives import Way, Zone
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump
from custom_components.carbon_meter.planning.jobs.air import AirJob
from custom_components.carbon_meter.planning.jobs.air_settings import AirSettings
from custom_components.carbon_meter.planning.jobs.bodies import room
from custom_components.carbon_meter.planning.jobs.job import (
    NO_TARGET,
    Around,
    Planned,
    Seen,
    Target,
)
from custom_components.carbon_meter.planning.jobs.schedule import Schedule
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.simulate import Preference, simulate
from tests.planning.jobs.closed_loop import Course, follow, plan, wave
from tests.planning.problems import HOUR, START, hourly

BERLIN = ZoneInfo("Europe/Berlin")
WORK = Schedule(zone=BERLIN, start=time(8), end=time(18), days=frozenset(range(5)))
EIGHT = 7 * HOUR
"""Eight in the morning, in seconds after START, a Wednesday."""

OFFICE = AirSettings(
    name="Office",
    body=room(300.0),
    source=HeatPump(cools=True),
    power=6000.0,
    setpoint=24.0,
    low=22.0,
    high=26.0,
    zone=BERLIN,
    occupied=WORK,
    gains=1500.0,
)
HALL = replace(
    OFFICE, name="Hall", source=Heater(), setpoint=21.0, low=19.0, high=23.0, power=15_000.0
)


def seen(job: AirJob, level: float | None, seconds: float = 0.0, **others: object) -> bool:
    """Let a job see something so many seconds after the start."""
    return job.see(Seen(moment=START + seconds, level=level, **others))  # type: ignore[arg-type]


def planned_at(job: AirJob, seconds: float, signal: Signal, outside: float) -> Planned:
    """Return the plan of a zone so many seconds after the start."""
    found = plan(job, signal, START + seconds, outside=outside)
    assert found is not None
    return found


def worked_in(known: AirSettings, outside: float, *, days: float = 1.0) -> Course:
    """Return the course of a zone whose thermostat obeys."""
    job, state, cools = AirJob(known), {"setpoint": known.setpoint}, known.source.cools

    def device(target: Target, level: float) -> float:
        state["setpoint"] = target.setpoint or state["setpoint"]
        off = (level - state["setpoint"]) if cools else (state["setpoint"] - level)
        return min(max(off * 8000.0, 0.0), known.power)

    return follow(
        job,
        wave(4),
        known.setpoint,
        device,
        lambda _now, level, power: known.after(level, 60.0, power, outside),
        days=days,
        outside=outside,
    )


@pytest.mark.parametrize(("known", "outside"), [(OFFICE, 31.0), (HALL, 2.0)])
def test_there_is_comfort_while_somebody_is_there(known: AirSettings, outside: float) -> None:
    """From eight to six; setpoints are within the depth and the relaxation, or the setback."""
    course = worked_in(known, outside)
    work = course.levels[7 * 60 + 15 : 17 * 60]

    assert known.low - 0.3 <= min(work)
    assert max(work) <= known.high + 0.3
    at_work = {target.setpoint for target in course.targets[7 * 60 : 17 * 60]}
    assert at_work <= {known.setpoint + step / 2.0 for step in range(-4, 5)}
    assert len(at_work) > 1


def test_a_setpoint_is_changed_each_half_hour_at_the_most() -> None:
    """But for the moments at which people come and go."""
    setpoints = [target.setpoint for target in worked_in(OFFICE, 31.0).targets]
    changes = [minute for minute, (one, other) in enumerate(pairwise(setpoints)) if one != other]
    edges = {7 * 60 - 1, 17 * 60 - 1}

    assert changes
    for earlier, later in pairwise(changes):
        assert later - earlier >= 30 or later in edges


def test_nobody_is_cooled_for_long_before_they_come() -> None:
    """Clean at three in the morning is no reason where the lead is two hours."""
    job = AirJob(replace(OFFICE, lead=2.0))
    seen(job, 25.0)
    found = planned_at(job, 0.0, hourly([50] * 6 + [500] * 18), 31.0).plan

    first = found.start
    assert first is not None
    assert first >= START + EIGHT - 2 * HOUR - 1.0
    assert found.power_at(START + EIGHT - 1.5 * HOUR) > 0.0


def test_it_is_cooled_ahead_of_dirty_hours() -> None:
    """Below the setpoint in the two clean hours, so that nothing is needed in the dirty ones."""
    job = AirJob(OFFICE)
    seen(job, 25.0, EIGHT)
    carbon = [300.0] * 8 + [50.0] * 2 + [800.0] * 3 + [300.0] * 11
    found = planned_at(job, EIGHT, hourly(carbon), 31.0)
    assert found.contents is not None
    ends = found.plan.slots.ends
    dirty = (ends > START + 10 * HOUR) & (ends <= START + 13 * HOUR)

    assert 22.0 <= float(found.contents[np.searchsorted(ends, START + 10 * HOUR)]) < 24.0
    assert found.plan.power[dirty].max() == 0.0
    assert found.contents[dirty].max() <= 26.0 + 0.01
    assert found.plan.saved_carbon is not None
    assert found.plan.saved_carbon > 500.0


def test_who_is_there_counts_more_than_the_schedule() -> None:
    """Somebody at night is not left in the heat; nobody by day is left to drift."""
    job = AirJob(OFFICE)
    seen(job, 25.0)
    assert job.target(None, START).setpoint == 30.0
    assert seen(job, 25.0, 60.0, is_wanted=True)
    assert job.target(None, START + 60.0).setpoint == 24.0

    assert seen(job, 25.0, EIGHT + 60.0, is_wanted=False)
    assert job.target(None, START + EIGHT + 60.0).setpoint == 30.0
    assert job.occupied_within(START + EIGHT, START + EIGHT + 2 * HOUR) == (
        (START + EIGHT + HOUR / 2, START + EIGHT + 2 * HOUR),
    )


def test_a_calendar_counts_in_place_of_the_schedule() -> None:
    """A meeting at night, and nothing by day."""
    job = AirJob(OFFICE)
    meeting = (START + 2 * HOUR, START + 3 * HOUR)
    assert seen(job, 25.0, stretches=(meeting,))

    assert job.occupied_within(START, START + 24 * HOUR) == (meeting,)
    assert job.target(None, START).setpoint == 30.0
    seen(job, 25.0, 2 * HOUR, stretches=(meeting,))
    assert job.target(None, START + 2 * HOUR).setpoint == 24.0


def test_outside_the_comfort_the_setpoint_goes_back_at_once() -> None:
    """It is too warm at nine: 24 degrees, whatever was planned a minute ago."""
    job = AirJob(OFFICE)
    nine = EIGHT + HOUR
    seen(job, 24.0, nine)
    found = planned_at(job, nine, hourly([800] * 12 + [100] * 36), 31.0)
    assert job.target(found, START + nine).setpoint != 24.0
    seen(job, 26.3, nine + 60.0)

    assert job.target(found, START + nine + 60.0).setpoint == 24.0


def test_where_nothing_is_gained_nobody_is_left_in_the_heat() -> None:
    """Nothing known, or all the same: 24 degrees while they are there, whatever may be relaxed."""
    job = AirJob(OFFICE)
    nine = EIGHT + HOUR
    seen(job, 25.0, nine)
    for signal in (hourly([None] * 48), hourly([300] * 48)):
        now = START + nine
        task = job.task(now, Around(signal=signal, outside=np.full(48, 31.0)))
        assert task is not None
        planned = task.planned(signal, Objective.carbon(), margin=Margin(absolute=1e6))
        assert job.target(planned, now).setpoint == 24.0


def test_a_zone_without_a_plan_is_ready_when_they_come() -> None:
    """An hour before."""
    job = AirJob(OFFICE)
    seen(job, 28.0, EIGHT - 1.1 * HOUR)
    assert job.target(None, START + EIGHT - 1.1 * HOUR).setpoint == 30.0
    late = EIGHT - 0.5 * HOUR
    seen(job, 28.0, late)

    assert job.target(None, START + late).setpoint == 24.0
    assert job.base_setpoint == 24.0


def test_a_lost_sensor_puts_a_moved_setpoint_back_once() -> None:
    """After half an hour; where it was not moved nothing is said."""
    job = AirJob(OFFICE)
    seen(job, 25.0)
    assert job.target(None, START).setpoint == 30.0
    seen(job, None, 1900.0)

    assert job.target(None, START + 1900.0) == Target(setpoint=24.0)
    assert job.target(None, START + 1960.0) == NO_TARGET
    assert job.task(START + 1960.0, Around(signal=wave(1))) is None
    assert AirJob(OFFICE).target(None, START) == NO_TARGET


def test_a_zone_that_is_always_occupied() -> None:
    """Without a schedule there is no setback."""
    job = AirJob(replace(OFFICE, occupied=None))
    seen(job, 24.0)

    target = job.target(planned_at(job, 0.0, wave(2), 31.0), START)

    assert target.setpoint is not None
    assert 22.0 <= target.setpoint <= 26.0
    assert job.target(None, START + HOUR / 2).setpoint == 24.0


def test_a_zone_takes_part_in_a_decision() -> None:
    """Setpoints and schedules are tried, and weighed against comfort."""
    signal = wave(2)
    around = Around(signal=signal, outside=np.full(len(signal.slots), 31.0))
    member = AirJob(OFFICE).member(around, None)

    choice = simulate([member], signal, Preference(objective=Objective.carbon(), discomfort=50.0))

    assert isinstance(member, Zone)
    ways = {each.alternative.way for each in choice.ranked}
    assert {Way.NOTHING, Way.SETPOINT, Way.SCHEDULE} <= ways
    assert choice.nothing.energy > 1000.0
    assert choice.nothing.discomfort < 5.0
    assert choice.saved_carbon is not None
    assert choice.saved_carbon > 0.0


@pytest.mark.parametrize(
    "changed",
    [
        {"setpoint": 27.0},
        {"low": 25.0},
        {"power": 0.0},
        {"depth": -1.0},
        {"lead": float("nan")},
        {"horizon": 0.0},
    ],
)
def test_there_is_no_such_zone(changed: dict[str, float]) -> None:
    """It is refused when it is set up."""
    with pytest.raises(ImpossibleAmountError):
        replace(OFFICE, **changed)


@given(
    st.lists(
        st.tuples(
            st.floats(-7200.0, 14_400.0),
            st.none() | st.floats(-100.0, 200.0) | st.just(float("nan")),
            st.none() | st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([OFFICE, HALL, replace(OFFICE, lead=0.0)]),
)
@settings(max_examples=50, deadline=None)
def test_whatever_is_seen_the_setpoint_can_be(
    looks: list[tuple[float, float | None, bool | None, bool]], known: AirSettings
) -> None:
    """Within the shifts or at the setback, never anything else."""
    job, now = AirJob(known), START
    allowed = {known.setback_setpoint, None}
    allowed |= {known.setpoint + step / 2.0 for step in range(-4, 5)}
    for seconds, level, is_wanted, has_calendar in looks:
        now += seconds
        stretches = ((now - 60.0, now + HOUR),) if has_calendar else None
        job.see(Seen(moment=now, level=level, is_wanted=is_wanted, stretches=stretches))
        planned = plan(job, hourly([300, 50, 600, 200] * 40), now, outside=15.0)

        assert job.target(planned, now).setpoint in allowed
