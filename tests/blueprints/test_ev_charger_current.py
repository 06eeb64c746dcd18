"""A charger whose current is set: the fuse, the pace and the pauses."""

from itertools import pairwise
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
import pytest

from tests.blueprints.devices import FakeNumber
from tests.blueprints.harness import House
from tests.blueprints.rigs import EvCurrent

HOME = "sensor.home"


async def charging(house: House, /, *, target: float = 16, **inputs: Any) -> EvCurrent:
    """Return a charger of one phase at a fuse of 25 A that charges with the planned current."""
    rig = EvCurrent(house)
    await rig.build(**inputs)
    await rig.load.say("target_current", target)
    await rig.say_plan(active=True)
    assert rig.is_active()
    await house.pass_time(minutes=10)
    house.forget_calls()
    return rig


def values(rig: EvCurrent) -> list[float]:
    return rig.house.values(rig.current, "value")


async def at_home(house: House, watts: object) -> None:
    await house.say(HOME, watts)


async def test_the_current_is_set_before_charging_starts(house: House) -> None:
    rig = EvCurrent(house)
    await rig.build()
    await rig.load.say("target_current", 13.7)
    await rig.say_plan(active=True)
    assert values(rig) == [13]
    assert rig.commands == ["turn_on"]
    assert rig.current.calls[0].moment <= rig.device.calls[0].moment


async def test_follows_the_planned_current(house: House) -> None:
    rig = await charging(house)
    await rig.load.say("target_current", 8)
    assert values(rig) == [8]
    assert rig.commands == []


async def test_never_above_its_greatest_current(house: House) -> None:
    rig = await charging(house, target=32, most_current=13)
    assert float(rig.house.state(rig.current)) == 13


async def test_is_lowered_to_what_the_fuse_leaves(house: House) -> None:
    rig = await charging(house)
    # 28 A in all, 16 of them the car's: 13 are left for it.
    await at_home(house, 28 * 230)
    assert values(rig) == [13]


async def test_is_raised_again_when_the_fuse_has_room(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 28 * 230)
    await house.pass_time(minutes=1)
    await at_home(house, 15 * 230)
    await house.pass_time(minutes=2)
    assert values(rig) == [13, 16]


async def test_a_reading_from_before_the_last_change_does_not_count(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 28 * 230)
    await house.pass_time(minutes=4)
    assert values(rig) == [13]


async def test_a_reading_from_before_the_last_change_is_no_reason_to_pause(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 35 * 230)
    assert values(rig) == [6]
    await house.pass_time(minutes=4)
    assert rig.commands == []


async def test_a_current_that_does_not_obey_is_set_less_and_less_often(house: House) -> None:
    rig = await charging(house)
    rig.current.obeys = False
    await rig.load.say("target_current", 8)
    await house.pass_time(hours=1)
    assert 3 <= len(values(rig)) <= 11


async def test_the_worst_phase_counts(house: House) -> None:
    for phase, amperes in enumerate((5, 27.2, 9), start=1):
        await house.say(f"sensor.l{phase}", amperes, unit_of_measurement="A")
    rig = await charging(
        house, house=["sensor.l1", "sensor.l2", "sensor.l3"], home_phases=3, fuse=63
    )
    await house.say("sensor.l2", 67.2)
    assert values(rig) == [11]


async def test_one_sensor_for_three_phases(house: House) -> None:
    rig = await charging(house, home_phases=3)
    await at_home(house, 3 * 30 * 230)
    assert values(rig) == [11]


async def test_kilowatts_are_no_watts(house: House) -> None:
    rig = await charging(house)
    await house.say(HOME, 6.44, unit_of_measurement="kW")
    assert values(rig) == [13]


async def test_no_faster_than_every_half_minute(house: House) -> None:
    rig = await charging(house)
    for amperes in range(26, 38):
        await at_home(house, amperes * 230)
        await house.pass_time(seconds=5, step=5)
    assert len(values(rig)) == 2
    moments = [call.moment for call in rig.current.calls]
    assert all((after - before).total_seconds() >= 30 for before, after in pairwise(moments))


@pytest.mark.parametrize("gone", [STATE_UNAVAILABLE, "unknown", "nan", "garbage"])
async def test_a_power_that_is_not_known_means_the_safe_current(house: House, gone: str) -> None:
    rig = await charging(house, safe_current=7)
    await at_home(house, gone)
    assert values(rig) == [7]
    await house.pass_time(hours=1)
    assert values(rig) == [7]
    assert rig.is_active()
    await at_home(house, 4000)
    await house.pass_time(minutes=2)
    assert values(rig) == [7, 14]


async def test_a_unit_that_is_not_known_means_the_safe_current(house: House) -> None:
    rig = await charging(house)
    await house.say(HOME, 500, unit_of_measurement="BTU/h")
    await house.pass_time(minutes=1)
    assert values(rig) == [6]


async def test_pauses_after_two_minutes_below_the_least_current(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 40 * 230)
    assert values(rig) == [6]
    await house.pass_time(seconds=10, step=10)
    await at_home(house, 30 * 230)
    await house.pass_time(seconds=80, step=20)
    assert rig.commands == []
    await house.pass_time(seconds=120, step=30)
    assert rig.commands == ["turn_off"]
    assert "6 A" in house.told[-1]


