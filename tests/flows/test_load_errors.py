"""What is told of a load that cannot be meant, and what two loads cannot share."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from tests.flows.loads import (
    BATTERY,
    CAR,
    FULL_CAR,
    PUMP,
    TANK,
    ZONE,
    ZONE_WITH_DEVICE,
    LoadFlow,
    loads_of,
    meter_id,
    only,
    site_of,
)

type Fields = dict[str, Any]


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """Return a site that is not set up, with its meters, in a home with entities."""
    return site_of(hass)


@pytest.fixture
def flow(hass: HomeAssistant, entry: MockConfigEntry) -> LoadFlow:
    """Return the flow of a load of that site."""
    return LoadFlow(hass, entry)


@pytest.mark.parametrize(
    ("kind", "fields", "errors"),
    [
        ("ev", {**FULL_CAR, "must": 90}, {"must": "must_above_target"}),
        ("ev", {**FULL_CAR, "target": 0, "must": 0}, {"target": "no_energy"}),
        ("ev", {**FULL_CAR, "trips": {"at_once": 85}}, {"trips": "at_once_above_target"}),
        ("ev", CAR, {"level": "level_or_energy"}),
        ("ev", {**CAR, "level": "sensor.car_battery"}, {"capacity": "capacity_missing"}),
        (
            "ev",
            {**FULL_CAR, "without_level": {"must_energy": 6}},
            {"without_level": "energy_missing"},
        ),
        (
            "ev",
            {**CAR, "without_level": {"energy": 5, "must_energy": 6}},
            {"without_level": "must_above_energy"},
        ),
        (
            "ev",
            {**FULL_CAR, "charger": {"least_current": 20}},
            {"charger": "least_above_most"},
        ),
        (
            "ev",
            {**FULL_CAR, "charger": {"efficiency": 0.9}},
            {"charger": "efficiency_in_per_cent"},
        ),
        (
            "ev",
            {**FULL_CAR, "level": "sensor.house_battery_voltage"},
            {"level": "not_per_cent"},
        ),
        ("ev", {**FULL_CAR, "connected": "sensor.gone"}, {"connected": "unknown_entity"}),
        ("ev", {**FULL_CAR, "more": {"quiet_from": "22:00"}}, {"more": "both_times"}),
        (
            "ev",
            {**FULL_CAR, "charger": {"device": "climate.office"}},
            {"charger": "wrong_device"},
        ),
        ("appliance", {"finish_by": "07:00", "run": {"power": 0}}, {"run": "no_power"}),
        (
            "appliance",
            {"finish_by": "07:00", "power_entity": "sensor.washer_energy"},
            {"power_entity": "not_power"},
        ),
        ("run_time", {**PUMP, "power": 0}, {"power": "no_power"}),
        ("run_time", {**PUMP, "power": float("nan")}, {"power": "no_number"}),
        ("run_time", {**PUMP, "hours": 0}, {"hours": "no_hours"}),
        ("run_time", {**PUMP, "from": "10:00", "to": "17:59"}, {"hours": "longer_than_window"}),
        ("run_time", {**PUMP, "from": "23:00", "to": "06:59"}, {"hours": "longer_than_window"}),
        ("run_time", {**PUMP, "from": "10:00", "to": "10:00"}, {"to": "same_times"}),
        ("run_time", {**PUMP, "to": "10:00"}, {"from": "both_times"}),
        (
            "run_time",
            {**PUMP, "hours": 1, "rules": {"least_run": 61}},
            {"rules": "least_run_too_long"},
        ),
        (
            "run_time",
            {**PUMP, "rules": {"least_pause": 90, "longest_pause": 1}},
            {"rules": "pauses_contradict"},
        ),
        ("battery", {**BATTERY, "capacity": 0}, {"capacity": "no_capacity"}),
        ("battery", {**BATTERY, "charge": 0}, {"charge": "no_power"}),
        ("battery", {**BATTERY, "discharge": 0}, {"discharge": "no_power"}),
        ("battery", {**BATTERY, "limits": {"reserve": 100}}, {"limits": "all_in_reserve"}),
        ("battery", {**BATTERY, "level": "sensor.tank"}, {"level": "not_per_cent"}),
        ("air_zone", {**ZONE_WITH_DEVICE, "area": 0}, {"area": "no_area"}),
        ("air_zone", ZONE, {"building": "temperature_missing"}),
        ("air_zone", {**ZONE, "device": "climate.range_only"}, {"device": "no_setpoint"}),
        (
            "air_zone",
            {**ZONE_WITH_DEVICE, "comfort": {"high": 23}},
            {"setpoint": "setpoint_outside"},
        ),
        (
            "air_zone",
            {**ZONE_WITH_DEVICE, "comfort": {"low": 25}},
            {"comfort": "setpoint_outside"},
        ),
        (
            "air_zone",
            {**ZONE_WITH_DEVICE, "comfort": {"low": 24, "high": 24}},
            {"comfort": "low_not_below_high"},
        ),
        (
            "air_zone",
            {**ZONE_WITH_DEVICE, "building": {"outside": "sensor.washer_power"}},
            {"building": "not_temperature"},
        ),
        (
            "light_zone",
            {"power": 100, "dimming": {"dim": 40, "dim_least": 50}},
            {"dimming": "least_above_dim"},
        ),
        ("light_zone", {"power": 100, "dimming": {"peak": 0}}, {"dimming": "no_peak"}),
    ],
)
async def test_what_cannot_be_meant_is_told_at_its_place(
    flow: LoadFlow, kind: str, fields: Fields, errors: dict[str, str]
) -> None:
    await flow.open(kind)
    result = await flow.answer(**fields)
    assert result["type"] is FlowResultType.FORM
    assert flow.errors == errors
    assert not loads_of(flow.entry)
    # What was typed is still there, in its section.
    standing = flow.filled()
    for key, value in fields.items():
        assert plain(standing[key]) == plain(value)


def plain(value: Any) -> Any:
    """Return a value in which all numbers are float, and NaN is the same as itself."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return repr(float(value)) if isinstance(value, int | float) else value


