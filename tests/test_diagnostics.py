"""Diagnostics help with a report and name no home."""

import json

from homeassistant.components.diagnostics import REDACTED

from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from hardware.virtual.faults import Garbage, Jump
from tests.common import LOOPBACK, SiteUnderTest


async def test_diagnostics_of_a_site(site: SiteUnderTest) -> None:
    await site.open()
    await site.advance(60)
    site.home["grid"].apply(Jump(by=1e6))
    await site.advance(60)
    site.home["grid"].apply(Garbage(quantities=("voltage_l1",)))
    await site.advance(10)
    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    text = json.dumps(diagnostics, default=str)
    assert LOOPBACK not in text
    assert site.home["grid"].identity.serial not in text
    subentry = diagnostics["entry"]["subentries"][0]
    assert subentry["data"]["host"] == subentry["data"]["serial"] == REDACTED
    assert subentry["title"] == subentry["unique_id"] == REDACTED
    (meter,) = diagnostics["meters"].values()
    assert meter["profile"] == "eastron_sdm630"
    assert meter["last_update_success"] is True
    assert meter["total"]["import_energy"] > 0
    assert meter["incidents"][0]["reason"] == "jump"
    assert diagnostics["intensity"]["grade"] == "yearly_factor"
    assert "CC-BY-4.0" in diagnostics["intensity_sources"][0]["licence"]


async def test_error_of_a_lost_meter_does_not_name_its_address(site: SiteUnderTest) -> None:
    await site.open()
    await site.home.modbus.close()
    await site.advance(30)
    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    (meter,) = diagnostics["meters"].values()
    assert meter["last_update_success"] is False
    assert meter["last_error"]
    assert LOOPBACK not in json.dumps(diagnostics, default=str)


async def test_a_site_whose_archive_is_closed_has_diagnostics_all_the_same(
    site: SiteUnderTest,
) -> None:
    await site.open()
    site.entry.runtime_data.keeper.archive.close()
    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    assert "cannot be used" in diagnostics["book"]["archive_error"]
    assert site.hass.config.config_dir not in diagnostics["book"]["archive_error"]
