"""Plans in a real Home Assistant: made, followed, made anew."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from custom_components.carbon_meter.loads import computing
from custom_components.carbon_meter.loads.keys import LoadKind
from custom_components.carbon_meter.planning.jobs.tasks import MovableTask
from custom_components.carbon_meter.planning.plan import ReasonKind
from tests.common import SiteUnderTest
from tests.loads.site import (
    APPLIANCE,
    EV,
    EVENING,
    HOUR,
    RUN_TIME,
    LoadedSite,
    open_with_loads,
)

T = EVENING.timestamp()
NIGHT = [400.0] * 4 + [100.0] * 2 + [300.0] * 60

EVERY_KIND: dict[str, dict[str, Any]] = {
    "appliance": dict(APPLIANCE),
    "run_time": dict(RUN_TIME),
    "ev": dict(EV),
    "tank": {
        "kind": "thermal",
        "device": "input_boolean.tank",
        "body": "tank",
        "volume": 150.0,
        "heat_source": "heater",
        "control": "on_off",
        "power": 2000.0,
        "low": 45.0,
        "high": 60.0,
        "draw": 5.0,
        "temperature": "sensor.tank",
    },
    "room": {
        "kind": "thermal",
        "device": "climate.room",
        "body": "room",
        "area": 80.0,
        "heat_source": "heat_pump",
        "control": "setpoint",
        "power": 2500.0,
        "low": 19.0,
        "high": 23.0,
        "outside": "sensor.outside",
    },
    "battery": {
        "kind": "battery",
        "device": "number.battery",
        "level": "sensor.battery",
        "capacity": 10.0,
        "charge": 5000.0,
        "discharge": 5000.0,
    },
    "air": {
        "kind": "air_zone",
        "device": "climate.office",
        "area": 200.0,
        "heat_source": "cooler",
        "power": 8000.0,
        "setpoint": 24.0,
        "from": "08:00:00",
        "to": "18:00:00",
        "temperature": "sensor.office",
        "outside": "sensor.outside",
    },
    "light": {
        "kind": "light_zone",
        "device": "light.hall",
        "power": 500.0,
        "from": "08:00:00",
        "to": "22:00:00",
    },
}


def furnish(home: LoadedSite) -> None:
    """Let the entities of loads of every kind say something."""
    home.set("input_boolean.washer_ready", "on")
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "30", unit_of_measurement="%")
    home.set("sensor.tank", "50", unit_of_measurement="°C")
    home.set("sensor.outside", "7", unit_of_measurement="°C")
    home.set("sensor.battery", "50", unit_of_measurement="%")
    home.set("sensor.office", "25", unit_of_measurement="°C")
    home.set("climate.room", "heat", temperature=21.0, current_temperature=20.5)
    home.set("climate.office", "cool", temperature=24.0, current_temperature=25.0)


@pytest.fixture
def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


async def test_appliance_waits_for_the_clean_hours(home: LoadedSite) -> None:
    await home.open([APPLIANCE], NIGHT)
    load = home.load()
    assert (load.run_now, load.plan, load.explanation) == (False, None, "")
    home.set("input_boolean.washer_ready", "on")
    await home.site.settle()
    start = T + 4 * HOUR
    assert load.plan is not None
    assert load.plan.reason.kind is ReasonKind.MOVED
    assert load.runs == ((start, start + 2 * HOUR),)
    assert load.next_start == start
    assert load.saving_planned == pytest.approx(600)
    assert load.explanation.startswith("Moved 4 h to 15:00: saves 600 g")
    assert load.run_now is False
    await home.advance(4 * HOUR - 60)
    assert load.run_now is False
    await home.advance(60)
    assert load.run_now is True
    home.set("input_boolean.washer", "on")
    await home.advance(HOUR)
    # It is still the same plan: nothing is moved any more, but it was.
    assert load.run_now is True
    assert load.explanation.startswith("Moved 4 h to 15:00: saves 600 g")
    assert load.runs[0] == pytest.approx((start, start + 2 * HOUR), abs=60)
    await home.advance(HOUR + 60)
    assert load.run_now is not True
    assert load.plan is None
    assert load.realised.pending + load.realised.runs == 1


async def test_car_is_charged_when_it_is_clean_and_by_what_its_level_says(
    home: LoadedSite,
) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    load = home.load()
    assert load.deadline == datetime(2026, 9, 22, 14, tzinfo=UTC).timestamp()
    # 30 % of 50 kWh with losses of a tenth, at 11.04 kW.
    hours = 0.3 * 50_000 / 0.9 / 11_040
    start, end = load.runs[0]
    assert (start, end - start) == (T + 4 * HOUR, pytest.approx(hours * HOUR, abs=1))
    await home.advance(4 * HOUR)
    assert (load.run_now, load.target.power) == (True, pytest.approx(11_040))
    home.set("input_boolean.wallbox", "on")
    home.set("sensor.car_level", "79.9", unit_of_measurement="%")
    await home.advance(240)
    # What is read of the car counts, not what was planned.
    assert load.run_now is False
    home.set("input_boolean.car", "off")
    await home.site.settle()
    assert (load.run_now, load.plan) == (False, None)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
async def test_run_time_of_each_day_over_midnight_and_the_change_of_clocks(
    home: LoadedSite, zone: str
) -> None:
    await home.hass.config.async_set_time_zone(zone)
    # In Berlin the clocks go back in the night before the last Sunday of October.
    home.site.start_at(datetime(2026, 10, 24, 10, tzinfo=UTC))
    await home.open([RUN_TIME], [300.0 if hour % 24 < 12 else 100.0 for hour in range(96)])
    load = home.load()
    ran: dict[str, float] = {}
    local = load.job.settings.zone
    for _ in range(60 * 4):
        home.set("input_boolean.pump", "on" if load.run_now else "off")
        await home.advance(900, step=900)
        if load.run_now:
            day = datetime.fromtimestamp(home.now, local).date().isoformat()
            ran[day] = ran.get(day, 0.0) + 0.25
    whole = list(ran.values())[:2]
    assert whole == pytest.approx([3.0, 3.0], abs=0.3)


async def test_every_kind_is_planned(home: LoadedSite) -> None:
    furnish(home)
    wave = [200.0 + 150.0 * (hour % 6 < 3) for hour in range(72)]
    await home.open([{**data, "title": name} for name, data in EVERY_KIND.items()], wave)
    assert home.issues() == {}
    await home.advance(300)
    for load in home.planner.loads.values():
        assert load.plan is not None, load.name
        assert load.explanation, load.name
    assert home.load("room").target.setpoint is not None
    assert home.load("room").base_setpoint == 21.0
    assert home.load("air").target.setpoint is not None
    assert home.load("light").target.brightness is not None
    assert home.load("battery").target.power is not None
    assert {load.kind for load in home.planner.loads.values()} == set(LoadKind)


async def test_small_changes_of_the_forecast_move_nothing(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], NIGHT)
    load = home.load()
    before = load.runs
    for change in (1.0, -2.0, 3.0):
        # Two other hours are a little better now.
        home.forecast([400.0] * 4 + [100.0] * 2 + [99.0 - change] * 2 + [300.0] * 60, T)
        await home.advance(70)
        assert load.runs == before
        assert load.plan is not None
    home.forecast([400.0] * 4 + [100.0] * 2 + [20.0] * 2 + [300.0] * 60, T)
    await home.advance(70)
    assert load.runs == ((T + 6 * HOUR, T + 8 * HOUR),)


async def test_without_a_forecast_it_runs_at_once(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], None)
    load = home.load()
    assert load.plan is not None
    assert load.plan.reason.kind is ReasonKind.NOT_KNOWN
    assert load.run_now is True
    assert load.saving_planned is None


async def test_plan_stands_when_the_forecast_goes(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], NIGHT)
    load = home.load()
    home.hass.states.async_remove("sensor.co2")
    await home.advance(120)
    assert load.run_now is False
    assert load.next_start == T + 4 * HOUR


async def test_guard_wins_over_a_plan_that_is_too_late(
    home: LoadedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    # Cleanest right before departure at 14:00 UTC, 20 h from now; the charge takes half an hour.
    await home.open([{**EV, "target": 60.0}], [400.0] * 19 + [100.0] * 40)
    load = home.load()
    assert load.runs[0][0] == T + 19 * HOUR
    run_time = 0.1 * 50_000 / 0.9 / 11_040 * HOUR
    monkeypatch.setattr(MovableTask, "planned", lambda *_, **__: 1 / 0)
    await load.async_wish("ready_by", "23:00:00")
    # No new plan can be made: the old one would begin hours after the new deadline.
    deadline = datetime(2026, 9, 22, 6, tzinfo=UTC).timestamp()
    assert load.runs[0][0] == T + 19 * HOUR
    await home.advance(deadline - run_time - home.now - 240, step=600)
    assert (load.run_now, load.is_at_risk) == (False, False)
    await home.advance(180, step=30)
    assert (load.run_now, load.target.power) == (True, pytest.approx(11_040))
    await load.async_override(1)
    # The user may stop it, and is told what that means.
    await home.advance(300, step=30)
    assert (load.is_overridden, load.is_at_risk) == (True, True)


async def test_override_lasts_and_ends_at_the_deadline(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([{**EV, "override_hours": 2.0}], NIGHT)
    load = home.load()
    told = []
    load.async_add_listener(lambda: told.append(load.is_overridden))
    await load.async_override()
    assert load.override_until == home.now + 2 * HOUR
    assert told == [True]
    await home.advance(2 * HOUR)
    assert not load.is_overridden
    assert load.override_until is None
    assert told[-1] is False
    await load.async_override(24)
    assert load.override_until == load.deadline
    await load.async_override(0)
    assert not load.is_overridden


async def test_wishes_change_what_is_planned(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    load = home.load()
    energy = load.plan.energy
    await load.async_wish("target", 65.0)
    assert load.plan.energy == pytest.approx(energy / 2)
    await load.async_wish("ready_by", "23:00:00")
    assert load.deadline == datetime(2026, 9, 22, 6, tzinfo=UTC).timestamp()
    with pytest.raises(ServiceValidationError):
        await load.async_wish("target", 10.0)
    with pytest.raises(ServiceValidationError):
        await load.async_wish("hours", 3.0)
    assert load.wishes == {"target": 65.0, "ready_by": "23:00:00"}


async def test_loads_under_a_fuse_do_not_overlap(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "60", unit_of_measurement="%")
    await home.open(
        [APPLIANCE, EV, {**RUN_TIME, "hours": 2.0}],
        NIGHT,
        planning={"fuse": 12_000.0, "base_load": 500.0},
    )
    pieces = [piece for load in home.planner.loads.values() for piece in load.plan.pieces]
    for moment in (piece.start for piece in pieces):
        drawn = sum(piece.power for piece in pieces if piece.start <= moment < piece.end)
        assert drawn <= 11_500 + 1e-6
    alone = sum(piece.power for piece in {piece.power: piece for piece in pieces}.values())
    assert alone > 11_500
    assert home.issues() == {}


async def test_load_that_fails_leaves_the_others_alone(
    home: LoadedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE, {**RUN_TIME, "title": "pump"}], NIGHT)
    load, pump = home.load("appliance"), home.load("pump")
    before = load.runs
    with monkeypatch.context() as broken:
        broken.setattr(load.job, "task", lambda now, around: 1 / 0)
        await home.planner.async_replan()
        assert home.issues()["load_failed"]["load"] == "appliance"
    assert load.runs == before
    assert pump.plan is not None
    await home.planner.async_replan()
    assert home.issues() == {}


async def test_data_that_cannot_be_leave_one_load_out(home: LoadedSite) -> None:
    await home.open([{**APPLIANCE, "duration": "long"}, {**RUN_TIME, "title": "pump"}], NIGHT)
    assert home.issues()["load_unusable"]["problem"] == "duration cannot be 'long'"
    assert [load.name for load in home.planner.loads.values()] == ["pump"]
    await home.site.unload()
    assert home.issues() == {}


async def test_site_without_loads_has_its_signal(site: SiteUnderTest) -> None:
    site.start_at(EVENING)
    home = await open_with_loads(site, [], forecast=NIGHT)
    around = await home.planner.async_around()
    assert around.signal.carbon[:5].tolist() == [400.0] * 4 + [100.0]
    assert around.signal.slots.end == T + 72 * HOUR


async def test_diagnostics_tell_of_loads_without_their_names(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([{**APPLIANCE, "title": "Aunt Ida's washer"}], NIGHT)
    found = await async_get_config_entry_diagnostics(home.hass, home.site.entry)
    told = json.dumps(found)
    assert "Ida" not in told
    load = found["loads"][home.load().id]
    assert load["kind"] == "appliance"
    assert load["plan"]["pieces"] == [[T + 4 * HOUR, T + 6 * HOUR, 1000.0]]


async def test_temperature_that_nobody_tells_leaves_the_device_alone(home: LoadedSite) -> None:
    furnish(home)
    await home.open([EVERY_KIND["tank"]], [300.0] * 72)
    load = home.load()
    assert load.run_now is not None
    home.set("sensor.tank", "unavailable")
    await home.advance(HOUR, step=300)
    assert load.run_now is None
    assert load.plan is None
    home.set("sensor.tank", "50", unit_of_measurement="°C")
    await home.advance(120)
    assert load.run_now is not None
    assert load.plan is not None


async def test_level_that_nobody_tells_changes_no_plan(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    load = home.load()
    before = load.runs
    home.set("sensor.car_level", "unavailable")
    home.set("input_boolean.car", "unknown")
    await home.advance(HOUR, step=300)
    assert load.runs == before


async def test_profile_is_learned_from_its_power(home: LoadedSite) -> None:
    washer = {**APPLIANCE, "learn": True, "power_entity": "sensor.washer"}
    home.set("sensor.washer", "1", unit_of_measurement="W")
    await home.open([washer], [300.0] * 72)
    load = home.load()
    await home.advance(120)
    for kilowatts in [2.0] * 15 + [0.2] * 30:
        home.set("sensor.washer", str(kilowatts), unit_of_measurement="kW")
        await home.advance(60)
    home.set("sensor.washer", "1", unit_of_measurement="W")
    await home.advance(35 * 60)
    assert load.learner is not None
    assert load.learner.runs == 1
    home.set("input_boolean.washer_ready", "on")
    await home.site.settle()
    # 15 min at 2 kW and 30 min at 200 W, not two hours at 1 kW.
    assert load.plan.energy == pytest.approx(600, rel=0.05)
    await home.site.unload()
    await home.site.load()
    assert home.load().job.settings.profile.energy == pytest.approx(600, rel=0.05)


async def test_price_counts_where_cost_is_the_goal(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    rows = [
        {
            "start": (EVENING + timedelta(hours=hour)).isoformat(),
            "end": (EVENING + timedelta(hours=hour + 1)).isoformat(),
            "value": 5.0 if 8 <= hour < 10 else 30.0,
        }
        for hour in range(30)
    ]
    home.set("sensor.price", "30", unit_of_measurement="ct/kWh", raw_today=rows)
    planning = {"price_entity": "sensor.price", "goal": "cost"}
    await home.open([APPLIANCE], NIGHT, planning=planning)
    load = home.load()
    assert load.runs == ((T + 8 * HOUR, T + 10 * HOUR),)
    assert load.cost_planned == pytest.approx(0.5)
    assert load.saving_planned == pytest.approx(200)


async def test_started_by_hand_it_runs_until_it_has_what_it_needs(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV, {**EVERY_KIND["battery"], "title": "battery"}], NIGHT)
    load = home.load("ev")
    assert load.run_now is False
    await load.async_start_now()
    assert load.run_now is True
    await home.advance(300)
    assert load.run_now is True
    await load.async_cancel()
    assert load.run_now is False
    with pytest.raises(ServiceValidationError):
        await home.load("battery").async_start_now()
    with pytest.raises(ServiceValidationError):
        await home.load("battery").async_ready()


async def test_departure_that_holds_once(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    load = home.load()
    leaves = EVENING + timedelta(hours=3)
    await load.async_ready(leaves)
    assert load.deadline == leaves.timestamp()
    assert load.runs[-1][1] <= leaves.timestamp()
    with pytest.raises(ServiceValidationError):
        await load.async_ready(EVENING - timedelta(hours=1))


async def test_day_of_a_tank_is_booked_beside_the_inventory(home: LoadedSite) -> None:
    furnish(home)
    wave = [400.0 if hour % 8 < 5 else 100.0 for hour in range(96)]
    await home.open([EVERY_KIND["tank"]], wave)
    load = home.load()
    level = 50.0
    for _ in range(4 * 34):
        on = load.run_now
        home.set("input_boolean.tank", "on" if on else "off")
        await home.advance(900, step=450)
        # 2 kW warm 150 l by 2.9 K in a quarter of an hour, of which 0.5 K is used.
        level += (2.9 if on else 0.0) - 0.5
        home.set("sensor.tank", f"{level:.1f}", unit_of_measurement="°C")
    assert 44.0 < level < 61.0
    # From the evening to midnight in San Francisco, and the day after it.
    assert load.realised.runs >= 1
    assert load.realised.energy > 1000
    assert load.realised.history[0].saving.coverage > 0.95


async def test_guard_leaves_the_fuse_to_what_draws_already(
    home: LoadedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    pump = {**RUN_TIME, "title": "pump", "power": 3000.0, "hours": 24.0}
    await home.open(
        [{**EV, "target": 60.0}, pump],
        [400.0] * 19 + [100.0] * 40,
        planning={"fuse": 12_000.0, "base_load": 500.0},
    )
    car = home.load("ev")
    monkeypatch.setattr(computing, "plan_together", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(MovableTask, "planned", lambda *_, **__: 1 / 0)
    await car.async_wish("ready_by", "15:00:00")
    assert home.load("pump").run_now is True
    assert home.planner.has_room(car, 8_500.0)
    assert not home.planner.has_room(car, 8_501.0)
    # The last moment passes: the fuse matters more than the deadline, and that is told.
    deadline = datetime(2026, 9, 21, 22, tzinfo=UTC).timestamp()
    await home.advance(deadline - 0.1 * 50_000 / 0.9 / 11_040 * HOUR - home.now + 60, step=300)
    assert (car.run_now, car.is_at_risk) == (False, True)
    assert home.planner.fuse.limit == 12_000
    assert set(home.planner.fuse.base) == {500}


async def test_run_that_ends_at_its_deadline_is_not_at_risk(home: LoadedSite) -> None:
    home.set("input_boolean.washer", "off")
    await home.open([APPLIANCE], [400.0] * 18 + [100.0] * 2 + [300.0] * 52)
    await home.advance(60)
    told: list[bool] = []
    load = home.load()
    load.async_add_listener(lambda: told.append(load.is_at_risk))
    home.set("input_boolean.washer_ready", "on")
    await home.advance(60)
    assert load.deadline == T + 20 * HOUR
    assert load.runs == ((T + 18 * HOUR, T + 20 * HOUR),)
    while load.plan is not None and home.now < T + 21 * HOUR:
        home.set("input_boolean.washer", "on" if load.run_now else "off")
        await home.advance(60 if home.now >= T + 17 * HOUR else 600)
    assert load.realised.pending + load.realised.runs == 1
    assert not any(told)


async def test_run_that_is_not_moved_says_why_until_it_is_over(home: LoadedSite) -> None:
    home.set("input_boolean.washer", "off")
    await home.open([APPLIANCE], [100.0] * 18 + [400.0] * 54)
    await home.advance(60)
    load = home.load()
    home.set("input_boolean.washer_ready", "on")
    await home.advance(30)
    assert load.run_now is True
    home.set("input_boolean.washer", "on")
    await home.advance(HOUR)
    assert load.plan is not None
    assert load.plan.reason.kind is ReasonKind.GOES_ON
    assert load.explanation == "Runs now: what was started is not interrupted"


async def test_fixed_intensity_leaves_the_price_to_decide(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    home.set(
        "sensor.price",
        "300",
        unit_of_measurement="EUR/MWh",
        raw_today=[
            {
                "start": datetime.fromtimestamp(T + hour * HOUR, UTC).isoformat(),
                "end": datetime.fromtimestamp(T + (hour + 1) * HOUR, UTC).isoformat(),
                "value": 100.0 if hour in {6, 7} else 300.0,
            }
            for hour in range(30)
        ],
    )
    await home.open(
        [APPLIANCE],
        planning={"price_entity": "sensor.price"},
        options={"zone": "DE", "sources": [{"kind": "fixed", "value": 250.0}]},
    )
    load = home.load()
    assert load.runs == ((T + 6 * HOUR, T + 8 * HOUR),)
    # 2 kWh for 0.10 in place of 0.30, and as much carbon as before.
    assert load.cost_planned == pytest.approx(0.4)
    assert load.saving_planned == pytest.approx(0.0)


async def test_listener_that_fails_costs_the_others_nothing(home: LoadedSite) -> None:
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE], NIGHT)
    load, told = home.load(), []

    def fail() -> None:
        raise ValueError("it cannot be shown")

    load.async_add_listener(fail)
    load.async_add_listener(lambda: told.append(load.override_until))
    await load.async_override(1.0)
    assert told == [home.now + HOUR]
    await home.planner.async_replan()
    assert home.issues() == {}
