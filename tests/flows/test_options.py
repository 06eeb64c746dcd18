"""Choosing where the carbon intensity comes from."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.common import SiteUnderTest

UNIT = "gCO2eq/kWh"


async def chosen(hass: HomeAssistant, entry_id: str, source: str):
    """Return the form of a source."""
    result = await hass.config_entries.options.async_init(entry_id)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["factor_library", "entity", "fixed"]
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": source}
    )


async def answer(site: SiteUnderTest, source: str, **fields: object):
    form = await chosen(site.hass, site.entry.entry_id, source)
    result = await site.hass.config_entries.options.async_configure(form["flow_id"], fields)
    await site.settle()
    return result


async def test_fixed_value_is_used_at_once(site: SiteUnderTest) -> None:
    await site.open()
    await answer(site, "fixed", value=123.4)
    assert site.entry.options == {"source": "fixed", "value": 123.4}
    assert site.value("carbon_intensity", None) == 123.4
    assert site.value("carbon_rate") == pytest.approx(site.value("power") / 1000 * 123.4)


async def test_another_country(site: SiteUnderTest) -> None:
    await site.open()
    await answer(site, "factor_library", zone="NO")
    assert site.value("carbon_intensity", None) < 50
    await answer(site, "factor_library", zone="PL")
    assert site.value("carbon_intensity", None) > 500


async def test_country_without_a_choice_is_home_assistants(site: SiteUnderTest) -> None:
    site.hass.config.country = "FR"
    await site.open()
    assert site.value("carbon_intensity", None) < 100
    form = await chosen(site.hass, site.entry.entry_id, "factor_library")
    (zone,) = form["data_schema"].schema
    assert zone.description["suggested_value"] == "FR"


async def test_no_country_gives_the_worlds_average(site: SiteUnderTest) -> None:
    site.hass.config.country = None
    await site.open()
    assert site.value("carbon_intensity", None) == 472.94  # Ember 2024, World


async def test_entity_is_used_and_its_unit_converted(site: SiteUnderTest) -> None:
    await site.open()
    site.hass.states.async_set("sensor.co2", "0.5", {"unit_of_measurement": "kg/kWh"})
    await answer(site, "entity", entity_id="sensor.co2")
    assert site.value("carbon_intensity", None) == 500
    state = site.hass.states.get(site.entity_id("carbon_intensity", None))
    assert state.attributes["grade"] == "measured"
    assert state.attributes["source"] == "entity:sensor.co2"


async def test_entity_of_another_kind_is_refused(site: SiteUnderTest) -> None:
    await site.open()
    site.hass.states.async_set("sensor.co2", "50", {"unit_of_measurement": "%"})
    result = await answer(site, "entity", entity_id="sensor.co2")
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"entity_id": "unknown_unit"}
    assert result["description_placeholders"] == {"unit": "%"}
    site.hass.states.async_set("sensor.co2", "50", {"unit_of_measurement": UNIT})
    result = await site.hass.config_entries.options.async_configure(
        result["flow_id"], {"entity_id": "sensor.co2"}
    )
    await site.settle()
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_zone_is_kept_for_what_the_entity_does_not_know(site: SiteUnderTest) -> None:
    await site.open()
    await answer(site, "factor_library", zone="NO")
    site.hass.states.async_set("sensor.co2", "300", {"unit_of_measurement": UNIT})
    await answer(site, "entity", entity_id="sensor.co2")
    assert site.entry.options["zone"] == "NO"
    site.hass.states.async_set("sensor.co2", "unavailable", {"unit_of_measurement": UNIT})
    await site.settle()
    assert site.value("carbon_intensity", None) < 50
