"""Tanks and rooms that are heated ahead: comfort first, then carbon, and never a wild guess."""

from dataclasses import replace
from datetime import datetime, time
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump
from custom_components.carbon_meter.planning.jobs.bodies import room, tank
from custom_components.carbon_meter.planning.jobs.hygiene import HygieneSettings
from custom_components.carbon_meter.planning.jobs.job import NO_TARGET, Around, Seen, Target
from custom_components.carbon_meter.planning.jobs.setpoint import Setpoint
from custom_components.carbon_meter.planning.jobs.warmth import WarmthJob
from custom_components.carbon_meter.planning.jobs.warmth_settings import Steering, WarmthSettings
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, Wish
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from tests.planning.jobs.closed_loop import Course, follow, plan, wave
from tests.planning.problems import HOUR, START, hourly

BERLIN = ZoneInfo("Europe/Berlin")
TANK = WarmthSettings(
    name="Tank",
    body=tank(200.0),
    source=Heater(),
    power=2000.0,
    low=45.0,
    high=58.0,
    zone=BERLIN,
    is_tank=True,
    surroundings=20.0,
    draw=5845.0,
)
HOUSE = WarmthSettings(
    name="House",
    body=room(120.0),
    source=HeatPump(),
    power=3000.0,
    low=19.5,
    high=22.5,
    zone=BERLIN,
    steering=Steering.SETPOINT,
)
WEDNESDAY_AT_FIVE = HygieneSettings(temperature=62.0, weekday=2, by=time(5), zone=BERLIN)
"""START is a Wednesday, one in the morning in Berlin."""


def heated(job: WarmthJob, level: float = 50.0, *, days: float = 1.0) -> Course:
    """Return the course of a tank whose heater does what it is told."""
    state = {"run": False}

    def device(target: Target, _level: float) -> float:
        if target.run is not None:
            state["run"] = target.run
        return (target.power or 2000.0) if state["run"] else 0.0

    return follow(
        job,
        wave(8),
        level,
        device,
        lambda now, at, power: job.settings.after(now, at, 60.0, power, 5.0),
        days=days,
        outside=5.0,
    )


@cache
def a_day() -> Course:
    """Return a day of a tank without hygiene."""
    return heated(WarmthJob(TANK))


def seen_at(job: WarmthJob, level: float | None, minutes: float = 0.0, **others: object) -> None:
    """Let a job see something so many minutes after the start."""
    job.see(Seen(moment=START + minutes * 60.0, level=level, **others))  # type: ignore[arg-type]


def quarters(cheap: int) -> Signal:
    """Return a day that is clean for so many quarters of an hour, and dirty after that."""
    return Signal.of(Slots.of(START, START + 24 * HOUR, 900.0), [1] * cheap + [900] * (96 - cheap))


def test_a_tank_is_warm_and_cleaner_than_the_grid() -> None:
    """A day: no shower below 45 degrees, a quarter less carbon than the mean of the grid."""
    course = a_day()

    assert min(course.levels) >= 44.9
    assert max(course.levels) <= 58.5
    assert course.intensity < 0.75 * float(wave(8).carbon[:24].mean())


def test_it_does_not_chatter() -> None:
    """A quarter of an hour at least between two switches."""
    course = a_day()
    runs = [bool(target.run) for target in course.targets]
    switches = [minute for minute, (one, other) in enumerate(pairwise(runs)) if one != other]

    assert switches
    assert min(later - earlier for earlier, later in pairwise(switches)) >= 15


def test_hygiene_is_done_by_its_deadline() -> None:
    """At five on Wednesday the tank has been at 62 degrees; the day after it need not be."""
    course = heated(WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE)), days=0.75)

    assert max(course.levels[: 4 * 60]) >= 62.0
    assert max(course.levels[14 * 60 :]) <= 58.5


