"""Climates of a zone are moved ahead of a peak and during it, and never against people."""

from datetime import timedelta
from typing import Any

from homeassistant.components.climate import HVACMode
from homeassistant.helpers import entity_registry as er, label_registry as lr
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.devices import FakeButton, FakeClimate
from tests.blueprints.harness import TELL, FakeLoad, House, local

CO2, HUMID, PEOPLE = "sensor.co2", "sensor.humid", "calendar.office"
CELSIUS = {"unit_of_measurement": "°C"}


@pytest.fixture
async def climates(house: House) -> list[FakeClimate]:
    """Return three climates that cool to 22 degrees."""
    return [
        await house.add(FakeClimate(name, hvac_mode=HVACMode.COOL, target_temperature=22.0))
        for name in ("north", "middle", "south")
    ]


async def opened(
    house: House, climates: list[FakeClimate], minutes: float = 60, **inputs: Any
) -> FakeLoad:
    """Return a zone whose automation has had some time; its plan is the normal setpoint."""
    zone = await house.load("office")
    await zone.say("setpoint", "22.0", **CELSIUS)
    await house.automate(
        "hvac_precool",
        **{
            "setpoint": zone.id("setpoint"),
            "override": zone.id("override"),
            "plan": zone.id("plan"),
            "climates": [climate.entity_id for climate in climates],
            "notify": TELL,
            **inputs,
        },
    )
    await house.pass_time(minutes=minutes)
    return zone


def are(climates: list[FakeClimate]) -> list[float | None]:
    return [climate.target_temperature for climate in climates]


async def test_cools_ahead_relaxes_and_returns(house: House, climates: list[FakeClimate]) -> None:
    zone = await opened(house, climates)
    await zone.say("plan", "moved", explanation="Cooled ahead of 17:00.", saved_carbon=88.8)
    for planned in (20.0, 24.0, 22.0):
        await zone.say("setpoint", planned)
        await house.pass_time(minutes=10)
        assert are(climates) == [planned] * 3
    assert [len(house.calls(climate)) for climate in climates] == [3, 3, 3]
    assert "Cooled ahead of 17:00." in house.logged[0]
    assert "89 g" in house.logged[0]
    assert house.services(zone.override) == []


async def test_climates_follow_two_minutes_after_each_other(
    house: House, climates: list[FakeClimate]
) -> None:
    zone = await opened(house, climates)
    start = dt_util.utcnow()
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=20)
    waits = [(house.calls(each)[0].moment - start).total_seconds() / 60 for each in climates]
    assert waits[0] == 0
    assert 2 <= waits[1] < 3.1
    assert 4 <= waits[2] < 5.1


async def test_a_second_zone_starts_later(house: House, climates: list[FakeClimate]) -> None:
    zone = await opened(house, climates, first=6)
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=5)
    assert are(climates) == [22, 22, 22]
    await house.pass_time(minutes=15)
    assert are(climates) == [20, 20, 20]


@pytest.mark.parametrize(
    ("mode", "planned", "after"),
    [
        (HVACMode.COOL, 17, 20),
        (HVACMode.COOL, 27, 23),
        (HVACMode.HEAT, 17, 21),
        (HVACMode.HEAT, 27, 24),
    ],
)
async def test_no_further_than_allowed(
    house: House, climates: list[FakeClimate], mode: HVACMode, planned: float, after: float
) -> None:
    await house.say(PEOPLE, "on")
    for climate in climates:
        await house.by_hand(climate, hvac_mode=mode)
    zone = await opened(house, climates, occupancy=PEOPLE, depth=2, relax=1)
    await zone.say("setpoint", planned)
    await house.pass_time(minutes=20)
    assert are(climates) == [after] * 3


async def test_the_own_setback_of_the_load_has_limits(
    house: House, climates: list[FakeClimate]
) -> None:
    zone = await opened(house, climates, highest=27)
    await zone.say("setpoint", 30)
    await house.pass_time(minutes=20)
    assert are(climates) == [27] * 3


async def test_one_that_is_off_or_has_the_label_is_left_alone(
    house: House, climates: list[FakeClimate]
) -> None:
    label = lr.async_get(house.hass).async_create("Computers")
    er.async_get(house.hass).async_update_entity("climate.north", labels={label.label_id})
    await house.by_hand(climates[1], hvac_mode=HVACMode.OFF)
    zone = await opened(house, climates, except_labels=[label.label_id])
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=20)
    assert are(climates) == [22, 22, 20]
    # A change by hand of one that is not followed is nobody's override.
    await house.by_hand(climates[0], target_temperature=18.0)
    assert house.services(zone.override) == []


async def test_nobody_there(house: House, climates: list[FakeClimate]) -> None:
    """What was moved goes back; what the building does by itself is left alone."""
    await house.say(PEOPLE, "on")
    zone = await opened(house, climates, occupancy=PEOPLE)
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=10)
    await house.by_hand(climates[2], target_temperature=28.0)
    await house.by_user(zone.override, "turn_off")
    house.forget_calls()
    await house.by_hand(climates[2], hvac_mode=HVACMode.OFF)
    await house.say(PEOPLE, "off")
    await zone.say("setpoint", 29)
    await house.pass_time(minutes=20)
    assert are(climates)[:2] == [22, 22]
    await house.by_hand(climates[0], target_temperature=28.0)
    await zone.say("setpoint", 20)
    await house.pass_time(hours=2)
    assert are(climates)[:2] == [28, 22]
    assert house.state(zone.override) == "off"


