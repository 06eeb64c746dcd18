"""What users, dashboards and blueprints see of loads, in a real Home Assistant."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from homeassistant.core import State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.load_descriptions import LOAD_SENSORS, by_run
from custom_components.carbon_meter.load_sensor import rows
from custom_components.carbon_meter.planning.plan import Piece, ReasonKind
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EV, EVENING, HOUR, RUN_TIME, LoadedSite
from tests.loads.test_planner import EVERY_KIND, NIGHT, furnish

T = EVENING.timestamp()

OF_EVERY = {
    "binary_sensor": {"run_now", "deadline_at_risk"},
    "calendar": {"load_plan"},
    "sensor": {"next_start", "plan", "saving_planned", "saving_realised"},
    "switch": {"override"},
}
BY_CURRENT = {**EV, "control": "current"}
WITHOUT_LEVEL = {
    **{key: EV[key] for key in EV if key not in {"level", "capacity", "target", "must"}},
    "energy": 20.0,
}
WATER_BY_SETPOINT = {**EVERY_KIND["tank"], "device": "water_heater.tank", "control": "setpoint"}
BY_SWITCH = {**EVERY_KIND["room"], "device": "switch.room", "control": "on_off"}
BATTERY = EVERY_KIND["battery"]

KINDS: list[tuple[str, Mapping[str, Any], dict[str, set[str]], str]] = [
    (
        "appliance",
        APPLIANCE,
        {
            "sensor": {"target_power"},
            "switch": {"ready"},
            "button": {"start_now"},
            "time": {"finish_by"},
        },
        "Appliance",
    ),
    ("run_time", RUN_TIME, {"sensor": {"target_power"}, "number": {"hours"}}, "Some hours a day"),
    (
        "ev",
        EV,
        {
            "sensor": {"target_power"},
            "button": {"start_now"},
            "number": {"target", "must"},
            "time": {"ready_by"},
        },
        "Electric car",
    ),
    (
        "ev by current",
        BY_CURRENT,
        {
            "sensor": {"target_power", "target_current"},
            "button": {"start_now"},
            "number": {"target", "must"},
            "time": {"ready_by"},
        },
        "Electric car",
    ),
    (
        "ev without level",
        WITHOUT_LEVEL,
        {
            "sensor": {"target_power"},
            "button": {"start_now"},
            "number": {"energy"},
            "time": {"ready_by"},
        },
        "Electric car",
    ),
    (
        "tank",
        EVERY_KIND["tank"],
        {"sensor": {"target_power", "target_setpoint"}},
        "Hot water, heating or cooling",
    ),
    (
        "tank by setpoint",
        WATER_BY_SETPOINT,
        {"sensor": {"target_setpoint"}},
        "Hot water, heating or cooling",
    ),
    (
        "room by setpoint",
        EVERY_KIND["room"],
        {"sensor": {"target_setpoint"}},
        "Hot water, heating or cooling",
    ),
    (
        "room by switch",
        BY_SWITCH,
        {"sensor": {"target_power"}},
        "Hot water, heating or cooling",
    ),
    ("battery", BATTERY, {"sensor": {"target_power"}}, "Battery"),
    ("air", EVERY_KIND["air"], {"sensor": {"target_setpoint"}}, "Heating and cooling zone"),
    ("light", EVERY_KIND["light"], {"sensor": {"target_brightness"}}, "Lighting zone"),
]

NAMES = {
    "run_now": "run_now",
    "deadline_at_risk": "deadline_at_risk",
    "load_plan": "plan",
    "next_start": "next_start",
    "plan": "plan",
    "saving_planned": "planned_saving",
    "saving_realised": "realised_saving",
    "override": "override",
    "ready": "ready",
    "target_power": "target_power",
    "target_current": "target_current",
    "target_setpoint": "setpoint",
    "target_brightness": "brightness",
    "start_now": "start_now",
    "hours": "run_time_a_day",
    "target": "charge_to",
    "must": "charge_at_least_to",
    "energy": "energy_to_charge",
    "finish_by": "finish_by",
    "ready_by": "ready_by",
}
"""The end of an entity's id, by the end of its unique id: blueprints and docs name them."""


@pytest.fixture
def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


