"""Lamps are dimmed at carbon peaks, and get their own brightness back."""

from datetime import timedelta
from typing import Any

from homeassistant.helpers import entity_registry as er, label_registry as lr
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.loads.light_memory import async_register_lights
from tests.blueprints.devices import FakeLight
from tests.blueprints.harness import TELL, FakeLoad, House, local

LUX = "sensor.desk"


@pytest.fixture
async def lamps(house: House) -> list[FakeLight]:
    """Return a lamp at full light, one at half, and one that is off."""
    async_register_lights(house.hass)
    return [
        await house.add(FakeLight("full", is_on=True, brightness=255)),
        await house.add(FakeLight("half", is_on=True, brightness=128)),
        await house.add(FakeLight("off")),
    ]


async def opened(house: House, lamps: list[FakeLight], **inputs: Any) -> FakeLoad:
    """Return a lighting zone whose automation has had its first quarter of an hour."""
    zone = await house.load("office", brightness="100")
    await house.automate(
        "light_dim",
        **{
            "brightness": zone.id("brightness"),
            "override": zone.id("override"),
            "plan": zone.id("plan"),
            "lights": {"entity_id": [lamp.entity_id for lamp in lamps]},
            "blind_dim": 50,
            "notify": TELL,
            **inputs,
        },
    )
    await house.pass_time(minutes=15)
    return zone


def levels(lamps: list[FakeLight]) -> list[int | None]:
    return [lamp.brightness if lamp.is_on else None for lamp in lamps]


async def test_dims_what_is_on_and_restores_each(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    await zone.say("plan", "moved", explanation="A peak until 19:00.", saved_carbon=31.2)
    await zone.say("brightness", "80")
    assert levels(lamps) == [204, 102, None]
    assert house.values(lamps[0], "transition") == [60]
    assert "2 lamps dimmed to 80 %" in house.logged[0]
    assert "A peak until 19:00." in house.logged[0]
    assert "31 g" in house.logged[0]
    await house.pass_time(hours=1)
    await zone.say("brightness", "100")
    await house.pass_time(hours=1)
    assert levels(lamps) == [255, 128, None]
    assert [len(house.calls(lamp)) for lamp in lamps] == [2, 2, 0]


async def test_a_lamp_that_comes_on_at_the_peak(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.by_hand(lamps[2], is_on=True, brightness=200)
    await house.pass_time(minutes=6)
    assert levels(lamps)[2] == 160
    await zone.say("brightness", "100")
    assert levels(lamps)[2] == 200


async def test_not_below_the_floor(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps, least_share=60)
    await zone.say("brightness", "20")
    assert levels(lamps) == [153, 77, None]


async def test_a_manual_change_releases_that_lamp_alone(
    house: House, lamps: list[FakeLight]
) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=3)
    await house.by_hand(lamps[0], brightness=240)
    await house.pass_time(minutes=30)
    await zone.say("brightness", "70")
    assert levels(lamps) == [240, 90, None]
    await zone.say("brightness", "100")
    assert levels(lamps) == [240, 128, None]
    await house.pass_time(minutes=30)
    await zone.say("brightness", "80")
    assert levels(lamps) == [192, 102, None]


async def test_one_that_is_off_gets_it_back_when_it_is_on(
    house: House, lamps: list[FakeLight]
) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=3)
    await house.by_hand(lamps[0], is_on=False)
    await zone.say("brightness", "100")
    await house.pass_time(hours=8)
    assert levels(lamps) == [None, 128, None]
    await house.by_hand(lamps[0], is_on=True)
    await house.pass_time(minutes=6)
    assert levels(lamps) == [255, 128, None]


async def test_a_restart_at_the_peak(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=20)
    # The memory is made anew, as it is by a new process.
    async_register_lights(house.hass)
    await house.restart()
    await house.pass_time(minutes=20)
    assert levels(lamps) == [204, 102, None]
    assert [len(house.calls(lamp)) for lamp in lamps] == [1, 1, 0]
    async_register_lights(house.hass)
    house._states[zone.id("brightness")] = ("100", {})
    await house.restart()
    await house.pass_time(minutes=20)
    assert levels(lamps) == [255, 128, None]


@pytest.mark.parametrize(
    ("lux", "after"),
    [("900", 204), ("626", 204), ("620", 255), ("480", 255), ("unavailable", 230), ("", 230)],
)
async def test_illuminance_limits_it(
    house: House, lamps: list[FakeLight], lux: str, after: int
) -> None:
    if lux:
        await house.say(LUX, lux, unit_of_measurement="lx")
    zone = await opened(house, lamps, blind_dim=10, lux=LUX if lux else [])
    await zone.say("brightness", "80")
    await house.pass_time(minutes=10)
    assert lamps[0].brightness == after


