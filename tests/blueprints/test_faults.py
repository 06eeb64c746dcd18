"""Faults at the worst moment, on each device of a blueprint that follows a plan."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
import pytest

from tests.blueprints.harness import House
from tests.blueprints.rigs import RIGS, Rig

every = pytest.mark.parametrize("kind", RIGS, ids=lambda kind: kind.blueprint)

OFTEN: Final[Mapping[str, tuple[str, str]]] = {
    "ev_charger_switch": ("level", "sensor.often"),
    "ev_charger_current": ("house", "sensor.often"),
    "water_heater": ("temperature", "sensor.often"),
    "appliance_plug": ("power", "sensor.often"),
    "heat_pump_setpoint": ("temperature", "sensor.often"),
    "battery_mode": ("level", "sensor.often"),
    "pool_pump": ("temperature", "sensor.often"),
}
"""The input of each blueprint whose sensor may speak a hundred times a second."""

UNITS: Final = {"house": "W", "power": "W", "level": "%", "temperature": "°C"}


async def built(kind: type[Rig], home: House, **inputs: Any) -> Rig:
    rig = kind(home)
    await rig.build(**inputs)
    assert not rig.is_active()
    return rig


@every
async def test_a_chattering_sensor_makes_no_flood_of_commands(
    house: House, kind: type[Rig]
) -> None:
    key, sensor = OFTEN[kind.blueprint]
    base = {"house": 500, "power": 1, "level": 60, "temperature": 21}[key]
    if kind.blueprint == "water_heater":
        base = 50
    await house.say(sensor, base, unit_of_measurement=UNITS[key])
    rig = await built(kind, house, **{key: [sensor] if key == "house" else sensor})
    rig.device.obeys = False
    await rig.say_plan(active=True)
    for turn in range(240):
        house.hass.states.async_set(
            sensor, f"{base + turn % 2 / 10}", {"unit_of_measurement": UNITS[key]}
        )
        await house.pass_time(seconds=0.5, step=0.5)
    assert 1 <= len(rig.commands) <= 2


@every
async def test_run_by_hand_it_does_nothing_where_nothing_is_to_be_done(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    logged = len(house.logged)
    await house.hass.services.async_call(
        "automation", "trigger", {"entity_id": "automation.a1"}, blocking=True
    )
    await house.settle()
    assert rig.commands == []
    assert house.logged[logged:] == []
    assert house.told == []


@every
async def test_entities_that_come_a_minute_after_the_start(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house, **({"when_no_data": "run"} if kind.has_deadline else {}))
    source = rig.load.id(rig.source)
    state = house.hass.states.get(source)
    assert state is not None
    rig.device.leave()

    def meanwhile() -> None:
        house.will_say(source, STATE_UNKNOWN)

    await house.restart(meanwhile=meanwhile)
    await house.pass_time(seconds=60, step=5)
    await house.come_back(rig.device)
    assert rig.commands == []
    await house.say(source, state.state, **state.attributes)
    await house.pass_time(minutes=20)
    assert rig.commands == []
    await rig.say_plan(active=True)
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_the_device_is_lost_as_the_plan_changes_and_back_in_the_other_state(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    rig.device.leave()
    await rig.say_plan(active=True)
    await house.pass_time(seconds=90, step=10)
    if not rig.stops:
        return
    await house.come_back(rig.device, **rig.shape(active=True))
    await house.pass_time(minutes=40)
    assert rig.commands == []
    rig.device.leave()
    await rig.say_plan(active=False)
    await house.pass_time(seconds=90, step=10)
    await house.come_back(rig.device)
    await house.pass_time(minutes=40)
    assert not rig.is_active()
    assert not rig.is_overridden


@pytest.mark.parametrize(
    ("kind", "gone"),
    [(kind, gone) for kind in RIGS for gone in kind.gone],
    ids=lambda one: one if isinstance(one, str) else one.blueprint,
)
async def test_the_plan_is_lost_just_after_it_said_start(
    house: House, kind: type[Rig], gone: str
) -> None:
    rig = await built(kind, house)
    rig.device.is_late = True
    await rig.say_plan(active=True)
    asked = list(rig.commands)
    await house.say(rig.load.id(rig.source), gone)
    await house.pass_time(seconds=30, step=10)
    rig.device.report()
    await house.pass_time(step=300, hours=2)
    assert rig.commands == asked
    assert not rig.is_overridden


@every
async def test_a_device_that_is_asked_once_a_minute(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    rig.device.is_late = True
    for active in (True, False) if rig.stops else (True,):
        await rig.say_plan(active=active)
        await house.pass_time(seconds=62, step=2)
        rig.device.report()
        await house.pass_time(minutes=40)
        assert rig.is_active() is active
    assert not rig.is_overridden
    assert len(rig.commands) <= 3


@every
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", ""])
async def test_a_plan_that_is_no_number(house: House, kind: type[Rig], value: str) -> None:
    rig = await built(kind, house)
    await house.say(rig.load.id(rig.source), value)
    await house.pass_time(step=300, hours=1)
    assert rig.commands == []


@every
async def test_switched_off_and_on_in_the_middle_of_a_run(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    house.forget_calls()
    target = {"entity_id": "automation.a1"}
    await house.hass.services.async_call("automation", "turn_off", target, blocking=True)
    await house.pass_time(minutes=20)
    await house.hass.services.async_call("automation", "turn_on", target, blocking=True)
    await house.pass_time(minutes=20)
    assert rig.commands == []
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_two_of_them_for_one_device_do_not_take_each_other_for_a_hand(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    twin = dict(house.automations[0]["use_blueprint"]["input"])
    await house.automate(kind.blueprint, **twin)
    await house.pass_time(minutes=40)
    house.forget_calls()
    for active in (True, False) if rig.stops else (True,):
        await rig.say_plan(active=active)
        await house.pass_time(minutes=40)
        assert rig.is_active() is active
    assert not rig.is_overridden
    assert len(rig.commands) <= 4


@every
async def test_the_override_is_on_over_a_restart(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    await rig.by_user(active=False)
    assert rig.is_overridden
    house.forget_calls()
    await house.restart()
    await house.pass_time(step=300, hours=1)
    assert rig.commands == []
    await house.by_user(rig.load.override, "turn_off")
    await house.pass_time(minutes=40)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_a_plan_without_attributes_and_one_that_is_removed(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    house.forget(rig.load.id("plan"))
    await house.say(rig.load.id("plan"), STATE_UNKNOWN)
    await rig.say_plan(active=True)
    assert rig.is_active()
    house.forget(rig.load.id("plan"))
    house.forget(rig.load.id(rig.source))
    house.forget_calls()
    await house.pass_time(step=300, hours=1)
    assert rig.commands == []


@every
async def test_another_automation_counts_as_a_hand(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    house.forget_calls()
    user, house.user_id = house.user_id, None  # type: ignore[assignment]
    await rig.by_user(active=False)
    house.user_id = user
    await house.pass_time(hours=1)
    assert rig.is_overridden
    assert rig.commands == []


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RIGS if kind.stops and kind.has_deadline],
    ids=lambda kind: kind.blueprint,
)
@pytest.mark.parametrize("active", [True, False])
async def test_what_a_user_does_while_there_is_no_plan_stays_when_it_is_back(
    house: House, kind: type[Rig], active: bool
) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=not active)
    await house.pass_time(minutes=40)
    house.forget_calls()
    await house.say(rig.load.id(rig.source), STATE_UNAVAILABLE)
    await house.pass_time(minutes=2)
    await rig.by_user(active=active)
    assert rig.is_overridden
    await rig.say_plan(active=not active)
    await house.pass_time(minutes=40)
    assert rig.is_active() is active
    assert rig.commands == []


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RIGS if kind.stops and kind.has_deadline],
    ids=lambda kind: kind.blueprint,
)
async def test_an_answer_after_three_minutes_is_no_hand(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    rig.device.is_late = True
    await rig.say_plan(active=True)
    await house.pass_time(seconds=100, step=10)
    await rig.say_plan(active=False)
    await house.pass_time(seconds=80, step=10)
    rig.device.report()
    await house.settle()
    assert not rig.is_overridden
    rig.device.is_late = False
    await house.pass_time(minutes=40)
    assert not rig.is_active()
    assert not rig.is_overridden
