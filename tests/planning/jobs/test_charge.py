"""A car has what it must have when it leaves, and what would be nice where that can be."""

from dataclasses import replace
from datetime import UTC, datetime, time
import json
import math
from typing import Any

from hypothesis import given, settings as effort, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.charging import Charger, Kind
from custom_components.carbon_meter.planning.jobs.charge import (
    ChargeJob,
    ChargeSettings,
    amperes,
)
from custom_components.carbon_meter.planning.jobs.job import Around, Planned, Seen
from custom_components.carbon_meter.planning.jobs.tasks import MovableTask
from custom_components.carbon_meter.planning.loads import ChargeLoad
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.jobs.follower import CARBON, Follower
from tests.planning.problems import HOUR, slots_of

EVENING = datetime(2026, 11, 3, 18, tzinfo=UTC).timestamp()
MORNING = EVENING + 13 * HOUR
"""7:00 on the next day."""

DAY = 24 * HOUR
MINUTE = 60.0

CAR = ChargeSettings(
    charger=Charger.of_amperes(6, 16, phases=3),
    ready_by=time(7),
    zone=UTC,
    capacity=60_000.0,
    target=80.0,
    must=50.0,
    at_once=20.0,
    efficiency=0.9,
)
PLAIN = ChargeSettings(
    charger=Charger.fixed(3680.0), ready_by=time(7), zone=UTC, energy=10_000.0, must_energy=4_000.0
)
PERCENT = 60_000.0 / 0.9 / 100.0
"""Wh from the charger for one per cent."""


def night(clean: tuple[int, int] = (7, 11), hours: int = 72) -> Signal:
    """Return a signal that is best some hours after the evening."""
    slots = slots_of([HOUR] * hours, EVENING)
    place = np.arange(hours) % 24
    return Signal.of(slots, np.where((place >= clean[0]) & (place < clean[1]), 100.0, 400.0))


NIGHT = night()
AROUND = Around(signal=NIGHT)


def plugged(settings: ChargeSettings = CAR, **seen: Any) -> ChargeJob:
    """Return the job of a car that was plugged in in the evening."""
    job = ChargeJob(settings)
    job.see(Seen(moment=EVENING - 60, is_wanted=False))
    assert job.see(Seen(moment=EVENING, is_wanted=True, power=0.0, **seen)) is True
    return job


def task_of(job: ChargeJob, now: float = EVENING) -> MovableTask:
    """Return the task of a job that has one."""
    task = job.task(now, AROUND)
    assert task is not None
    return task


def needs_of(task: MovableTask) -> list[tuple[Kind, float, float]]:
    """Return the needs of a task: kind, Wh and hours after the evening."""
    assert isinstance(task.load, ChargeLoad)
    return [
        (need.kind, pytest.approx(need.energy), (need.deadline - EVENING) / HOUR)
        for need in task.load.needs
    ]


def test_needs_are_from_the_level_through_the_charger() -> None:
    task = task_of(plugged(level=40.0))

    assert needs_of(task) == [
        (Kind.MUST, 10 * PERCENT, 13.0),
        (Kind.NICE, 30 * PERCENT, 13.0),
    ]
    assert task.deadline == MORNING
    assert task.run_time == pytest.approx(10 * PERCENT / 11040.0 * HOUR)
    assert task.load.connection.now == 0.0


def test_below_its_least_level_it_is_charged_at_once() -> None:
    job = plugged(level=10.0)
    task = task_of(job)
    assert isinstance(task.load, ChargeLoad)
    assert task.load.connection.now == pytest.approx(10 * PERCENT)
    assert job.target(None, EVENING).power == 11040.0
    planned = task.planned(NIGHT, CARBON)
    assert planned.plan.start == EVENING
    assert job.target(planned, EVENING).run is True

    # That much must be, even where less was said.
    low = replace(CAR, must=0.0)
    assert needs_of(task_of(plugged(low, level=10.0)))[0] == (Kind.MUST, 10 * PERCENT, 13.0)