async def test_its_own_dimming_does_not_make_it_flap(house: House, lamps: list[FakeLight]) -> None:
    await house.say(LUX, "650", unit_of_measurement="lx")
    zone = await opened(house, lamps, lux=LUX)
    await zone.say("brightness", "80")
    assert lamps[0].brightness == 204
    # The lamps gave all of the light.
    await house.say(LUX, "520")
    await house.pass_time(minutes=30)
    assert lamps[0].brightness == 204
    # Clouds.
    await house.say(LUX, "480")
    assert lamps[0].brightness == 255
    await house.say(LUX, "600")
    await house.pass_time(minutes=30)
    assert len(house.calls(lamps[0])) == 2


@pytest.mark.parametrize(("sun", "after"), [("above_horizon", 204), ("below_horizon", 255)])
async def test_only_by_daylight(house: House, lamps: list[FakeLight], sun: str, after: int) -> None:
    await house.say("sun.sun", sun)
    zone = await opened(house, lamps, only_daylight=True)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=10)
    assert lamps[0].brightness == after


async def test_never_a_lamp_with_the_label(house: House, lamps: list[FakeLight]) -> None:
    label = lr.async_get(house.hass).async_create("Emergency")
    er.async_get(house.hass).async_update_entity("light.full", labels={label.label_id})
    zone = await opened(house, lamps, except_labels=[label.label_id])
    await zone.say("brightness", "80")
    assert levels(lamps) == [255, 102, None]


@pytest.mark.parametrize("lost", ["brightness", "override"])
@pytest.mark.parametrize(("choice", "after"), [("leave", 204), ("restore", 255)])
async def test_without_a_plan(
    house: House, lamps: list[FakeLight], lost: str, choice: str, after: int
) -> None:
    zone = await opened(house, lamps, when_no_data=choice)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=5)
    if lost == "override":
        await house.leave(zone.override)
    else:
        await zone.say("brightness", "unavailable")
    await house.pass_time(minutes=8)
    assert lamps[0].brightness == 204
    await house.pass_time(minutes=8)
    assert lamps[0].brightness == after


async def test_the_override_gives_the_light_back(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.pass_time(minutes=5)
    await house.by_user(zone.override, "turn_on")
    assert levels(lamps) == [255, 128, None]
    await zone.say("brightness", "70")
    await house.pass_time(hours=1)
    assert levels(lamps) == [255, 128, None]
    await house.by_user(zone.override, "turn_off")
    assert levels(lamps) == [178, 90, None]


async def test_a_lamp_without_power(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    await house.leave(lamps[0])
    await zone.say("brightness", "80")
    assert levels(lamps[1:]) == [102, None]
    await house.come_back(lamps[0])
    await house.pass_time(minutes=6)
    assert lamps[0].brightness == 204
    await house.power_cut(lamps[0], is_on=False)
    await zone.say("brightness", "100")
    await house.pass_time(minutes=6)
    assert lamps[0].is_on is False


async def test_lamps_that_fail_are_told(house: House, lamps: list[FakeLight]) -> None:
    zone = await opened(house, lamps)
    lamps[0].fails = True
    await zone.say("brightness", "80")
    await house.pass_time(hours=1)
    assert len(house.calls(lamps[0])) == 1
    assert lamps[1].brightness == 102
    assert house.told == ["These lamps could not be dimmed: light.full."]


@pytest.mark.parametrize("midnight", ["2027-10-31 00:00", "2027-03-28 00:00"])
async def test_days_of_a_clock_change(house: House, lamps: list[FakeLight], midnight: str) -> None:
    house.set_now(local(midnight))
    zone = await opened(house, lamps)
    for hour in range(1, 5):
        await house.until(dt_util.as_utc(local(midnight)) + timedelta(hours=hour))
        await zone.say("brightness", "80" if hour % 2 else "100")
    assert levels(lamps) == [255, 128, None]
    assert [len(house.calls(lamp)) for lamp in lamps] == [4, 4, 0]


async def test_a_chattering_sensor_makes_no_flood_of_commands(
    house: House, lamps: list[FakeLight]
) -> None:
    await house.say(LUX, 900)
    zone = await opened(house, lamps, lux=LUX)
    for lamp in lamps:
        lamp.obeys = False
    await zone.say("brightness", "80")
    for turn in range(240):
        house.hass.states.async_set(LUX, str(900 + turn % 2))
        await house.pass_time(seconds=0.5, step=0.5)
    assert 1 <= len(house.calls(lamps[0])) <= 2


async def test_run_by_hand_it_does_nothing_where_nothing_is_to_be_done(
    house: House, lamps: list[FakeLight]
) -> None:
    zone = await opened(house, lamps)
    await zone.say("brightness", "80")
    await house.by_user(zone.override, "turn_on")
    await house.pass_time(minutes=2)
    await zone.say("brightness", "unknown")
    await house.by_user(zone.override, "turn_off")
    target = {"entity_id": "automation.a1"}
    house.forget_calls()
    await house.hass.services.async_call("automation", "trigger", target, blocking=True)
    await house.settle()
    assert house.calls(lamps[0]) == []