def entities(home: LoadedSite, title: str) -> dict[str, set[str]]:
    """Return the ends of the unique ids of a load's entities, by domain; check their ids."""
    load_id = home.load(title).id
    found: dict[str, set[str]] = {}
    for entity in er.async_entries_for_config_entry(
        er.async_get(home.hass), home.site.entry.entry_id
    ):
        if entity.config_subentry_id != load_id:
            continue
        key = entity.unique_id.removeprefix(f"{load_id}_")
        found.setdefault(entity.domain, set()).add(key)
        slug = title.replace(" ", "_")
        assert entity.entity_id == f"{entity.domain}.{slug}_{NAMES[key]}"
    return found


def state(home: LoadedSite, entity_id: str) -> State:
    found = home.hass.states.get(entity_id)
    assert found is not None, entity_id
    return found


async def call(home: LoadedSite, action: str, entity_id: str, **data: Any) -> Any:
    """Call an action on an entity, as a dashboard does."""
    domain, name = action.split(".")
    return await home.hass.services.async_call(
        domain, name, {"entity_id": entity_id, **data}, blocking=True
    )


async def events(home: LoadedSite, title: str, start: float, end: float) -> list[dict[str, Any]]:
    """Return the events of a load's calendar in a stretch of time."""
    entity_id = f"calendar.{title}_plan"
    told = await home.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": entity_id,
            "start_date_time": datetime.fromtimestamp(start, UTC).isoformat(),
            "end_date_time": datetime.fromtimestamp(end, UTC).isoformat(),
        },
        blocking=True,
        return_response=True,
    )
    assert told is not None
    found: list[dict[str, Any]] = told[entity_id]["events"]
    return found


def local(moment: float) -> str:
    return dt_util.as_local(dt_util.utc_from_timestamp(moment)).isoformat()


async def test_every_kind_has_its_entities_and_no_others(home: LoadedSite) -> None:
    furnish(home)
    await home.open([{**data, "title": title} for title, data, _, _ in KINDS], NIGHT)
    devices = dr.async_get(home.hass)
    entry_id = home.site.entry.entry_id
    site = devices.async_get_device_by_identifier((DOMAIN, entry_id), entry_id)
    assert site is not None
    for title, _, own, model in KINDS:
        wanted = {
            domain: OF_EVERY.get(domain, set()) | own.get(domain, set())
            for domain in {*OF_EVERY, *own}
        }
        assert entities(home, title) == wanted, title
        device = devices.async_get_device_by_identifier((DOMAIN, home.load(title).id), entry_id)
        assert device is not None
        assert (device.name, device.model) == (title, model)
        assert (device.via_device_id, device.entry_type) == (site.id, dr.DeviceEntryType.SERVICE)
        for domain, keys in wanted.items():
            for key in keys:
                slug = title.replace(" ", "_")
                assert state(home, f"{domain}.{slug}_{NAMES[key]}").state != "unavailable"


async def test_site_without_loads_has_no_calendar(home: LoadedSite) -> None:
    await home.open([], NIGHT)
    assert "calendar" not in home.hass.config.components
    # Nor is anything of it asked to unload.
    await home.site.unload()
    await home.site.load()
    await home.add(APPLIANCE)
    assert state(home, "calendar.appliance_plan").state == "off"
    home.hass.config_entries.async_remove_subentry(home.site.entry, home.load().id)
    await home.site.settle()
    assert home.hass.states.get("calendar.appliance_plan") is None
    assert home.hass.states.get("switch.appliance_ready") is None