def test_what_was_charged_counts_until_the_level_is_read_again() -> None:
    job = plugged(level=40.0)
    for minute in range(61):
        now = EVENING + minute * MINUTE
        job.see(Seen(moment=now, is_wanted=True, power=11040.0, level=40.0 if minute < 5 else None))

    assert job.delivered == pytest.approx(11040.0)
    assert job.level == pytest.approx(40.0 + 11040.0 / PERCENT)
    assert job.wants().nice == pytest.approx(40 * PERCENT - 11040.0)
    assert job.see(Seen(moment=now + 1, level=57.0)) is False
    assert job.level == 57.0
    assert job.see(Seen(moment=now + 2, level=50.0)) is True
    assert job.wants().nice == pytest.approx(30 * PERCENT)


def test_without_a_level_the_energy_counts_each_time() -> None:
    job = plugged(PLAIN)
    assert needs_of(task_of(job)) == [(Kind.MUST, 4000.0, 13.0), (Kind.NICE, 6000.0, 13.0)]
    for minute in range(1, 91):
        job.see(Seen(moment=EVENING + minute * MINUTE, power=3000.0 if minute < 90 else 0.0))
    task = task_of(job, EVENING + 90 * MINUTE)
    done = 3000.0 * 89 / 60
    assert needs_of(task) == [(Kind.NICE, 10_000.0 - done, 13.0)]
    assert task.deadline is None
    assert task.run_time == 0.0


@pytest.mark.parametrize("energy", [None, 0.0])
def test_a_level_that_is_not_known_yet_counts_as_none_where_no_energy_is_told(
    energy: float | None,
) -> None:
    job = plugged(replace(CAR, energy=energy))

    assert needs_of(task_of(job)) == [
        (Kind.MUST, 50 * PERCENT, 13.0),
        (Kind.NICE, 30 * PERCENT, 13),
    ]
    assert job.wants().at_once == 0.0
    assert job.see(Seen(moment=EVENING + 60, level=45.0)) is True
    assert job.wants().must == pytest.approx(5 * PERCENT)


def test_a_level_without_a_capacity_says_when_it_is_enough() -> None:
    job = plugged(replace(PLAIN, must=50.0), level=60.0)
    assert job.wants().must == 0.0
    assert job.wants().nice == 10_000.0
    assert job.see(Seen(moment=EVENING + 60, level=80.0)) is True
    assert job.task(EVENING + 60, AROUND) is None
    assert job.target(None, EVENING + 60).run is False


def test_a_full_car_is_not_charged_for_a_per_cent() -> None:
    job = plugged(level=79.0)
    assert job.task(EVENING, AROUND) is not None
    job.see(Seen(moment=EVENING + 60, level=80.0))
    assert job.task(EVENING + 60, AROUND) is None
    job.see(Seen(moment=EVENING + 120, level=79.0))
    assert job.task(EVENING + 120, AROUND) is None
    assert job.see(Seen(moment=EVENING + 180, level=77.5)) is True
    assert job.wants().nice == pytest.approx(2.5 * PERCENT)


def test_more_is_wanted_and_it_is_charged_again() -> None:
    job = plugged(level=80.0)
    assert job.task(EVENING, AROUND) is None
    job.settings = replace(CAR, target=100.0)
    job.see(Seen(moment=EVENING + 60, level=80.0))

    assert job.wants().nice == pytest.approx(20 * PERCENT)


class Car:
    """A car at a charger: its level rises with what it is given, and it stops when it is full."""

    def __init__(self, level: float, settings: ChargeSettings = CAR) -> None:
        """Start with a level in per cent."""
        self.level = level
        self.power = 0.0
        self._settings = settings

    def pass_(self, seconds: float, power: float) -> None:
        """Let some time pass at a power."""
        self.power = power if self.level < 100.0 else 0.0
        capacity = self._settings.capacity or 60_000.0
        self.level += self.power * seconds / 3600.0 * self._settings.efficiency / capacity * 100.0


def drive(follower: Follower, car: Car, minutes: range, **seen: Any) -> None:
    """Let a planner and a car that is plugged in go through some minutes."""
    for minute in minutes:
        now = EVENING + minute * MINUTE
        level = float(math.floor(car.level)) if "level" not in seen else seen["level"]
        row = {"is_wanted": True, "power": car.power, **seen, "level": level}
        target = follower.step(Seen(moment=now, **row))
        car.pass_(MINUTE, target.power or 0.0)