def test_a_plan_shows_the_deadline_of_hygiene() -> None:
    """With the time that heating takes, and hot at the end of its slot, without a complaint."""
    job = WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE))
    seen_at(job, 50.0)
    signal = wave(2)
    task = job.task(START, Around(signal=signal))
    assert task is not None
    planned = task.planned(signal, Objective.carbon())
    assert planned.contents is not None

    due = datetime(2026, 11, 4, 5, tzinfo=BERLIN).timestamp()
    assert task.deadline == due
    assert task.run_time >= (62.0 - 50.0) * 232.6 / 2000.0 * HOUR
    place = int(np.searchsorted(planned.plan.slots.ends, due))
    assert planned.plan.slots.ends[place] == due
    assert planned.contents[place] >= 61.99
    assert not planned.plan.relaxed


def test_only_a_measured_heat_is_hygiene() -> None:
    """Its sensor is lost at 61 degrees: what the model makes of it is no proof."""
    job = WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE, draw=0.0))
    seen_at(job, 61.5, power=2000.0)
    for minute in range(1, 20):
        seen_at(job, None, minute, power=2000.0)
    task = job.task(START + 20 * 60.0, Around(signal=wave(2)))

    assert task is not None
    assert task.member.load.start > 62.0  # type: ignore[attr-defined]
    assert task.deadline == START + 4 * HOUR
    seen_at(job, 62.0, 20)
    after = job.task(START + 20 * 60.0, Around(signal=wave(2)))
    assert after is not None
    assert after.deadline is None


def test_a_tank_with_a_setpoint_is_hot_by_its_deadline() -> None:
    """The setpoint of hygiene when all the time is needed, at once; then no more."""
    job = WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE, steering=Steering.SETPOINT))
    seen_at(job, 50.0)
    assert job.target(None, START) == NO_TARGET
    job.target(plan(job, wave(1), START), START)
    seen_at(job, 50.0, 150)
    late = START + 150 * 60.0

    assert job.target(plan(job, wave(1), late), late) == Target(run=True, setpoint=62.0)
    seen_at(job, 62.0, 220)
    done = START + 220 * 60.0
    target = job.target(plan(job, wave(1), done), done)
    assert target.setpoint is not None
    assert target.setpoint <= 58.0


def test_hygiene_that_was_missed_is_made_up_at_once() -> None:
    """Home Assistant was off on Wednesday morning."""
    before = WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE))
    seen_at(before, 50.0)
    job = WarmthJob(before.settings)
    job.restore(before.as_dict())
    seen_at(job, 50.0, 9 * 60.0)

    planned = plan(job, wave(3), START + 9 * HOUR)

    assert job.target(planned, START + 9 * HOUR) == Target(run=True, power=2000.0)


def test_cold_water_is_heated_whatever_the_plan() -> None:
    """It is dirty, and it is below the comfort."""
    job = WarmthJob(TANK)
    seen_at(job, 44.0)

    assert job.target(plan(job, hourly([900] + [100] * 23), START), START).run is True
    assert job.target(None, START).run is True


def test_hot_water_is_not_heated_whatever_the_plan() -> None:
    """The comfort ends at 58 degrees."""
    job = WarmthJob(TANK)
    seen_at(job, 50.0)
    planned = plan(job, quarters(2), START)
    assert job.target(planned, START).run is True
    seen_at(job, 58.2, 5)

    assert job.target(planned, START + 300.0) == Target(run=False, power=0.0)


def test_a_lost_sensor_is_bridged_for_half_an_hour() -> None:
    """After that nothing is planned and nothing is said; a sensor that is back counts at once."""
    job = WarmthJob(TANK)
    seen_at(job, 50.0)
    planned = plan(job, quarters(2), START)
    for minute in range(1, 30):
        seen_at(job, None, minute, is_on=True)
    now = START + 29 * 60.0
    assert plan(job, wave(2), now) is not None
    assert job.target(planned, now).run is True

    seen_at(job, None, 31, is_on=True)
    now = START + 31 * 60.0
    assert plan(job, wave(2), now) is None
    assert job.target(planned, now) == NO_TARGET
    assert job.see(Seen(moment=now + 60.0, level=47.0))
    assert plan(job, wave(2), now + 60.0) is not None


