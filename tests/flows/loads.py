"""What the tests of the flows of loads share: a site with meters and entities, and its steps."""

from collections.abc import Mapping
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from custom_components.carbon_meter.const import DOMAIN

TEXTS = json.loads((Path(const.__file__).parent / "translations" / "en.json").read_text())

POWER = {"unit_of_measurement": "W", "device_class": "power"}
TEMPERATURE = {"unit_of_measurement": "°C", "device_class": "temperature"}

ENTITIES: dict[str, tuple[str, dict[str, Any]]] = {
    "switch.washer": ("off", {"friendly_name": "Washer"}),
    "switch.pump": ("off", {"friendly_name": "Pool pump"}),
    "switch.boiler": ("off", {"friendly_name": "Boiler"}),
    "switch.wallbox": ("off", {}),
    "binary_sensor.washer_ready": ("off", {}),
    "binary_sensor.car_plugged_in": ("on", {}),
    "sensor.washer_power": ("3", POWER),
    "sensor.washer_energy": ("3", {"unit_of_measurement": "kWh", "device_class": "energy"}),
    "sensor.car_battery": ("40", {"unit_of_measurement": "%", "device_class": "battery"}),
    "sensor.house_battery": ("50", {"unit_of_measurement": "%", "device_class": "battery"}),
    "sensor.house_battery_voltage": ("51", {"unit_of_measurement": "V"}),
    "sensor.tank": ("52", TEMPERATURE),
    "sensor.room": ("69.8", {**TEMPERATURE, "unit_of_measurement": "°F"}),
    "sensor.quiet_one": ("unavailable", {}),
    "weather.home": ("sunny", {}),
    "calendar.trips": ("off", {}),
    "input_boolean.office": ("on", {}),
    "climate.office": ("cool", {"friendly_name": "Office", "supported_features": 1}),
    "climate.range_only": ("cool", {"supported_features": 2}),
    "water_heater.tank": ("eco", {"friendly_name": "Tank", "supported_features": 1}),
    "light.hall": ("on", {"friendly_name": "Hall"}),
}

CAR = {"ready_by": "06:30", "control": "current", "most_current": 16, "phases": "3"}
FULL_CAR = {**CAR, "level": "sensor.car_battery", "capacity": 60, "target": 80, "must": 50}
PUMP = {"power": 750, "hours": 8}
BATTERY = {"level": "sensor.house_battery", "capacity": 10, "charge": 5000, "discharge": 4000}
ZONE = {"heat_source": "cooler", "area": 400, "power": 9000, "setpoint": 24}
ZONE_WITH_DEVICE = {**ZONE, "device": "climate.office"}
TANK = {"volume": 150, "power": 2000, "low": 45, "high": 60, "temperature": "sensor.tank"}
ROOM = {"area": 20, "power": 1000, "low": 20, "high": 22, "temperature": "sensor.room"}

METERS = {
    "grid": {"role": "grid"},
    "kitchen": {"role": "submeter"},
    "washer": {"role": "submeter", "parent": "kitchen"},
    "garage": {"role": "submeter"},
    "battery": {"role": "battery"},
    "gas": {"role": "submeter", "carrier": "gas"},
}
"""Data of the meters by their unique ids."""


def site_of(hass: HomeAssistant) -> MockConfigEntry:
    """Return a site that is not set up, with its meters, in a home with entities."""
    hass.config.currency = "EUR"
    for entity_id, (state, attributes) in ENTITIES.items():
        hass.states.async_set(entity_id, state, attributes)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        minor_version=2,
        options={"sources": []},
        subentries_data=[
            ConfigSubentryData(
                data=data, subentry_type="meter", title=name.capitalize(), unique_id=name
            )
            for name, data in METERS.items()
        ],
    )
    entry.add_to_hass(hass)
    return entry


def meter_id(entry: MockConfigEntry, name: str) -> str:
    """Return the id of a meter's subentry by its unique id."""
    return next(key for key, one in entry.subentries.items() if one.unique_id == name)


def loads_of(entry: MockConfigEntry) -> list[Any]:
    """Return the loads of a site."""
    return entry.get_subentries_of_type("load")


def only(entry: MockConfigEntry) -> Any:
    """Return the only load of a site."""
    (load,) = loads_of(entry)
    return load


class LoadFlow:
    """The flow of a load, answered step by step."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self.hass = hass
        self.entry = entry
        self.result: Any = None

    async def open(self, *kinds: str) -> Any:
        """Begin to add a load, and follow the menu."""
        await self._begin(source=SOURCE_USER)
        for kind in kinds:
            await self.answer(next_step_id=kind)
        return self.result

    async def change(self, load: Any) -> Any:
        """Begin to change a load."""
        return await self._begin(source=SOURCE_RECONFIGURE, subentry_id=load.subentry_id)

    async def _begin(self, **context: str) -> Any:
        flows = self.hass.config_entries.subentries
        self.result = await flows.async_init((self.entry.entry_id, "load"), context=context)
        return self.result

    async def answer(self, **fields: Any) -> Any:
        """Submit the form that is shown; what it says is told in words."""
        flows = self.hass.config_entries.subentries
        self.result = await flows.async_configure(self.result["flow_id"], fields)
        if self.result["type"] is FlowResultType.FORM:
            assert_told(self.result, TEXTS["config_subentries"]["load"])
        return self.result

    @property
    def errors(self) -> dict[str, str]:
        """Return what is wrong with what was sent."""
        return self.result["errors"] or {}

    def filled(self) -> dict[str, Any]:
        """Return what stands in the form before anything is typed, sections as such."""
        return suggestions(self.result["data_schema"].schema)


def suggestions(schema: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what is suggested in a form."""
    found: dict[str, Any] = {}
    for key, field in schema.items():
        if isinstance(field, section):
            if inside := suggestions(field.schema.schema):
                found[str(key)] = inside
        elif key.description and "suggested_value" in key.description:
            found[str(key)] = key.description["suggested_value"]
    return found


def assert_told(result: Any, texts: Mapping[str, Any]) -> None:
    """Assert that a form has words for its fields, sections and errors."""
    step = texts["step"][result["step_id"]]
    given = set(result["description_placeholders"] or {})
    for key, field in result["data_schema"].schema.items():
        told = step
        if isinstance(field, section):
            told = step["sections"][str(key)]
            assert told["name"]
            assert {str(one) for one in field.schema.schema} <= set(told["data"])
        else:
            assert str(key) in told["data"]
    for key in (result["errors"] or {}).values():
        assert set(re.findall(r"\{(\w+)\}", texts["error"][key])) <= given
