"""A water heater: its temperatures, the hygiene run, the boost and a sensor that is lost."""

from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
import pytest

from tests.blueprints.devices import Device, FakeWaterHeater
from tests.blueprints.harness import House, local
from tests.blueprints.rigs import WaterHeater

WATER = "sensor.water"
BOOST = "input_boolean.boost"


async def opened(house: House, **inputs: Any) -> WaterHeater:
    rig = WaterHeater(house)
    await rig.build(**inputs)
    return rig


async def test_cold_water_is_heated_at_once(house: House) -> None:
    rig = await opened(house)
    await house.say(WATER, 41.9)
    assert rig.commands == ["turn_on"]
    await house.pass_time(minutes=20)
    await house.say(WATER, 42)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_cold_water_is_heated_where_the_plan_is_not_known(house: House) -> None:
    rig = await opened(house)
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.say(WATER, 30)
    assert rig.commands == ["turn_on"]


async def test_hot_water_is_not_heated_whatever_the_plan(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await house.pass_time(seconds=5, step=5)
    await house.say(WATER, 65)
    assert rig.commands == ["turn_on", "turn_off"]
    await rig.load.say("deadline_at_risk", "on")
    await house.pass_time(hours=1)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_fahrenheit_is_no_celsius(house: House) -> None:
    rig = await opened(house)
    await house.say(WATER, 113, unit_of_measurement="°F")
    assert rig.commands == []
    await house.say(WATER, 104)
    assert rig.commands == ["turn_on"]


async def test_the_least_times_are_kept(house: House) -> None:
    rig = await opened(house)
    await rig.say_plan(active=True)
    await rig.say_plan(active=False)
    await house.pass_time(minutes=8)
    assert rig.commands == ["turn_on"]
    await house.pass_time(minutes=6)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_boost_heats_to_the_highest_temperature(house: House) -> None:
    await house.say(BOOST, "off")
    rig = await opened(house, boost=BOOST)
    await house.say(BOOST, "on")
    assert rig.commands == ["turn_on"]
    await house.pass_time(seconds=5, step=5)
    await house.say(WATER, 65)
    assert rig.commands == ["turn_on", "turn_off"]
    await house.say(BOOST, "off")
    await house.say(WATER, 50)
    await house.pass_time(hours=1)
    assert rig.commands == ["turn_on", "turn_off"]


@pytest.mark.parametrize("gone", [STATE_UNAVAILABLE, "unknown", "garbage", "nan"])
async def test_a_temperature_that_is_lost_follows_the_plan_for_half_an_hour(
    house: House, gone: str
) -> None:
    rig = await opened(house, normal_from="12:00:00", normal_to="14:00:00")
    await house.say(WATER, gone)
    await house.pass_time(minutes=24)
    assert rig.commands == []
    await house.pass_time(minutes=16)
    assert rig.commands == ["turn_on"]


async def test_a_temperature_that_is_lost_means_normal_hours(house: House) -> None:
    rig = await opened(house, normal_from="16:00:00", normal_to="20:00:00")
    await house.say(WATER, STATE_UNAVAILABLE)
    await rig.say_plan(active=True)
    assert rig.is_active()
    await house.until(local("2026-11-11 15:50"), step=300)
    assert not rig.is_active()
    await house.until(local("2026-11-11 16:11"))
    assert rig.is_active()
    await house.until(local("2026-11-11 20:16"), step=300)
    assert not rig.is_active()
    await house.say(WATER, 50)
    await house.pass_time(minutes=16)
    assert rig.is_active()


async def test_normal_hours_over_midnight(house: House) -> None:
    house.set_now(local("2026-11-11 22:00"))
    rig = await opened(house, normal_from="23:00:00", normal_to="05:00:00")
    await house.say(WATER, STATE_UNAVAILABLE)
    await house.until(local("2026-11-12 00:30"), step=300)
    assert rig.is_active()
    await house.until(local("2026-11-12 05:20"), step=300)
    assert not rig.is_active()


async def hygienic(house: House, day: str, **inputs: Any) -> WaterHeater:
    """Return a heater whose hygiene run is due by three on Sunday, at six on a Sunday."""
    house.set_now(local(f"{day} 06:00"))
    return await opened(
        house, **{"hygiene_day": "sun", "hygiene_by": "15:00:00", "hygiene_lead": 2, **inputs}
    )


@pytest.mark.parametrize("day", ["2026-11-15", "2026-03-29", "2026-10-25"])
async def test_the_hygiene_run_has_a_hard_deadline(house: House, day: str) -> None:
    rig = await hygienic(house, day)
    await house.until(local(f"{day} 12:59"), step=300)
    assert rig.commands == []
    await house.until(local(f"{day} 13:06"))
    assert rig.commands == ["turn_on"]
    await house.say(WATER, 59.9)
    await house.pass_time(minutes=20)
    assert rig.commands == ["turn_on"]
    await house.say(WATER, 60)
    await house.pass_time(minutes=20)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_the_hygiene_run_may_be_hotter_than_else(house: House) -> None:
    rig = await hygienic(house, "2026-11-15", highest=55)
    await house.say(WATER, 56)
    await house.until(local("2026-11-15 13:06"), step=300)
    assert rig.commands == ["turn_on"]
    await house.until(local("2026-11-15 15:06"), step=300)
    assert rig.commands == ["turn_on", "turn_off"]


async def test_the_hygiene_run_wins_where_the_plan_is_not_known(house: House) -> None:
    rig = await hygienic(house, "2026-11-15")
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.until(local("2026-11-15 13:06"), step=300)
    assert rig.commands == ["turn_on"]


async def test_the_hygiene_run_goes_on_after_a_restart(house: House) -> None:
    rig = await hygienic(house, "2026-11-15")
    await house.until(local("2026-11-15 13:06"), step=300)
    await house.restart(down=600, meanwhile=lambda: rig.device._put({"is_on": False}))
    await house.pass_time(minutes=6)
    assert rig.is_active()


@pytest.mark.parametrize(
    ("day", "chosen"), [("2026-11-14", "sun"), ("2026-11-15", "never"), ("2026-11-15", "mon")]
)
async def test_there_is_no_hygiene_run_on_other_days(house: House, day: str, chosen: str) -> None:
    rig = await hygienic(house, day, hygiene_day=chosen)
    await house.until(local(f"{day} 16:00"), step=300)
    assert rig.commands == []


class TankRig(WaterHeater):
    """A water heater that is an entity of its own kind."""

    def make(self) -> Device:
        return FakeWaterHeater("device")


async def test_a_water_heater_entity_in_any_mode_is_on(house: House) -> None:
    rig = TankRig(house)
    await rig.build()
    await rig.say_plan(active=True)
    assert rig.commands == ["turn_on"]
    await house.pass_time(hours=1)
    await house.by_hand(rig.device, current_operation="performance")
    assert not rig.is_overridden
    await house.pass_time(minutes=20)
    await rig.say_plan(active=False)
    assert rig.commands == ["turn_on", "turn_off"]
    await house.pass_time(hours=1)
    await house.by_hand(rig.device, current_operation="eco")
    assert rig.is_overridden
