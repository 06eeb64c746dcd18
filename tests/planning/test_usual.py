"""What a load has to do on a usual day, by its settings alone."""

from datetime import datetime, time
from itertools import pairwise
import math
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.planning.alternatives import Movable, Zone
from custom_components.carbon_meter.planning.block import Profile
from custom_components.carbon_meter.planning.charging import Charger
from custom_components.carbon_meter.planning.jobs.appliance import ApplianceJob, ApplianceSettings
from custom_components.carbon_meter.planning.jobs.charge import ChargeJob, ChargeSettings
from custom_components.carbon_meter.planning.jobs.job import Around, Job
from custom_components.carbon_meter.planning.jobs.run_time import RunTimeJob, RunTimeSettings
from custom_components.carbon_meter.planning.jobs.storage import StorageJob, StorageSettings
from custom_components.carbon_meter.planning.loads import BlockLoad, ChargeLoad, RunLoad
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.usual import (
    LEAD,
    around_over,
    day_turns,
    usual_starts,
    usual_task,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
SPRING = datetime(2026, 3, 28, tzinfo=BERLIN).timestamp()
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu")


def around(start: float, hours: int) -> Around:
    slots = Slots.of(start, start + hours * HOUR, HOUR)
    return Around(signal=Signal.of(slots, np.linspace(100.0, 200.0, hours)))


def machine(zone: ZoneInfo = BERLIN, finish_by: time = time(7)) -> ApplianceJob:
    profile = Profile.flat(1000.0, 2 * HOUR)
    return ApplianceJob(ApplianceSettings(profile=profile, finish_by=finish_by, zone=zone))


def pump(begin: time | None = None, end: time | None = None) -> RunTimeJob:
    return RunTimeJob(RunTimeSettings(power=500.0, hours=2.0, zone=BERLIN, begin=begin, end=end))


def car(**changes: float) -> ChargeJob:
    told = {"capacity": 50_000.0, "target": 80.0, "must": 50.0, **changes}
    return ChargeJob(
        ChargeSettings(charger=Charger.fixed(11_000.0), ready_by=time(7), zone=BERLIN, **told)
    )


def needed(job: ChargeJob, **known: float) -> list[float]:
    """Return the Wh that a car needs in a usual night, what must be first."""
    start = SPRING + 19 * HOUR
    task = usual_task(job, start, around(start, 48), **known)
    if task is None:
        return []
    assert isinstance(task.load, ChargeLoad)
    return [need.energy for need in task.load.needs]


def test_a_machine_is_ready_half_a_day_before_it_is_due() -> None:
    start = datetime(2026, 6, 1, 19, tzinfo=BERLIN).timestamp()
    assert usual_starts(machine(), start - 19 * HOUR, start + 29 * HOUR) == [
        start,
        start + 24 * HOUR,
    ]
    task = usual_task(machine(), start, around(start, 48))
    assert task is not None
    assert (task.start, task.deadline) == (start, start + LEAD)
    assert isinstance(task.load, BlockLoad)


def test_a_run_time_begins_with_its_window() -> None:
    day = (SPRING, SPRING + 24 * HOUR)
    assert usual_starts(pump(), *day) == [SPRING]
    assert usual_starts(pump(time(10), time(16)), *day) == [SPRING + 10 * HOUR]
    assert usual_starts(pump(time(22), time(6)), *day) == [SPRING + 22 * HOUR]
    # The night's window that is running has begun the day before.
    assert usual_starts(pump(time(22), time(6)), SPRING, SPRING + 5 * HOUR) == []
    task = usual_task(pump(time(10), time(16)), SPRING + 10 * HOUR, around(SPRING, 48))
    assert task is not None
    assert isinstance(task.load, RunLoad)
    assert task.load.run_time == 2 * HOUR
    assert (task.start, task.end) == (SPRING + 10 * HOUR, SPRING + 16 * HOUR)


def test_a_car_comes_home_without_a_fifth_or_what_it_usually_takes() -> None:
    assert sum(needed(car())) == pytest.approx(10_000.0 / 0.9)
    assert sum(needed(car(), taken=20_000.0)) == pytest.approx(20_000.0)
    # More than it can hold is all that it can hold.
    assert sum(needed(car(), taken=90_000.0)) == pytest.approx(40_000.0 / 0.9)
    # Without a level it is what the settings say, each night.
    settings_only = {"capacity": 0.0, "energy": 7000.0, "must_energy": 3000.0}
    assert needed(car(**settings_only)) == pytest.approx([3000.0, 4000.0])
    assert needed(car(capacity=0.0)) == []


def test_the_job_itself_is_left_alone() -> None:
    for job in (machine(), pump(), car()):
        before = job.as_dict()
        for start in usual_starts(job, SPRING, SPRING + 72 * HOUR):
            usual_task(job, start, around(start, 48))
        assert job.as_dict() == before


def test_a_store_goes_through_its_day_as_it_is() -> None:
    job: Job = StorageJob(
        StorageSettings(name="", capacity=1e4, charge=3e3, discharge=3e3, zone=BERLIN)
    )
    assert usual_starts(job, SPRING, SPRING + 24 * HOUR) == []
    whole = around(SPRING, 48)
    (turn,) = day_turns("Battery", job, (SPRING + HOUR, SPRING + 5.5 * HOUR), whole)
    assert turn.name == "Battery"
    assert (turn.signal.slots.start, turn.signal.slots.end) == (
        SPRING + HOUR,
        SPRING + 5.5 * HOUR,
    )
    assert not isinstance(turn.member, Movable | Zone)


def test_what_surrounds_a_load_is_cut_with_the_signal() -> None:
    whole = around(SPRING, 4)
    known = Around(signal=whole.signal, outside=np.array([1.0, 2.0, 3.0, 4.0]), net=np.full(4, 7.0))
    part = around_over(known, SPRING + 1.5 * HOUR, SPRING + 6 * HOUR)
    assert part.outside is not None
    assert part.net is not None
    assert len(part.outside) == len(part.net) == len(part.signal.slots)
    assert part.outside[:3].tolist() == [2.0, 3.0, 4.0]
    assert np.isnan(part.outside[3:]).all()
    assert math.isnan(part.net[-1])


@settings(max_examples=60)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(1_420_070_400, 1_893_456_000),
    at=st.times(),
    parts=st.lists(st.integers(1, 200_000), min_size=1, max_size=8),
)
def test_each_day_has_its_task_however_time_is_cut(
    zone: str, start: int, at: time, parts: list[int]
) -> None:
    """Of days that are put together none is done twice and none is left out."""
    edges = np.cumsum([start, *parts]).tolist()
    job = machine(ZoneInfo(zone), at.replace(microsecond=0))
    cut = [moment for pair in pairwise(edges) for moment in usual_starts(job, *pair)]
    assert cut == usual_starts(job, edges[0], edges[-1])
    assert all(20 * HOUR < after - before < 28 * HOUR for before, after in pairwise(cut))
    assert abs(len(cut) - (edges[-1] - edges[0]) / 86_400.0) < 2.0
