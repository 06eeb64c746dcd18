"""Reports of whole homes: equal to the record, and shown by sensors that nobody has to want."""

import asyncio
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.site.book import Restated
from custom_components.carbon_meter.carbon.site.entries import HourEntry, grid_hour
from custom_components.carbon_meter.figure_series import moment
from custom_components.carbon_meter.year_report import YearReport
from tests.common import SiteUnderTest
from tests.foreign import ForeignDevice, registry_id, say
from tests.reports import EQUAL, HOUR, RATE, at, contract, household, meters, recorded, told

MORNING = datetime.fromisoformat("2026-06-15T06:00:00+02:00")
POWER = {
    "house": (1000.0, 500.0, 1500.0, 800.0, 600.0, 900.0),
    "solar": (0.0, 3000.0, 4000.0, 500.0, 0.0, 0.0),
    "battery": (0.0, 1500.0, 800.0, -200.0, -500.0, -700.0),
}
INTENSITY = (450.0, 300.0, 150.0, 220.0, 380.0, 500.0)
OPTIONS: dict[str, Any] = {
    "zone": "GB",
    "sources": [{"kind": "entity", "entity_id": "sensor.grid_carbon"}],
    "details": {
        "floor_area": 100,
        "persons": 4,
        "product": "loaf",
        "product_quantity": 36_500,
        "grid_carbon_free": 50,
    },
}
GAS = {
    "driver": "entities",
    "carrier": "gas",
    "profile": "adopted",
    "manufacturer": "Foreign",
    "model": "Diaphragm",
    "serial": "",
    "role": "grid",
    "inverted": False,
    "power_inverted": False,
    "interval": 10,
    "write_interval": 1,
}


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


def says(hass: HomeAssistant, value: float) -> None:
    """Let the entity of the grid tell its intensity."""
    hass.states.async_set("sensor.grid_carbon", str(value), {"unit_of_measurement": "g/kWh"})


async def home(site: SiteUnderTest, *, gas: bool = False) -> str:
    """Live through six hours of a home with solar and a battery; return its gas meter's id."""
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(MORNING)
    says(site.hass, INTENSITY[0])
    specs, kept = meters("solar", "battery")
    played = household(site.clock.now(), **POWER)
    await site.open(specs, household=played, options=OPTIONS, meters=kept)
    gas_id, counter = "", ""
    if gas:
        counter = ForeignDevice(site.hass, "Gas").add("gas", 100.0, "m³")
        source = {"quantity": "volume", "entity": registry_id(site.hass, counter)}
        subentry = ConfigSubentry(
            data=MappingProxyType({**GAS, "entities": [source]}),
            subentry_type="meter",
            title="Gas",
            unique_id="entities:gas",
        )
        gas_id = subentry.subentry_id
        site.hass.config_entries.async_add_subentry(site.entry, subentry)
        await site.settle()
    for hour, value in enumerate(INTENSITY):
        says(site.hass, value)
        if hour == 3:
            await site.unload()
            await site.load()
        if gas:
            say(site.hass, counter, 100.0 + 0.5 * hour, "m³")
        await site.advance(HOUR, step=300)
    await site.advance(60, step=60)
    return gas_id


async def connection(site: SiteUnderTest, hours: int) -> None:
    """Live through some hours of a home with one meter."""
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    site.start_at(MORNING)
    says(site.hass, 300)
    specs, kept = meters()
    await site.open(specs, options=OPTIONS, meters=kept)
    await site.advance(hours * HOUR + 60, step=300)


