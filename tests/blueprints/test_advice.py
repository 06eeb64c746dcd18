"""One message a day for each appliance that would better run later, with buttons that expire."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.loads.plan_response import plan_told
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.explain import Speaker
from custom_components.carbon_meter.planning.objective import Goal, Objective
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window
from tests.blueprints.harness import FakeLoad, House, local
from tests.blueprints.phones import Phone, phone_of

HOUR = 3600.0


class Planner:
    """The action `carbon_meter.plan` on a signal that tests set: clean after some hours."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Offer the action."""
        self.calls: list[ServiceCall] = []
        self.clean_after = 9
        self.clean = 100.0
        self.fails = False
        hass.services.async_register(
            "carbon_meter", "plan", self.plan, supports_response=SupportsResponse.OPTIONAL
        )

    async def plan(self, call: ServiceCall) -> Any:
        """Plan a run with the real planner, and tell it as the real action does."""
        self.calls.append(call)
        if self.fails:
            raise HomeAssistantError("no forecast")
        now = dt_util.utcnow().timestamp()
        values = [500.0] * self.clean_after + [self.clean] * (48 - self.clean_after)
        signal = Signal.of(Slots.of(now, now + len(values) * HOUR, HOUR), values)
        latest = datetime.fromisoformat(call.data["latest"]).timestamp()
        profile = Profile.flat(call.data["power"], call.data["duration"]["minutes"] * 60.0)
        plan = plan_block(
            signal, Objective(goal=Goal.CARBON), profile, Window(start=now, end=latest)
        )
        return {"plans": [{"site": "Home", "plan": plan_told(plan, Speaker())}]}


@pytest.fixture
def planner(house: House) -> Planner:
    return Planner(house.hass)


@pytest.fixture
def phone(house: House) -> Phone:
    return phone_of(house.hass, "Pixel 8")


async def opened(house: House, *phones: Phone, **inputs: Any) -> list[FakeLoad]:
    """Return a dishwasher and a washer about which people are asked at five."""
    loads = [await house.load("dishes"), await house.load("laundry")]
    await house.automate(
        "advice",
        **{
            "phones": [each.id for each in phones],
            "appliances": [
                {
                    "ready": load.id("ready"),
                    "start_now": load.id("start_now"),
                    "power": 1000,
                    "minutes": minutes,
                }
                for load, minutes in zip(loads, (60, 120), strict=True)
            ],
            **inputs,
        },
    )
    return loads


def button(message: dict[str, Any], title: str) -> str:
    """Return what a button of a message sends."""
    (found,) = [each["action"] for each in message["data"]["actions"] if each["title"] == title]
    return found


async def test_one_message_a_day_for_each(house: House, planner: Planner, phone: Phone) -> None:
    await opened(house, phone)
    await house.until(local("2026-11-11 16:59"), step=600)
    assert phone.sent == []
    await house.until(local("2026-11-11 17:01"))
    assert [message["title"] for message in phone.sent] == ["dishes_ready", "laundry_ready"]
    assert phone.sent[0]["message"] == "Start at 02:00 instead of now and avoid 400 g."
    assert phone.sent[1]["message"] == "Start at 02:00 instead of now and avoid 800 g."
    assert len({message["data"]["tag"] for message in phone.sent}) == 2
    assert [action["title"] for action in phone.sent[0]["data"]["actions"]] == [
        "Start now",
        "Plan it",
        "Not today",
    ]
    assert phone.sent[0]["data"]["timeout"] == 9 * 3600
    await house.until(local("2026-11-12 16:50"), step=600)
    assert len(phone.sent) == 2
    await house.until(local("2026-11-12 17:01"))
    assert len(phone.sent) == 4


async def test_everybody_is_asked(house: House, planner: Planner, phone: Phone) -> None:
    other = phone_of(house.hass, "Old phone")
    await opened(house, phone, other)
    await house.until(local("2026-11-11 17:01"), step=600)
    assert len(phone.sent) == len(other.sent) == 2


async def test_start_now(house: House, planner: Planner, phone: Phone) -> None:
    dishes, laundry = await opened(house, phone)
    await house.until(local("2026-11-11 17:30"), step=600)
    await phone.tap(button(phone.sent[0], "Start now"))
    assert house.services(dishes.start_now) == ["press"]
    assert house.services(laundry.start_now) == []
    assert "Started now" in house.logged[-1]


async def test_plan_it(house: House, planner: Planner, phone: Phone) -> None:
    dishes, laundry = await opened(house, phone)
    await house.until(local("2026-11-11 17:30"), step=600)
    await phone.tap(button(phone.sent[1], "Plan it"))
    assert house.services(laundry.ready) == ["turn_on"]
    assert house.services(dishes.ready) == []


async def test_not_today(house: House, planner: Planner, phone: Phone) -> None:
    loads = await opened(house, phone)
    await house.until(local("2026-11-11 17:30"), step=600)
    await phone.tap(button(phone.sent[0], "Not today"))
    await house.restart()
    await house.until(local("2026-11-12 16:50"), step=600)
    assert len(phone.sent) == 2
    assert all(
        house.calls(device) == [] for load in loads for device in (load.ready, load.start_now)
    )
    await house.until(local("2026-11-12 17:01"), step=60)
    assert len(phone.sent) == 4


