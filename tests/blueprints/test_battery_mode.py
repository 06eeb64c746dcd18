"""Batteries: modes, powers, the reserve, storms and several inverters."""

from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.devices import FakeNumber, FakeSelect
from tests.blueprints.harness import TELL, House
from tests.blueprints.rigs import MODES, Battery

LEVEL = "sensor.level"
STORM = "input_boolean.storm"
TODAY = "sensor.discharged_today"


async def opened(house: House, **inputs: Any) -> Battery:
    rig = Battery(house)
    await rig.build(**inputs)
    return rig


async def planned(rig: Battery, watts: object) -> None:
    await rig.load.say("target_power", watts)


async def plan_runs(rig: Battery, *runs: tuple[float, float], saved: float = 500.0) -> None:
    """Say runs of an hour each: in how many hours, with how many W."""
    now = dt_util.now()
    rows = [
        {
            "start": (now + timedelta(hours=hours)).isoformat(),
            "end": (now + timedelta(hours=hours + 1)).isoformat(),
            "power": watts,
            "energy": watts / 1000,
        }
        for hours, watts in runs
    ]
    await rig.load.say("plan", "cleaner", explanation="", runs=rows, saved_carbon=saved)


def mode(rig: Battery) -> str:
    return rig.house.state(rig.device)


@pytest.mark.parametrize(
    ("watts", "found"), [(3000, "charge"), (-3000, "discharge"), (0, "hold"), (20, "hold")]
)
async def test_follows_the_plan(house: House, watts: float, found: str) -> None:
    rig = await opened(house)
    await planned(rig, watts)
    assert mode(rig) == found


async def test_holds_before_a_peak(house: House) -> None:
    rig = await opened(house)
    await plan_runs(rig, (-2, 3000), (3, -3000))
    await planned(rig, 0)
    await house.pass_time(minutes=10)
    assert mode(rig) == "hold"


async def test_leaves_the_rest_to_self_consumption(house: House) -> None:
    rig = await opened(house)
    await plan_runs(rig, (-2, -3000), (3, 3000))
    await planned(rig, 0)
    await house.pass_time(minutes=10)
    assert mode(rig) == "self_consumption"


@pytest.mark.parametrize("level", [20, 12])
async def test_at_the_reserve_it_holds(house: House, level: float) -> None:
    rig = await opened(house)
    await planned(rig, -3000)
    await house.pass_time(minutes=10)
    await house.say(LEVEL, level)
    assert mode(rig) == "hold"


@pytest.mark.parametrize("gone", [STATE_UNAVAILABLE, "unknown", "garbage"])
async def test_without_a_level_it_is_self_consumption(house: House, gone: str) -> None:
    rig = await opened(house)
    await planned(rig, -3000)
    await house.pass_time(minutes=10)
    await house.say(LEVEL, gone)
    await house.pass_time(seconds=30, step=30)
    assert mode(rig) == "discharge"
    await house.pass_time(minutes=6)
    assert mode(rig) == "self_consumption"
    assert "not known" in house.logged[-1]
    await house.say(LEVEL, 60)
    await house.pass_time(minutes=6)
    assert mode(rig) == "discharge"


async def test_a_storm_fills_it_and_keeps_it(house: House) -> None:
    await house.say(STORM, "off")
    rig = await opened(house, storm=STORM)
    await planned(rig, -3000)
    await house.pass_time(minutes=1)
    await house.say(STORM, "on")
    await house.pass_time(minutes=1)
    assert mode(rig) == "charge"
    await house.say(LEVEL, 90)
    await house.pass_time(minutes=6)
    assert mode(rig) == "hold"
    await house.pass_time(hours=1)
    assert mode(rig) == "hold"
    await house.say(STORM, "off")
    await house.pass_time(minutes=6)
    assert mode(rig) == "discharge"


async def test_a_storm_also_counts_without_a_plan(house: House) -> None:
    await house.say(STORM, "off")
    rig = await opened(house, storm=STORM)
    await planned(rig, STATE_UNAVAILABLE)
    await house.say(STORM, "on")
    assert mode(rig) == "charge"


async def test_a_plan_that_gains_too_little_is_not_followed(house: House) -> None:
    rig = await opened(house, least_gain=50)
    await plan_runs(rig, (-1, 3000), (2, -3000), saved=120)
    await planned(rig, 3000)
    assert mode(rig) == "self_consumption"
    await plan_runs(rig, (-1, 3000), (2, -3000), saved=180)
    await house.pass_time(minutes=10)
    assert mode(rig) == "charge"


@pytest.mark.parametrize(("unit", "value"), [("kWh", 20), ("Wh", 20000), ("MWh", 0.02)])
async def test_no_more_cycles_than_allowed(house: House, unit: str, value: float) -> None:
    await house.say(TODAY, 0, unit_of_measurement=unit)
    rig = await opened(house, discharged=TODAY, capacity=10, most_cycles=2)
    await planned(rig, -3000)
    assert mode(rig) == "discharge"
    await house.pass_time(minutes=10)
    await house.say(TODAY, value)
    await house.pass_time(minutes=6)
    assert mode(rig) == "self_consumption"
    await planned(rig, 3000)
    await house.pass_time(minutes=6)
    assert mode(rig) == "charge"


@pytest.mark.parametrize(("choice", "found"), [("self", "self_consumption"), ("hold", "hold")])
async def test_without_a_plan_it_does_what_it_is_told(
    house: House, choice: str, found: str
) -> None:
    rig = await opened(house, when_no_data=choice)
    await planned(rig, 3000)
    await house.pass_time(minutes=10)
    await planned(rig, STATE_UNAVAILABLE)
    await house.pass_time(minutes=8)
    assert mode(rig) == "charge"
    await house.pass_time(minutes=10)
    assert mode(rig) == found