def test_a_night_at_the_charger() -> None:
    car = Car(40.0)
    follower = Follower(ChargeJob(CAR), NIGHT)
    follower.step(Seen(moment=EVENING - 60, is_wanted=False))
    drive(follower, car, range(13 * 60))

    assert 79.0 <= car.level <= 81.0
    charged = [moment for moment, target in follower.targets if target.run]
    assert min(charged) >= EVENING + 7 * HOUR
    assert max(charged) < EVENING + 11 * HOUR
    powers = {target.power for _, target in follower.targets if target.run}
    assert powers <= set(CAR.charger.levels)

    follower.step(Seen(moment=MORNING, is_wanted=False, level=car.level))
    assert follower.done == []
    follower.step(Seen(moment=MORNING + 120, is_wanted=False, level=car.level))
    (taken,) = follower.done
    assert sum(piece.energy for piece in taken) == pytest.approx(40 * PERCENT, rel=0.03)
    assert follower.targets[-1][1].run is False
    assert follower.job.task(MORNING, AROUND) is None


def test_after_its_departure_it_is_charged_at_once_until_it_has_what_it_must_have() -> None:
    job = plugged(level=40.0)
    job.see(Seen(moment=MORNING - 60, level=40.0))
    assert job.departure == MORNING
    assert job.see(Seen(moment=MORNING, level=40.0)) is True
    task = task_of(job, MORNING)
    assert job.departure == task.deadline == MORNING
    planned = task.planned(NIGHT, CARBON)
    assert planned.plan.start == MORNING
    assert planned.plan.power_at(MORNING + 0.9 * task.run_time) == 11040.0
    # What would be nice has time until the next departure, and waits for the clean hours.
    assert planned.plan.end is not None
    assert planned.plan.end > MORNING + 12 * HOUR

    assert job.see(Seen(moment=MORNING + 10 * MINUTE, level=50.0)) is True
    assert job.departure == MORNING + DAY
    assert task_of(job, MORNING + 10 * MINUTE).deadline is None


def test_after_its_departure_a_full_car_waits_for_the_next() -> None:
    job = plugged(level=79.9)
    job.see(Seen(moment=EVENING + HOUR, level=80.0))
    job.see(Seen(moment=MORNING, level=80.0))

    assert job.departure == MORNING + DAY
    assert job.done() is None


TRIP = (EVENING + 4 * HOUR, EVENING + 6 * HOUR)
LATER = (EVENING + 20 * HOUR, EVENING + 30 * HOUR)


def test_its_trips_are_when_it_leaves_and_is_away() -> None:
    job = plugged(level=40.0, stretches=(LATER, TRIP, (math.nan, 5.0), (9.0, 8.0)))
    task = task_of(job)

    assert isinstance(task.load, ChargeLoad)
    assert job.departure == task.deadline == TRIP[0]
    assert {need.deadline for need in task.load.needs} == {TRIP[0]}
    assert task.load.connection.away == (TRIP, LATER)
    assert task.closed == (TRIP, LATER)
    assert job.see(Seen(moment=EVENING + 60, stretches=(LATER,))) is True
    assert job.departure == LATER[0]
    assert job.see(Seen(moment=EVENING + 120, stretches=())) is True
    assert job.departure == MORNING
    assert job.see(Seen(moment=EVENING + 180)) is False


def test_a_trip_that_is_not_made_is_no_reason_not_to_charge() -> None:
    job = plugged(level=40.0, stretches=(TRIP, LATER))
    during = TRIP[0] + HOUR
    job.see(Seen(moment=during, is_wanted=True, level=40.0))
    task = task_of(job, during)

    assert isinstance(task.load, ChargeLoad)
    assert task.load.connection.away == (LATER,)
    assert task.deadline == TRIP[0]
    assert task.planned(NIGHT, CARBON).plan.start == during


def test_where_nobody_tells_it_is_away_on_its_trips() -> None:
    job = ChargeJob(PLAIN)
    job.see(Seen(moment=EVENING, stretches=(TRIP,)))
    during = TRIP[0] + HOUR
    job.see(Seen(moment=during))
    task = task_of(job, during)

    assert isinstance(task.load, ChargeLoad)
    assert task.load.connection.away == (TRIP,)