async def test_a_home_with_solar_battery_and_gas(site: SiteUnderTest) -> None:
    gas_id = await home(site, gas=True)
    end = MORNING + timedelta(hours=len(INTENSITY))
    report = await told(site, start=MORNING.isoformat(), end=end.isoformat(), split="hour")
    for what, where in EQUAL.items():
        series = await recorded(site.hass, site.entry.entry_id, what, MORNING, end)
        assert at(report, where) == pytest.approx(series, rel=1e-9, abs=1e-6), what
        rows = sum(at(row, where) for row in report["rows"])
        assert rows == pytest.approx(at(report, where), abs=1e-5), what
    assert {what: at(report, where) for what, where in EQUAL.items() if what != "upstream"} == {
        what: pytest.approx(value, abs=2e-3) for what, value in _expected(report).items()
    }
    energy = report["energy"]
    assert energy["residual_kwh"] == pytest.approx(0.0, abs=2e-3)
    assert energy["self_consumption"] == pytest.approx(1 - energy["export_kwh"] / 7.5, abs=1e-3)
    # The roof has fed the house 2.5 kWh; what the battery gave back was the sun's as well.
    clean = report["carbon_free"]
    assert clean["matched_kwh"] == pytest.approx(2.5 + energy["discharge_kwh"], abs=5e-3)
    rest = clean["load_kwh"] - clean["matched_kwh"]
    assert clean["by_grid_kwh"] == pytest.approx(rest / 2, abs=5e-3)
    score = (clean["matched_kwh"] + rest / 2) / clean["load_kwh"]
    assert clean["score"] == pytest.approx(score, abs=1e-5)
    (use,) = [one for one in report["carriers"] if one["stage"] == "use"]
    assert (use["account"], use["carrier"]) == ("direct", "natural_gas")
    assert use["quantity_L"] == pytest.approx(2500.0)
    assert use["kg_co2eq"] == pytest.approx(2.5 * 2.06672, rel=1e-6)
    # The last hour of the gas meter is written when it has told what came after.
    until = end - timedelta(hours=1)
    earlier = await told(site, start=MORNING.isoformat(), end=until.isoformat())
    (before,) = [one for one in earlier["carriers"] if one["stage"] == "use"]
    series = await recorded(site.hass, gas_id, "carbon_direct_use", MORNING, until)
    assert before["kg_co2eq"] == pytest.approx(series, abs=1e-6)
    direct = [one for one in report["totals"] if one["account"] == "direct"]
    assert [one["kg_co2eq"] for one in direct] == [use["kg_co2eq"]]
    ways = [one for one in report["totals"] if one["account"].endswith("_based")]
    assert len({(one["account"], one["matching"]) for one in ways}) == 4
    assert {one["per"] for one in report["normalised"]} == {"m²", "person", "loaf"}


def _expected(report: dict[str, Any]) -> dict[str, float]:
    """Return what the hours of the home come to, reckoned by hand in kWh and kg."""
    flows = np.array([POWER["house"], POWER["solar"], POWER["battery"]]) / 1000.0
    house, solar, battery = flows
    net = house - solar + battery
    imported, exported = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    intensity = np.array(INTENSITY) / 1000.0
    factor = report["scope_2"]["location_annual"]["kg_co2eq"] / imported.sum()
    losses = at(report, EQUAL["transmission"])
    return {
        "energy_import": imported.sum(),
        "energy_export": exported.sum(),
        "energy_generated": solar.sum(),
        "energy_charged": np.maximum(battery, 0.0).sum(),
        "energy_discharged": np.maximum(-battery, 0.0).sum(),
        "energy_used": house.sum(),
        "carbon": (imported * intensity).sum(),
        "carbon_annual": (imported * factor).sum(),
        # All of the charge was solar; export and discharge carry nothing.
        "consumption_carbon": (imported * intensity).sum(),
        "export_carbon": 0.0,
        "avoided_export": (exported * intensity).sum(),
        "transmission": losses,
    }


def registered(site: SiteUnderTest) -> dict[str, er.RegistryEntry]:
    """Return the sensors of the year by their keys."""
    registry = er.async_get(site.hass)
    mark = f"{site.entry.entry_id}_site_year_"
    return {
        entry.unique_id.removeprefix(mark): entry
        for entry in er.async_entries_for_config_entry(registry, site.entry.entry_id)
        if entry.unique_id.startswith(mark)
    }


