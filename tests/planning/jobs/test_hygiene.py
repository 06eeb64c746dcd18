"""Once a week the tank is hot: by its deadline, after a power cut, and not for ever."""

from datetime import datetime, time
import math
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.jobs.bodies import tank
from custom_components.carbon_meter.planning.jobs.hygiene import (
    Hygiene,
    HygieneSettings,
    heating_time,
    latest,
)
from custom_components.carbon_meter.planning.thermal import Body
from tests.planning.problems import HOUR

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 24 * HOUR
SUNDAYS_AT_FIVE = HygieneSettings(temperature=60.0, weekday=6, by=time(5), zone=BERLIN)


def at(text: str) -> float:
    """Return a moment of the clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def watched(since: str) -> Hygiene:
    """Return the hygiene of a tank that is seen, lukewarm, from a moment on."""
    hygiene = Hygiene(SUNDAYS_AT_FIVE)
    hygiene.see(at(since), 50.0, heated=False)
    return hygiene


def test_deadlines_keep_to_the_clock() -> None:
    """Five in the morning, also on the Sunday of 25 hours."""
    found = SUNDAYS_AT_FIVE.deadlines(at("2026-10-18T05:00"), at("2026-11-01T05:00"))

    assert found == (at("2026-10-25T05:00"), at("2026-11-01T05:00"))
    assert found[1] - found[0] == 7 * DAY
    assert found[0] - at("2026-10-18T05:00") == 7 * DAY + HOUR


def test_the_first_deadline_is_the_next_one() -> None:
    """Of a tank that nobody knew before."""
    assert watched("2026-11-04T12:00").due(at("2026-11-04T12:00")) == at("2026-11-08T05:00")


def test_a_run_shortly_before_counts_for_its_deadline() -> None:
    """Hot on Saturday night: the next one is a week later."""
    hygiene = watched("2026-11-04T12:00")
    hygiene.see(at("2026-11-07T23:00"), 60.0, heated=True)

    assert hygiene.due(at("2026-11-08T06:00")) == at("2026-11-15T05:00")


def test_the_sun_of_a_tuesday_does_not_count_for_sunday() -> None:
    """Else there might be nearly two weeks between."""
    hygiene = watched("2026-11-02T12:00")
    hygiene.see(at("2026-11-03T14:00"), 65.0, heated=False)

    assert hygiene.due(at("2026-11-03T15:00")) == at("2026-11-08T05:00")


def test_it_begins_when_all_the_time_is_needed() -> None:
    """Three hours to heat: it does not begin at midnight, but at half past one."""
    hygiene = watched("2026-11-04T12:00")

    assert not hygiene.must_heat(at("2026-11-08T00:00"), 3 * HOUR)
    assert hygiene.must_heat(at("2026-11-08T01:35"), 3 * HOUR)
    assert hygiene.must_heat(at("2026-11-07T15:45"), math.inf)
    assert latest(3 * HOUR) > 3 * HOUR


def test_what_was_missed_is_due_at_once() -> None:
    """After a power cut over Sunday, also when Home Assistant was off, too."""
    kept = watched("2026-11-07T12:00").as_dict()
    hygiene = Hygiene(SUNDAYS_AT_FIVE)
    hygiene.restore(kept)
    now = at("2026-11-08T20:00")
    hygiene.see(now, 30.0, heated=False)

    assert hygiene.due(now) == at("2026-11-08T05:00")
    assert hygiene.must_heat(now, HOUR)
    hygiene.see(now + HOUR, 60.0, heated=True)
    assert not hygiene.must_heat(now + HOUR, 0.0)
    assert hygiene.due(now + HOUR) == at("2026-11-15T05:00")


def test_a_tank_that_never_gets_hot_is_given_up_until_next_week() -> None:
    """Its own thermostat stops at 55 degrees: twelve hours are enough of trying."""
    hygiene = watched("2026-11-07T12:00")
    now = at("2026-11-08T03:00")
    while hygiene.must_heat(now, HOUR) or now < at("2026-11-08T05:00"):
        hygiene.see(now, 55.0, heated=True)
        now += 60.0

    assert at("2026-11-08T14:30") <= now <= at("2026-11-08T15:30")
    assert hygiene.due(now) == at("2026-11-15T05:00")


def test_an_unseen_night_is_no_heating() -> None:
    """Two looks that lie hours apart do not add up to an attempt."""
    hygiene = watched("2026-11-07T12:00")
    for hours in range(0, 48, 4):
        hygiene.see(at("2026-11-08T05:00") + hours * HOUR, 40.0, heated=True)

    assert hygiene.due(at("2026-11-10T05:00")) == at("2026-11-08T05:00")


def test_a_clock_that_was_years_ahead_is_forgotten() -> None:
    """A board without a battery starts in another year."""
    hygiene = watched("2036-11-07T12:00")
    hygiene.see(at("2026-11-04T12:00"), 50.0, heated=False)

    assert hygiene.due(at("2026-11-04T12:00")) == at("2026-11-08T05:00")


def test_the_time_to_heat_follows_the_model() -> None:
    """Heated for that long, in steps of a second, the tank is as hot as that."""
    body = tank(200.0)
    seconds = heating_time(body, level=40.0, wanted=60.0, heat=2000.0, surroundings=20.0)
    level = 40.0
    for _ in range(round(seconds)):
        level += (2000.0 - body.loss * (level - 20.0)) / body.capacity / 3600.0

    assert level == pytest.approx(60.0, abs=0.01)
    assert heating_time(body, level=61.0, wanted=60.0, heat=2000.0, surroundings=20.0) == 0.0
    assert heating_time(body, level=40.0, wanted=60.0, heat=50.0, surroundings=20.0) == math.inf
    lossless = Body(capacity=100.0, loss=0.0)
    assert heating_time(lossless, level=0.0, wanted=20.0, heat=1000.0, surroundings=0.0) == 2 * HOUR
    assert heating_time(lossless, level=0.0, wanted=20.0, heat=0.0, surroundings=0.0) == math.inf


@pytest.mark.parametrize("changed", [{"temperature": 100.0}, {"temperature": -1.0}, {"weekday": 7}])
def test_there_is_no_such_hygiene(changed: dict[str, float]) -> None:
    """Boiling water, ice, and the eighth day."""
    values = {"temperature": 60.0, "weekday": 6, "by": time(5), "zone": BERLIN}
    with pytest.raises(ImpossibleAmountError):
        HygieneSettings(**(values | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "garbage",
    [{}, {"since": "now", "heated": 0.0}, {"since": 1e300, "heated": 0.0}, {"since": None}, None],
)
def test_garbage_is_refused(garbage: object) -> None:
    """A file that was edited by hand."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        Hygiene(SUNDAYS_AT_FIVE).restore(garbage)  # type: ignore[arg-type]