def test_it_leaves_once_when_it_is_told_to() -> None:
    job = plugged(level=40.0, stretches=(LATER,))
    job.leave_at(EVENING + 3 * HOUR)
    assert job.departure == task_of(job).deadline == EVENING + 3 * HOUR
    job.see(Seen(moment=EVENING + 60))
    assert job.departure == EVENING + 3 * HOUR
    job.leave_at(None)
    assert job.departure == LATER[0]
    job.leave_at(EVENING + 3 * HOUR)
    job.see(Seen(moment=EVENING + 180, is_wanted=False))
    job.see(Seen(moment=EVENING + 340, is_wanted=True))
    assert job.departure == LATER[0]
    with pytest.raises(ValueError, match="no moment"):
        job.leave_at(1e15)


def test_a_trip_next_month_is_no_departure() -> None:
    job = plugged(level=40.0, stretches=((EVENING + 30 * DAY, EVENING + 31 * DAY),))

    assert job.departure == MORNING


def test_a_car_that_nobody_tells_of_has_a_session_each_day() -> None:
    follower = Follower(ChargeJob(PLAIN), NIGHT)
    drive(follower, Car(40.0, PLAIN), range(2 * 24 * 60), is_wanted=None, power=None, level=None)

    assert len(follower.done) == 2
    for taken in follower.done:
        assert sum(piece.energy for piece in taken) == pytest.approx(10_000.0, rel=0.01)


def test_a_connection_that_is_not_known_is_as_before() -> None:
    job = plugged(level=40.0)
    assert job.see(Seen(moment=EVENING + 60, is_wanted=None)) is False
    assert job.is_connected
    job.see(Seen(moment=EVENING + 120, is_wanted=False))
    assert job.see(Seen(moment=EVENING + 180, is_wanted=None)) is False
    assert not job.is_connected
    assert job.departure is None


def test_a_contact_that_bounces_does_not_begin_anew() -> None:
    job = plugged(PLAIN)
    for minute in range(1, 61):
        job.see(Seen(moment=EVENING + minute * MINUTE, is_wanted=True, power=3000.0))
    delivered = job.delivered
    assert job.see(Seen(moment=EVENING + HOUR + 30, is_wanted=False, power=0.0)) is True
    assert job.target(None, EVENING + HOUR + 30).run is False
    assert job.see(Seen(moment=EVENING + HOUR + 90, is_wanted=True, power=0.0)) is True

    assert job.delivered == pytest.approx(delivered, abs=30.0)
    assert job.done() is None
    job.see(Seen(moment=EVENING + 2 * HOUR, is_wanted=False))
    job.see(Seen(moment=EVENING + 9 * HOUR, is_wanted=True))
    assert job.delivered == 0.0
    assert job.done() is not None


def test_a_level_from_before_the_drive_is_forgotten() -> None:
    job = plugged(level=75.0)
    job.see(Seen(moment=EVENING + HOUR, is_wanted=False, level=75.0))
    job.see(Seen(moment=EVENING + 5 * HOUR, is_wanted=True))

    assert job.level is None
    assert job.wants().must == pytest.approx(50 * PERCENT)


def test_a_departure_that_is_too_near_is_told_and_it_charges_until_then() -> None:
    job = plugged(level=5.0)
    job.leave_at(EVENING + HOUR)
    job.see(Seen(moment=EVENING + 1, level=5.0))
    plan = task_of(job, EVENING + 1).planned(NIGHT, CARBON).plan

    assert plan.energy == pytest.approx(11040.0, rel=0.01)
    assert {each.wish.value for each in plan.relaxed} == {"deadline", "comfort"}


def test_nothing_is_said_before_it_is_planned() -> None:
    assert plugged(level=40.0).target(None, EVENING).run is None
    away = ChargeJob(CAR)
    away.see(Seen(moment=EVENING, is_wanted=False))
    assert away.target(None, EVENING).power == 0.0


