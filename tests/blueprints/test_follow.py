"""What every blueprint that follows a plan does, on each of their devices."""

from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.harness import House, local
from tests.blueprints.rigs import EXPLANATION, RIGS, Plug, Rig

every = pytest.mark.parametrize("kind", RIGS, ids=lambda kind: kind.blueprint)
stopping = pytest.mark.parametrize(
    "kind", [kind for kind in RIGS if kind.stops], ids=lambda kind: kind.blueprint
)
with_deadline = pytest.mark.parametrize(
    "kind", [kind for kind in RIGS if kind.has_deadline], ids=lambda kind: kind.blueprint
)


async def built(kind: type[Rig], house: House, **inputs: Any) -> Rig:
    rig = kind(house)
    await rig.build(**inputs)
    assert not rig.is_active()
    return rig


@every
async def test_starts_once(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    assert rig.is_active()
    done = len(rig.commands)
    await house.pass_time(step=300, hours=3)
    assert len(rig.commands) == done


@stopping
async def test_stops_once(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    house.forget_calls()
    await rig.say_plan(active=False)
    assert not rig.is_active()
    assert len(rig.commands) == 1
    await house.pass_time(step=300, hours=3)
    assert len(rig.commands) == 1


async def test_a_socket_is_never_switched_off_after_a_run(house: House) -> None:
    rig = await built(Plug, house)
    await rig.say_plan(active=True)
    await house.by_hand(rig.load.ready, is_on=False)
    await house.pass_time(minutes=40)
    await rig.say_plan(active=False)
    await house.pass_time(step=300, hours=3)
    assert rig.commands == ["turn_on"]


@every
async def test_writes_why_and_what_it_saves_into_the_logbook(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    assert EXPLANATION in house.logged[-1]
    assert "avoids 412 g" in house.logged[-1]


@every
async def test_logs_without_a_plan_entity(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house, plan=[])
    await rig.say_plan(active=True)
    assert rig.is_active()
    assert house.logged
    assert "avoids" not in house.logged[-1]


@every
async def test_restart_in_the_middle_changes_nothing(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=20)
    house.forget_calls()
    await house.restart()
    await house.pass_time(hours=1)
    assert rig.commands == []
    assert rig.is_active()
    assert not rig.is_overridden


@stopping
async def test_stops_after_a_restart_in_the_middle(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.restart()
    await house.pass_time(minutes=40)
    house.forget_calls()
    await rig.say_plan(active=False)
    assert not rig.is_active()


@every
async def test_does_after_a_restart_what_was_missed(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    state = house.hass.states.get(rig.load.id(rig.source))
    assert state is not None

    def meanwhile() -> None:
        house.will_say(rig.load.id(rig.source), rig.active, **state.attributes)

    await house.restart(meanwhile=meanwhile)
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_does_again_what_was_lost_while_it_was_down(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    await house.restart(
        down=3600,
        meanwhile=lambda: rig.device._put(rig.shape(active=False)),
    )
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_reload_changes_nothing(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    house.forget_calls()
    await house.reload()
    await house.pass_time(minutes=20)
    assert rig.commands == []
    assert rig.is_active()


@pytest.mark.parametrize(
    ("kind", "gone"),
    [(kind, gone) for kind in RIGS for gone in kind.gone],
    ids=lambda one: one if isinstance(one, str) else one.blueprint,
)
@pytest.mark.parametrize("was_active", [True, False])
async def test_without_a_plan_it_is_left_alone(
    house: House, kind: type[Rig], gone: str, was_active: bool
) -> None:
    rig = await built(kind, house)
    if was_active:
        await rig.say_plan(active=True)
        await house.pass_time(minutes=40)
    house.forget_calls()
    await house.say(rig.load.id(rig.source), gone)
    await house.pass_time(step=300, hours=3)
    assert rig.commands == []
    assert rig.is_active() is was_active
    await rig.say_plan(active=True)
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_without_entities_it_is_left_alone(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    house.forget(rig.load.id(rig.source))
    await house.leave(rig.load.override)
    await house.pass_time(hours=1)
    assert rig.commands == []


@every
async def test_a_device_that_is_away_is_not_asked_until_it_is_back(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    await house.leave(rig.device)
    await rig.say_plan(active=True)
    await house.pass_time(minutes=30)
    assert rig.commands == []
    await house.come_back(rig.device)
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_a_power_cut_is_no_hand(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(hours=1)
    await house.power_cut(rig.device, down=600, **rig.shape(active=False))
    await house.pass_time(minutes=20)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_override_is_respected_and_then_the_plan(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await house.by_user(rig.load.override, "turn_on")
    await rig.say_plan(active=True)
    await house.pass_time(step=300, hours=2)
    assert rig.commands == []
    await house.by_user(rig.load.override, "turn_off")
    await house.pass_time(minutes=20)
    assert rig.is_active()


@every
async def test_nothing_is_done_while_the_override_is_not_known(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    await house.leave(rig.load.override)
    await rig.say_plan(active=True)
    await house.pass_time(step=300, hours=2)
    assert rig.commands == []
    await house.come_back(rig.load.override)
    await house.pass_time(minutes=20)
    assert rig.is_active()


@every
async def test_a_hand_at_the_device_starts_the_override(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(hours=1)
    house.forget_calls()
    await rig.by_hand(active=False)
    assert rig.is_overridden
    assert house.told
    await house.pass_time(step=300, hours=3)
    assert rig.commands == []
    assert not rig.is_active()


@every
async def test_a_user_starts_the_override_within_seconds(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.say_plan(active=True)
    await house.pass_time(seconds=10, step=10)
    house.forget_calls()
    await rig.by_user(active=False)
    assert rig.is_overridden
    await house.pass_time(hours=1)
    assert rig.commands == []


@every
async def test_a_device_that_tells_late_what_it_was_told_is_no_hand(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    rig.device.is_late = True
    await rig.say_plan(active=True)
    await house.pass_time(seconds=30, step=10)
    rig.device.report()
    await house.pass_time(hours=1)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_a_deaf_device_is_asked_less_and_less_and_told_of_once(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    rig.device.obeys = False
    await rig.say_plan(active=True)
    await house.pass_time(step=300, hours=6)
    assert 3 <= len(rig.commands) <= 14
    assert len(house.told) <= 2
    rig.device.obeys = True
    await house.pass_time(hours=1.5)
    assert rig.is_active()
    assert not rig.is_overridden


@every
async def test_a_failing_device_is_asked_again(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    house.expected_errors += ["did not answer"]
    rig.device.fails = True
    await rig.say_plan(active=True)
    assert not rig.is_active()
    rig.device.fails = False
    await house.pass_time(hours=1)
    assert rig.is_active()


@every
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
async def test_the_days_on_which_the_clock_changes(house: House, kind: type[Rig], day: str) -> None:
    start = dt_util.as_utc(local(f"{day} 00:20"))
    house.set_now(start - timedelta(hours=2))
    rig = await built(kind, house)
    for hour in range(0, 6, 2):
        await house.until(start + timedelta(hours=hour))
        await rig.say_plan(active=True)
        assert rig.is_active()
        await house.pass_time(minutes=60)
        if rig.stops:
            await rig.say_plan(active=False)
            assert not rig.is_active()
    assert not rig.is_overridden


@with_deadline
async def test_the_deadline_wins_over_the_plan(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.load.say("deadline_at_risk", "on")
    assert rig.is_active()


@with_deadline
async def test_the_deadline_wins_where_the_plan_is_not_known(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await rig.load.say("deadline_at_risk", "on")
    await house.pass_time(minutes=10)
    assert rig.is_active()


@with_deadline
async def test_the_deadline_does_not_win_over_the_user(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house)
    await house.by_user(rig.load.override, "turn_on")
    await rig.load.say("deadline_at_risk", "on")
    await house.pass_time(hours=1)
    assert rig.commands == []


@with_deadline
async def test_the_deadline_does_not_wait_for_the_least_time_off(
    house: House, kind: type[Rig]
) -> None:
    rig = await built(kind, house)
    await house.power_cut(rig.device, down=30)
    await rig.load.say("deadline_at_risk", "on")
    assert rig.is_active()


@with_deadline
async def test_runs_without_a_plan_if_it_is_told_so(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house, when_no_data="run")
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.pass_time(minutes=8)
    assert rig.commands == []
    await house.pass_time(minutes=12)
    assert rig.is_active()


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RIGS if kind.stops and kind.has_deadline],
    ids=lambda kind: kind.blueprint,
)
async def test_stops_without_a_plan_if_it_is_told_so(house: House, kind: type[Rig]) -> None:
    rig = await built(kind, house, when_no_data="off")
    await rig.say_plan(active=True)
    await house.pass_time(minutes=40)
    await rig.load.say("run_now", STATE_UNAVAILABLE)
    await house.pass_time(minutes=8)
    assert rig.is_active()
    await house.pass_time(minutes=12)
    assert not rig.is_active()
