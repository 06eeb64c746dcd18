"""What all jobs of stores and zones have in common: they are jobs, and they survive."""

from collections.abc import Callable
from dataclasses import replace
import json
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.planning.alternatives import Way
from custom_components.carbon_meter.planning.jobs.air import AirJob
from custom_components.carbon_meter.planning.jobs.hygiene import HygieneSettings
from custom_components.carbon_meter.planning.jobs.job import Around, Job, Seen, Task
from custom_components.carbon_meter.planning.jobs.light import LightJob
from custom_components.carbon_meter.planning.jobs.storage import StorageJob
from custom_components.carbon_meter.planning.jobs.warmth import WarmthJob
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.simulate import Preference, simulate
from custom_components.carbon_meter.planning.slots import Slots
from tests.planning.jobs.closed_loop import plan, wave
from tests.planning.jobs.test_air import HALL, OFFICE
from tests.planning.jobs.test_light import OFFICE as LIGHT
from tests.planning.jobs.test_storage import HOME
from tests.planning.jobs.test_warmth import HOUSE, TANK, WEDNESDAY_AT_FIVE
from tests.planning.problems import HOUR, START, hourly

type Made = Callable[[], Any]

MADE: dict[str, Made] = {
    "tank": lambda: WarmthJob(replace(TANK, hygiene=WEDNESDAY_AT_FIVE)),
    "house": lambda: WarmthJob(HOUSE),
    "office": lambda: AirJob(OFFICE),
    "hall": lambda: AirJob(HALL),
    "battery": lambda: StorageJob(HOME),
    "light": lambda: LightJob(replace(LIGHT, name="Light")),
}
LEVELS = {"tank": 50.0, "house": 21.0, "office": 24.0, "hall": 21.0, "battery": 40.0, "light": None}
EACH = pytest.mark.parametrize("name", list(MADE))


def lived(name: str, hours: float = 30.0) -> Job:
    """Return a job that has seen more than a day."""
    job: Job = MADE[name]()
    minute = 0.0
    while minute < hours * 60.0:
        now = START + minute * 60.0
        job.see(
            Seen(
                moment=now,
                is_on=True,
                power=500.0,
                level=LEVELS[name],
                setpoint=21.0,
                is_wanted=True,
            )
        )
        if minute % 360 == 0:
            job.target(plan(job, wave(4), now, outside=10.0), now)
        minute += 10.0
    return job


@EACH
def test_it_plans_itself_again_and_again(name: str) -> None:
    """From now on for a day, under no fuse; the only deadline is a hygiene that was missed."""
    job = lived(name)
    now = START + 29.9 * HOUR
    signal = wave(4)
    task: Task | None = job.task(now, Around(signal=signal))

    assert task is not None
    assert task.is_rolling
    assert task.load is None
    assert (task.start, task.end) == (now, now + 24 * HOUR)
    assert (task.deadline is None) is (name != "tank")
    planned = task.planned(signal, Objective.carbon())
    assert planned.plan.slots.start == pytest.approx(now)
    assert planned.plan.slots.end == pytest.approx(now + 24 * HOUR)
    assert (planned.contents is None) is (name == "light")
    assert (planned.shares is None) is (name != "light")


@EACH
def test_it_plans_no_further_than_is_known(name: str) -> None:
    """Seven hours of forecast; none at all is a day without one."""
    job = lived(name)
    now = START + 29.9 * HOUR
    known = hourly([300.0] * 37 + [None] * 20)

    near = job.task(now, Around(signal=known))
    blind = job.task(now, Around(signal=hourly([None] * 60)))
    nothing = job.task(now, Around(signal=Signal.of(Slots.of(0.0, 0.0, 60.0), [])))

    assert near is not None
    assert near.end == START + 37 * HOUR
    for task in (blind, nothing):
        assert task is not None
        assert task.end == now + 24 * HOUR
        assert task.planned(known, Objective.carbon()).plan.slots.start == pytest.approx(now)


