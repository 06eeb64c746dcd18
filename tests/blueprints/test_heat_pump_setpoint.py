"""A setpoint that is moved: how far, how often, and when it comes back."""

from typing import Any

from homeassistant.components.climate import HVACMode
from homeassistant.const import STATE_UNAVAILABLE, UnitOfTemperature
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest

from tests.blueprints.devices import Device, FakeClimate
from tests.blueprints.harness import House
from tests.blueprints.rigs import HeatPump

WINDOW = "binary_sensor.window"
PERSON = "person.somebody"
NIGHT = "schedule.night"
ROOM = "sensor.room"


async def opened(house: House, **inputs: Any) -> HeatPump:
    rig = HeatPump(house)
    await rig.build(**inputs)
    return rig


async def planned(rig: HeatPump, degrees: object, base: object = 21.0) -> None:
    await rig.load.say("setpoint", degrees, base=base, unit_of_measurement="°C")


async def shifted(house: House, **inputs: Any) -> HeatPump:
    """Return a heat pump whose setpoint was moved an hour ago."""
    rig = await opened(house, **inputs)
    await rig.say_plan(active=True)
    assert rig.is_active()
    await house.pass_time(hours=1)
    house.forget_calls()
    return rig


def written(rig: HeatPump) -> list[float]:
    return rig.house.values(rig.device, "temperature")


@pytest.mark.parametrize(
    ("asked", "found"), [(22.0, 22.0), (25.0, 22.0), (20.5, 20.5), (15.0, 20.0), (21.3, 21.0)]
)
async def test_moves_no_further_than_allowed(house: House, asked: float, found: float) -> None:
    rig = await opened(house)
    await planned(rig, asked)
    assert rig.device.target_temperature == found


async def test_moves_by_up_to_three_kelvin(house: House) -> None:
    rig = await opened(house, shift_up=3, high=26)
    await planned(rig, 24.0)
    assert written(rig) == [24.0]


async def test_moves_within_the_comfort(house: House) -> None:
    rig = await opened(house, shift_up=3, shift_down=3, low=20, high=22)
    await planned(rig, 24.0)
    assert written(rig) == [22.0]
    await house.pass_time(minutes=40)
    await planned(rig, 18.0)
    assert written(rig) == [22.0, 20.0]


async def test_the_comfort_of_the_night(house: House) -> None:
    await house.say(NIGHT, "off")
    rig = await opened(house, shift_down=3, night=NIGHT, low=20.5, low_night=18)
    await planned(rig, 18.0)
    assert written(rig) == [20.5]
    await house.pass_time(minutes=40)
    await house.say(NIGHT, "on")
    assert written(rig) == [20.5, 18.0]


async def test_a_setpoint_of_the_user_outside_of_the_comfort_is_not_corrected(
    house: House,
) -> None:
    rig = await opened(house, high=20)
    rig.device.by_hand(current_temperature=19.5)
    await planned(rig, 21.0)
    await house.pass_time(hours=1)
    assert written(rig) == []


async def test_writes_once_and_not_more_often_than_every_half_hour(house: House) -> None:
    rig = await opened(house)
    await planned(rig, 22.0)
    await house.pass_time(minutes=5)
    await planned(rig, 20.0)
    await house.pass_time(minutes=20)
    assert written(rig) == [22.0]
    await house.pass_time(minutes=15)
    assert written(rig) == [22.0, 20.0]
    await house.pass_time(step=300, hours=3)
    assert written(rig) == [22.0, 20.0]


async def test_the_pace_is_kept_over_a_restart(house: House) -> None:
    rig = await opened(house)
    await planned(rig, 22.0)
    await house.pass_time(minutes=2)
    await house.restart(down=60)
    await planned(rig, 20.0)
    await house.pass_time(minutes=20)
    assert written(rig) == [22.0]


async def test_the_base_is_that_of_the_integration(house: House) -> None:
    rig = await shifted(house)
    await house.restart()
    await planned(rig, 20.0, base=21.0)
    await house.pass_time(minutes=35)
    # Read back while it was moved, the base would be 22 and the lowest setpoint 21.
    assert rig.device.target_temperature == 20.0


async def test_an_open_window_brings_it_back_at_once(house: House) -> None:
    await house.say(WINDOW, "off")
    rig = await shifted(house, windows=[WINDOW, "binary_sensor.gone"])
    await house.say(WINDOW, "on")
    assert written(rig) == [21.0]
    await house.pass_time(hours=1)
    await planned(rig, 20.0)
    assert written(rig) == [21.0]
    await house.say(WINDOW, "off")
    assert written(rig) == [21.0, 20.0]


