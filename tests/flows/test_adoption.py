"""Adopting meters through the flows, from the Energy settings and by hand."""

from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.carbon_meter.const import DOMAIN
from tests.common import SiteUnderTest
from tests.foreign import ForeignDevice, say

GRID = {
    "type": "grid",
    "stat_energy_from": "sensor.p1_drawn_1",
    "stat_energy_to": "sensor.p1_given_1",
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
    "stat_compensation": None,
    "entity_energy_price_export": None,
    "number_energy_price_export": None,
    "cost_adjustment_day": 0.0,
}


@pytest.fixture
async def hass_with_energy(site: SiteUnderTest) -> HomeAssistant:
    """Return Home Assistant with Energy, and nothing in its settings."""
    site.hass.config.components.add("energy")
    return site.hass


async def prefer(hass: HomeAssistant, **preferences: Any) -> None:
    """Change the Energy settings as the page does."""
    await (await async_get_manager(hass)).async_update(preferences)


def home(hass: HomeAssistant) -> None:
    """Put a home's devices into the registry."""
    p1 = ForeignDevice(hass, "p1", serial="E00123")
    for key, value in (("drawn_1", 1000), ("drawn_2", 2000), ("given_1", 100), ("given_2", 200)):
        p1.add(key, value, "kWh")
    p1.add("power", -0.4, "kW")
    p1.add("voltage_l1", 231, "V")
    roof = ForeignDevice(hass, "roof")
    roof.add("yield", 5000, "kWh")
    roof.add("power", 2500, "W")
    store = ForeignDevice(hass, "store")
    store.add("charged", 700, "kWh")
    store.add("discharged", 600, "kWh")
    store.add("charging", 300, "W")
    store.add("discharging", 0, "W")
    pump = ForeignDevice(hass, "pump")
    pump.add("energy", 300, "kWh")
    pump.add("power", 900, "W")
    pump.add("voltage", 230, "V")
    pump.add("frequency", 50, "Hz")
    ForeignDevice(hass, "compressor").add("energy", 250, "kWh")
    ForeignDevice(hass, "gasmeter").add("gas", 4000, "m³")
    ForeignDevice(hass, "watermeter").add("water", 123_456, "L")


SETTINGS: dict[str, Any] = {
    "energy_sources": [
        {**GRID, "power_config": {"stat_rate": "sensor.p1_power"}},
        {**GRID, "stat_energy_from": "sensor.p1_drawn_2", "stat_energy_to": "sensor.p1_given_2"},
        {
            "type": "solar",
            "stat_energy_from": "sensor.roof_yield",
            "stat_rate": "sensor.roof_power",
            "config_entry_solar_forecast": None,
            "name": "South roof",
        },
        {
            "type": "battery",
            "stat_energy_from": "sensor.store_discharged",
            "stat_energy_to": "sensor.store_charged",
            "power_config": {
                "stat_rate_from": "sensor.store_discharging",
                "stat_rate_to": "sensor.store_charging",
            },
        },
        {"type": "gas", "stat_energy_from": "sensor.gasmeter_gas"},
        {"type": "water", "stat_energy_from": "sensor.watermeter_water"},
        {"type": "solar", "stat_energy_from": "utility:old_roof"},
    ],
    "device_consumption": [
        {"stat_consumption": "sensor.pump_energy", "name": "Heat pump"},
        {
            "stat_consumption": "sensor.compressor_energy",
            "included_in_stat": "sensor.pump_energy",
        },
    ],
}


async def menu(hass: HomeAssistant) -> Any:
    """Return the first form of the flow."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    return result


async def step(hass: HomeAssistant, name: str) -> Any:
    """Return the form of a step of the menu."""
    return await hass.config_entries.flow.async_configure(
        (await menu(hass))["flow_id"], {"next_step_id": name}
    )


async def answer(hass: HomeAssistant, form: Any, **fields: Any) -> Any:
    """Send a form."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], fields)


def options(form: Any) -> dict[str, str]:
    """Return the meters in a form by what stands for them."""
    schema = form["data_schema"].schema
    selector = next(value for key, value in schema.items() if str(key) == "meters")
    return {option["value"]: option["label"] for option in selector.config["options"]}


def by_title(entry: Any) -> dict[str, Any]:
    """Return the meters of a site by their titles."""
    return {subentry.title: subentry for subentry in entry.subentries.values()}


