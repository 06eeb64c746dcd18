"""Light that is dimmed in the worst of its hours."""

from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.explain import Speaker, explain
from custom_components.carbon_meter.planning.jobs.job import NO_TARGET, Around, Planned, Seen
from custom_components.carbon_meter.planning.jobs.light import LightJob, LightSettings
from custom_components.carbon_meter.planning.jobs.schedule import Schedule
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, ReasonKind
from custom_components.carbon_meter.planning.signal import Signal
from tests.planning.problems import HOUR, START, grams, hourly

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = LightSettings(
    name="Office",
    power=2000.0,
    zone=BERLIN,
    lit=Schedule(zone=BERLIN, start=time(8), end=time(16), days=frozenset(range(5))),
)
"""Eight hours: a quarter of them are two."""

DAY = hourly([300] * 11 + [500, 600] + [300] * 11)
"""The worst from 12 to 14 by the clock in Berlin: START is one in the morning there."""


def planned(job: LightJob, signal: Signal, now: float = START, *, margin: float = 0.0) -> Planned:
    """Return the plan of light."""
    task = job.task(now, Around(signal=signal))
    assert task is not None
    return task.planned(signal, Objective.carbon(), margin=Margin(absolute=margin))


def test_the_worst_quarter_is_dimmed() -> None:
    """From twelve to two, to 80 %: a fifth of 2 kW at 500 and at 600 g/kWh is saved."""
    job = LightJob(OFFICE)
    found = planned(job, DAY)

    assert job.target(found, START + 10.5 * HOUR).brightness == 100.0
    assert job.target(found, START + 11 * HOUR).brightness == 80.0
    assert job.target(found, START + 12.9 * HOUR).brightness == 80.0
    assert job.target(found, START + 13 * HOUR).brightness == 100.0
    assert found.plan.saved_carbon == pytest.approx(0.4 * 500 + 0.4 * 600)
    assert found.plan.gap == 0.0
    assert found.plan.reason.kind is ReasonKind.MOVED
    assert grams(DAY, found.plan.pieces) == pytest.approx(found.plan.carbon)


def test_it_is_told_in_a_sentence() -> None:
    """With the time on the clock."""
    said = explain(planned(LightJob(OFFICE), DAY).plan, Speaker(zone=BERLIN))

    assert said == "Dims the light to 80 % for 2 h, first at 12:00: saves 440 g"


def test_a_floor_holds() -> None:
    """Not darker than the least that has to remain."""
    job = LightJob(replace(OFFICE, dim=0.3, dim_least=0.6))

    assert job.target(planned(job, DAY), START + 11 * HOUR).brightness == 60.0


def test_an_even_day_stays_bright() -> None:
    """There is no peak where all hours are the same, or none is known."""
    even = planned(LightJob(OFFICE), hourly([300] * 24))
    unknown = planned(LightJob(OFFICE), hourly([None] * 24))

    assert even.plan.reason.kind is ReasonKind.NO_BENEFIT
    assert unknown.plan.reason.kind is ReasonKind.NOT_KNOWN
    for found in (even, unknown):
        assert found.shares is not None
        assert (found.shares == 1.0).all()


def test_what_is_not_known_is_no_peak() -> None:
    """Two dirty hours are dimmed, those without a forecast are not."""
    signal = hourly([300] * 8 + [None] * 3 + [500, 600] + [300] * 11)
    found = planned(LightJob(OFFICE), signal)
    assert found.shares is not None
    dimmed = found.plan.slots.starts[found.shares < 1.0]

    assert (dimmed >= START + 11 * HOUR).all()
    assert len(dimmed) > 0


def test_grams_are_no_reason() -> None:
    """A margin of a kilogram keeps the light as it is."""
    found = planned(LightJob(OFFICE), DAY, margin=1000.0)

    assert found.plan.reason.kind is ReasonKind.NO_BENEFIT
    assert found.plan.saved_carbon == 0.0


def test_no_light_on_a_sunday() -> None:
    """Nothing is lit, nothing is said to be saved."""
    sunday = START + 4 * 24 * HOUR
    slots = DAY.slots
    shifted = Signal.of(
        type(slots)(slots.starts + 4 * 24 * HOUR, slots.ends + 4 * 24 * HOUR), [400] * 24
    )
    found = planned(LightJob(OFFICE), shifted, sunday)

    assert found.plan.reason.kind is ReasonKind.NOTHING_TO_DO
    assert found.plan.pieces == ()


def test_a_peak_that_has_begun_stays_for_a_while() -> None:
    """A new forecast moves the peak away a minute later: a quarter of an hour it stays."""
    job = LightJob(OFFICE)
    noon = START + 11 * HOUR
    assert job.target(planned(job, DAY), noon).brightness == 80.0
    other = planned(job, hourly([300] * 8 + [600, 600] + [300] * 14), noon + 60.0)

    assert job.target(other, noon + 60.0).brightness == 80.0
    assert job.target(other, noon + 899.0).brightness == 80.0
    assert job.target(other, noon + 900.0).brightness == 100.0


def test_a_dimmed_light_is_let_go_without_a_plan() -> None:
    """Once; then nothing is said."""
    job = LightJob(OFFICE)
    job.target(planned(job, DAY), START + 11 * HOUR)

    assert job.target(None, START + 11.5 * HOUR).brightness == 100.0
    assert job.target(None, START + 11.6 * HOUR) == NO_TARGET
    assert LightJob(OFFICE).target(None, START) == NO_TARGET


def test_the_bound_is_below_every_choice_of_hours() -> None:
    """Also where slots do not fit into the peak."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        signal = hourly(rng.uniform(100, 700, 24).tolist())
        found = planned(LightJob(OFFICE), signal, START + rng.uniform(0, 3600)).plan
        powers, slots = found.power, found.slots
        lit = np.flatnonzero(powers > 0.0)
        weights = Objective.carbon().weights(signal.over(slots.start, slots.end).split(slots.edges))
        full = 2000.0 * slots.hours[lit] * weights.first[lit]
        allowed = 0.25 * slots.hours[lit].sum()
        for _ in range(50):
            order = rng.permutation(len(lit))
            chosen = order[np.cumsum(slots.hours[lit][order]) <= allowed + 1e-9]
            assert full.sum() - 0.2 * full[chosen].sum() >= found.lower_bound - 1e-6


def test_what_it_took_is_handed_out() -> None:
    """By whether it is on, where no power is seen."""
    job = LightJob(OFFICE)
    for minute in range(0, 24 * 60, 5):
        job.see(Seen(moment=START + minute * 60.0, is_on=minute < 30))

    pieces = job.done()

    assert pieces is not None
    assert sum(piece.energy for piece in pieces) == pytest.approx(1000.0)


@pytest.mark.parametrize(
    "changed",
    [{"power": -1.0}, {"dim": 80.0}, {"peak": 1.1}, {"dim_least": 50.0}, {"horizon": 0.0}],
)
def test_there_is_no_such_light(changed: dict[str, float]) -> None:
    """Per cent are no parts."""
    with pytest.raises(ImpossibleAmountError):
        replace(OFFICE, **changed)


def test_the_days_of_a_schedule_are_seven() -> None:
    """There is no eighth."""
    with pytest.raises(ValueError, match="no days"):
        Schedule(zone=BERLIN, days=frozenset({7}))