@EACH
def test_a_restart_changes_nothing(name: str) -> None:
    """What is kept goes through a file, and is the same after it."""
    job = lived(name)
    kept = json.loads(json.dumps(job.as_dict()))
    again: Job = MADE[name]()
    again.restore(kept)

    assert json.loads(json.dumps(again.as_dict())) == kept
    now = START + 29.9 * HOUR
    assert again.target(None, now) == job.target(None, now)
    assert (again.done() is None) is (job.done() is None)


@EACH
@pytest.mark.parametrize("garbage", [None, [], "text", 5, {}, {"thermometer": 1, "dimmed": 2}])
def test_garbage_is_refused(name: str, garbage: Any) -> None:
    """And the job is what it was."""
    job = lived(name, 1.0)
    before = job.as_dict()
    with pytest.raises((ValueError, KeyError, TypeError)):
        job.restore(garbage)

    assert job.as_dict() == before


@given(st.data())
def test_a_file_that_was_damaged_anywhere_is_refused_or_works(data: st.DataObject) -> None:
    """One value of it is something else: the job refuses it, or goes on without a crash."""
    name = data.draw(st.sampled_from(sorted(MADE)))
    kept = json.loads(json.dumps(KEPT[name]))
    place: Any = kept
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(
        st.none()
        | st.booleans()
        | st.text(max_size=3)
        | st.sampled_from([float("nan"), float("inf"), -1.0, 1e300, 3])
        | st.just([])
        | st.just({})
    )
    job: Job = MADE[name]()
    try:
        job.restore(kept)
    except ValueError, KeyError, TypeError:
        return
    now = START + 31 * HOUR
    job.see(Seen(moment=now, level=LEVELS[name], setpoint=21.0))
    job.task(now, Around(signal=SHORT))
    job.target(None, now)
    job.done()
    json.dumps(job.as_dict(), allow_nan=False)


@EACH
@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -1e18, 1e300])
def test_there_is_no_such_moment(name: str, moment: float) -> None:
    """A clock that was never set."""
    job: Job = MADE[name]()

    assert not job.see(Seen(moment=moment, level=LEVELS[name]))
    assert job.task(moment, Around(signal=SHORT)) is None


@EACH
def test_it_sleeps_through_the_change_of_the_clock(name: str) -> None:
    """Planned on the Saturday before the hour that comes twice."""
    start = 1_792_929_600.0
    job: Job = MADE[name]()
    job.see(Seen(moment=start, level=LEVELS[name], setpoint=21.0))
    signal = Signal.of(Slots.of(start, start + 30 * HOUR, HOUR), [300.0, 100.0] * 15)

    task = job.task(start, Around(signal=signal))

    assert task is not None
    planned = task.planned(signal, Objective.carbon())
    assert planned.plan.slots.hours.sum() == pytest.approx(24.0)


def test_all_of_them_take_part_in_one_decision() -> None:
    """Over what was recorded, from levels that nobody knows; doing nothing is the dirtiest."""
    signal = wave(2)
    around = Around(signal=signal)
    members = [made().member(around, None) for made in MADE.values()]

    choice = simulate(members, signal, Preference(objective=Objective.carbon(), discomfort=1e6))

    assert len(choice.nothing.members) == len(MADE)
    assert choice.best.alternative.way is not Way.NOTHING
    assert choice.saved_carbon is not None
    assert choice.saved_carbon > 0.0


def test_a_week_of_history_has_its_hot_night() -> None:
    """The tank of a simulation is hot once a week, too, and loses more for that."""
    signal = wave(9)
    plain = WarmthJob(TANK).member(Around(signal=signal), 50.0)
    hygiene = HygieneSettings(
        temperature=65.0, weekday=4, by=WEDNESDAY_AT_FIVE.by, zone=ZoneInfo("Europe/Berlin")
    )
    weekly = WarmthJob(replace(TANK, name="Hot", hygiene=hygiene)).member(
        Around(signal=signal), 50.0
    )
    choice = simulate([plain, weekly], signal, Preference(objective=Objective.carbon()))

    energies = [part.outcome.energy for _, part in choice.nothing.members]
    assert weekly.load.low.max() == 65.0  # type: ignore[union-attr]
    assert energies[1] > energies[0] + 100.0
    assert choice.nothing.discomfort < 0.5


SHORT = hourly([300.0, 200.0] * 30)
KEPT = {name: lived(name).as_dict() for name in MADE}