def sources(hass: HomeAssistant, subentry: Any) -> set[tuple[str, str | None, int]]:
    """Return the sources of a meter as quantity, entity id, sign."""
    registry = er.async_get(hass)
    return {
        (
            kept["quantity"],
            er.async_resolve_entity_id(registry, kept["entity"]),
            kept.get("sign", 1),
        )
        for kept in subentry.data["entities"]
    }


async def test_energy_settings_are_adopted_in_one_step(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    await prefer(hass, **SETTINGS)
    form = await step(hass, "energy")
    assert form["step_id"] == "energy"
    assert form["description_placeholders"] == {"count": "7", "left_out": "utility:old_roof"}
    assert any("P -400.0 W" in label for label in options(form).values())
    result = await answer(hass, form, site="Home")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()
    site.entry = result["result"]
    meters = by_title(site.entry)
    assert set(meters) == {
        *("p1", "South roof", "store", "gasmeter", "watermeter", "Heat pump", "compressor")
    }
    assert {title: meter.data["role"] for title, meter in meters.items()} == {
        "p1": "grid",
        "South roof": "solar",
        "store": "battery",
        "gasmeter": "grid",
        "watermeter": "grid",
        "Heat pump": "submeter",
        "compressor": "submeter",
    }
    assert sources(hass, meters["p1"]) == {
        ("energy_import", "sensor.p1_drawn_1", 1),
        ("energy_import", "sensor.p1_drawn_2", 1),
        ("energy_export", "sensor.p1_given_1", 1),
        ("energy_export", "sensor.p1_given_2", 1),
        ("power", "sensor.p1_power", 1),
        ("voltage_l1", "sensor.p1_voltage_l1", 1),
    }
    # What is made flows towards the grid: it is export, and the power is negative.
    assert sources(hass, meters["South roof"]) == {
        ("energy_export", "sensor.roof_yield", 1),
        ("power", "sensor.roof_power", -1),
    }
    assert sources(hass, meters["store"]) == {
        ("energy_export", "sensor.store_discharged", 1),
        ("energy_import", "sensor.store_charged", 1),
        ("power", "sensor.store_discharging", -1),
        ("power", "sensor.store_charging", 1),
    }
    assert sources(hass, meters["Heat pump"]) == {
        ("energy_import", "sensor.pump_energy", 1),
        ("power", "sensor.pump_power", 1),
        ("voltage", "sensor.pump_voltage", 1),
        ("frequency", "sensor.pump_frequency", 1),
    }
    assert meters["gasmeter"].data["carrier"] == "gas"
    assert meters["watermeter"].data["carrier"] == "water"
    assert meters["compressor"].data["parent"] == meters["Heat pump"].subentry_id
    assert "parent" not in meters["Heat pump"].data
    running = {meter.subentry.title: meter for meter in site.entry.runtime_data.meters.values()}
    assert all(meter.last_update_success for meter in running.values())
    assert running["p1"].data.values["energy_import"] == 3_000_000
    assert running["South roof"].data.values["power"] == -2500
    assert running["store"].data.values["power"] == 300
    assert running["gasmeter"].data.values["volume"] == 4_000_000
    # Nothing is left to offer.
    assert "energy" not in (await menu(hass))["menu_options"]


async def test_new_things_join_a_site_with_their_hierarchy(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    await prefer(hass, device_consumption=SETTINGS["device_consumption"][:1])
    result = await answer(hass, await step(hass, "energy"), site="Home")
    await site.settle()
    site.entry = result["result"]
    await prefer(hass, **SETTINGS)
    form = await hass.config_entries.subentries.async_init(
        (site.entry.entry_id, "meter"), context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"next_step_id": "energy"}
    )
    chosen = [key for key, label in options(form).items() if "compressor" in label or "p1" in label]
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"meters": chosen}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "meters_added"
    await site.settle()
    meters = by_title(site.entry)
    assert set(meters) == {"Heat pump", "p1", "compressor"}
    assert meters["compressor"].data["parent"] == meters["Heat pump"].subentry_id
    form = await step(hass, "energy")
    assert len(options(form)) == 4


