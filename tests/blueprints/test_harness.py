"""The harness keeps its promises: what it says happened, happened in a real core."""

from datetime import timedelta

from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.devices import FakeSwitch
from tests.blueprints.harness import House
from tests.blueprints.rigs import EvSwitch

RUN_NOW = "binary_sensor.it_run_now"


async def test_a_restart_ends_runs_and_renews_every_state(house: House) -> None:
    rig = EvSwitch(house)
    await rig.build(turn_on=[{"delay": {"seconds": 50}}])
    await rig.say_plan(active=True)
    automation = house.hass.states.get("automation.a1")
    assert automation is not None
    assert automation.attributes["current"] == 1
    before = dt_util.utcnow()
    await house.restart(down=600, meanwhile=lambda: house.will_say(RUN_NOW, "off"))
    automation = house.hass.states.get("automation.a1")
    assert automation is not None
    assert automation.attributes["current"] == 0
    assert automation.attributes["last_triggered"] == before
    for entity_id in (RUN_NOW, rig.device.entity_id):
        state = house.hass.states.get(entity_id)
        assert state is not None
        assert state.last_changed == before + timedelta(minutes=10)
    assert house.state(RUN_NOW) == "off"


async def test_time_fires_what_is_scheduled(house: House) -> None:
    fired: list[object] = []
    before = dt_util.utcnow()
    async_call_later(house.hass, 1800, fired.append)
    await house.pass_time(minutes=29)
    assert fired == []
    await house.pass_time(minutes=31)
    assert len(fired) == 1
    assert dt_util.utcnow() == before + timedelta(hours=1)


async def test_calls_are_kept_with_whom_they_came_from(house: House) -> None:
    switch = await house.add(FakeSwitch("lamp"))
    await house.hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.lamp"}, blocking=True
    )
    assert house.services(switch) == ["turn_on"]
    assert house.state(switch) == "on"
    await house.by_user(switch, "turn_off")
    assert house.services(switch) == ["turn_on"]
    state = house.hass.states.get("switch.lamp")
    assert state is not None
    assert state.state == "off"
    assert state.context.user_id == house.user_id


async def test_a_power_cut_is_seen_and_passes(house: House) -> None:
    switch = await house.add(FakeSwitch("lamp", is_on=True))
    seen: list[str] = []
    house.hass.bus.async_listen(
        "state_changed", lambda event: seen.append(event.data["new_state"].state)
    )
    await house.power_cut(switch, down=60, is_on=False)
    assert seen == ["unavailable", "off"]


async def test_inputs_that_are_missing_are_found(house: House) -> None:
    house.expected_errors += ["Missing input"]
    with pytest.raises(AssertionError, match="was refused"):
        await house.automate("ev_charger_switch", device="switch.charger")