async def test_ahead_of_people_by_the_lead(house: House, climates: list[FakeClimate]) -> None:
    start = dt_util.now() + timedelta(hours=6)
    told = start.strftime("%Y-%m-%d %H:%M:%S")
    await house.say(PEOPLE, "off", start_time=told)
    zone = await opened(house, climates, occupancy=PEOPLE, lead=3)
    await zone.say("setpoint", 20)
    await house.until(start - timedelta(hours=3, minutes=2))
    assert are(climates) == [22, 22, 22]
    await house.until(start - timedelta(hours=2, minutes=40))
    assert are(climates) == [20, 20, 20]


async def test_occupancy_that_is_not_known(house: House, climates: list[FakeClimate]) -> None:
    await house.say(PEOPLE, "on")
    zone = await opened(house, climates, occupancy=PEOPLE)
    await house.say(PEOPLE, "unavailable")
    await zone.say("setpoint", 20)
    await house.pass_time(hours=1)
    assert are(climates) == [22, 22, 22]
    await house.say(PEOPLE, "on")
    await house.pass_time(minutes=10)
    assert are(climates) == [20, 20, 20]


@pytest.mark.parametrize(
    ("sensor", "bad", "unsure", "good", "unit"),
    [(CO2, "1200", "970", "800", "ppm"), (HUMID, "70", "64", "50", "%")],
)
async def test_bad_air_cancels(  # two sensors
    house: House,
    climates: list[FakeClimate],
    sensor: str,
    bad: str,
    unsure: str,
    good: str,
    unit: str,
) -> None:
    await house.say(sensor, good, unit_of_measurement=unit)
    zone = await opened(house, climates, co2=[CO2], humidity=[HUMID])
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=10)
    assert are(climates) == [24] * 3
    await house.say(sensor, unsure)
    await house.pass_time(minutes=10)
    assert are(climates) == [24] * 3
    await house.say(sensor, bad)
    assert are(climates) == [22] * 3
    await house.say(sensor, unsure)
    await house.pass_time(minutes=30)
    assert are(climates) == [22] * 3
    await house.say(sensor, good)
    await house.pass_time(minutes=70)
    assert are(climates) == [24] * 3
    assert house.services(zone.override) == []


async def test_air_that_is_not_known(house: House, climates: list[FakeClimate]) -> None:
    await house.say(CO2, "unavailable")
    zone = await opened(house, climates, co2=[CO2])
    await zone.say("setpoint", 24)
    await house.pass_time(hours=1)
    assert are(climates) == [22, 22, 22]


async def test_a_complaint_ends_it_for_two_hours(house: House, climates: list[FakeClimate]) -> None:
    button = await house.add(FakeButton("too_warm"))
    zone = await opened(house, climates, complaint=[button.entity_id])
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=10)
    await house.by_user(button, "press")
    assert house.services(zone.override) == ["turn_on"]
    assert are(climates) == [22, 22, 22]
    assert "complaint" in house.told[0]
    await house.pass_time(minutes=118)
    assert are(climates) == [22, 22, 22]
    await house.pass_time(minutes=10)
    assert house.services(zone.override) == ["turn_on", "turn_off"]
    assert are(climates) == [24, 24, 24]


async def test_the_override_gives_back_what_was_limited(
    house: House, climates: list[FakeClimate]
) -> None:
    """Also where the plan asked for more than is allowed."""
    await house.say(PEOPLE, "on")
    zone = await opened(house, climates, occupancy=PEOPLE, relax=1)
    await zone.say("setpoint", 25)
    await house.pass_time(minutes=20)
    assert are(climates) == [23] * 3
    await house.by_user(zone.override, "turn_on")
    assert are(climates) == [22] * 3


async def test_an_override_of_the_user_is_not_ended_by_an_old_complaint(
    house: House, climates: list[FakeClimate]
) -> None:
    button = await house.add(FakeButton("too_warm"))
    zone = await opened(house, climates, complaint=[button.entity_id])
    await house.by_user(button, "press")
    await house.pass_time(minutes=30)
    await house.by_user(zone.override, "turn_off")
    await house.by_user(zone.override, "turn_on")
    house.forget_calls()
    await house.pass_time(hours=3)
    assert house.services(zone.override) == []


async def test_a_change_by_hand_begins_the_override(
    house: House, climates: list[FakeClimate]
) -> None:
    zone = await opened(house, climates)
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=20)
    await house.by_hand(climates[1], target_temperature=19.0)
    assert house.services(zone.override) == ["turn_on"]
    # The others are given back; the one that was set stays as it is.
    assert are(climates) == [22, 19, 22]
    await zone.say("setpoint", 20)
    await house.pass_time(hours=1)
    assert are(climates) == [22, 19, 22]
    await house.by_user(zone.override, "turn_off")
    await house.pass_time(minutes=10)
    assert are(climates) == [20, 20, 20]