async def test_sensors_of_the_year_wait_until_they_are_wanted(site: SiteUnderTest) -> None:
    await home(site)
    await contract(site, "Supplier", RATE)
    await contract(site, "Abroad", {**RATE, "market": "FR"})
    found = registered(site)
    assert set(found) == {
        *("location_hourly", "location_annual", "market_hourly", "market_annual"),
        *("carbon_free", "self_consumption", "self_sufficiency"),
        *("per_area", "per_person", "per_product"),
    }
    assert all(
        entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION for entry in found.values()
    )
    registry = er.async_get(site.hass)
    for entry in found.values():
        registry.async_update_entity(entry.entity_id, disabled_by=None)
    await site.unload()
    await site.load()
    states = {key: site.hass.states.get(entry.entity_id) for key, entry in found.items()}
    year = await told(site, period="year")
    for key, where in (
        ("location_hourly", ("scope_2", "location_hourly", "kg_co2eq")),
        ("location_annual", ("scope_2", "location_annual", "kg_co2eq")),
        ("market_hourly", ("scope_2", "market_hourly", "kg_co2eq")),
        ("market_annual", ("scope_2", "market_annual", "kg_co2eq")),
    ):
        assert float(states[key].state) == pytest.approx(at(year, where), abs=1e-4)
        attributes = states[key].attributes
        account, _, matching = key.partition("_")
        assert (attributes["account"], attributes["matching"]) == (f"{account}_based", matching)
        assert attributes["last_reset"] == "2025-12-31T23:00:00+00:00"
        assert attributes["state_class"] == "total"
        refused = {one["contract"]: one["problem"] for one in attributes["refused_contracts"]}
        assert set(refused) == {"Supplier", "Abroad"}
        assert "market" in refused["Abroad"]
    assert float(states["carbon_free"].state) == pytest.approx(
        100 * year["carbon_free"]["score"], abs=1e-2
    )
    location = float(states["location_hourly"].state)
    assert float(states["per_area"].state) == pytest.approx(location / 100, abs=1e-5)
    assert float(states["per_person"].state) == pytest.approx(location / 4, abs=1e-5)
    assert states["per_product"].attributes["unit_of_measurement"] == "kg/loaf"
    assert states["per_product"].name.endswith("Carbon per loaf this year")
    # The next report comes with the next hour.
    await site.advance(HOUR + 120, step=300)
    assert float(site.hass.states.get(found["location_hourly"].entity_id).state) >= location
    until = site.hass.states.get(found["location_hourly"].entity_id).attributes["until"]
    assert datetime.fromisoformat(until).minute == 1


async def test_nothing_is_reckoned_while_nobody_looks(site: SiteUnderTest) -> None:
    await connection(site, 0)
    year = YearReport(site.hass, site.entry)
    await site.advance(HOUR, step=300)
    assert year.report is None
    stops = [year.async_add_listener(lambda: None) for _ in range(2)]
    await site.settle()
    first = year.report
    assert first is not None
    stops[0]()
    await site.advance(HOUR, step=300)
    second = year.report
    assert second is not first
    stops[1]()
    await site.advance(HOUR, step=300)
    assert year.report is second


def filled(meter_id: str, hour: int, fine: np.ndarray) -> HourEntry:
    """Return an hour of the past, of [import, export, carbon] by five minutes."""
    return HourEntry(
        meter=meter_id,
        hour=hour,
        total=fine.sum(axis=1),
        fine=fine,
        known=np.full(12, True),
        measured=float(HOUR),
    )


