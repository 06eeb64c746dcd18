"""Adding and changing loads through the flow, as the user does."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from custom_components.carbon_meter.config_flow import CarbonMeterConfigFlow
from custom_components.carbon_meter.flows.load_fields import BODIES, HEAT_SOURCES, THERMAL_CONTROLS
from custom_components.carbon_meter.flows.load_forms import FORM_THERMAL, form_of
from custom_components.carbon_meter.flows.load_values import load_data
from custom_components.carbon_meter.loads.keys import Control, LoadKind
from custom_components.carbon_meter.loads.settings import job_of
from tests.common import SiteUnderTest
from tests.flows.loads import (
    BATTERY,
    CAR,
    FULL_CAR,
    PUMP,
    ROOM,
    TANK,
    ZONE_WITH_DEVICE,
    LoadFlow,
    only,
    site_of,
)

TRANSLATIONS = Path(const.__file__).parent / "translations"
TEXTS = {
    language: json.loads((TRANSLATIONS / f"{language}.json").read_text())
    for language in ("en", "zh-Hans")
}

type Fields = dict[str, Any]


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """Return a site that is not set up, with its meters, in a home with entities."""
    return site_of(hass)


@pytest.fixture
def flow(hass: HomeAssistant, entry: MockConfigEntry) -> LoadFlow:
    """Return the flow of a load of that site."""
    return LoadFlow(hass, entry)


async def test_the_menu_offers_every_kind(flow: LoadFlow) -> None:
    menu = await flow.open()
    assert menu["type"] is FlowResultType.MENU
    assert set(menu["menu_options"]) == set(LoadKind)
    assert "load" in CarbonMeterConfigFlow.async_get_supported_subentry_types(flow.entry)


@pytest.mark.parametrize(
    ("steps", "fields", "title", "data"),
    [
        (
            ("ev",),
            FULL_CAR,
            "Electric car",
            {
                "kind": "ev",
                "ready_by": "06:30:00",
                "control": "current",
                "most_current": 16.0,
                "phases": 3.0,
                "level": "sensor.car_battery",
                "capacity": 60.0,
                "target": 80.0,
                "must": 50.0,
            },
        ),
        (
            ("ev",),
            {
                **CAR,
                "name": " Zoe ",
                "connected": "binary_sensor.car_plugged_in",
                "without_level": {"energy": 12, "must_energy": 5},
                "charger": {
                    "device": "switch.wallbox",
                    "least_current": 6,
                    "current_step": 1,
                    "voltage": 230,
                    "efficiency": 90,
                },
                "trips": {"calendar": "calendar.trips"},
                "more": {"quiet_from": "22:00", "quiet_to": "05:00", "override_hours": 2},
            },
            "Zoe",
            {
                "kind": "ev",
                "ready_by": "06:30:00",
                "control": "current",
                "most_current": 16.0,
                "phases": 3.0,
                "connected": "binary_sensor.car_plugged_in",
                "energy": 12.0,
                "must_energy": 5.0,
                "device": "switch.wallbox",
                "least_current": 6.0,
                "current_step": 1.0,
                "voltage": 230.0,
                "efficiency": 90.0,
                "calendar": "calendar.trips",
                "quiet_from": "22:00:00",
                "quiet_to": "05:00:00",
                "override_hours": 2.0,
            },
        ),
        (
            ("appliance",),
            {
                "finish_by": "07:00:00",
                "device": "switch.washer",
                "ready": "binary_sensor.washer_ready",
                "power_entity": "sensor.washer_power",
                "run": {"learn": False, "duration": 150, "power": 400},
            },
            "Washer",
            {
                "kind": "appliance",
                "finish_by": "07:00:00",
                "device": "switch.washer",
                "ready": "binary_sensor.washer_ready",
                "power_entity": "sensor.washer_power",
                "learn": False,
                "duration": 150.0,
                "power": 400.0,
            },
        ),
        (
            ("run_time",),
            {
                **PUMP,
                "device": "switch.pump",
                "from": "08:00",
                "to": "20:00",
                "rules": {"least_run": 30, "least_pause": 15, "most_starts": 3, "longest_pause": 8},
            },
            "Pool pump",
            {
                "kind": "run_time",
                "power": 750.0,
                "hours": 8.0,
                "device": "switch.pump",
                "from": "08:00:00",
                "to": "20:00:00",
                "least_run": 30.0,
                "least_pause": 15.0,
                "most_starts": 3.0,
                "longest_pause": 8.0,
            },
        ),
        (
            ("battery",),
            {
                **BATTERY,
                "limits": {"reserve": 10, "efficiency": 92, "least_gain": 40},
                "wear": {"wear": 20, "wear_cost": 0.05},
            },
            "Battery",
            {
                "kind": "battery",
                "level": "sensor.house_battery",
                "capacity": 10.0,
                "charge": 5000.0,
                "discharge": 4000.0,
                "reserve": 10.0,
                "efficiency": 92.0,
                "least_gain": 40.0,
                "wear": 20.0,
                "wear_cost": 0.05,
            },
        ),
        (
            ("air_zone",),
            {
                **ZONE_WITH_DEVICE,
                "from": "08:00",
                "to": "18:00",
                "days": ["mon", "wed"],
                "comfort": {"low": 22, "high": 26, "shift_up": 2, "shift_down": 1, "lead": 3},
                "presence": {"occupied": "input_boolean.office", "calendar": "calendar.trips"},
                "building": {"outside": "weather.home", "heat_capacity": 20000, "loss": 500},
            },
            "Office",
            {
                "kind": "air_zone",
                "heat_source": "cooler",
                "area": 400.0,
                "power": 9000.0,
                "setpoint": 24.0,
                "device": "climate.office",
                "from": "08:00:00",
                "to": "18:00:00",
                "days": ["mon", "wed"],
                "low": 22.0,
                "high": 26.0,
                "shift_up": 2.0,
                "shift_down": 1.0,
                "lead": 3.0,
                "occupied": "input_boolean.office",
                "calendar": "calendar.trips",
                "outside": "weather.home",
                "heat_capacity": 20000.0,
                "loss": 500.0,
            },
        ),
        (
            ("light_zone",),
            {
                "power": 2000,
                "device": "light.hall",
                "dimming": {"dim": 70, "dim_least": 50, "peak": 20},
            },
            "Hall",
            {
                "kind": "light_zone",
                "power": 2000.0,
                "device": "light.hall",
                "dim": 70.0,
                "dim_least": 50.0,
                "peak": 20.0,
            },
        ),
    ],
)
async def test_a_load_is_added(
    flow: LoadFlow, steps: tuple[str, ...], fields: Fields, title: str, data: Fields
) -> None:
    form = await flow.open(*steps)
    assert form["step_id"] == steps[-1]
    result = await flow.answer(**fields)
    assert result["type"] is FlowResultType.CREATE_ENTRY, flow.errors
    assert only(flow.entry).title == title
    assert dict(only(flow.entry).data) == data
    assert all(type(value) is not int for value in data.values())
    assert job_of(data, dt_util.UTC)


@pytest.mark.parametrize("control", THERMAL_CONTROLS)
@pytest.mark.parametrize(
    ("body", "source"),
    [
        (body, source)
        for body in BODIES
        for source in HEAT_SOURCES
        if (body, source) != ("tank", "cooler")
    ],
)
async def test_heat_is_asked_for_in_two_steps(
    flow: LoadFlow, body: str, control: Control, source: str
) -> None:
    await flow.open("thermal")
    assert flow.filled() == {"body": "tank", "heat_source": "heater", "control": "on_off"}
    form = await flow.answer(body=body, heat_source=source, control=control)
    assert form["step_id"] == body
    given: Fields = dict(TANK if body == "tank" else ROOM)
    if control is Control.STAGES:
        given.pop("power")
        given["stages"] = ["2000", "1000 W", "2000"]
    if control is Control.SETPOINT:
        given["device"] = "climate.office"
    result = await flow.answer(**given)
    assert result["type"] is FlowResultType.CREATE_ENTRY, flow.errors
    data = dict(only(flow.entry).data)
    assert (data["kind"], data["body"], data["heat_source"]) == ("thermal", body, source)
    assert data["control"] == control
    if control is Control.STAGES:
        assert data["stages"] == [1000.0, 2000.0]
    assert only(flow.entry).title == (
        "Office" if control is Control.SETPOINT else {"tank": "Hot water", "room": "Room"}[body]
    )


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("ev", {"level": "sensor.car_battery"}),
        ("appliance", {}),
        ("run_time", {"power": 750}),
        ("battery", {"level": "sensor.house_battery"}),
        ("air_zone", {"device": "climate.office", "area": 100, "power": 3000}),
        ("light_zone", {"power": 100}),
        ("tank", {"temperature": "sensor.tank"}),
        ("room", {"temperature": "sensor.room", "area": 20, "power": 1000}),
    ],
)
async def test_what_is_filled_in_can_stay(flow: LoadFlow, kind: str, known: Fields) -> None:
    if kind in BODIES:
        await flow.open("thermal")
        await flow.answer(body=kind, heat_source="heater", control="on_off")
    else:
        await flow.open(kind)
    result = await flow.answer(**{**flow.filled(), **known})
    assert result["type"] is FlowResultType.CREATE_ENTRY, flow.errors
    assert only(flow.entry).data["override_hours"] == 4.0


async def test_levels_that_are_proposed_are_not_kept_of_a_car_whose_level_nobody_knows(
    flow: LoadFlow,
) -> None:
    await flow.open("ev")
    filled = flow.filled()
    assert {"capacity", "target", "must"} <= set(filled)
    assert filled["trips"] == {"at_once": 20.0}
    result = await flow.answer(**filled, without_level={"energy": 10})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not {"capacity", "target", "must", "at_once"} & set(only(flow.entry).data)


async def test_a_tank_with_a_weekly_run(flow: LoadFlow) -> None:
    await flow.open("thermal")
    await flow.answer(body="tank", heat_source="heater", control="on_off")
    run = {"hygiene": 60, "hygiene_day": "sat", "hygiene_by": "14:00"}
    await flow.answer(**TANK, device="switch.boiler", hygiene=run, physics={"draw": 6, "loss": 1.5})
    data = only(flow.entry).data
    assert (data["hygiene"], data["hygiene_day"], data["hygiene_by"]) == (60.0, "sat", "14:00:00")
    assert (data["draw"], data["loss"]) == (6.0, 1.5)
    assert only(flow.entry).title == "Boiler"


async def test_a_tank_is_not_cooled(flow: LoadFlow) -> None:
    await flow.open("thermal")
    await flow.answer(body="tank", heat_source="cooler", control="on_off")
    assert flow.errors == {"heat_source": "tank_not_cooled"}
    form = await flow.answer(body="room", heat_source="cooler", control="on_off")
    assert form["step_id"] == "room"


NEW: list[tuple[str, Fields, Fields, Fields]] = [
    (
        "ev",
        {**FULL_CAR, "trips": {"at_once": 20, "calendar": "calendar.trips"}},
        {**FULL_CAR, "phases": "1"},
        {"phases": 1.0},
    ),
    (
        "appliance",
        {"finish_by": "07:00", "ready": "binary_sensor.washer_ready"},
        {"finish_by": "08:15", "name": "Dishes"},
        {"finish_by": "08:15:00"},
    ),
    ("run_time", {**PUMP, "rules": {"least_run": 30}}, PUMP, {"power": 750.0}),
    (
        "battery",
        {**BATTERY, "wear": {"wear": 20}},
        {**BATTERY, "limits": {"reserve": 5}},
        {"reserve": 5.0},
    ),
    (
        "air_zone",
        {**ZONE_WITH_DEVICE, "comfort": {"low": 20}, "days": ["mon"]},
        {**ZONE_WITH_DEVICE, "setpoint": 23},
        {"setpoint": 23.0},
    ),
    (
        "light_zone",
        {"power": 100, "dimming": {"dim": 80}},
        {"power": 90},
        {"power": 90.0},
    ),
]


@pytest.mark.parametrize(("kind", "fields", "later", "changed"), NEW, ids=[one[0] for one in NEW])
async def test_a_load_is_changed_and_what_is_cleared_is_gone(
    flow: LoadFlow, kind: str, fields: Fields, later: Fields, changed: Fields
) -> None:
    await flow.open(kind)
    await flow.answer(**fields)
    before = only(flow.entry)
    form = await flow.change(before)
    assert form["step_id"] == kind
    # Everything that was told stands in the form, and nothing else.
    form_then = form_of(kind)
    standing = form_then.flat(flow.filled())
    assert standing.pop("name") == before.title
    assert load_data(LoadKind(kind), form_then, standing) == dict(before.data)
    result = await flow.answer(**later)
    assert result["reason"] == "reconfigure_successful", flow.errors
    after = only(flow.entry)
    assert after.subentry_id == before.subentry_id
    assert set(after.data) == {"kind", *form_then.flat(later)} - {"name"}
    assert after.data.items() >= changed.items()


async def test_a_tank_becomes_a_room_and_keeps_what_both_have(flow: LoadFlow) -> None:
    await flow.open("thermal")
    await flow.answer(body="tank", heat_source="heater", control="stages")
    stages = {key: value for key, value in TANK.items() if key != "power"}
    await flow.answer(**stages, name="Cylinder", stages=["3000", "1500"], physics={"draw": 5})
    form = await flow.change(only(flow.entry))
    assert form["step_id"] == FORM_THERMAL
    assert flow.filled() == {"body": "tank", "heat_source": "heater", "control": "stages"}
    await flow.answer(body="tank", heat_source="heater", control="stages")
    assert flow.filled()["stages"] == ["1500", "3000"]
    assert flow.filled()["physics"] == {"draw": 5.0}
    form = await flow.change(only(flow.entry))
    form = await flow.answer(body="room", heat_source="heat_pump", control="on_off")
    filled = flow.filled()
    assert filled["name"] == "Cylinder"
    assert filled["temperature"] == "sensor.tank"
    assert "draw" not in filled.get("physics", {})
    result = await flow.answer(**ROOM, name="Den")
    assert result["reason"] == "reconfigure_successful"
    load = only(flow.entry)
    assert load.title == "Den"
    assert dict(load.data) == {
        "kind": "thermal",
        "body": "room",
        "heat_source": "heat_pump",
        "control": "on_off",
        "area": 20.0,
        "power": 1000.0,
        "low": 20.0,
        "high": 22.0,
        "temperature": "sensor.room",
    }


async def test_a_load_of_no_known_kind_can_be_mended(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    entry = MockConfigEntry(
        domain=const.DOMAIN,
        subentries_data=[
            ConfigSubentryData(
                data={"kind": "teleporter", "phases": "many"},
                subentry_type="load",
                title="Old",
                unique_id=None,
            )
        ],
    )
    entry.add_to_hass(hass)
    flow = LoadFlow(hass, entry)
    menu = await flow.change(only(entry))
    assert menu["type"] is FlowResultType.MENU
    await flow.answer(next_step_id="run_time")
    assert flow.filled()["name"] == "Old"
    result = await flow.answer(**PUMP, name="New")
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).data["kind"] == "run_time"


async def test_a_load_is_called_by_its_kind_in_the_language_of_the_home(flow: LoadFlow) -> None:
    flow.hass.config.language = "zh-Hans"
    await flow.open("light_zone")
    await flow.answer(power=100)
    title = TEXTS["zh-Hans"]["config_subentries"]["load"]["step"]["light_zone"]["title"]
    assert only(flow.entry).title == title


async def test_units_of_money_are_those_of_the_home(flow: LoadFlow) -> None:
    flow.hass.config.currency = "SEK"
    await flow.open("battery")
    wear = flow.result["data_schema"].schema["wear"].schema.schema["wear_cost"]
    assert wear.config["unit_of_measurement"] == "SEK/kWh"


async def test_the_running_site_is_set_up_with_the_load(site: SiteUnderTest) -> None:
    await site.open()
    before = site.entry.runtime_data
    flow = LoadFlow(site.hass, site.entry)
    await flow.open("run_time")
    await flow.answer(**PUMP)
    await site.settle()
    assert site.entry.runtime_data is not before
    load = only(site.entry)
    assert site.entry.runtime_data.planner.loads[load.subentry_id].kind is LoadKind.RUN_TIME
    assert site.value("power") == pytest.approx(3000, rel=0.01)
    await flow.change(load)
    await flow.answer(**{**PUMP, "hours": 3})
    await site.settle()
    assert site.entry.runtime_data.planner.loads[load.subentry_id].data["hours"] == 3.0
