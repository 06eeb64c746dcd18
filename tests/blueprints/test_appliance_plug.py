"""An appliance behind a socket: its start is held back, its run never."""

from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
import pytest

from tests.blueprints.devices import FakeSwitch
from tests.blueprints.harness import TELL, FakeLoad, House, local

POWER = "sensor.power"


class Washer:
    """A washing machine that resumes after a loss of power, at a socket that is on."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.load: FakeLoad
        self.socket: FakeSwitch

    async def build(self, **inputs: Any) -> None:
        self.load = await self.house.load(
            "wash", run_now="off", deadline_at_risk="off", plan="nothing_to_do"
        )
        self.socket = await self.house.add(FakeSwitch("socket", is_on=True))
        await self.house.say(POWER, 1, unit_of_measurement="W")
        await self.house.automate(
            "appliance_plug",
            **{
                "run_now": self.load.id("run_now"),
                "override": self.load.id("override"),
                "ready": self.load.id("ready"),
                "plan": self.load.id("plan"),
                "deadline_at_risk": self.load.id("deadline_at_risk"),
                "device": self.socket.entity_id,
                "power": POWER,
                "resumes": True,
                "notify": TELL,
                **inputs,
            },
        )
        await self.house.pass_time(step=300, hours=3.1)
        self.house.forget_calls()

    async def begin(self) -> None:
        """Let somebody press its start."""
        await self.house.say(POWER, 200)

    async def held(self) -> None:
        """Let somebody press its start, and hold it back."""
        await self.begin()
        await self.house.pass_time(seconds=25, step=5)
        await self.house.say(POWER, 0)
        assert self.commands == ["turn_off"]

    @property
    def commands(self) -> list[str]:
        """Return the commands to the socket."""
        return self.house.services(self.socket)

    @property
    def is_ready(self) -> bool:
        """Return whether the load waits for its start."""
        return self.house.state(self.load.ready) == "on"


@pytest.fixture
async def washer(house: House) -> Washer:
    machine = Washer(house)
    await machine.build()
    return machine


async def test_a_start_is_held_back_within_a_minute(house: House, washer: Washer) -> None:
    await washer.begin()
    assert washer.is_ready
    await house.pass_time(seconds=55, step=5)
    assert washer.commands == ["turn_off"]
    assert (washer.socket.calls[0].moment - washer.load.ready.calls[0].moment) < timedelta(
        seconds=60
    )
    assert "Held back" in house.told[-1]
    assert house.state(washer.load.override) == "off"


async def test_resumes_at_its_start_and_is_never_cut_again(house: House, washer: Washer) -> None:
    await washer.held()
    await house.pass_time(step=300, hours=2)
    await washer.load.say("run_now", "on")
    assert washer.commands == ["turn_off", "turn_on"]
    for watts in (2000, 3, 400, 0, 300):
        await house.say(POWER, watts)
        await house.pass_time(minutes=20)
    await house.by_hand(washer.load.ready, is_on=False)
    await washer.load.say("run_now", "off")
    for watts in (2, 300, 0, 900, 1):
        await house.say(POWER, watts)
        await house.pass_time(minutes=20)
    assert washer.commands == ["turn_off", "turn_on"]


async def test_the_next_start_is_held_back_again(house: House, washer: Washer) -> None:
    await washer.held()
    await house.pass_time(hours=1)
    await washer.load.say("run_now", "on")
    await house.say(POWER, 2000)
    await house.pass_time(step=300, hours=2)
    await house.say(POWER, 1)
    await house.by_hand(washer.load.ready, is_on=False)
    await washer.load.say("run_now", "off")
    await house.pass_time(step=300, hours=4)
    house.forget_calls()
    await washer.held()


async def test_without_the_users_word_nothing_is_cut(house: House) -> None:
    washer = Washer(house)
    await washer.build(resumes=False)
    await washer.begin()
    await house.pass_time(hours=1)
    assert washer.commands == []
    assert not washer.is_ready


async def test_a_plan_for_at_once_lets_it_run(house: House, washer: Washer) -> None:
    await washer.begin()
    await house.pass_time(seconds=5, step=5)
    await washer.load.say("run_now", "on")
    await house.pass_time(hours=1)
    assert washer.commands == []
    assert "Runs at once" in house.told[-1]


async def test_no_plan_lets_it_run(house: House, washer: Washer) -> None:
    await washer.begin()
    await house.pass_time(seconds=5, step=5)
    await washer.load.say("run_now", STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert washer.commands == []


@pytest.mark.parametrize("gone", ["run_now", "override", "ready", "socket"])
async def test_what_is_not_known_holds_nothing_back(
    house: House, washer: Washer, gone: str
) -> None:
    if gone == "run_now":
        await washer.load.say("run_now", STATE_UNAVAILABLE)
    else:
        await house.leave(washer.socket if gone == "socket" else getattr(washer.load, gone))
    await house.pass_time(step=300, hours=4)
    await washer.begin()
    await house.pass_time(minutes=5)
    assert washer.commands == []


async def test_a_power_that_comes_back_is_no_start(house: House, washer: Washer) -> None:
    await house.say(POWER, STATE_UNAVAILABLE)
    await house.pass_time(minutes=5)
    await house.say(POWER, 2000)
    await house.pass_time(minutes=5)
    assert washer.commands == []


async def test_a_run_is_not_cut_after_a_restart_in_the_middle(house: House, washer: Washer) -> None:
    await house.by_user(washer.load.override, "turn_on")
    await washer.begin()
    await house.pass_time(minutes=10)
    await house.restart()
    await house.by_hand(washer.load.override, is_on=False)
    for watts in (3, 2000, 3, 300):
        await house.pass_time(minutes=20)
        await house.say(POWER, watts)
    await house.pass_time(minutes=5)
    assert washer.commands == []
    assert not washer.is_ready


async def test_a_run_of_the_user_is_not_cut_when_the_override_ends(
    house: House, washer: Washer
) -> None:
    await house.by_user(washer.load.override, "turn_on")
    await washer.begin()
    await house.pass_time(step=300, hours=4)
    await house.by_hand(washer.load.override, is_on=False)
    for watts in (3, 2000, 3, 300):
        await house.pass_time(minutes=20)
        await house.say(POWER, watts)
    await house.pass_time(minutes=5)
    assert washer.commands == []


async def test_held_back_over_a_restart_it_resumes(house: House, washer: Washer) -> None:
    await washer.held()
    await house.restart(down=600)
    await house.pass_time(hours=1)
    assert washer.commands == ["turn_off"]
    await washer.load.say("run_now", "on")
    assert washer.commands == ["turn_off", "turn_on"]


async def test_home_assistant_down_at_the_start_resumes_when_it_is_back(
    house: House, washer: Washer
) -> None:
    await washer.held()
    await house.restart(
        down=7200, meanwhile=lambda: house.will_say(washer.load.id("run_now"), "on")
    )
    assert washer.commands == ["turn_off", "turn_on"]


async def test_a_socket_switched_on_by_hand_while_it_waits_is_the_users(
    house: House, washer: Washer
) -> None:
    await washer.held()
    await house.pass_time(minutes=30)
    await house.by_hand(washer.socket, is_on=True)
    await house.say(POWER, 2000)
    assert house.state(washer.load.override) == "on"
    await house.pass_time(hours=1)
    assert washer.commands == ["turn_off"]


async def test_an_appliance_that_does_not_resume_is_told_once(house: House, washer: Washer) -> None:
    await washer.held()
    await house.pass_time(hours=1)
    await washer.load.say("run_now", "on")
    await house.pass_time(hours=1)
    assert sum("has resumed" in message for message in house.told) == 1
    assert washer.commands == ["turn_off", "turn_on"]


async def test_an_appliance_that_resumes_is_not_told(house: House, washer: Washer) -> None:
    await washer.held()
    await house.pass_time(hours=1)
    await washer.load.say("run_now", "on")
    await house.pass_time(seconds=20, step=5)
    await house.say(POWER, 1800)
    await house.pass_time(minutes=40)
    await house.say(POWER, 2)
    await house.pass_time(hours=1)
    assert not any("has resumed" in message for message in house.told)


async def test_the_deadline_wins(house: House, washer: Washer) -> None:
    await washer.held()
    await house.pass_time(hours=1)
    await washer.load.say("deadline_at_risk", "on")
    assert washer.commands == ["turn_off", "turn_on"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
async def test_the_days_on_which_the_clock_changes(house: House, day: str) -> None:
    house.set_now(local(f"{day} 00:10") - timedelta(hours=3))
    washer = Washer(house)
    await washer.build()
    await washer.held()
    await house.pass_time(step=300, hours=3)
    await washer.load.say("run_now", "on")
    assert washer.commands == ["turn_off", "turn_on"]


async def test_a_power_in_kilowatts(house: House, washer: Washer) -> None:
    await house.say(POWER, 0.002, unit_of_measurement="kW")
    await house.say(POWER, 0.2)
    await house.pass_time(seconds=55, step=5)
    assert washer.commands == ["turn_off"]


async def test_a_small_power_in_milliwatts_is_no_start(house: House, washer: Washer) -> None:
    await house.say(POWER, 5, unit_of_measurement="mW")
    await house.say(POWER, 900)
    await house.pass_time(seconds=55, step=5)
    assert washer.commands == []
    assert not washer.is_ready