async def test_appliance_from_ready_to_done(home: LoadedSite) -> None:
    await home.open([APPLIANCE], NIGHT)
    assert state(home, "sensor.appliance_plan").state == "nothing_to_do"
    assert state(home, "sensor.appliance_next_start").state == "unknown"
    assert state(home, "binary_sensor.appliance_run_now").state == "off"
    assert state(home, "calendar.appliance_plan").attributes.get("start_time") is None

    await call(home, "switch.turn_on", "switch.appliance_ready")
    await home.site.settle()
    start, end = T + 4 * HOUR, T + 6 * HOUR
    assert state(home, "switch.appliance_ready").state == "on"
    plan = state(home, "sensor.appliance_plan")
    assert plan.state == "moved"
    assert plan.attributes["explanation"] == "Moved 4 h to 15:00: saves 600 g"
    assert plan.attributes["runs"] == [
        {"start": local(start), "end": local(end), "power": 1000.0, "energy": 2.0}
    ]
    assert plan.attributes["deadline"] == "2026-09-22T07:00:00-07:00"
    assert plan.attributes["saved_carbon"] == plan.attributes["possible"] == 600.0
    assert (plan.attributes["gap"], plan.attributes["relaxed"]) == (0.0, [])
    assert plan.attributes["made"] == local(T)
    assert set(plan.attributes["options"]) == {kind.value for kind in ReasonKind}
    assert state(home, "sensor.appliance_next_start").state == "2026-09-21T22:00:00+00:00"
    saving = state(home, "sensor.appliance_planned_saving")
    assert (float(saving.state), saving.attributes["account"]) == (600.0, "avoided")

    await home.advance(4 * HOUR - 60)
    assert state(home, "binary_sensor.appliance_run_now").state == "off"
    assert state(home, "calendar.appliance_plan").state == "off"
    assert float(state(home, "sensor.appliance_target_power").state) == 0.0
    await home.advance(60)
    home.set("input_boolean.washer", "on")
    assert state(home, "binary_sensor.appliance_run_now").state == "on"
    assert state(home, "calendar.appliance_plan").state == "on"
    assert float(state(home, "sensor.appliance_target_power").state) == 1000.0
    assert state(home, "sensor.appliance_next_start").state == "unknown"


async def test_appliance_after_its_run(home: LoadedSite) -> None:
    await home.open([APPLIANCE], NIGHT)
    await call(home, "switch.turn_on", "switch.appliance_ready")
    await home.advance(4 * HOUR, step=600.0)
    home.set("input_boolean.washer", "on")
    await home.advance(HOUR)
    # Home Assistant is started anew in the middle of the run.
    await home.site.unload()
    await home.site.load()
    assert state(home, "binary_sensor.appliance_run_now").state == "on"
    assert state(home, "calendar.appliance_plan").state == "on"
    assert state(home, "sensor.appliance_plan").state == "moved"
    await home.advance(HOUR)
    home.set("input_boolean.washer", "off")
    await home.advance(120)
    assert state(home, "binary_sensor.appliance_run_now").state == "off"
    assert state(home, "calendar.appliance_plan").state == "off"
    assert state(home, "switch.appliance_ready").state == "off"
    assert state(home, "sensor.appliance_plan").state == "nothing_to_do"
    assert state(home, "sensor.appliance_plan").attributes.get("runs") is None

    # What the run saved is known when the intensities have come true; the calendar keeps the run.
    realised = "sensor.appliance_realised_saving"
    assert state(home, realised).attributes["pending"] == 1
    assert state(home, realised).attributes["latest"] is None
    (event,) = await events(home, "appliance", T, T + 24 * HOUR)
    assert (event["start"], event["summary"]) == (local(T + 4 * HOUR), "appliance")
    assert "is known once the intensities are measured" in event["description"]
    await home.advance(2 * HOUR)
    assert float(state(home, realised).state) == pytest.approx(0.6, rel=0.05)
    told = state(home, realised).attributes
    assert (told["account"], told["runs"], told["pending"]) == ("avoided", 1, 0)
    assert told["energy"] == pytest.approx(2.0, rel=0.05)
    assert told["latest"]["planned"] == 600.0
    assert told["latest"]["coverage"] == 100.0
    assert told["latest"]["carbon"] == pytest.approx(1000.0 * float(state(home, realised).state))
    (event,) = await events(home, "appliance", T, T + 24 * HOUR)
    assert "avoided" in event["description"]
    assert await events(home, "appliance", T - 24 * HOUR, T + 4 * HOUR) == []
    # A run that made it worse says so.
    history = home.load().realised.history
    worse = replace(history[0].saving.carbon, value=-250.0)
    history[0] = replace(history[0], saving=replace(history[0].saving, carbon=worse))
    (event,) = await events(home, "appliance", T, T + 24 * HOUR)
    assert "emitted 250 g more than running at once" in event["description"]


