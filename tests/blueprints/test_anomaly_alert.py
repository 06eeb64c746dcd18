"""An anomaly is told once, when it has lasted, and taken back when it is over."""

from datetime import timedelta
from typing import Any

from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.harness import TELL, House, local
from tests.blueprints.phones import Phone, phone_of

DOUBTFUL, OTHER = "binary_sensor.main_doubtful", "binary_sensor.solar_doubtful"
HOLIDAY = "input_boolean.holiday"


@pytest.fixture(autouse=True)
async def notifications(house: House) -> None:
    assert await async_setup_component(house.hass, "persistent_notification", {})


async def opened(house: House, **inputs: Any) -> None:
    for sensor in (DOUBTFUL, OTHER):
        await house.say(sensor, "off", reasons=[])
    await house.automate(
        "anomaly_alert", **{"sensors": [DOUBTFUL, OTHER], "notify": TELL, **inputs}
    )
    await house.pass_time(minutes=30)
    assert house.told == []


async def wrong(house: House, sensor: str = DOUBTFUL, *reasons: str) -> None:
    await house.pass_time(seconds=1)
    await house.say(sensor, "on", reasons=list(reasons or ("frozen",)))


async def right(house: House, sensor: str = DOUBTFUL) -> None:
    await house.pass_time(seconds=1)
    await house.say(sensor, "off", reasons=[])


def shown(hass: HomeAssistant) -> list[str]:
    """Return the notifications of Home Assistant."""
    return [each["message"] for each in _async_get_or_create_notifications(hass).values()]


async def test_told_once_when_it_has_lasted(house: House) -> None:
    await opened(house)
    await wrong(house)
    await house.pass_time(minutes=14)
    assert house.told == []
    await house.pass_time(minutes=6)
    assert house.told == ["binary_sensor.main_doubtful: frozen"]
    await house.pass_time(hours=6, step=300)
    assert len(house.told) == 1
    assert shown(house.hass) == house.told
    await right(house)
    assert house.told[1:] == ["binary_sensor.main_doubtful: all is well again"]
    assert shown(house.hass) == []


async def test_what_passes_is_not_told(house: House) -> None:
    await opened(house)
    await wrong(house)
    await house.pass_time(minutes=10)
    await right(house)
    await house.pass_time(hours=1)
    assert house.told == []


async def test_two_are_told_each(house: House) -> None:
    await opened(house, least_time=0)
    await wrong(house)
    await wrong(house, OTHER, "jump", "power_factor")
    await right(house)
    assert house.told == [
        "binary_sensor.main_doubtful: frozen",
        "binary_sensor.solar_doubtful: jump",
        "binary_sensor.main_doubtful: all is well again",
    ]
    assert shown(house.hass) == ["binary_sensor.solar_doubtful: jump"]


@pytest.mark.parametrize(
    ("sensitivity", "told"),
    [
        ("high", ["clock_jump", "spike", "frozen"]),
        ("normal", ["spike", "frozen"]),
        ("low", ["frozen"]),
    ],
)
async def test_sensitivity(house: House, sensitivity: str, told: list[str]) -> None:
    await opened(house, least_time=0, sensitivity=sensitivity)
    for reason in ("clock_jump", "spike", "frozen"):
        await wrong(house, DOUBTFUL, reason)
        await house.pass_time(minutes=6)
        await right(house)
    alerts = [message for message in house.told if "well" not in message]
    assert alerts == [f"{DOUBTFUL}: {reason.replace('_', ' ')}" for reason in told]


async def test_silent_on_holidays_and_told_afterwards(house: House) -> None:
    await house.say(HOLIDAY, "on")
    await opened(house, quiet_while=[HOLIDAY])
    await wrong(house)
    await wrong(house, OTHER)
    await house.pass_time(hours=2)
    await right(house, OTHER)
    assert house.told == []
    await house.pass_time(seconds=1)
    await house.say(HOLIDAY, "off")
    assert house.told == ["binary_sensor.main_doubtful: frozen"]
    await house.pass_time(hours=2)
    assert len(house.told) == 1


