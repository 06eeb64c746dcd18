"""Which entities there are, and what they look like."""

from homeassistant.const import EntityCategory
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.sensor_descriptions import QUANTITY_SENSORS
from hardware.virtual import MeterSpec
from hardware.virtual.faults import NotAvailable
from tests.common import SiteUnderTest


def test_every_quantity_has_a_sensor() -> None:
    assert set(QUANTITY_SENSORS) == set(QUANTITIES)


async def test_household_sees_few_and_clear_entities(site: SiteUnderTest) -> None:
    await site.open()
    registry = er.async_get(site.hass)
    entries = er.async_entries_for_config_entry(registry, site.entry.entry_id)
    enabled = {entry.entity_id for entry in entries if entry.disabled_by is None}
    assert enabled == {
        "sensor.home_carbon_intensity",
        "sensor.home_carbon_rate",
        "sensor.home_carbon_today",
        "sensor.home_carbon_total",
        "sensor.grid_power",
        "sensor.grid_energy_import",
        "sensor.grid_energy_export",
        "sensor.grid_carbon_rate",
        "sensor.grid_carbon_total",
        "sensor.grid_coverage",
        "sensor.grid_metering_error_last_day",
        "sensor.grid_energy_set_apart",
        "binary_sensor.grid_doubtful_values",
        "event.grid_power_step",
        "event.grid_data_incident",
    }
    of_site = {
        entry.unique_id.removeprefix(f"{site.entry.entry_id}_")
        for entry in entries
        if entry.disabled_by is not None and entry.config_subentry_id is None
    }
    assert of_site == {
        "backfill",
        "simulation",
        "site_carbon_annual",
        "site_carbon_transmission",
        "site_carbon_upstream",
        "site_year_carbon_free",
        "site_year_location_annual",
        "site_year_location_hourly",
        "site_year_market_annual",
        "site_year_market_hourly",
        "site_year_self_consumption",
        "site_year_self_sufficiency",
    }


async def test_a_forecast_is_shown_where_there_can_be_one(site: SiteUnderTest) -> None:
    source = {"kind": "entity", "entity_id": "sensor.co2"}
    site.hass.states.async_set("sensor.co2", "100", {"unit_of_measurement": "g/kWh"})
    await site.open(options={"sources": [source]})
    registry = er.async_get(site.hass)
    of_site = {
        entry.unique_id.removeprefix(f"{site.entry.entry_id}_"): entry.disabled_by is None
        for entry in er.async_entries_for_config_entry(registry, site.entry.entry_id)
    }
    assert of_site["intensity_forecast"]
    assert not any(of_site[f"forecast_{key}"] for key in ("mae", "skill", "coverage"))


@pytest.mark.parametrize(
    ("key", "name", "unit", "device_class", "state_class"),
    [
        ("power", "grid", "W", "power", "measurement"),
        ("energy_import", "grid", "kWh", "energy", "total_increasing"),
        ("energy_export", "grid", "kWh", "energy", "total_increasing"),
        ("carbon_rate", "grid", "g/h", None, "measurement"),
        ("carbon_total", "grid", "kg", "weight", "total"),
        ("coverage", "grid", "%", None, "measurement"),
        ("carbon_intensity", None, "gCO2eq/kWh", None, "measurement"),
        ("site_carbon_total", None, "kg", "weight", "total"),
    ],
)
async def test_units_and_classes(
    site: SiteUnderTest,
    key: str,
    name: str | None,
    unit: str,
    device_class: str | None,
    state_class: str,
) -> None:
    await site.open()
    attributes = site.hass.states.get(site.entity_id(key, name)).attributes
    assert attributes["unit_of_measurement"] == unit
    assert attributes.get("device_class") == device_class
    assert attributes["state_class"] == state_class