def test_a_run_that_is_too_young_goes_on_as_it_was() -> None:
    """The stage that was asked for, for a quarter of an hour, though the new plan rests."""
    job = WarmthJob(replace(TANK, steering=Steering.STAGES, stages=(700.0, 2000.0)))
    seen_at(job, 50.0)
    runs = job.target(plan(job, quarters(2), START), START)
    rests = plan(job, hourly([900] * 4 + [1] * 20), START + 60.0)

    assert runs.run is True
    assert runs.power in {700.0, 2000.0}
    assert job.target(rests, START + 60.0) == runs
    seen_at(job, 52.0, 15)
    assert job.target(rests, START + 900.0) == Target(run=False, power=0.0)


def test_a_bridged_temperature_follows_the_heater() -> None:
    """25 min of 2 kW warm 200 l by 3.6 K, less what is lost and drawn."""
    warm, cool = WarmthJob(replace(TANK, draw=0.0)), WarmthJob(replace(TANK, draw=0.0))
    for job, is_on in ((warm, True), (cool, False)):
        seen_at(job, 50.0, is_on=is_on)
        for minute in range(1, 26):
            seen_at(job, None, minute, is_on=is_on)
    ends = []
    for job in (warm, cool):
        planned = plan(job, hourly([500] * 48), START + 25 * 60.0)
        assert planned is not None
        ends.append(job.task(START + 25 * 60.0, Around(signal=wave(2))).member.load.start)  # type: ignore[union-attr]

    assert ends[0] - ends[1] == pytest.approx(2000.0 * 25 / 60 / 232.6, rel=0.01)
    assert ends[1] < 50.0


@pytest.mark.parametrize("level", [float("nan"), float("inf"), -127.0, 3276.7])
def test_codes_of_broken_sensors_are_no_temperatures(level: float) -> None:
    """They count as lost."""
    job = WarmthJob(TANK)
    seen_at(job, level)

    assert job.task(START, Around(signal=wave(1))) is None
    assert job.target(None, START) == NO_TARGET


def test_nothing_is_known_of_the_signal() -> None:
    """A thermostat's work is planned, and said to be that."""
    job = WarmthJob(TANK)
    seen_at(job, 50.0)

    planned = plan(job, hourly([None] * 24), START)

    assert planned is not None
    assert planned.plan.reason.kind.value == "not_known"


def test_the_outside_is_filled_up() -> None:
    """With the last that is known; with the rating point of heat pumps where nothing is."""
    job = WarmthJob(HOUSE)
    seen_at(job, 21.0)
    signal = hourly([300] * 24)
    half = np.where(np.arange(24) < 12, -5.0, np.nan)

    known = job.task(START, Around(signal=signal, outside=half))
    unknown = job.task(START, Around(signal=signal, outside=np.full(24, np.nan)))

    assert known is not None and unknown is not None  # noqa: PT018  # for mypy
    assert (known.member.load.outside == -5.0).all()  # type: ignore[attr-defined]
    assert (unknown.member.load.outside == 7.0).all()  # type: ignore[attr-defined]


def lived_in(job: WarmthJob, *, days: float = 1.0) -> Course:
    """Return the course of a house whose thermostat obeys a setpoint."""
    state = {"setpoint": 21.0}

    def device(target: Target, level: float) -> float:
        state["setpoint"] = target.setpoint or state["setpoint"]
        return min(max((state["setpoint"] - level) * 3000.0, 0.0), 3000.0)

    return follow(
        job,
        wave(5),
        21.0,
        device,
        lambda now, at, power: job.settings.after(now, at, 60.0, power, 2.0),
        days=days,
        outside=2.0,
        see=lambda seen: replace(seen, setpoint=state["setpoint"]),
    )