async def test_the_snooze_of_the_phone(house: House) -> None:
    phone = phone_of(house.hass, "Pixel 8")
    started: list[ServiceCall] = []

    async def start(call: ServiceCall) -> None:
        started.append(call)
        house.hass.states.async_set("timer.snooze", "active")

    house.hass.services.async_register("timer", "start", start)
    await house.say("timer.snooze", "idle")
    await opened(house, phones=[phone.id], snooze="timer.snooze", snooze_hours=48)
    await wrong(house)
    await house.pass_time(minutes=30)
    (sent,) = phone.sent
    assert sent["data"]["actions"][0]["action"] == "CARBON_METER_SNOOZE"
    await phone.tap("CARBON_METER_SNOOZE")
    assert started[0].data["duration"] == {"hours": 48}
    await wrong(house, OTHER)
    await house.pass_time(hours=1)
    assert len(phone.sent) == 1
    await house.say("timer.snooze", "idle")
    assert {each["data"]["tag"] for each in phone.sent[1:]} == {
        "carbon_meter_binary_sensor_main_doubtful",
        "carbon_meter_binary_sensor_solar_doubtful",
    }
    await right(house)
    assert phone.sent[-1]["message"] == "clear_notification"
    assert phone.sent[-1]["data"]["tag"] == "carbon_meter_binary_sensor_main_doubtful"


@pytest.mark.parametrize("lost", ["unavailable", "unknown"])
async def test_a_sensor_that_is_away_is_neither_wrong_nor_right(house: House, lost: str) -> None:
    await opened(house)
    await wrong(house)
    await house.pass_time(minutes=20)
    await house.say(DOUBTFUL, lost)
    await house.pass_time(hours=1)
    assert len(house.told) == 1
    assert len(shown(house.hass)) == 1
    await right(house)
    assert shown(house.hass) == []


async def test_a_restart(house: House) -> None:
    """What is still wrong is told again; what is right meanwhile is taken back from the phone."""
    phone: Phone = phone_of(house.hass, "Pixel 8")
    await opened(house, phones=[phone.id])
    await wrong(house)
    await wrong(house, OTHER)
    await house.pass_time(minutes=20)
    house._states[OTHER] = ("off", {"reasons": []})
    await house.restart()
    assert [each["message"] for each in phone.sent[2:]] == ["clear_notification"]
    assert phone.sent[-1]["data"]["tag"].endswith("solar_doubtful")
    await house.pass_time(minutes=20)
    assert len(house.told) == 3
    assert "main" in house.told[-1]


@pytest.mark.parametrize("moment", ["2027-10-31 02:30", "2027-03-28 01:30"])
async def test_over_a_clock_change(house: House, moment: str) -> None:
    house.set_now(dt_util.as_utc(local(moment)) - timedelta(minutes=30))
    await opened(house, least_time=60)
    await wrong(house)
    await house.pass_time(minutes=58)
    assert house.told == []
    await house.pass_time(minutes=7)
    assert len(house.told) == 1


async def test_a_phone_that_is_gone_hinders_nothing_else(house: House) -> None:
    house.expected_errors += ["not found"]
    phone = phone_of(house.hass, "Pixel 8")
    house.hass.services.async_remove("notify", "mobile_app_pixel_8")
    await opened(house, phones=[phone.id])
    await wrong(house)
    await wrong(house, OTHER, "spike")
    await house.pass_time(minutes=20)
    assert house.told == [
        "binary_sensor.main_doubtful: frozen",
        "binary_sensor.solar_doubtful: spike",
    ]
    assert len(house.logged) == 2
    await right(house)
    assert house.told[2:] == ["binary_sensor.main_doubtful: all is well again"]
    assert shown(house.hass) == ["binary_sensor.solar_doubtful: spike"]
