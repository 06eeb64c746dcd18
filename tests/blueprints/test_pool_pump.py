"""The pool pump follows its plan, and runs in frost whatever the plan says."""

from datetime import timedelta

from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.devices import FakeSwitch
from tests.blueprints.harness import TELL, FakeLoad, House, local

FROST = "sensor.outside"


@pytest.fixture
async def pump(house: House) -> FakeSwitch:
    return await house.add(FakeSwitch("pump"))


async def opened(house: House, pump: FakeSwitch, run_now: str = "off", **inputs) -> FakeLoad:
    """Return the load of a pump with an automation that has had its first hour."""
    load = await house.load("pool", run_now=run_now, deadline_at_risk="off")
    await house.automate(
        "pool_pump",
        **{
            "run_now": load.id("run_now"),
            "override": load.id("override"),
            "deadline_at_risk": load.id("deadline_at_risk"),
            "plan": load.id("plan"),
            "device": pump.entity_id,
            "notify": TELL,
            **inputs,
        },
    )
    await house.pass_time(hours=1)
    return load


async def test_follows_the_plan_and_says_why(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump)
    assert house.services(pump) == []
    await load.say("plan", "moved", explanation="Moved 2 h to 02:15.", saved_carbon=412.4)
    await load.say("run_now", "on")
    await house.pass_time(hours=1)
    await load.say("run_now", "off")
    await house.pass_time(minutes=5)
    assert house.services(pump) == ["turn_on", "turn_off"]
    assert "Moved 2 h to 02:15." in house.logged[0]
    assert "412 g" in house.logged[0]
    assert house.told == []


async def test_runs_and_rests_for_a_least_time(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump)
    await load.say("run_now", "on")
    await load.say("run_now", "off")
    await house.pass_time(minutes=29)
    assert house.services(pump) == ["turn_on"]
    await house.pass_time(minutes=6)
    assert house.services(pump) == ["turn_on", "turn_off"]
    await load.say("run_now", "on")
    await house.pass_time(minutes=9)
    assert house.services(pump) == ["turn_on", "turn_off"]
    await house.pass_time(minutes=11)
    assert house.services(pump) == ["turn_on", "turn_off", "turn_on"]


async def test_the_deadline_guard_beats_the_least_rest(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump)
    await load.say("run_now", "on")
    await house.pass_time(hours=1)
    await load.say("run_now", "off")
    await load.say("deadline_at_risk", "on")
    assert house.services(pump) == ["turn_on", "turn_off", "turn_on"]
    await house.pass_time(hours=2)
    assert house.state(pump) == "on"


@pytest.mark.parametrize("reading", [("-2", "°C"), ("26", "°F")])
async def test_frost_runs_it_always(
    house: House, pump: FakeSwitch, reading: tuple[str, str]
) -> None:
    await house.say(FROST, "8", unit_of_measurement="°C")
    load = await opened(house, pump, temperature=FROST)
    state, unit = reading
    await house.say(FROST, state, unit_of_measurement=unit)
    assert house.services(pump) == ["turn_on"]
    assert "freezes" in house.logged[0]
    # Neither the plan nor its loss ends that.
    await load.say("run_now", "on")
    await load.say("run_now", "off")
    await load.say("run_now", "unavailable")
    await house.pass_time(hours=2)
    assert house.services(pump) == ["turn_on"]


async def test_it_goes_on_until_it_is_a_degree_warmer(house: House, pump: FakeSwitch) -> None:
    await house.say(FROST, "2", unit_of_measurement="°C")
    await opened(house, pump, temperature=FROST)
    await house.say(FROST, "3.5", unit_of_measurement="°C")
    await house.pass_time(hours=1)
    assert house.services(pump) == ["turn_on"]
    await house.say(FROST, "4.1", unit_of_measurement="°C")
    assert house.services(pump) == ["turn_on", "turn_off"]