def test_a_setpoint_is_moved_within_its_shifts() -> None:
    """By half degrees, up to a kelvin, not more often than each half hour; it is cleaner."""
    shifted = lived_in(WarmthJob(HOUSE), days=2.0)
    kept = lived_in(WarmthJob(replace(HOUSE, shift_up=0.0, shift_down=0.0)), days=2.0)
    setpoints = [target.setpoint for target in shifted.targets]
    changes = [minute for minute, (one, other) in enumerate(pairwise(setpoints)) if one != other]

    assert {setpoint for setpoint in setpoints if setpoint} <= {20.0, 20.5, 21.0, 21.5, 22.0}
    assert len(set(setpoints)) > 2
    assert min(later - earlier for earlier, later in pairwise(changes)) >= 30
    assert {target.setpoint for target in kept.targets} == {21.0}
    assert shifted.intensity < 0.95 * kept.intensity


def test_the_base_is_never_a_shifted_setpoint() -> None:
    """However long it is moved, and after a restart, 21 degrees stay the wish of the user."""
    job = WarmthJob(HOUSE)
    lived_in(job)
    again = WarmthJob(HOUSE)
    again.restore(job.as_dict())

    assert job.base_setpoint == again.base_setpoint == 21.0


def test_a_restored_house_looks_at_its_own_outside() -> None:
    """A lost temperature falls faster in a frost, also after a restart."""
    ends = []
    for outside in (10.0, -30.0):
        old = WarmthJob(HOUSE)
        seen_at(old, 21.0)
        job = WarmthJob(HOUSE)
        job.restore(old.as_dict())
        assert plan(job, wave(1), START, outside=outside) is not None
        seen_at(job, 21.0, 1, is_on=False)
        for minute in range(2, 28):
            seen_at(job, None, minute, is_on=False)
        task = job.task(START + 27 * 60.0, Around(signal=wave(1)))
        assert task is not None
        ends.append(task.member.load.start)  # type: ignore[attr-defined]

    assert ends[1] < ends[0] - 0.4


@given(st.floats(17.0, 25.0), st.floats(0.0, 3.0), st.floats(0.0, 3.0), st.floats(19.0, 23.0))
@settings(max_examples=60, deadline=None)
def test_a_setpoint_stays_within_its_shifts_and_the_comfort(
    base: float, down: float, up: float, level: float
) -> None:
    """Unless the user has chosen one outside of the comfort: that is left alone."""
    job = WarmthJob(replace(HOUSE, shift_down=down, shift_up=up))
    seen_at(job, level, setpoint=base)
    for signal in (quarters(2), hourly([900] * 3 + [1] * 21)):
        setpoint = job.target(plan(job, signal, START), START).setpoint
        assert setpoint is not None
        assert base - down - 1e-9 <= setpoint <= base + up + 1e-9
        assert min(base, 19.5) - 1e-9 <= setpoint <= max(base, 22.5) + 1e-9


def moved_up() -> tuple[WarmthJob, float]:
    """Return a house whose setpoint is above its base, and the setpoint."""
    job = WarmthJob(HOUSE)
    seen_at(job, 20.5, setpoint=20.5)
    target = job.target(plan(job, quarters(2), START), START)
    assert target.setpoint is not None
    assert target.setpoint > 20.5
    return job, target.setpoint


def test_a_change_by_hand_counts_when_nothing_is_moved() -> None:
    """While it is moved it belongs to the override; afterwards it is the new base."""
    job, asked = moved_up()
    seen_at(job, 20.5, 10, setpoint=asked)
    seen_at(job, 20.5, 20, setpoint=19.5)
    assert job.base_setpoint == 20.5

    back = job.target(None, START + HOUR)
    assert back.setpoint == 20.5
    seen_at(job, 20.5, 61, setpoint=asked)
    assert job.base_setpoint == 20.5
    seen_at(job, 20.5, 62, setpoint=20.5)
    assert job.see(Seen(moment=START + 63 * 60.0, level=20.5, setpoint=19.5))
    assert job.base_setpoint == 19.5