async def test_plan_is_in_the_calendar(home: LoadedSite) -> None:
    await home.open([RUN_TIME], [300.0, 100.0] * 34)
    runs = home.load().runs
    assert len(runs) > 1
    told = await events(home, "run_time", T - HOUR, T + 24 * HOUR)
    assert [event["start"] for event in told] == [local(start) for start, _ in runs]
    assert [event["end"] for event in told] == [local(end) for _, end in runs]
    assert {event["description"] for event in told} == {home.load().explanation}
    # Only what touches the stretch that is asked for.
    first, second = runs[0], runs[1]
    assert len(await events(home, "run_time", first[0], first[1])) == 1
    assert await events(home, "run_time", first[1], second[0]) == []
    following = state(home, "calendar.run_time_plan")
    assert following.attributes["start_time"] == local(first[0])[:19].replace("T", " ")
    await home.advance(first[1] - T)
    following = state(home, "calendar.run_time_plan")
    assert following.attributes["start_time"] == local(second[0])[:19].replace("T", " ")


async def test_calendar_of_a_battery_tells_charging_from_discharging(home: LoadedSite) -> None:
    furnish(home)
    await home.open([BATTERY], NIGHT)
    plan = home.load().plan
    assert plan is not None
    titles = [event["summary"] for event in await events(home, "battery", T, T + 48 * HOUR)]
    given = -sum(piece.energy for piece in plan.pieces if piece.power < 0.0)
    taken = sum(piece.energy for piece in plan.pieces if piece.power > 0.0)
    assert min(given, taken) > 0.0
    found = [float(title.split()[1]) for title in titles]
    assert sum(each for each in found if each > 0.0) == pytest.approx(taken / 1000.0, abs=0.05)
    assert -sum(each for each in found if each < 0.0) == pytest.approx(given / 1000.0, abs=0.05)


async def test_calendar_of_light_tells_how_bright(home: LoadedSite) -> None:
    await home.open([EVERY_KIND["light"]], NIGHT)
    told = await events(home, "light_zone", T, T + 11 * HOUR)
    assert [event["summary"] for event in told] == ["light_zone 80 %", "light_zone 100 %"]
    assert float(state(home, "sensor.light_zone_brightness").state) == 80.0
    assert state(home, "binary_sensor.light_zone_run_now").state == "unknown"


async def test_override_lasts_until_it_is_over_and_outlives_a_restart(home: LoadedSite) -> None:
    await home.open([{**RUN_TIME, "override_hours": 3.0}], NIGHT)
    override = "switch.run_time_override"
    assert state(home, override).state == "off"
    assert state(home, override).attributes["until"] is None
    await call(home, "switch.turn_on", override)
    assert state(home, override).state == "on"
    assert state(home, override).attributes["until"] == local(T + 3 * HOUR)
    await home.site.unload()
    home.site.pass_unseen(HOUR)
    await home.site.load()
    assert state(home, override).state == "on"
    assert state(home, override).attributes["until"] == local(T + 3 * HOUR)
    await home.advance(2 * HOUR + 60)
    assert state(home, override).state == "off"
    await call(home, "switch.turn_on", override)
    await call(home, "switch.turn_off", override)
    assert state(home, override).state == "off"
    assert state(home, override).attributes["until"] is None


async def test_ready_can_be_taken_back(home: LoadedSite) -> None:
    await home.open([APPLIANCE], NIGHT)
    await call(home, "switch.turn_on", "switch.appliance_ready")
    await home.site.settle()
    await home.site.unload()
    await home.site.load()
    assert state(home, "switch.appliance_ready").state == "on"
    assert state(home, "sensor.appliance_plan").state == "moved"
    await call(home, "switch.turn_off", "switch.appliance_ready")
    await home.site.settle()
    assert state(home, "switch.appliance_ready").state == "off"
    assert state(home, "sensor.appliance_next_start").state == "unknown"
    await home.advance(5 * HOUR, step=600.0)
    assert state(home, "binary_sensor.appliance_run_now").state == "off"


@pytest.mark.parametrize("data", [APPLIANCE, EV], ids=lambda data: data["kind"])
async def test_button_starts_at_once(home: LoadedSite, data: Mapping[str, Any]) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([data], NIGHT)
    run_now = f"binary_sensor.{data['kind']}_run_now"
    assert state(home, run_now).state == "off"
    await call(home, "button.press", f"button.{data['kind']}_start_now")
    await home.site.settle()
    assert state(home, run_now).state == "on"
    assert float(state(home, f"sensor.{data['kind']}_target_power").state) > 0.0


