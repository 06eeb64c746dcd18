"""An appliance that is started once, at its time, or not at all."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.devices import FakeButton, FakeSwitch
from tests.blueprints.harness import TELL, FakeLoad, House, local

POWER = "sensor.power"
FILLED = "binary_sensor.filled"


class Dishwasher:
    """A dishwasher whose programme takes two hours, with its load."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.load: FakeLoad
        self.button: FakeButton

    async def build(self, **inputs: Any) -> None:
        self.load = await self.house.load(
            "dish", run_now="off", deadline_at_risk="off", plan="nothing_to_do"
        )
        await self.house.say(POWER, 1, unit_of_measurement="W")
        await self.house.say(FILLED, "off")
        self.button = await self.house.add(FakeButton("start"))
        start = {"action": "button.press", "target": {"entity_id": "button.start"}}
        await self.house.automate(
            "appliance_start",
            **{
                "run_now": self.load.id("run_now"),
                "override": self.load.id("override"),
                "ready": self.load.id("ready"),
                "plan": self.load.id("plan"),
                "deadline_at_risk": self.load.id("deadline_at_risk"),
                "power": POWER,
                "filled": FILLED,
                "start": [start],
                "notify": TELL,
                **inputs,
            },
        )
        await self.house.pass_time(minutes=10)

    async def fill(self) -> None:
        """Fill it, and be given the plan to start in two hours."""
        await self.house.say(FILLED, "on")
        await self.plan(dt_util.utcnow() + timedelta(hours=2))

    async def plan(self, begin: datetime, deadline: datetime | None = None) -> None:
        """Say the plan: two hours from a moment on, by a deadline twelve hours later."""
        end = begin + timedelta(hours=2)
        row = {"start": begin.isoformat(), "end": end.isoformat(), "power": 1000, "energy": 2.0}
        await self.load.say(
            "plan",
            "cleaner",
            explanation="Moved by two hours.",
            saved_carbon=412.0,
            runs=[row],
            deadline=(deadline or begin + timedelta(hours=12)).isoformat(),
        )

    async def runs_from(self, begin: datetime) -> None:
        """Let time pass until the plan says run, a little after its start as in life."""
        await self.house.until(begin + timedelta(seconds=1))
        await self.load.say("run_now", "on")

    @property
    def presses(self) -> int:
        """Return how often it was started."""
        return len(self.house.calls(self.button))

    @property
    def is_ready(self) -> bool:
        """Return whether the load waits for its start."""
        return self.house.state(self.load.ready) == "on"


@pytest.fixture
async def washer(house: House) -> Dishwasher:
    dishwasher = Dishwasher(house)
    await dishwasher.build()
    return dishwasher


async def started(house: House, washer: Dishwasher) -> datetime:
    """Fill it and let its start come; return the moment of it."""
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    await washer.runs_from(begin)
    return begin


async def test_filled_it_asks_for_a_plan_and_tells_when_it_starts(
    house: House, washer: Dishwasher
) -> None:
    house.set_now(local("2026-11-11 20:15:10"))
    await washer.fill()
    assert washer.is_ready
    assert house.told == ["Starts at 22:15. Moved by two hours. The plan avoids 412 g."]
    await house.pass_time(hours=1)
    assert len(house.told) == 1
    assert washer.presses == 0


async def test_starts_once_at_its_time(house: House, washer: Dishwasher) -> None:
    await started(house, washer)
    assert washer.presses == 1
    assert "Started." in house.told[-1]
    assert "412 g" in house.logged[-1]
    await house.pass_time(seconds=50, step=10)
    await house.say(POWER, 2000)
    await house.pass_time(step=300, hours=3)
    assert washer.presses == 1


async def test_a_plan_for_at_once_starts_it_at_once(house: House, washer: Dishwasher) -> None:
    await house.say(FILLED, "on")
    await house.pass_time(seconds=1, step=1)
    await washer.plan(dt_util.utcnow())
    await washer.load.say("run_now", "on")
    assert washer.presses == 1


async def test_another_plan_is_told_anew(house: House, washer: Dishwasher) -> None:
    await washer.fill()
    await house.pass_time(minutes=30)
    await washer.plan(dt_util.utcnow() + timedelta(hours=4))
    assert len(house.told) == 2