async def test_a_dip_of_a_minute_is_no_pause(house: House) -> None:
    rig = await charging(house, target=6)
    await at_home(house, 30 * 230)
    await house.pass_time(minutes=1)
    await at_home(house, 10 * 230)
    await house.pass_time(hours=1)
    assert rig.commands == []


async def test_goes_on_after_a_pause_when_there_is_room(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 40 * 230)
    await house.pass_time(seconds=10, step=10)
    await at_home(house, 30 * 230)
    await house.pass_time(minutes=5)
    await at_home(house, 24 * 230)
    await house.pass_time(minutes=20)
    assert rig.commands == ["turn_off"]
    await at_home(house, 13 * 230)
    await house.pass_time(minutes=2)
    assert rig.commands == ["turn_off", "turn_on"]
    assert float(rig.house.state(rig.current)) == 12


async def test_a_pause_for_the_fuse_survives_a_restart(house: House) -> None:
    rig = await charging(house)
    await at_home(house, 40 * 230)
    assert values(rig) == [6]
    await house.restart(down=60)
    await house.pass_time(minutes=8)
    assert rig.commands == ["turn_off"]


async def test_pauses_where_the_current_does_not_obey(house: House) -> None:
    rig = await charging(house)
    rig.current.obeys = False
    await at_home(house, 40 * 230)
    await house.pass_time(minutes=5)
    assert rig.commands == ["turn_off"]


async def test_a_current_set_by_hand_starts_the_override(house: House) -> None:
    rig = await charging(house)
    await house.by_hand(rig.current, native_value=9)
    assert rig.is_overridden
    await house.pass_time(hours=1)
    assert values(rig) == []


async def test_a_current_set_by_a_user_starts_the_override_within_seconds(house: House) -> None:
    rig = await charging(house)
    await rig.load.say("target_current", 12)
    await house.pass_time(seconds=5, step=5)
    await house.by_user(rig.current, "set_value", value=9)
    assert rig.is_overridden
    await house.pass_time(hours=1)
    assert values(rig) == [12]


async def test_a_planned_current_that_is_lost_leaves_the_current(house: House) -> None:
    rig = await charging(house)
    await rig.load.say("target_current", STATE_UNAVAILABLE)
    await house.pass_time(hours=1)
    assert values(rig) == []
    await at_home(house, 28 * 230)
    assert values(rig) == [13]


async def test_a_current_that_is_lost_is_not_written(house: House) -> None:
    rig = await charging(house)
    await house.leave(rig.current)
    await rig.load.say("target_current", 8)
    await house.pass_time(minutes=30)
    assert values(rig) == []
    await rig.say_plan(active=False)
    assert rig.commands == ["turn_off"]


async def test_at_risk_without_a_planned_current_it_charges_with_all(house: House) -> None:
    rig = EvCurrent(house)
    await rig.build()
    await rig.load.say("target_current", 0)
    await rig.load.say("deadline_at_risk", "on")
    assert values(rig) == [16]
    assert rig.commands == ["turn_on"]


async def test_a_number_of_a_helper_is_set_too(house: House) -> None:
    rig = EvCurrent(house)
    number = await house.add(FakeNumber("other", native_value=6, native_max_value=10))
    await rig.build(current=number.entity_id)
    await rig.load.say("target_current", 16)
    await rig.say_plan(active=True)
    assert house.values(number, "value") == [10]


@pytest.mark.parametrize(("taken", "unit"), [(0, "A"), (2000, "mA")])
async def test_a_car_that_takes_less_than_it_may_gets_no_more_than_fits(
    house: House, taken: float, unit: str
) -> None:
    await house.say("sensor.car", taken, unit_of_measurement=unit)
    rig = await charging(house, taken="sensor.car", target=8)
    await rig.load.say("target_current", 16)
    amperes = taken / (1000 if unit == "mA" else 1)
    # What the home takes without the car leaves 10 A.
    await at_home(house, 230 * (15 + amperes))
    await house.pass_time(minutes=10)
    assert float(house.state(rig.current)) == 10
    assert rig.commands == []


async def test_a_current_of_the_car_that_is_lost_is_all_that_it_may_take(house: House) -> None:
    await house.say("sensor.car", 16, unit_of_measurement="A")
    rig = await charging(house, taken="sensor.car")
    await house.say("sensor.car", STATE_UNAVAILABLE)
    await at_home(house, 230 * 28)
    await house.pass_time(minutes=1)
    assert float(house.state(rig.current)) == 13
    assert rig.commands == []


async def test_the_planned_current_in_milliamperes(house: House) -> None:
    rig = await charging(house)
    await rig.load.say("target_current", 8000, unit_of_measurement="mA")
    assert values(rig) == [8]


@pytest.mark.parametrize("period", [60, 90, 120])
async def test_a_charger_that_is_asked_now_and_then_in_a_home_that_changes_all_the_time(
    house: House, period: int
) -> None:
    rig = await charging(house)
    rig.current.is_late = True
    rig.device.is_late = True
    rest = [2000, 4500, 3000, 1000, 3900, 2500, 4200]
    for turn in range(180):
        amperes = rig.current.native_value or 0
        await at_home(house, rest[turn // 3 % len(rest)] + 230 * amperes)
        await house.pass_time(seconds=10, step=10)
        if turn * 10 % period == 0:
            rig.current.report()
            rig.device.report()
            await house.settle()
    assert not rig.is_overridden
    assert len(values(rig)) <= 65