async def test_lesser_entities_work_when_enabled(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    await site.open()
    assert site.value("voltage_l1") == pytest.approx(230, rel=0.05)
    assert site.value("frequency") == pytest.approx(50, rel=0.01)
    assert -1 <= site.value("power_factor") <= 1
    state = site.hass.states.get(site.entity_id("reactive_energy_import"))
    assert state.attributes["unit_of_measurement"] == "kvarh"
    assert state.attributes["device_class"] == "reactive_energy"
    coverage = er.async_get(site.hass).async_get(site.entity_id("coverage"))
    assert coverage.entity_category is EntityCategory.DIAGNOSTIC


async def test_unknown_quantity_is_unknown_not_zero(site: SiteUnderTest) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")])
    site.home["grid"].apply(NotAvailable(quantities=("power",)))
    await site.advance(20)
    assert site.hass.states.get(site.entity_id("power")).state == "unknown"
    assert site.hass.states.get(site.entity_id("carbon_rate")).state == "unknown"
    assert site.value("energy_import") >= 0


async def test_devices_of_site_and_meter(site: SiteUnderTest) -> None:
    await site.open()
    devices = dr.async_entries_for_config_entry(dr.async_get(site.hass), site.entry.entry_id)
    by_name = {device.name: device for device in devices}
    assert set(by_name) == {"Home", "Grid"}
    meter = by_name["Grid"]
    subentry = site.meter().subentry
    assert meter.identifiers == {(DOMAIN, subentry.subentry_id)}
    assert (meter.manufacturer, meter.model) == ("Eastron", "SDM630")
    assert meter.serial_number == site.home["grid"].identity.serial
    assert by_name["Home"].entry_type is dr.DeviceEntryType.SERVICE


async def test_site_adds_up_its_grid_connections_only(site: SiteUnderTest) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm630", unit=1),
        MeterSpec(profile="eastron_sdm120", node="heat_pump", unit=2),
    ]
    await site.open(specs, watts=None, meters={"heat_pump": {"role": "submeter"}})
    await site.advance(300)
    assert site.value("site_carbon_total", None) == pytest.approx(site.value("carbon_total"))
    assert site.value("site_carbon_rate", None) == pytest.approx(site.value("carbon_rate"))


async def test_site_without_a_grid_meter_claims_no_total(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"role": "submeter"}})
    with pytest.raises(AssertionError, match="no entity site_carbon_total"):
        site.entity_id("site_carbon_total", None)


async def test_carbon_total_is_restored(site: SiteUnderTest) -> None:
    await site.open()
    await site.advance(600)
    before = site.value("carbon_total")
    await site.unload()
    await site.load()
    assert site.value("carbon_total") >= before > 0


async def test_another_role_leaves_no_entities_behind(site: SiteUnderTest) -> None:
    await site.open()
    subentry = next(iter(site.entry.subentries.values()))
    site.hass.config_entries.async_update_subentry(
        site.entry, subentry, data={**subentry.data, "role": "solar"}
    )
    await site.settle()
    registry = er.async_get(site.hass)
    left = {
        entry.entity_id
        for entry in er.async_entries_for_config_entry(registry, site.entry.entry_id)
        if entry.disabled_by is None
    }
    assert left == {
        "sensor.home_carbon_intensity",
        "sensor.grid_power",
        "sensor.grid_energy_import",
        "sensor.grid_energy_export",
        "sensor.grid_coverage",
        "sensor.grid_metering_error_last_day",
        "sensor.grid_energy_set_apart",
        "binary_sensor.grid_doubtful_values",
        "event.grid_power_step",
        "event.grid_data_incident",
    }


async def test_site_that_is_known_shows_its_totals_while_the_meter_is_away(
    site: SiteUnderTest,
) -> None:
    await site.open()
    await site.advance(600)
    before = site.value("carbon_total")
    await site.unload()
    await site.home.modbus.close()
    await site.load()
    assert site.value("carbon_total") == before > 0
    assert site.hass.states.get(site.entity_id("power")).state == "unavailable"
    await site.home.modbus.open()
    await site.advance(60)
    assert site.value("carbon_total") > before


async def test_only_the_sign_of_the_power_is_reversed(site: SiteUnderTest) -> None:
    await site.open(
        [MeterSpec(profile="schneider_iem3000", initial_import=5e6)],
        watts=-2000.0,
        meters={"grid": {"power_inverted": True}},
    )
    await site.advance(60)
    assert site.value("power") == pytest.approx(2000, rel=0.01)
    assert site.value("energy_import") == pytest.approx(5000, abs=0.1)


async def test_today_counts_on_between_two_entries_of_the_book(site: SiteUnderTest) -> None:
    await site.open(watts=3600.0)
    await site.advance(90)
    total, today = (
        float(site.hass.states.get(f"sensor.home_carbon_{of}").state) for of in ("total", "today")
    )
    assert today == total > 0