async def test_an_opened_door_cancels(house: House, washer: Dishwasher) -> None:
    await washer.fill()
    await house.pass_time(minutes=30)
    await house.say(FILLED, "off")
    assert not washer.is_ready
    assert "cancelled" in house.told[-1]
    await house.pass_time(hours=2)
    await washer.load.say("run_now", "on")
    await house.pass_time(minutes=30)
    assert washer.presses == 0


async def test_a_door_opened_while_home_assistant_was_down_cancels(
    house: House, washer: Dishwasher
) -> None:
    await washer.fill()
    await house.restart(down=600, meanwhile=lambda: house.will_say(FILLED, "off"))
    assert not washer.is_ready


async def test_a_door_that_is_not_known_does_not_cancel_and_does_not_start(
    house: House, washer: Dishwasher
) -> None:
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    await house.say(FILLED, STATE_UNAVAILABLE)
    await washer.runs_from(begin)
    await house.pass_time(minutes=10)
    assert washer.is_ready
    assert washer.presses == 0
    await house.say(FILLED, "on")
    assert washer.presses == 1


async def test_a_door_that_is_known_again_does_not_make_it_ready(
    house: House, washer: Dishwasher
) -> None:
    await house.say(FILLED, STATE_UNAVAILABLE)
    await house.pass_time(minutes=5)
    await house.say(FILLED, "on")
    assert not washer.is_ready


async def test_the_permission_that_ends_with_the_start_does_not_cancel(
    house: House, washer: Dishwasher
) -> None:
    await started(house, washer)
    await house.pass_time(seconds=10, step=10)
    await house.say(FILLED, "off")
    await house.pass_time(minutes=1)
    await house.say(POWER, 2000)
    await house.pass_time(hours=2)
    assert washer.is_ready
    assert washer.presses == 1


async def test_a_start_without_power_is_tried_once_more_and_then_told(
    house: House, washer: Dishwasher
) -> None:
    await started(house, washer)
    await house.pass_time(minutes=4)
    assert washer.presses == 1
    await house.pass_time(minutes=2)
    assert washer.presses == 2
    await house.pass_time(minutes=3)
    assert "does not start" not in house.told[-1]
    await house.pass_time(minutes=3)
    assert "does not start" in house.told[-1]
    told = len(house.told)
    await house.pass_time(hours=1)
    assert washer.presses == 2
    assert len(house.told) == told


async def test_power_after_the_second_try_is_a_start(house: House, washer: Dishwasher) -> None:
    await started(house, washer)
    await house.pass_time(minutes=7)
    await house.say(POWER, 2000)
    await house.pass_time(hours=1)
    assert washer.presses == 2
    assert "second try" in house.told[-1]


async def test_a_short_rise_of_power_is_a_start(house: House, washer: Dishwasher) -> None:
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(POWER, 60)
    await house.say(POWER, 3)
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_a_door_opened_after_the_first_try_ends_it(house: House, washer: Dishwasher) -> None:
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(FILLED, "off")
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_a_restart_just_after_the_start_is_told_and_nothing_is_started(
    house: House, washer: Dishwasher
) -> None:
    await started(house, washer)
    await house.pass_time(minutes=2)
    await house.restart(down=60)
    assert "see whether it runs" in house.told[-1]
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_never_started_twice_by_a_restart_in_a_quiet_phase(
    house: House, washer: Dishwasher
) -> None:
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(POWER, 2000)
    await house.pass_time(minutes=40)
    await house.say(POWER, 2)
    house.forget_calls()
    await house.restart()
    await house.pass_time(hours=1)
    assert washer.presses == 0


async def test_a_restart_before_the_start_loses_nothing(house: House, washer: Dishwasher) -> None:
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    await house.restart()
    await washer.runs_from(begin)
    await house.pass_time(minutes=2)
    assert washer.presses == 1