async def test_a_window_brings_it_back_a_minute_after_a_change(house: House) -> None:
    await house.say(WINDOW, "off")
    rig = await opened(house, windows=[WINDOW])
    await planned(rig, 22.0)
    await house.pass_time(minutes=1)
    await house.say(WINDOW, "on")
    assert written(rig) == [22.0, 21.0]


@pytest.mark.parametrize("away", ["not_home", "off", "0"])
async def test_nobody_at_home_brings_it_back(house: House, away: str) -> None:
    await house.say(PERSON, "home")
    rig = await shifted(house, presence=PERSON)
    await house.say(PERSON, away)
    assert written(rig) == [21.0]


async def test_a_presence_that_is_not_known_changes_nothing(house: House) -> None:
    await house.say(PERSON, "home")
    rig = await shifted(house, presence=PERSON)
    await house.say(PERSON, STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert written(rig) == []


async def test_switched_off_it_comes_back_and_is_not_moved(house: House) -> None:
    rig = await shifted(house)
    await house.by_hand(rig.device, hvac_mode=HVACMode.OFF)
    assert written(rig) == [21.0]
    await house.pass_time(hours=1)
    await planned(rig, 20.0)
    await house.pass_time(hours=1)
    assert written(rig) == [21.0]
    assert not rig.is_overridden


@pytest.mark.parametrize("degrees", [18.9, 24.1])
async def test_out_of_the_comfort_it_comes_back_at_once(house: House, degrees: float) -> None:
    rig = await shifted(house)
    await house.by_hand(rig.device, current_temperature=degrees)
    assert written(rig) == [21.0]


async def test_the_sensor_of_the_room_counts_where_there_is_one(house: House) -> None:
    await house.say(ROOM, 21, unit_of_measurement="°C")
    rig = await shifted(house, temperature=ROOM)
    await house.by_hand(rig.device, current_temperature=10.0)
    assert written(rig) == []
    await house.say(ROOM, 18)
    assert written(rig) == [21.0]


async def test_a_temperature_that_is_lost_is_no_frost(house: House) -> None:
    await house.say(ROOM, 21)
    rig = await shifted(house, temperature=ROOM)
    await house.say(ROOM, STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert written(rig) == []


@pytest.mark.parametrize("base", [None, "unknown", "garbage"])
async def test_without_a_base_nothing_is_written(house: House, base: object) -> None:
    rig = await opened(house)
    await planned(rig, 22.0, base=base)
    await house.pass_time(hours=1)
    assert written(rig) == []


async def test_unavailable_while_moved_it_stays(house: House) -> None:
    await house.say(WINDOW, "off")
    rig = await shifted(house, windows=[WINDOW])
    house.forget(rig.load.id("setpoint"))
    await house.say(WINDOW, "on")
    await house.pass_time(hours=1)
    assert written(rig) == []


async def test_a_thermostat_without_a_setpoint_is_left_alone(house: House) -> None:
    rig = await opened(house)
    await house.by_hand(rig.device, target_temperature=None)
    await planned(rig, 22.0)
    await house.pass_time(hours=1)
    assert written(rig) == []


class FahrenheitRig(HeatPump):
    """A thermostat in a house that counts in Fahrenheit."""

    def make(self) -> Device:
        return FakeClimate(
            "device",
            temperature_unit=UnitOfTemperature.FAHRENHEIT,
            target_temperature=70.0,
            current_temperature=70.0,
            min_temp=45.0,
            max_temp=95.0,
        )

    async def say_plan(self, *, active: bool) -> None:
        degrees = 75.0 if active else 70.0
        await self.load.say("setpoint", degrees, base=21.111, unit_of_measurement="°F")


async def test_fahrenheit(house: House) -> None:
    house.hass.config.units = US_CUSTOMARY_SYSTEM
    rig = FahrenheitRig(house)
    await rig.build()
    assert rig.commands == []
    await rig.say_plan(active=True)
    assert written(rig) == [71.5]
    await house.pass_time(minutes=10)
    await house.by_hand(rig.device, current_temperature=66.0)
    assert written(rig) == [71.5, 70.0]


async def test_a_thermostat_that_rounds_is_not_written_to_again(house: House) -> None:
    rig = await opened(house)
    await house.by_hand(rig.device, target_temperature=21.5)
    await house.by_user(rig.load.override, "turn_off")
    await rig.load.say("setpoint", 21.3, base=21.3, unit_of_measurement="°C")
    house.forget_calls()
    await house.pass_time(step=300, hours=3)
    assert rig.commands == []
    assert not rig.is_overridden