def test_a_device_that_hears_nothing_for_an_hour_teaches_no_base() -> None:
    """It still shows the first of several shifts when the last one is taken back."""
    setpoint = Setpoint()
    assert setpoint.see(21.0) is True
    for step, asked in enumerate((22.0, 21.5, 21.0)):
        assert setpoint.ask(asked, START + step * 1800.0) == asked
    for shown in (22.0, 21.5, 22.0):
        assert setpoint.see(shown) is False
    again = Setpoint()
    again.restore(setpoint.as_dict())
    assert again.is_moved
    assert again.see(22.0) is False
    assert again.see(21.0) is False
    assert not again.is_moved
    assert again.see(22.0) is True
    assert again.base == 22.0


@pytest.mark.parametrize(("power", "runs"), [(3.0, False), (1950.0, True), (0.0, False)])
def test_a_standby_power_is_no_run(power: float, runs: bool) -> None:
    """Else a start is counted as none, and it is switched for nothing."""
    job = WarmthJob(TANK)
    seen_at(job, 50.0, power=power)
    task = job.task(START, Around(signal=wave(2)))

    assert task is not None
    assert task.planner.running is runs  # type: ignore[attr-defined]


def test_outside_the_comfort_the_setpoint_goes_back_at_once() -> None:
    """Ten minutes after it was moved."""
    job, _ = moved_up()
    seen_at(job, 23.0, 10)

    assert job.target(None, START + 600.0).setpoint == 20.5


@pytest.mark.parametrize("carbon", [None, 300.0])
def test_where_nothing_is_gained_the_setpoint_is_left(carbon: float | None) -> None:
    """Nothing known, or each hour the same: nobody is made cold for it."""
    job = WarmthJob(HOUSE)
    seen_at(job, 21.0, setpoint=21.0)
    signal = hourly([carbon] * 24)
    task = job.task(START, Around(signal=signal))
    assert task is not None
    planned = task.planned(signal, Objective.carbon(), margin=Margin(absolute=500.0))

    assert job.target(planned, START).setpoint == 21.0


def test_a_moved_setpoint_goes_back_when_the_sensor_is_lost() -> None:
    """To what the user chose; where it was not moved nothing is said."""
    job, asked = moved_up()
    seen_at(job, None, 40, setpoint=asked)
    assert job.target(None, START + 2400.0) == Target(setpoint=20.5)
    seen_at(job, None, 42, setpoint=20.5)
    assert job.target(None, START + 2520.0) == NO_TARGET

    never = WarmthJob(HOUSE)
    seen_at(never, None, setpoint=21.0)
    assert never.target(None, START) == NO_TARGET


def test_without_a_setpoint_there_is_nothing_to_move() -> None:
    """A thermostat that does not tell."""
    job = WarmthJob(HOUSE)
    seen_at(job, 21.0)

    assert job.target(plan(job, wave(1), START), START) == NO_TARGET


def test_a_tank_with_a_setpoint_gets_the_planned_temperature() -> None:
    """Hot ahead of dirty hours, never below its comfort."""
    job = WarmthJob(replace(TANK, steering=Steering.SETPOINT))
    seen_at(job, 50.0, setpoint=55.0)
    warm = job.target(plan(job, quarters(2), START), START)
    seen_at(job, 50.0, 40)
    later = START + 2400.0
    cool = job.target(plan(job, hourly([900] * 4 + [1] * 20), later), later)

    assert warm.run is True
    assert warm.setpoint is not None
    assert 50.0 < warm.setpoint <= 58.0
    assert cool.run is False
    assert cool.setpoint is not None
    assert 45.0 <= cool.setpoint < 50.0
    assert job.base_setpoint is None