async def test_a_year_of_intervals_leaves_the_loop_free(site: SiteUnderTest) -> None:
    """105 120 intervals: sums are those of numpy, and others have their turn all the while."""
    await site.hass.config.async_set_time_zone("UTC")
    new_year = datetime(2025, 1, 1, tzinfo=dt_util.UTC)
    site.start_at(new_year.replace(year=2026, hour=2))
    specs, kept = meters()
    await site.open(specs, options=OPTIONS, meters=kept)
    keeper, meter_id = site.entry.runtime_data.keeper, site.meter().subentry.subentry_id
    start, hours = int(new_year.timestamp()), 365 * 24
    rng = np.random.default_rng(7)
    energy = rng.gamma(2.0, 20.0, (hours, 12))
    intensity = np.round(rng.uniform(50.0, 600.0, (hours, 12)), 1)
    entries, grid = [], []
    for place in range(hours):
        fine = np.array([energy[place], np.zeros(12), energy[place] * intensity[place] / 1000.0])
        entries.append(filled(meter_id, start + place * HOUR, fine))
        told_of = [(float(value), Grade.MEASURED, "grid") for value in intensity[place]]
        grid.append(grid_hour(start + place * HOUR, told_of))
    await keeper.async_fill(entries, grid, start + hours * HOUR)

    async def report() -> dict[str, Any]:
        return await told(site, period="year", moment="2025-07-01T00:00:00+00:00", split="month")

    turns, work = 0, site.hass.async_create_task(report())
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    year = await work
    assert turns > 1000
    assert year["covered_seconds"] == 105_120 * 300
    assert year["energy"]["import_kwh"] == pytest.approx(energy.sum() / 1000, rel=1e-9)
    grams = (energy * intensity).sum() / 1e6
    assert at(year, EQUAL["carbon"]) == pytest.approx(grams, rel=1e-9)
    assert len(year["rows"]) == 12
    assert year["scope_2"]["matched_years"][0]["over"]
    assert year["measured"] == 1.0


async def test_factors_that_have_changed_since_are_told(site: SiteUnderTest) -> None:
    """Another zone holds for the past as well: in the report at once, in the record restated."""
    await connection(site, 0)
    keeper, meter_id = site.entry.runtime_data.keeper, site.meter().subentry.subentry_id
    start = int(MORNING.timestamp()) - 20 * 24 * HOUR
    fine = np.array([[100.0] * 12, [0.0] * 12, [30.0] * 12])
    await keeper.async_fill(
        [filled(meter_id, start, fine)],
        [grid_hour(start, [(300.0, Grade.MEASURED, "grid")] * 12)],
        start + HOUR,
    )
    site.hass.config_entries.async_update_entry(site.entry, options={**OPTIONS, "zone": "FR"})
    await site.settle()
    period = {"start": moment(start).isoformat(), "end": moment(start + HOUR).isoformat()}
    report = await told(site, **period)
    notes = {note["key"]: note["text"] for note in report["missing"]}
    way = EQUAL["carbon_annual"]
    assert "with 0.259 kg" in notes["report_factors_changed"]
    assert at(report, way) < 0.1
    keeper = site.entry.runtime_data.keeper
    await keeper.async_restate(start, start + HOUR, [], Restated(reason="factors"))
    again = await told(site, **period)
    assert "report_factors_changed" not in {note["key"] for note in again["missing"]}
    assert at(again, way) == at(report, way)


async def test_meters_that_were_removed_still_count(site: SiteUnderTest) -> None:
    gas_id = await home(site, gas=True)
    before = await told(site, period="day")
    (direct,) = [one for one in before["totals"] if one["account"] == "direct"]
    site.hass.config_entries.async_remove_subentry(site.entry, gas_id)
    await site.settle()
    report = await told(site, period="day")
    (still,) = [one for one in report["totals"] if one["account"] == "direct"]
    assert still["kg_co2eq"] == pytest.approx(direct["kg_co2eq"], abs=1e-6)
    assert still["carrier"] == "removed_meter"
    assert "report_meter_removed" in {note["key"] for note in report["missing"]}


async def test_archive_that_cannot_be_read_is_told(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("UTC")
    site.start_at(MORNING)
    specs, kept = meters()
    await site.open(specs, options=OPTIONS, meters=kept)
    year = YearReport(site.hass, site.entry)
    await site.hass.async_add_executor_job(site.entry.runtime_data.keeper.archive.close)
    with pytest.raises(HomeAssistantError) as refusal:
        await told(site, period="day")
    assert refusal.value.translation_key == "archive_unusable"
    stop = year.async_add_listener(lambda: None)
    await site.settle()
    assert year.report is None
    stop()