@pytest.mark.parametrize(
    ("control", "fields", "errors"),
    [
        ("on_off", {**TANK, "low": 60}, {"low": "low_not_below_high"}),
        (
            "on_off",
            {**TANK, "low": 55, "hygiene": {"hygiene": 55}},
            {"hygiene": "hygiene_not_hotter"},
        ),
        ("on_off", {**TANK, "hygiene": {"hygiene": 60}}, {"hygiene": "hygiene_when"}),
        ("on_off", {**TANK, "hygiene": {"hygiene_day": "mon"}}, {"hygiene": "hygiene_when"}),
        (
            "on_off",
            {**TANK, "hygiene": {"hygiene": 60, "hygiene_day": "mon"}},
            {"hygiene": "hygiene_when"},
        ),
        (
            "on_off",
            {**TANK, "temperature": "sensor.car_battery"},
            {"temperature": "not_temperature"},
        ),
        ("stages", {"stages": []}, {"stages": "stages_missing"}),
        ("stages", {"stages": ["much"]}, {"stages": "no_number"}),
        ("stages", {"stages": ["0", "2000"]}, {"stages": "no_power"}),
        ("stages", {"stages": ["nan"]}, {"stages": "no_number"}),
        ("setpoint", {"device": "climate.range_only"}, {"device": "no_setpoint"}),
        ("setpoint", {"device": "switch.boiler"}, {"device": "wrong_device"}),
        ("on_off", {"physics": {"efficiency": 1}}, {"physics": "efficiency_in_per_cent"}),
    ],
)
async def test_heat_that_cannot_be_meant(
    flow: LoadFlow, control: str, fields: Fields, errors: dict[str, str]
) -> None:
    await flow.open("thermal")
    await flow.answer(body="tank", heat_source="heater", control=control)
    given = {**TANK, **({"stages": ["2000"]} if control == "stages" else {}), **fields}
    if control == "stages":
        given.pop("power")
    if control == "setpoint":
        given.setdefault("device", "water_heater.tank")
    await flow.answer(**given)
    assert flow.errors == errors
    assert not loads_of(flow.entry)


async def test_what_only_the_planner_finds_is_told_above_the_form(flow: LoadFlow) -> None:
    await flow.open("ev")
    fields = {key: value for key, value in FULL_CAR.items() if key != "target"}
    await flow.answer(**{**fields, "must": 90})
    assert flow.errors == {"base": "cannot_be_planned"}
    assert "90" in flow.result["description_placeholders"]["problem"]
    result = await flow.answer(**{**fields, "must": 70})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_tank_needs_a_temperature_of_its_own_or_of_its_device(flow: LoadFlow) -> None:
    await flow.open("thermal")
    await flow.answer(body="tank", heat_source="heater", control="on_off")
    bare = {key: value for key, value in TANK.items() if key != "temperature"}
    await flow.answer(**bare, device="switch.boiler")
    assert flow.errors == {"temperature": "temperature_missing"}
    result = await flow.answer(**bare, device="water_heater.tank")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert only(flow.entry).title == "Tank"