@pytest.mark.parametrize("frost_wins", [True, False])
async def test_frost_and_a_pump_switched_off_by_hand(
    house: House, pump: FakeSwitch, frost_wins: bool
) -> None:
    await house.say(FROST, "-5", unit_of_measurement="°C")
    load = await opened(house, pump, temperature=FROST, frost_wins=frost_wins)
    house.forget_calls()
    await house.by_user(pump, "turn_off")
    assert house.state(load.override) == "on"
    await house.pass_time(minutes=12)
    assert house.services(pump) == []
    await house.pass_time(minutes=10)
    assert house.services(pump) == (["turn_on"] if frost_wins else [])


@pytest.mark.parametrize("lost", ["unavailable", "unknown", "nonsense"])
async def test_without_a_thermometer_it_is_not_switched_off(
    house: House, pump: FakeSwitch, lost: str
) -> None:
    await house.say(FROST, "8", unit_of_measurement="°C")
    load = await opened(house, pump, run_now="on", temperature=FROST)
    await house.say(FROST, lost)
    await load.say("run_now", "off")
    await house.pass_time(hours=1)
    assert house.services(pump) == ["turn_on"]
    assert len(house.told) == 1
    assert "frost" in house.told[0]
    await house.say(FROST, "8", unit_of_measurement="°C")
    assert house.services(pump) == ["turn_on", "turn_off"]


@pytest.mark.parametrize(
    ("choice", "before", "after"),
    [
        ("leave", False, []),
        ("leave", True, []),
        ("run", False, ["turn_on"]),
        ("off", True, ["turn_off"]),
    ],
)
@pytest.mark.parametrize("lost", ["run_now", "override"])
async def test_without_a_plan(
    house: House, pump: FakeSwitch, lost: str, choice: str, before: bool, after: list[str]
) -> None:
    load = await opened(house, pump, run_now="on" if before else "off", when_no_data=choice)
    house.forget_calls()
    if lost == "override":
        await house.leave(load.override)
    else:
        await load.say("run_now", "unavailable")
    await house.pass_time(minutes=9)
    assert house.services(pump) == []
    await house.pass_time(minutes=7)
    assert house.services(pump) == after


async def test_a_change_by_hand_begins_the_override(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump)
    await house.by_hand(pump, is_on=True)
    assert house.services(load.override) == ["turn_on"]
    await load.say("run_now", "on")
    await load.say("run_now", "off")
    await house.pass_time(hours=2)
    assert house.services(pump) == []
    assert len(house.told) == 1
    await house.by_user(load.override, "turn_off")
    assert house.services(pump) == ["turn_off"]


async def test_restart_mid_run(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump, run_now="on")
    await house.restart()
    await house.pass_time(minutes=40)
    assert house.services(pump) == ["turn_on"]
    house.hass.states.async_remove(load.id("run_now"))
    house._states[load.id("run_now")] = ("off", {})
    await house.restart()
    await house.pass_time(minutes=40)
    assert house.services(pump) == ["turn_on", "turn_off"]
    assert house.services(load.override) == []


async def test_comes_back_from_a_power_cut(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump, run_now="on")
    await house.power_cut(pump, is_on=False)
    await house.pass_time(minutes=20)
    assert house.services(pump) == ["turn_on", "turn_on"]
    assert house.services(load.override) == []


async def test_a_pump_that_does_not_obey(house: House, pump: FakeSwitch) -> None:
    load = await opened(house, pump)
    pump.obeys = False
    await load.say("run_now", "on")
    await house.pass_time(hours=6)
    assert 4 < len(house.calls(pump)) < 12
    assert len(house.told) == 1


@pytest.mark.parametrize("midnight", ["2027-10-31 00:00", "2027-03-28 00:00"])
async def test_days_of_a_clock_change(house: House, pump: FakeSwitch, midnight: str) -> None:
    house.set_now(local(midnight))
    load = await opened(house, pump)
    start = dt_util.as_utc(local(midnight))
    for hour in range(1, 6):
        await house.until(start + timedelta(hours=hour))
        await load.say("run_now", "on" if hour % 2 else "off")
    await house.pass_time(minutes=30)
    assert house.services(pump) == ["turn_on", "turn_off", "turn_on", "turn_off", "turn_on"]