async def test_a_battery_that_does_best_by_itself_is_left_to_itself(house: House) -> None:
    """The target is unknown while Carbon Meter is there: the last mode must not stay on."""
    rig = await opened(house)
    await planned(rig, 3000)
    await house.pass_time(minutes=10)
    assert mode(rig) == "charge"
    await planned(rig, "unknown")
    await house.pass_time(seconds=30, step=30)
    assert mode(rig) == "charge"
    await house.pass_time(minutes=6)
    assert mode(rig) == "self_consumption"
    assert "by itself" in house.logged[-1]


async def test_a_mode_that_the_inverter_does_not_know_is_not_written(house: House) -> None:
    rig = await opened(house, mode_charge="Force charge")
    await planned(rig, 3000)
    await house.pass_time(hours=1)
    assert rig.commands == []


async def test_a_mode_is_kept_for_a_while(house: House) -> None:
    rig = await opened(house)
    await planned(rig, 3000)
    await house.pass_time(minutes=1)
    await planned(rig, -3000)
    assert mode(rig) == "charge"
    await house.pass_time(minutes=10)
    assert mode(rig) == "discharge"


async def two(house: House, **inputs: Any) -> tuple[Battery, FakeSelect]:
    """Return two inverters."""
    other = await house.add(FakeSelect("other", options=MODES, current_option="hold"))
    rig = Battery(house)
    await rig.build(device=["select.device", "select.other"], **inputs)
    return rig, other


async def test_two_inverters_go_together(house: House) -> None:
    rig, other = await two(house)
    await planned(rig, 3000)
    assert (mode(rig), house.state(other)) == ("charge", "charge")


async def test_two_inverters_never_work_against_each_other(house: House) -> None:
    rig, other = await two(house)
    await planned(rig, 3000)
    await house.pass_time(minutes=10)
    house.forget_calls()
    seen: list[set[str]] = []
    house.hass.bus.async_listen(
        "state_changed", lambda _: seen.append({mode(rig), house.state(other)})
    )
    await planned(rig, -3000)
    assert (mode(rig), house.state(other)) == ("discharge", "discharge")
    assert all(not {"charge", "discharge"} <= modes for modes in seen)
    assert house.values(other, "option") == ["self_consumption", "discharge"]


async def test_an_inverter_that_keeps_charging_stops_the_discharge(house: House) -> None:
    rig, other = await two(house)
    await planned(rig, 3000)
    await house.pass_time(minutes=10)
    other.obeys = False
    await planned(rig, -3000)
    assert house.state(other) == "charge"
    assert mode(rig) == "self_consumption"
    assert "select.other" in house.told[-1]
    other.obeys = True
    await house.pass_time(minutes=20)
    assert (mode(rig), house.state(other)) == ("discharge", "discharge")


async def test_an_inverter_that_is_not_known_stops_the_discharge(house: House) -> None:
    rig, other = await two(house)
    await house.leave(other)
    await planned(rig, -3000)
    await house.pass_time(minutes=20)
    assert mode(rig) == "hold"
    await house.come_back(other)
    await house.pass_time(minutes=20)
    assert (mode(rig), house.state(other)) == ("discharge", "discharge")


async def test_opposite_modes_by_hand_are_told(house: House) -> None:
    rig, other = await two(house)
    await planned(rig, 3000)
    await house.pass_time(minutes=10)
    await house.by_user(other, "select_option", option="discharge")
    assert rig.is_overridden
    assert "opposite" in house.told[-1]
    await house.pass_time(hours=1)
    assert house.state(other) == "discharge"


async def test_the_power_is_divided(house: House) -> None:
    first = await house.add(FakeNumber("first", native_max_value=5000))
    second = await house.add(FakeNumber("second", native_max_value=1000))
    rig = await opened(house, power=["number.first", "number.second"])
    await planned(rig, -3000)
    await house.pass_time(minutes=1)
    assert house.values(first, "value") == [1500]
    assert house.values(second, "value") == [1000]
    assert mode(rig) == "discharge"
    assert not rig.is_overridden
    await planned(rig, 0)
    await house.pass_time(minutes=10)
    assert mode(rig) == "hold"
    assert house.values(first, "value") == [1500]


async def test_a_battery_with_a_number_alone(house: House) -> None:
    number = await house.add(FakeNumber("watts", native_min_value=-5000, native_max_value=5000))
    load = await house.load("it", target_power=0)
    await house.say(LEVEL, 60)
    await house.automate(
        "battery_mode",
        target_power=load.id("target_power"),
        override=load.id("override"),
        level=LEVEL,
        power=["number.watts"],
        signed=True,
        notify=TELL,
    )
    await house.pass_time(minutes=10)
    for watts in (2500, -2500, 0):
        await load.say("target_power", watts)
        await house.pass_time(minutes=10)
    assert house.values(number, "value") == [2500, -2500, 0]
    await house.by_hand(number, native_value=1000)
    assert house.state(load.override) == "on"


async def test_a_plan_in_kilowatts(house: House) -> None:
    rig = await opened(house)
    await rig.load.say("target_power", 3, unit_of_measurement="kW")
    assert mode(rig) == "charge"


async def test_a_number_in_kilowatts(house: House) -> None:
    number = await house.add(
        FakeNumber("kilowatts", native_max_value=5, native_unit_of_measurement="kW")
    )
    rig = await opened(house, power=[number.entity_id])
    await planned(rig, 1500)
    assert house.values(number, "value") == [1.5]
    await house.pass_time(step=300, hours=1)
    assert house.values(number, "value") == [1.5]
