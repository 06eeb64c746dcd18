"""A charger that is switched: what it does apart from following the plan."""

from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.harness import House, local
from tests.blueprints.rigs import EvSwitch

LEVEL = "sensor.car_level"
TARGET = "number.it_target"
DELIVERED = "sensor.session_energy"
ENERGY = "number.it_energy"
READY_BY = "time.it_ready_by"


async def opened(house: House, *, level: object = 50, **inputs: Any) -> EvSwitch:
    """Return a charger with a car whose level is known."""
    await house.say(LEVEL, level)
    await house.say(TARGET, 80)
    rig = EvSwitch(house)
    await rig.build(**{"level": LEVEL, "target": TARGET, **inputs})
    return rig


async def test_unplugging_cancels_at_once(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await house.pass_time(seconds=5, step=5)
    await house.say("binary_sensor.plug", "off")
    assert rig.commands == ["turn_on", "turn_off"]
    await rig.load.say("deadline_at_risk", "on")
    await house.pass_time(hours=1)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_nothing_is_charged_before_the_car_is_plugged_in(house: House) -> None:
    rig = await opened(house)
    await house.say("binary_sensor.plug", "off")
    await rig.say_plan(active=True)
    assert rig.commands == []
    await house.say("binary_sensor.plug", "on")
    assert rig.commands == ["turn_on"]


async def test_a_charger_that_begins_by_itself_when_plugged_in_waits(house: House) -> None:
    rig = await opened(house)
    await house.say("binary_sensor.plug", "off")
    await house.pass_time(hours=1)
    await house.say("binary_sensor.plug", "on")
    await house.pass_time(seconds=20, step=20)
    await rig.by_hand(active=True)
    await house.pass_time(minutes=20)
    assert not rig.is_active()
    assert not rig.is_overridden


@pytest.mark.parametrize("word", ["charging", "plugged_in", "my_word"])
async def test_words_for_plugged_in(house: House, word: str) -> None:
    rig = await opened(house, connected_states=["charging", "plugged_in", "my_word"])
    await house.say("binary_sensor.plug", "away")
    await rig.say_plan(active=True)
    assert rig.commands == []
    await house.say("binary_sensor.plug", word)
    assert rig.commands == ["turn_on"]


async def test_the_plug_not_known_changes_nothing(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await house.say("binary_sensor.plug", STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert rig.commands == ["turn_on"]
    await rig.say_plan(active=False)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_the_target_ends_it_at_once(house: House) -> None:
    rig = await opened(house, level=79)
    await rig.say_plan(active=True)
    await house.pass_time(seconds=5, step=5)
    await house.say(LEVEL, 80)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_below_the_least_level_it_charges_at_once(house: House) -> None:
    rig = await opened(house)
    await house.say(LEVEL, 19)
    assert rig.commands == ["turn_on"]
    await house.pass_time(minutes=30)
    await house.say(LEVEL, 20)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_the_least_level_also_holds_without_a_plan(house: House) -> None:
    rig = await opened(house)
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.say(LEVEL, 5)
    assert rig.commands == ["turn_on"]


async def test_a_level_that_is_lost_is_no_level_of_nothing(house: House) -> None:
    rig = await opened(house)
    await house.say(LEVEL, STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert rig.commands == []


async def test_without_a_level_the_energy_of_the_session_counts(house: House) -> None:
    await house.say(DELIVERED, 3)
    await house.say(ENERGY, 10)
    rig = await opened(house, delivered=DELIVERED, energy=ENERGY)
    await house.say(LEVEL, STATE_UNAVAILABLE)
    await rig.say_plan(active=True)
    assert rig.is_active()
    await house.pass_time(hours=1)
    await house.say(DELIVERED, 10.1)
    assert not rig.is_active()


async def test_with_a_level_the_energy_of_the_session_does_not_count(house: House) -> None:
    await house.say(DELIVERED, 30)
    await house.say(ENERGY, 10)
    rig = await opened(house, delivered=DELIVERED, energy=ENERGY)
    await rig.say_plan(active=True)
    assert rig.is_active()


async def test_with_nothing_known_the_deadline_guard_decides(house: House) -> None:
    rig = await opened(house)
    await house.say(LEVEL, STATE_UNAVAILABLE)
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert rig.commands == []
    await rig.load.say("deadline_at_risk", "on")
    assert rig.commands == ["turn_on"]


async def plugged_in_the_evening(house: House) -> EvSwitch:
    """Return a charger whose car was plugged in at nine, ready by seven."""
    house.set_now(local("2026-11-11 20:00"))
    await house.say(READY_BY, "07:00:00")
    rig = await opened(house, ready_by=READY_BY)
    await house.say("binary_sensor.plug", "off")
    await house.until(local("2026-11-11 21:00"))
    await house.say("binary_sensor.plug", "on")
    await house.pass_time(step=300, hours=9.9)
    return rig


async def test_after_the_departure_it_charges_on_until_the_target(house: House) -> None:
    rig = await plugged_in_the_evening(house)
    assert rig.commands == []
    await house.until(local("2026-11-12 07:06"))
    assert rig.commands == ["turn_on"]
    await house.pass_time(step=300, hours=2)
    await house.say(LEVEL, 80)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_after_the_departure_it_charges_on_until_it_is_unplugged(house: House) -> None:
    rig = await plugged_in_the_evening(house)
    await house.until(local("2026-11-12 07:06"))
    await house.pass_time(step=300, hours=2)
    assert rig.commands == ["turn_on"]
    await house.say("binary_sensor.plug", "off")
    assert rig.commands == ["turn_on", "turn_off"]
    await house.say("binary_sensor.plug", "on")
    await house.pass_time(hours=1)
    assert rig.commands == ["turn_on", "turn_off"]


@pytest.mark.parametrize(
    ("evening", "morning"),
    [("2026-10-24 21:00", "2026-10-25 02:30"), ("2026-03-28 21:00", "2026-03-29 03:30")],
)
async def test_the_departure_on_days_on_which_the_clock_changes(
    house: House, evening: str, morning: str
) -> None:
    house.set_now(local(evening))
    await house.say(READY_BY, morning[-5:] + ":00")
    rig = await opened(house, ready_by=READY_BY)
    departure = dt_util.as_utc(local(morning))
    await house.until(departure - timedelta(minutes=1), step=300)
    assert rig.commands == []
    await house.until(departure + timedelta(minutes=6))
    assert rig.commands == ["turn_on"]


async def test_the_least_times_are_kept(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=2)
    await rig.say_plan(active=False)
    await house.pass_time(minutes=12)
    assert rig.commands == ["turn_on"]
    await house.pass_time(minutes=6)
    assert rig.commands == ["turn_on", "turn_off"]
    await rig.say_plan(active=True)
    await house.pass_time(minutes=9)
    assert rig.commands == ["turn_on", "turn_off"]
    await house.pass_time(minutes=9)
    assert rig.commands == ["turn_on", "turn_off", "turn_on"]


async def test_an_unusual_charger_has_its_own_actions(house: House) -> None:
    started = {"event": "told", "event_data": {"message": "start it"}}
    paused = {"event": "told", "event_data": {"message": "pause it"}}
    rig = await opened(house, turn_on=[started], turn_off=[paused])
    await rig.say_plan(active=True)
    assert house.told == ["start it"]
    assert rig.commands == []
    await rig.by_hand(active=True)
    await house.pass_time(minutes=40)
    await rig.say_plan(active=False)
    assert house.told == ["start it", "pause it"]


async def test_everything_gone_after_a_restart_leaves_the_charger_alone(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=20)
    house.forget_calls()

    def meanwhile() -> None:
        for entity_id in (LEVEL, TARGET, "binary_sensor.plug", rig.load.id("run_now")):
            house.will_say(entity_id, STATE_UNAVAILABLE)

    await house.restart(meanwhile=meanwhile)
    await house.pass_time(hours=1)
    assert rig.commands == []
    assert rig.is_active()


@pytest.mark.parametrize(("unit", "factor"), [("Wh", 1000), ("kWh", 1), ("MWh", 0.001)])
async def test_the_energy_of_the_session_counts_in_its_unit(
    house: House, unit: str, factor: float
) -> None:
    await house.say(DELIVERED, 9 * factor, unit_of_measurement=unit)
    await house.say(ENERGY, 10, unit_of_measurement="kWh")
    rig = await opened(house, delivered=DELIVERED, energy=ENERGY)
    await house.say(LEVEL, STATE_UNAVAILABLE)
    await rig.say_plan(active=True)
    assert rig.is_active()
    await house.pass_time(hours=1)
    assert rig.is_active()
    await house.say(DELIVERED, 10.1 * factor)
    assert not rig.is_active()
