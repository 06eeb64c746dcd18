"""Adopted meters in the record, and the Energy integration itself."""

from datetime import UTC, datetime

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.config_entries import SOURCE_USER, ConfigSubentryData
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.recorded import async_recorded_total
from tests.common import SiteUnderTest
from tests.foreign import ForeignDevice, say

MORNING = datetime(2027, 1, 15, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


async def test_energy_settings_of_the_real_integration(site: SiteUnderTest) -> None:
    assert await async_setup_component(site.hass, "energy", {})
    energy = ForeignDevice(site.hass, "pump").add("energy", 5, "kWh")
    manager = await async_get_manager(site.hass)
    await manager.async_update({"device_consumption": [{"stat_consumption": energy}]})
    menu = await site.hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert menu["menu_options"][:2] == ["energy", "entities"]


async def opened(site: SiteUnderTest, entity: str, quantity: str, carrier: str) -> str:
    """Set up a site with one meter; return its id in the record."""
    site.entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        subentries_data=[
            ConfigSubentryData(
                data={
                    "driver": "entities",
                    "entities": [{"quantity": quantity, "entity": entity}],
                    "carrier": carrier,
                    "profile": "adopted",
                    "manufacturer": "Foreign",
                    "model": "Meter",
                    "serial": "",
                    "role": "grid",
                    "inverted": False,
                    "power_inverted": False,
                    "interval": 60,
                    "write_interval": 60,
                },
                subentry_type="meter",
                title="Cellar",
                unique_id="entities:cellar",
            )
        ],
    )
    site.entry.add_to_hass(site.hass)
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()
    (subentry_id,) = site.entry.subentries
    return subentry_id


@pytest.mark.parametrize(
    ("quantity", "carrier", "unit", "start", "series"),
    [
        ("volume", "gas", "m³", 4000.0, ("volume", "volume", "m³")),
        ("energy_import", "heat", "GJ", 120.0, ("energy_import", "imported energy", "kWh")),
    ],
)
async def test_series_of_gas_and_heat(
    site: SiteUnderTest,
    quantity: str,
    carrier: str,
    unit: str,
    start: float,
    series: tuple[str, str, str],
) -> None:
    site.start_at(MORNING)
    say(site.hass, "sensor.cellar", start, unit)
    meter_id = await opened(site, "sensor.cellar", quantity, carrier)
    for minute in range(1, 121):
        await site.advance(60, step=60)
        say(site.hass, "sensor.cellar", round(start + minute * 0.01, 2), unit)
    await site.advance(60, step=60)
    await async_wait_recording_done(site.hass)
    what, label, shown_unit = series
    ids = await get_instance(site.hass).async_add_executor_job(list_statistic_ids, site.hass)
    of_meter = {row["statistic_id"]: row for row in ids if meter_id.lower() in row["statistic_id"]}
    own = f"{DOMAIN}:{meter_id.lower()}_{what}"
    assert set(of_meter) == {own, f"{DOMAIN}:{meter_id.lower()}_coverage"}
    assert of_meter[own]["name"] == f"Cellar {label}"
    assert of_meter[own]["statistics_unit_of_measurement"] == shown_unit
    found = await get_instance(site.hass).async_add_executor_job(
        statistics_during_period,
        site.hass,
        MORNING,
        None,
        {own},
        "hour",
        None,
        {"sum", "change"},
    )
    factor = 1 if unit == "m³" else 1e6 / 3600
    changes = [row["change"] for row in found[own]]
    assert sum(changes) == pytest.approx(sum([0.6, 0.6][: len(changes)]) * factor, rel=0.03)
    through, total = await async_recorded_total(site.hass, meter_id) or (0, None)
    assert through <= dt_util.utcnow().timestamp()
    assert total is not None
    assert total.import_energy == pytest.approx(found[own][-1]["sum"] * 1000)
    assert total.carbon == total.export_energy == 0