@pytest.mark.parametrize("lost", ["setpoint", "override"])
@pytest.mark.parametrize(("choice", "after"), [("leave", 24), ("normal", 22)])
async def test_without_a_plan(
    house: House, climates: list[FakeClimate], lost: str, choice: str, after: float
) -> None:
    zone = await opened(house, climates, when_no_data=choice)
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=10)
    if lost == "override":
        await house.leave(zone.override)
    else:
        await zone.say("setpoint", "unavailable")
    await house.pass_time(minutes=9)
    assert are(climates) == [24, 24, 24]
    await house.pass_time(minutes=12)
    assert are(climates) == [after] * 3


async def test_nothing_is_set_in_a_unit_that_is_not_known(
    house: House, climates: list[FakeClimate]
) -> None:
    zone = await opened(house, climates, when_no_data="normal")
    await zone.say("setpoint", 24)
    await house.pass_time(minutes=10)
    house.forget(zone.id("setpoint"))
    await house.pass_time(hours=1)
    assert are(climates) == [24, 24, 24]


async def test_never_a_default_for_a_climate_that_is_away(
    house: House, climates: list[FakeClimate]
) -> None:
    zone = await opened(house, climates)
    await house.leave(climates[0])
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=10)
    assert house.calls(climates[0]) == []
    await house.come_back(climates[0], target_temperature=21.0)
    await house.pass_time(minutes=10)
    assert are(climates) == [20, 20, 20]
    await house.leave(climates[1])
    await house.come_back(climates[1], target_temperature=None)
    await house.pass_time(minutes=10)
    assert house.values(climates[1], "temperature") == [20]
    assert house.services(zone.override) == []


async def test_restart_on_the_way(house: House, climates: list[FakeClimate]) -> None:
    zone = await opened(house, climates)
    await zone.say("setpoint", 20)
    await house.pass_time(seconds=30)
    assert are(climates) == [20, 22, 22]
    await house.restart()
    await house.pass_time(minutes=10)
    assert are(climates) == [20, 20, 20]
    assert [len(house.calls(climate)) for climate in climates] == [1, 1, 1]
    assert house.services(zone.override) == []


async def test_a_climate_that_does_not_obey(house: House, climates: list[FakeClimate]) -> None:
    climates[0].obeys = False
    zone = await opened(house, climates)
    await zone.say("setpoint", 20)
    await house.pass_time(hours=5)
    assert 5 <= len(house.calls(climates[0])) <= 12
    assert [len(house.calls(climate)) for climate in climates[1:]] == [1, 1]


async def test_one_that_fails_does_not_stop_the_others(
    house: House, climates: list[FakeClimate]
) -> None:
    house.expected_errors.append("did not answer")
    climates[0].fails = True
    zone = await opened(house, climates, stagger=0)
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=2)
    assert are(climates) == [22, 20, 20]


async def test_degrees_fahrenheit(house: House, climates: list[FakeClimate]) -> None:
    """The limits are of degrees Celsius; what is shown and set is of the user's unit."""
    await house.say(PEOPLE, "on")
    zone = await opened(house, climates[:1], occupancy=PEOPLE, minutes=1)
    await house.by_hand(climates[0], target_temperature=71.5, max_temp=95.0, min_temp=45.0)
    house.forget_calls()
    await zone.say("setpoint", 80, unit_of_measurement="°F")
    await house.by_user(zone.override, "turn_off")
    await house.pass_time(minutes=5)
    # 22 + 2 degrees Celsius are 75.2 degrees Fahrenheit.
    assert house.values(climates[0], "temperature")[-1] == 75.0


@pytest.mark.parametrize("midnight", ["2027-10-31 00:00", "2027-03-28 00:00"])
async def test_days_of_a_clock_change(
    house: House, climates: list[FakeClimate], midnight: str
) -> None:
    house.set_now(local(midnight))
    zone = await opened(house, climates)
    for hour in range(1, 6):
        await house.until(dt_util.as_utc(local(midnight)) + timedelta(hours=hour))
        await zone.say("setpoint", 20 if hour % 2 else 24)
    await house.pass_time(minutes=10)
    assert are(climates) == [20, 20, 20]
    assert [len(house.calls(climate)) for climate in climates] == [5, 5, 5]


@pytest.mark.parametrize("air", [900, 1500])
async def test_a_chattering_sensor_makes_no_flood_of_commands(
    house: House, climates: list[FakeClimate], air: int
) -> None:
    await house.say(CO2, 600)
    zone = await opened(house, climates, co2=[CO2])
    await zone.say("setpoint", 20)
    await house.pass_time(minutes=10)
    house.forget_calls()
    for climate in climates:
        climate.obeys = False
    if air < 1000:
        await zone.say("setpoint", 21)
    for turn in range(240):
        house.hass.states.async_set(CO2, str(air + turn % 2))
        await house.pass_time(seconds=0.5, step=0.5)
    assert all(len(house.calls(climate)) <= 3 for climate in climates)
    assert house.calls(climates[0])