async def test_a_sensor_that_is_silent_or_of_the_registry_is_taken(flow: LoadFlow) -> None:
    registry = er.async_get(flow.hass)
    asleep = registry.async_get_or_create("binary_sensor", "demo", "1", suggested_object_id="plug")
    off = registry.async_get_or_create(
        "binary_sensor", "demo", "2", disabled_by=er.RegistryEntryDisabler.USER
    )
    await flow.open("ev")
    await flow.answer(**{**FULL_CAR, "connected": off.entity_id})
    assert flow.errors == {"connected": "unknown_entity"}
    await flow.answer(**{**FULL_CAR, "connected": asleep.id})  # no flow of the frontend does so
    assert flow.errors == {"connected": "unknown_entity"}
    fields = {**FULL_CAR, "connected": asleep.entity_id, "level": "sensor.quiet_one"}
    result = await flow.answer(**fields)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_meters_to_choose_from_are_those_that_can_measure_it_alone(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    def offered() -> set[str]:
        field = flow.result["data_schema"].schema["meter"]
        return {option["label"] for option in field.config["options"]}

    await flow.open("appliance")
    assert offered() == {"Kitchen", "Washer", "Garage"}
    await flow.open("battery")
    assert offered() == {"Kitchen", "Washer", "Garage", "Battery"}
    assert flow.filled()["meter"] == meter_id(entry, "battery")


async def test_a_site_without_such_meters_asks_for_none(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    entry = MockConfigEntry(domain=const.DOMAIN, title="Home", minor_version=2)
    entry.add_to_hass(hass)
    flow = LoadFlow(hass, entry)
    await flow.open("run_time")
    assert "meter" not in flow.result["data_schema"].schema
    result = await flow.answer(**PUMP)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert only(entry).title == "Run time"


async def test_what_the_site_knows_of_its_battery_is_filled_in(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    known = {meter_id(entry, "battery"): {"capacity": 7.5, "efficiency": 88, "standby": 4}}
    flow.hass.config_entries.async_update_entry(entry, options={"batteries": known})
    await flow.open("battery")
    filled = flow.filled()
    assert filled["capacity"] == 7.5
    assert filled["limits"]["efficiency"] == 88


async def test_two_loads_do_not_share_what_measures_them(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    meters = {name: meter_id(entry, name) for name in ("kitchen", "washer", "garage")}
    await flow.open("appliance")
    first = {"finish_by": "07:00", "name": "Washer", "device": "switch.washer"}
    await flow.answer(**first, meter=meters["washer"])
    await flow.open("run_time")
    await flow.answer(**PUMP, meter=meters["washer"])
    assert flow.errors == {"meter": "meter_taken"}
    assert flow.result["description_placeholders"]["other"] == "Washer"
    # The kitchen's meter counts the washer's energy, too.
    await flow.answer(**PUMP, meter=meters["kitchen"])
    assert flow.errors == {"meter": "meter_behind"}
    await flow.answer(**PUMP, meter=meters["garage"], device="switch.washer")
    assert flow.errors == {"device": "entity_taken"}
    await flow.answer(**PUMP, meter=meters["garage"], more={"power_entity": "sensor.washer_power"})
    assert flow.errors == {"more": "meter_or_sensor"}
    result = await flow.answer(**PUMP, meter=meters["garage"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # What it has itself is not shared with itself.
    await flow.change(loads_of(entry)[0])
    result = await flow.answer(**first, meter=meters["washer"])
    assert result["reason"] == "reconfigure_successful"


KITCHEN_ROUNDS = {"quiet_from": "22:00", "quiet_to": "08:00"}


async def test_a_meter_that_was_removed_is_not_proposed_again(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    garage = meter_id(entry, "garage")
    await flow.open("run_time")
    await flow.answer(**PUMP, meter=garage)
    await flow.change(only(entry))
    assert flow.filled()["meter"] == garage
    flow.hass.config_entries.async_remove_subentry(entry, garage)
    await flow.change(only(entry))
    assert "meter" not in flow.filled()
    await flow.answer(**PUMP)
    assert "meter" not in only(entry).data


async def test_entities_are_shared_with_no_load_of_any_site(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    await flow.open("run_time")
    await flow.answer(**PUMP, device="switch.pump")
    other = MockConfigEntry(domain=const.DOMAIN, title="Shed", minor_version=2)
    other.add_to_hass(flow.hass)
    there = LoadFlow(flow.hass, other)
    await there.open("run_time")
    await there.answer(**PUMP, device="switch.pump")
    assert there.errors == {"device": "entity_taken"}
    assert there.result["description_placeholders"]["other"] == "Pool pump"


async def test_meters_that_sit_behind_one_another_in_a_circle_are_no_end(
    flow: LoadFlow, entry: MockConfigEntry
) -> None:
    kitchen = entry.subentries[meter_id(entry, "kitchen")]
    data = {**kitchen.data, "parent": meter_id(entry, "washer")}
    flow.hass.config_entries.async_update_subentry(entry, kitchen, data=data)
    await flow.open("run_time")
    await flow.answer(**PUMP, meter=kitchen.subentry_id)
    await flow.open("run_time")
    await flow.answer(**PUMP, meter=meter_id(entry, "washer"))
    assert flow.errors == {"meter": "meter_behind"}
    result = await flow.answer(**PUMP, meter=meter_id(entry, "garage"))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_run_longer_than_the_day_leaves_is_kept_after_a_warning(flow: LoadFlow) -> None:
    await flow.open("appliance")
    fields = {
        "finish_by": "07:00",
        "run": {"duration": 15 * 60, "power": 100},
        "more": KITCHEN_ROUNDS,
    }
    await flow.answer(**fields)
    assert flow.errors == {"run": "run_is_long"}
    await flow.answer(**{**fields, "run": {"duration": 16 * 60, "power": 100}})
    assert flow.errors == {"run": "run_is_long"}
    result = await flow.answer(**{**fields, "run": {"duration": 16 * 60, "power": 100}})
    assert result["type"] is FlowResultType.CREATE_ENTRY