async def test_child_of_what_is_not_chosen_goes_to_its_grandparent(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    ForeignDevice(hass, "fan").add("energy", 5, "kWh")
    devices = [
        *SETTINGS["device_consumption"],
        {"stat_consumption": "sensor.fan_energy", "included_in_stat": "sensor.compressor_energy"},
    ]
    await prefer(hass, device_consumption=devices)
    form = await step(hass, "energy")
    chosen = [key for key, label in options(form).items() if "compressor" not in label]
    result = await answer(hass, form, site="Home", meters=chosen)
    await site.settle()
    site.entry = result["result"]
    meters = by_title(site.entry)
    assert meters["fan"].data["parent"] == meters["Heat pump"].subentry_id


async def test_hierarchy_that_runs_in_a_circle(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    for name in ("a", "b"):
        ForeignDevice(hass, name).add("energy", 5, "kWh")
    await prefer(
        hass,
        device_consumption=[
            {"stat_consumption": "sensor.a_energy", "included_in_stat": "sensor.b_energy"},
            {"stat_consumption": "sensor.b_energy", "included_in_stat": "sensor.a_energy"},
        ],
    )
    result = await answer(hass, await step(hass, "energy"), site="Home")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()
    site.entry = result["result"]


async def test_older_settings_have_lists_of_flows(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    (await async_get_manager(hass)).data = {
        "energy_sources": [
            {
                "type": "grid",
                "flow_from": [
                    {"stat_energy_from": "sensor.p1_drawn_1"},
                    {"stat_energy_from": "sensor.p1_drawn_2"},
                ],
                "flow_to": [{"stat_energy_to": "sensor.p1_given_1"}],
            },
            {"type": "home", "stat_energy_to": "sensor.pump_energy", "name": "House"},
            {"type": "unheard_of", "stat_energy_from": "sensor.roof_yield"},
        ]
    }
    form = await step(hass, "energy")
    assert len(options(form)) == 2
    result = await answer(hass, form, site="Home")
    await site.settle()
    site.entry = result["result"]
    meters = by_title(site.entry)
    assert ("energy_import", "sensor.p1_drawn_2", 1) in sources(hass, meters["p1"])
    assert meters["House"].data["role"] == "submeter"


async def test_inverted_power_of_the_grid(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    await prefer(
        hass,
        energy_sources=[{**GRID, "power_config": {"stat_rate_inverted": "sensor.p1_power"}}],
    )
    result = await answer(hass, await step(hass, "energy"), site="Home")
    await site.settle()
    site.entry = result["result"]
    (meter,) = site.entry.runtime_data.meters.values()
    assert meter.data.values["power"] == 400


async def test_nothing_chosen(site: SiteUnderTest, hass_with_energy: HomeAssistant) -> None:
    home(hass_with_energy)
    await prefer(hass_with_energy, **SETTINGS)
    form = await step(hass_with_energy, "energy")
    form = await answer(hass_with_energy, form, site="Home", meters=[])
    assert form["errors"] == {"base": "none_chosen"}


async def test_without_settings_there_is_no_offer(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    offers = (await menu(hass_with_energy))["menu_options"]
    assert "energy" not in offers
    assert "entities" not in offers


async def test_what_we_read_ourselves_is_not_offered(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    await site.open()
    serial = site.meter().subentry.data["serial"]
    double = ForeignDevice(hass, "double", serial=serial)
    energy = double.add("energy", 10, "kWh")
    await prefer(hass, device_consumption=[{"stat_consumption": energy}])
    assert "energy" not in (await menu(hass))["menu_options"]
    await prefer(hass, device_consumption=[{"stat_consumption": site.entity_id("energy_import")}])
    assert "energy" not in (await menu(hass))["menu_options"]


async def by_hand(hass: HomeAssistant, *entity_ids: str) -> Any:
    """Return what follows on choosing entities."""
    form = await step(hass, "entities")
    assert form["step_id"] == "entities"
    return await answer(hass, form, entities=list(entity_ids))


async def test_one_device_by_hand(site: SiteUnderTest, hass_with_energy: HomeAssistant) -> None:
    hass = hass_with_energy
    home(hass)
    form = await by_hand(hass, "sensor.pump_energy")
    assert form["step_id"] == "quantities"
    suggested = {
        str(key): key.description["suggested_value"]
        for key in form["data_schema"].schema
        if key.description
    }
    assert suggested == {
        "energy_import": "sensor.pump_energy",
        "power": "sensor.pump_power",
        "voltage": "sensor.pump_voltage",
        "frequency": "sensor.pump_frequency",
    }
    form = await answer(hass, form, **suggested)
    assert form["step_id"] == "adopt"
    assert "P 900.0 W" in form["description_placeholders"]["values"]
    result = await answer(hass, form, site="Home", name="Heat pump", role="submeter", interval=30)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await site.settle()
    site.entry = result["result"]
    (subentry,) = site.entry.subentries.values()
    assert subentry.title == "Heat pump"
    assert subentry.data["interval"] == 30
    assert subentry.data["manufacturer"] == "Foreign"
    assert site.entry.runtime_data.meters[subentry.subentry_id].data.values["power"] == 900
    again = await by_hand(hass, "sensor.pump_energy")
    assert again["errors"] == {"entities": "already_adopted"}


async def test_name_and_role_of_an_adopted_meter_can_be_changed(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    await prefer(hass, device_consumption=SETTINGS["device_consumption"][:1])
    result = await answer(hass, await step(hass, "energy"), site="Home")
    await site.settle()
    site.entry = result["result"]
    (subentry,) = site.entry.subentries.values()
    form = await hass.config_entries.subentries.async_init(
        (site.entry.entry_id, "meter"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    assert form["step_id"] == "reconfigure"
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"name": "Pump", "role": "grid"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await site.settle()
    (after,) = site.entry.subentries.values()
    assert (after.title, after.data["role"]) == ("Pump", "grid")
    assert after.unique_id == subentry.unique_id
    assert after.data["entities"] == subentry.data["entities"]


async def test_several_devices_by_hand(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    form = await by_hand(
        hass, "sensor.pump_energy", "sensor.compressor_energy", "sensor.gasmeter_gas"
    )
    assert form["step_id"] == "several"
    result = await answer(hass, form, site="Home")
    await site.settle()
    site.entry = result["result"]
    assert {title: meter.data["carrier"] for title, meter in by_title(site.entry).items()} == {
        "pump": "electricity",
        "compressor": "electricity",
        "gasmeter": "gas",
    }


async def test_power_with_a_sensor_for_each_direction(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    home(hass)
    form = await by_hand(hass, "sensor.store_charging")
    form = await answer(
        hass, form, power="sensor.store_charging", power_given="sensor.store_discharging"
    )
    result = await answer(hass, form, site="Home", name="Store", role="battery")
    await site.settle()
    site.entry = result["result"]
    (meter,) = site.entry.runtime_data.meters.values()
    assert meter.data.values["power"] == 300
    assert {"energy_import", "energy_export"} <= set(meter.profile.quantities)


async def test_net_meter_by_hand_counts_both_ways(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    energy = ForeignDevice(hass, "disc").add("energy", 9000, "kWh", state_class="total")
    form = await by_hand(hass, energy)
    form = await answer(hass, form, energy_import=energy)
    result = await answer(hass, form, site="Home", name="Disc", role="grid")
    await site.settle()
    site.entry = result["result"]
    (meter,) = site.entry.runtime_data.meters.values()
    assert meter.subentry.data["entities"][0]["net"] is True
    assert "energy_export" in meter.profile.quantities


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"base": "nothing_to_count"}),
        ({"voltage": "sensor.pump_voltage"}, {"base": "nothing_to_count"}),
        ({"energy_import": "sensor.pump_power"}, {"energy_import": "wrong_unit"}),
        ({"power": "sensor.text"}, {"power": "wrong_unit"}),
    ],
)
async def test_what_does_not_fit_is_told(
    site: SiteUnderTest,
    hass_with_energy: HomeAssistant,
    fields: dict[str, str],
    errors: dict[str, str],
) -> None:
    home(hass_with_energy)
    say(hass_with_energy, "sensor.text", "warm", "W")
    form = await by_hand(hass_with_energy, "sensor.pump_energy")
    form = await answer(hass_with_energy, form, **fields)
    assert form["step_id"] == "quantities"
    assert form["errors"] == errors


async def test_a_strip_of_outlets_keeps_them_apart(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    hass = hass_with_energy
    strip = ForeignDevice(hass, "strip")
    for outlet in (1, 2):
        strip.add(f"outlet_{outlet}_energy", outlet, "kWh")
        strip.add(f"outlet_{outlet}_power", 10 * outlet, "W")
    form = await by_hand(hass, "sensor.strip_outlet_2_energy")
    suggested = {
        str(key): key.description["suggested_value"]
        for key in form["data_schema"].schema
        if key.description
    }
    assert suggested == {
        "energy_import": "sensor.strip_outlet_2_energy",
        "power": "sensor.strip_outlet_2_power",
    }


async def test_energy_of_other_integrations_only(
    site: SiteUnderTest, hass_with_energy: HomeAssistant
) -> None:
    await site.open()
    assert "entities" not in (await menu(site.hass))["menu_options"]