def test_what_cools_is_forced_when_it_is_too_warm() -> None:
    """The mirror image."""
    store = replace(
        TANK, source=HeatPump(cools=True), low=2.0, high=8.0, draw=0.0, hygiene=None, power=300.0
    )
    job = WarmthJob(store)
    seen_at(job, 9.0)
    assert job.target(None, START) == Target(run=True, power=300.0)
    seen_at(job, 1.9, 20)
    assert job.target(None, START + 1200.0) == Target(run=False, power=0.0)


def test_a_room_that_the_sun_has_warmed_breaks_no_wish() -> None:
    """A heater cannot help it."""
    job = WarmthJob(replace(HOUSE, steering=Steering.POWER))
    seen_at(job, 25.0)

    planned = plan(job, wave(1), START, outside=5.0)

    assert planned is not None
    assert all(each.wish is not Wish.COMFORT for each in planned.plan.relaxed)
    assert planned.plan.power_at(START) == 0.0


def test_a_new_plan_is_asked_for_when_it_matters() -> None:
    """Found, off the plan, out of the comfort; not each minute."""
    job = WarmthJob(TANK)
    assert job.see(Seen(moment=START, level=50.0))
    assert not job.see(Seen(moment=START + 60.0, level=50.1))
    planned = plan(job, hourly([900] * 24), START)
    job.target(planned, START + 1800.0)
    assert job.see(Seen(moment=START + 1800.0, level=46.0))
    assert not job.see(Seen(moment=START + 1860.0, level=46.0))
    assert job.see(Seen(moment=START + 1920.0, level=44.9))


def test_a_day_is_handed_out_once() -> None:
    """What was taken on it, at midnight by the clock."""
    job = WarmthJob(TANK)
    for minute in range(0, 24 * 60, 5):
        seen_at(job, 50.0, minute, power=2000.0 if minute < 60 else 0.0)

    pieces = job.done()

    assert pieces is not None
    assert sum(piece.energy for piece in pieces) == pytest.approx(2000.0)
    assert job.done() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"low": 60.0},
        {"power": 0.0},
        {"power": float("nan")},
        {"shift_up": 4.0},
        {"horizon": 0.0},
        {"steering": Steering.STAGES},
        {"stages": (-1.0,)},
        {"draw": -1.0},
        {"is_tank": False, "hygiene": WEDNESDAY_AT_FIVE},
    ],
)
def test_there_is_no_such_body(changed: dict[str, object]) -> None:
    """It is refused when it is set up, not in the night."""
    with pytest.raises(ImpossibleAmountError):
        replace(TANK, **changed)  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(
            st.floats(-7200.0, 7200.0),
            st.none() | st.floats(-300.0, 300.0) | st.just(float("nan")),
            st.none() | st.floats(-50.0, 5000.0),
            st.none() | st.booleans(),
            st.none() | st.floats(-100.0, 200.0) | st.just(float("nan")),
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from([TANK, HOUSE, replace(TANK, steering=Steering.SETPOINT)]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_seen_the_targets_can_be(
    looks: list[tuple[float, float | None, float | None, bool | None, float | None]],
    known: WarmthSettings,
) -> None:
    """Clocks that go back, gaps, garbage: setpoints lie within their bounds, powers, too."""
    job, now = WarmthJob(known), START
    signal = hourly([300, 100, 500, 200] * 30)
    for seconds, level, power, is_on, setpoint in looks:
        now += seconds
        job.see(Seen(moment=now, level=level, power=power, is_on=is_on, setpoint=setpoint))
        target = job.target(plan(job, signal, now), now)

        assert target.power in {None, 0.0} or 0.0 < target.power <= known.power
        if target.setpoint is not None and known.is_tank:
            assert 45.0 <= target.setpoint <= 58.0
        elif target.setpoint is not None:
            assert job.base_setpoint is not None
            assert abs(target.setpoint - job.base_setpoint) <= 1.0