async def test_wishes_change_the_plan_and_outlive_a_restart(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([EV], NIGHT)
    before = state(home, "sensor.ev_plan").attributes["runs"]
    assert state(home, "time.ev_ready_by").state == "07:00:00"
    assert float(state(home, "number.ev_charge_to").state) == 80.0
    await call(home, "number.set_value", "number.ev_charge_to", value=90)
    await call(home, "number.set_value", "number.ev_charge_at_least_to", value=70)
    await call(home, "time.set_value", "time.ev_ready_by", time="05:30:00")
    await home.site.settle()
    plan = state(home, "sensor.ev_plan")
    assert plan.attributes["deadline"] == "2026-09-22T05:30:00-07:00"
    energy = sum(row["energy"] for row in plan.attributes["runs"])
    assert energy == pytest.approx(4 / 3 * sum(row["energy"] for row in before), rel=0.01)
    await home.site.unload()
    await home.site.load()
    assert float(state(home, "number.ev_charge_to").state) == 90.0
    assert float(state(home, "number.ev_charge_at_least_to").state) == 70.0
    assert state(home, "time.ev_ready_by").state == "05:30:00"


async def test_wish_that_cannot_be_is_refused_and_changes_nothing(home: LoadedSite) -> None:
    await home.open([EV], NIGHT)
    with pytest.raises(ServiceValidationError):
        await call(home, "number.set_value", "number.ev_charge_to", value=40)
    with pytest.raises(ServiceValidationError):
        await call(home, "number.set_value", "number.ev_charge_to", value=101)
    assert float(state(home, "number.ev_charge_to").state) == 80.0


async def test_hours_finish_and_energy_are_wished(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    await home.open([RUN_TIME, APPLIANCE, WITHOUT_LEVEL], NIGHT)
    await call(home, "number.set_value", "number.run_time_run_time_a_day", value=1.5)
    await call(home, "time.set_value", "time.appliance_finish_by", time="21:00:00")
    await call(home, "number.set_value", "number.ev_energy_to_charge", value=12)
    await call(home, "switch.turn_on", "switch.appliance_ready")
    await home.site.settle()
    assert float(state(home, "number.run_time_run_time_a_day").state) == 1.5
    (row,) = state(home, "sensor.run_time_plan").attributes["runs"]
    assert row["energy"] == pytest.approx(1.2)
    deadline = state(home, "sensor.appliance_plan").attributes["deadline"]
    assert deadline == "2026-09-21T21:00:00-07:00"
    rows = state(home, "sensor.ev_plan").attributes["runs"]
    assert sum(row["energy"] for row in rows) == pytest.approx(12.0, abs=0.01)
    number = state(home, "number.ev_energy_to_charge")
    assert (number.state, number.attributes["unit_of_measurement"]) == ("12.0", "kWh")


async def test_current_of_a_charger(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "50", unit_of_measurement="%")
    await home.open([BY_CURRENT], [100.0, 400.0] * 34)
    power = float(state(home, "sensor.ev_target_power").state)
    assert power == pytest.approx(3 * 230.0 * 16.0)
    assert float(state(home, "sensor.ev_target_current").state) == 16.0
    await home.advance(HOUR)
    assert float(state(home, "sensor.ev_target_current").state) == 0.0


async def test_entities_of_other_settings_are_removed(home: LoadedSite) -> None:
    await home.open([BY_CURRENT], NIGHT)
    assert "target_current" in entities(home, "ev")["sensor"]
    load = home.load()
    home.hass.config_entries.async_update_subentry(
        home.site.entry, load.subentry, data=WITHOUT_LEVEL
    )
    await home.site.settle()
    assert "target_current" not in entities(home, "ev")["sensor"]
    assert entities(home, "ev")["number"] == {"energy"}


async def test_tank_shows_the_planned_temperature(home: LoadedSite) -> None:
    furnish(home)
    await home.open([EVERY_KIND["tank"]], NIGHT)
    planned = home.load().planned
    assert planned is not None
    assert planned.contents is not None
    first = float(planned.contents[0])
    assert float(state(home, "sensor.thermal_setpoint").state) == pytest.approx(first, abs=0.06)
    assert 45.0 <= first < 50.0
    home.set("sensor.tank", "unavailable")
    await home.advance(HOUR, step=300.0)
    assert state(home, "sensor.thermal_setpoint").state == "unknown"
    assert state(home, "binary_sensor.thermal_run_now").state == "unknown"


async def test_deadline_that_cannot_be_kept_is_shown(home: LoadedSite) -> None:
    home.set("input_boolean.car", "on")
    home.set("sensor.car_level", "1", unit_of_measurement="%")
    soon = (datetime.fromtimestamp(T, UTC) + timedelta(hours=-6)).time()
    await home.open([{**EV, "ready_by": soon.isoformat()}], NIGHT)
    assert state(home, "binary_sensor.ev_deadline_at_risk").state == "on"
    assert state(home, "binary_sensor.ev_run_now").state == "on"
    relaxed = state(home, "sensor.ev_plan").attributes["relaxed"]
    assert any("missing at the deadline" in sentence for sentence in relaxed)


async def test_chinese_home_reads_chinese(home: LoadedSite) -> None:
    home.hass.config.language = "zh-Hans"
    await home.open([APPLIANCE], NIGHT)
    entry_id = home.site.entry.entry_id
    device = dr.async_get(home.hass).async_get_device_by_identifier(
        (DOMAIN, home.load().id), entry_id
    )
    assert device is not None
    assert device.model == "电器"
    registry = er.async_get(home.hass)
    ready = registry.async_get_entity_id("switch", DOMAIN, f"{home.load().id}_ready")
    plan = registry.async_get_entity_id("sensor", DOMAIN, f"{home.load().id}_plan")
    assert ready is not None
    assert plan is not None
    await call(home, "switch.turn_on", ready)
    await home.site.settle()
    assert state(home, plan).name == "appliance 计划"
    assert state(home, plan).attributes["explanation"].startswith("推迟 4 小时")


async def test_long_plan_is_shown_run_by_run(home: LoadedSite) -> None:
    await home.open([RUN_TIME], NIGHT)
    plan = home.load().plan
    assert plan is not None
    steps = tuple(Piece(T + 60.0 * at, T + 60.0 * (at + 1), 100.0 + at) for at in range(49))
    assert len(rows(replace(plan, pieces=steps[1:]))) == 48
    (row,) = rows(replace(plan, pieces=steps))
    assert (row["start"], row["end"]) == (local(T), local(T + 49 * 60.0))
    assert row["power"] == pytest.approx(124.0)
    assert row["energy"] == pytest.approx(124.0 * 49 / 60 / 1000.0, abs=0.001)


def test_runs_of_a_battery_are_apart() -> None:
    pieces = [
        Piece(0.0, 60.0, 100.0),
        Piece(60.0, 180.0, 400.0),
        Piece(180.0, 240.0, -200.0),
        Piece(300.0, 360.0, -200.0),
    ]
    assert by_run(pieces) == [
        Piece(0.0, 180.0, pytest.approx(300.0)),
        Piece(180.0, 240.0, -200.0),
        Piece(300.0, 360.0, -200.0),
    ]


async def test_calendar_in_the_hour_that_comes_twice(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    home = LoadedSite(site)
    home.set("input_boolean.washer_ready", "on")
    # At once, from 02:30 to 02:15 on the clock: to Home Assistant it would end before it begins.
    await home.open([{**APPLIANCE, "duration": 45.0}], [100.0] * 72)
    assert home.issues() == {}
    state = site.hass.states.get("calendar.appliance_plan")
    assert state.attributes["start_time"] == "2026-10-25 02:30:00"
    found = await site.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": "calendar.appliance_plan",
            "start_date_time": "2026-10-24T22:00:00+02:00",
            "end_date_time": "2026-10-25T12:00:00+01:00",
        },
        blocking=True,
        return_response=True,
    )
    events = found["calendar.appliance_plan"]["events"]
    # Times under test do not know which of the two hours they are in.
    assert [(event["start"][:19], event["end"][:19]) for event in events] == [
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00")
    ]


@pytest.mark.parametrize(
    ("saved", "shown"),
    [(None, None), (-0.3, "0.0"), (0.4, "0.0"), (-0.6, "-0.6"), (412.34, "412.3")],
)
def test_minus_nothing_is_never_shown_as_saved(saved: float | None, shown: str | None) -> None:
    described = next(each for each in LOAD_SENSORS if each.key == "saving_planned")
    found = described.value_fn(SimpleNamespace(saving_planned=saved))
    assert (None if found is None else str(found)) == shown