@effort(max_examples=10, deadline=None)
@given(restarts=st.sets(st.integers(0, 13 * 60), max_size=4))
def test_a_restart_loses_nothing(restarts: set[int]) -> None:
    car = Car(40.0)
    follower = Follower(ChargeJob(CAR), NIGHT)
    follower.step(Seen(moment=EVENING - 60, is_wanted=False))
    for minute in range(13 * 60):
        if minute in restarts:
            data = json.loads(json.dumps(follower.job.as_dict()))
            follower.job = ChargeJob(CAR)
            follower.job.restore(data)
        drive(follower, car, range(minute, minute + 1))
    follower.step(Seen(moment=MORNING, is_wanted=False))
    follower.step(Seen(moment=MORNING + 200, is_wanted=False))

    assert 79.0 <= car.level <= 81.0
    assert len(follower.done) == 1


_rows = st.lists(
    st.builds(
        Seen,
        moment=st.sampled_from([1.0, 60.0, 900.0, 7200.0, 90_000.0, -30.0, -9000.0, math.nan]),
        is_on=st.none() | st.booleans(),
        power=st.none() | st.sampled_from([0.0, 3.0, 11_000.0, -800.0, math.nan, math.inf, 1e12]),
        is_wanted=st.none() | st.booleans(),
        level=st.none() | st.sampled_from([0.0, 30.0, 79.0, 100.0, 250.0, -1.0, math.nan]),
        stretches=st.none() | st.sampled_from([(), (TRIP,), (LATER, TRIP), ((5.0, math.inf),)]),
    ),
    max_size=40,
)
"""Moments are steps from the one before."""


@effort(max_examples=60, deadline=None)
@given(rows=_rows, settings=st.sampled_from([CAR, PLAIN, replace(PLAIN, capacity=40_000.0)]))
def test_whatever_is_seen_needs_are_possible(rows: list[Seen], settings: ChargeSettings) -> None:
    job, moment = ChargeJob(settings), EVENING
    planned: Planned | None = None
    for row in rows:
        moment += row.moment if math.isfinite(row.moment) else 0.0
        job.see(row if math.isnan(row.moment) else replace(row, moment=moment))
        task = job.task(moment, AROUND)
        planned = None if task is None else task.planned(NIGHT, CARBON)
        target = job.target(planned, moment)
        wants = job.wants()
        most = max(settings.energy or 0.0, (settings.capacity or 0.0) / settings.efficiency)
        assert 0.0 <= wants.at_once <= wants.must <= wants.nice <= most
        assert job.delivered >= 0.0
        assert target.power is None or 0.0 <= target.power <= settings.charger.most
        if not job.is_connected:
            assert task is None
            assert target.run is False
        if (taken := job.done()) is not None:
            assert all(piece.power > 0.0 for piece in taken)


@pytest.mark.parametrize(
    "change",
    [
        {"connected": "home"},
        {"departure": 1e15},
        {"level": "80"},
        {"delivered": None},
        {"departures": {"once": None, "trips": [[1.0]]}},
        {"departures": {"once": None, "trips": 5}},
        {"departures": {"once": 1e15, "trips": []}},
        {"departures": None},
        {"course": None},
        {"told": math.nan},
        {"is_full": 0},
    ],
)
def test_garbage_is_refused(change: dict[str, Any]) -> None:
    job = plugged(level=40.0)
    data = job.as_dict()
    for garbage in ({**data, **change}, {key: data[key] for key in data if key not in change}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            job.restore(garbage)
    assert job.level == 40.0


@pytest.mark.parametrize(
    "change",
    [
        {"efficiency": 0.0},
        {"efficiency": 90.0},
        {"target": 120.0},
        {"must": -1.0},
        {"capacity": math.nan},
        {"energy": -5.0},
    ],
)
def test_cars_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleAmountError):
        replace(CAR, **change)


@pytest.mark.parametrize(
    ("power", "phases", "volts", "found"),
    [(11_040.0, 3, 230.0, 16), (1380.0, 1, 230.0, 6), (4139.9, 3, 230.0, 5), (0.0, 1, 230.0, 0)],
)
def test_amperes_never_give_more(power: float, phases: int, volts: float, found: int) -> None:
    assert amperes(power, phases, volts) == found