@pytest.mark.parametrize("title", ["Start now", "Plan it"])
async def test_a_button_whose_time_has_passed(
    house: House, planner: Planner, phone: Phone, title: str
) -> None:
    loads = await opened(house, phone)
    await house.until(local("2026-11-12 02:01"), step=600)
    await phone.tap(button(phone.sent[0], title))
    assert "out of date" in phone.sent[-1]["message"]
    assert phone.sent[-1]["data"]["tag"] == phone.sent[0]["data"]["tag"]
    assert all(
        house.calls(device) == [] for load in loads for device in (load.ready, load.start_now)
    )


@pytest.mark.parametrize("title", ["Start now", "Plan it"])
async def test_a_button_of_a_load_that_is_away(
    house: House, planner: Planner, phone: Phone, title: str
) -> None:
    dishes, _ = await opened(house, phone)
    await house.until(local("2026-11-11 17:30"), step=600)
    await house.leave(dishes.ready)
    await house.leave(dishes.start_now)
    await phone.tap(button(phone.sent[0], title))
    assert "out of date" in phone.sent[-1]["message"]


@pytest.mark.parametrize(
    "action",
    [
        "CARBON_METER|start|switch.front_door|9999999999",
        "CARBON_METER|start|switch.dishes_ready|soon",
        "CARBON_METER|start",
        "OPEN_DOOR",
        "",
    ],
)
async def test_buttons_of_others(house: House, planner: Planner, phone: Phone, action: str) -> None:
    loads = await opened(house, phone)
    await phone.tap(action)
    house.hass.bus.async_fire("mobile_app_notification_action", {})
    await house.settle()
    assert all(
        house.calls(device) == [] for load in loads for device in (load.ready, load.start_now)
    )


async def test_nothing_that_is_not_worth_it(house: House, planner: Planner, phone: Phone) -> None:
    await opened(house, phone, least_saving=500)
    await house.until(local("2026-11-11 17:01"), step=600)
    assert [message["title"] for message in phone.sent] == ["laundry_ready"]
    planner.clean = 499.0
    await house.until(local("2026-11-12 17:01"), step=600)
    assert len(phone.sent) == 1


async def test_nothing_about_what_is_planned_or_away(
    house: House, planner: Planner, phone: Phone
) -> None:
    dishes, laundry = await opened(house, phone)
    await house.by_hand(dishes.ready, is_on=True)
    await house.leave(laundry.ready)
    await house.until(local("2026-11-11 17:01"), step=600)
    assert phone.sent == []
    assert planner.calls == []


async def test_one_that_cannot_be_planned(house: House, planner: Planner, phone: Phone) -> None:
    """It takes nothing from the one before it."""
    house.expected_errors.append("no forecast")
    await opened(house, phone)
    planner.fails = True
    await house.until(local("2026-11-11 17:01"), step=600)
    assert phone.sent == []


async def test_until_when_a_run_may_wait(house: House, planner: Planner, phone: Phone) -> None:
    await opened(house, phone, within=9)
    await house.until(local("2026-11-11 17:01"), step=600)
    # Nothing of the first, and half of the second, would be in the clean hours.
    assert phone.sent == []


@pytest.mark.parametrize(("at", "sent"), [("22:00:00", 0), ("21:00:00", 2)])
async def test_quiet_hours(
    house: House, planner: Planner, phone: Phone, at: str, sent: int
) -> None:
    await opened(house, phone, at=at, within=24)
    await house.until(local("2026-11-11 23:59"), step=600)
    assert len(phone.sent) == sent


async def test_down_at_its_time(house: House, planner: Planner, phone: Phone) -> None:
    await opened(house, phone)
    await house.until(local("2026-11-11 17:01"), step=600)
    await house.until(local("2026-11-12 16:50"), step=600)
    await house.restart(down=3600)
    assert len(phone.sent) == 4
    await house.restart()
    await house.pass_time(hours=1, step=600)
    assert len(phone.sent) == 4


async def test_a_new_automation_waits_for_its_time(
    house: House, planner: Planner, phone: Phone
) -> None:
    house.set_now(local("2026-11-11 18:00"))
    await opened(house, phone)
    await house.reload()
    assert phone.sent == []


@pytest.mark.parametrize("day", ["2027-10-31", "2027-03-28"])
async def test_days_of_a_clock_change(
    house: House, planner: Planner, phone: Phone, day: str
) -> None:
    house.set_now(local(f"{day} 00:00") - timedelta(hours=24))
    await opened(house, phone, at="02:30:00", quiet_from="00:00:00", quiet_to="00:00:00")
    await house.until(local(f"{day} 00:00"), step=600)
    assert len(phone.sent) == 2
    await house.until(local(f"{day} 12:00"), step=600)
    assert len(phone.sent) == 4