async def down_at_the_start(
    house: House, washer: Dishwasher, hours: float, deadline: float
) -> None:
    """Let Home Assistant be down at the start, and plan anew when it is back."""
    await washer.fill()
    until = dt_util.utcnow() + timedelta(hours=hours)
    by = dt_util.utcnow() + timedelta(hours=deadline)

    def meanwhile() -> None:
        end = until + timedelta(hours=2)
        row = {"start": until.isoformat(), "end": end.isoformat(), "power": 1000, "energy": 2}
        house.will_say(washer.load.id("plan"), "at_once", runs=[row], deadline=by.isoformat())
        house.will_say(washer.load.id("run_now"), "on")

    await house.restart(down=hours * 3600, meanwhile=meanwhile)
    await house.pass_time(minutes=2)


async def test_down_at_its_start_it_starts_when_that_is_in_time(
    house: House, washer: Dishwasher
) -> None:
    await down_at_the_start(house, washer, hours=3, deadline=8)
    assert washer.presses == 1


async def test_down_at_its_start_it_tells_when_that_is_too_late(
    house: House, washer: Dishwasher
) -> None:
    await down_at_the_start(house, washer, hours=7, deadline=8)
    assert washer.presses == 0
    assert "in time" in house.told[-1]
    told = len(house.told)
    await house.pass_time(step=120, hours=3)
    assert washer.presses == 0
    assert len(house.told) == told


async def test_too_late_it_starts_if_that_is_wanted(house: House) -> None:
    washer = Dishwasher(house)
    await washer.build(when_late="start")
    await down_at_the_start(house, washer, hours=7, deadline=8)
    assert washer.presses == 1


async def test_the_length_of_the_programme_counts_where_it_is_told(house: House) -> None:
    washer = Dishwasher(house)
    await washer.build(programme=30)
    await down_at_the_start(house, washer, hours=7, deadline=8)
    assert washer.presses == 1


async def test_quiet_hours(house: House) -> None:
    house.set_now(local("2026-11-11 21:00:20"))
    washer = Dishwasher(house)
    await washer.build(quiet_from="22:00:00", quiet_to="06:00:00")
    await started(house, washer)
    await house.until(local("2026-11-12 05:58"), step=300)
    assert washer.presses == 0
    await house.until(local("2026-11-12 06:02"))
    assert washer.presses == 1


async def test_the_deadline_wins_over_quiet_hours(house: House) -> None:
    house.set_now(local("2026-11-11 21:00:20"))
    washer = Dishwasher(house)
    await washer.build(quiet_from="22:00:00", quiet_to="06:00:00")
    await started(house, washer)
    assert washer.presses == 0
    await washer.load.say("deadline_at_risk", "on")
    assert washer.presses == 1


async def test_the_deadline_wins_where_the_plan_says_nothing(
    house: House, washer: Dishwasher
) -> None:
    await washer.fill()
    await house.pass_time(minutes=10)
    await washer.load.say("run_now", STATE_UNAVAILABLE)
    await washer.load.say("deadline_at_risk", "on")
    assert washer.presses == 1


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
async def test_the_days_on_which_the_clock_changes(house: House, day: str) -> None:
    house.set_now(local(f"{day} 00:40:20"))
    washer = Dishwasher(house)
    await washer.build()
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(POWER, 2000)
    await house.pass_time(step=300, hours=4)
    assert washer.presses == 1


@pytest.mark.parametrize("gone", ["run_now", "override", "ready", "power"])
async def test_what_is_not_known_starts_nothing(
    house: House, washer: Dishwasher, gone: str
) -> None:
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    if gone == "run_now":
        await washer.load.say("run_now", STATE_UNAVAILABLE)
    elif gone == "power":
        await house.say(POWER, STATE_UNAVAILABLE)
    else:
        await house.leave(getattr(washer.load, gone))
    await house.until(begin, step=300)
    if gone != "run_now":
        await washer.load.say("run_now", "on")
    await house.pass_time(minutes=4)
    assert washer.presses == 0


async def test_without_a_plan_for_ten_minutes_it_starts_if_that_is_wanted(house: House) -> None:
    washer = Dishwasher(house)
    await washer.build(when_no_data="run")
    await washer.fill()
    await washer.load.say("run_now", STATE_UNAVAILABLE)
    await house.pass_time(minutes=9)
    assert washer.presses == 0
    await house.pass_time(minutes=3)
    assert washer.presses == 1
    await house.pass_time(minutes=1)
    await house.say(POWER, 2000)
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_the_override_is_respected(house: House, washer: Dishwasher) -> None:
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    await house.by_user(washer.load.override, "turn_on")
    await washer.runs_from(begin)
    await house.pass_time(minutes=30)
    assert washer.presses == 0
    await house.by_user(washer.load.override, "turn_off")
    assert washer.presses == 1


async def test_what_the_user_has_started_is_not_started(house: House, washer: Dishwasher) -> None:
    begin = dt_util.utcnow() + timedelta(hours=2)
    await washer.fill()
    await house.pass_time(minutes=30)
    await house.say(POWER, 2000)
    await house.say(FILLED, "off")
    await washer.runs_from(begin)
    await house.pass_time(hours=1)
    assert washer.presses == 0


async def test_what_runs_already_is_not_started(house: House) -> None:
    washer = Dishwasher(house)
    await washer.build(filled=[])
    begin = dt_util.utcnow() + timedelta(hours=2)
    await house.by_hand(washer.load.ready, is_on=True)
    await washer.plan(begin)
    await house.say(POWER, 2000)
    await washer.runs_from(begin)
    await house.pass_time(hours=1)
    assert washer.presses == 0


async def test_without_a_door_it_starts_when_it_is_ready(house: House) -> None:
    washer = Dishwasher(house)
    await washer.build(filled=[])
    begin = dt_util.utcnow() + timedelta(hours=2)
    await house.by_hand(washer.load.ready, is_on=True)
    await washer.plan(begin)
    await washer.runs_from(begin)
    assert washer.presses == 1


async def test_not_ready_it_is_not_started(house: House, washer: Dishwasher) -> None:
    await washer.load.say("run_now", "on")
    await house.pass_time(hours=1)
    assert washer.presses == 0


async def test_a_power_cut_in_the_middle_is_no_new_start(house: House, washer: Dishwasher) -> None:
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(POWER, 2000)
    await house.pass_time(minutes=30)
    await house.say(POWER, STATE_UNAVAILABLE)
    await house.pass_time(minutes=5)
    await house.say(POWER, 0)
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_a_start_that_fails_is_tried_once_more_and_then_told(
    house: House, washer: Dishwasher
) -> None:
    house.expected_errors += ["did not answer"]
    washer.button.fails = True
    await started(house, washer)
    await house.pass_time(minutes=13)
    assert washer.presses == 2
    assert "does not start" in house.told[-1]
    await house.pass_time(hours=1)
    assert washer.presses == 2


async def test_a_notification_that_fails_does_not_end_the_second_try(house: House) -> None:
    house.expected_errors += ["did not answer"]
    phone = await house.add(FakeSwitch("phone"))
    phone.fails = True
    washer = Dishwasher(house)
    notify = {"action": "switch.turn_on", "target": {"entity_id": phone.entity_id}}
    await washer.build(notify=[notify])
    await started(house, washer)
    await house.pass_time(minutes=7)
    assert washer.presses == 2


async def test_the_deadline_wins_over_a_power_that_is_not_known(
    house: House, washer: Dishwasher
) -> None:
    await washer.fill()
    await house.say(POWER, STATE_UNAVAILABLE)
    await house.pass_time(minutes=10)
    assert washer.presses == 0
    await washer.load.say("deadline_at_risk", "on")
    assert washer.presses == 1
    assert "not known" in house.told[-1]
    await house.pass_time(hours=2)
    assert washer.presses == 1


@pytest.mark.parametrize("unit", ["kW", "W"])
async def test_a_power_in_its_unit_is_a_start(house: House, unit: str) -> None:
    washer = Dishwasher(house)
    await washer.build()
    await house.say(POWER, 0.001, unit_of_measurement=unit)
    await started(house, washer)
    await house.pass_time(minutes=1)
    await house.say(POWER, 1.8 if unit == "kW" else 1800)
    await house.pass_time(hours=1)
    assert washer.presses == 1


async def test_a_plan_that_is_neither_on_nor_off_starts_nothing(
    house: House, washer: Dishwasher
) -> None:
    await washer.fill()
    await washer.load.say("run_now", "garbage")
    await house.pass_time(hours=1)
    assert washer.presses == 0
