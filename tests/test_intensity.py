"""The site's intensity over time: changes, outages, restarts, and what the user is told."""

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest

UNIT = {"unit_of_measurement": "gCO2eq/kWh"}
OPTIONS = {"zone": "DE", "sources": [{"kind": "entity", "entity_id": "sensor.co2"}]}
FACTOR = 342.06
SPECS = [MeterSpec(profile="schneider_iem3000")]


async def opened(site: SiteUnderTest, state: str = "100") -> SiteUnderTest:
    site.hass.states.async_set("sensor.co2", state, UNIT)
    await site.open(SPECS, watts=3600.0, options=OPTIONS)
    return site


async def test_energy_is_weighed_with_the_intensity_of_its_time(site: SiteUnderTest) -> None:
    await opened(site)
    await site.advance(600)
    site.hass.states.async_set("sensor.co2", "500", UNIT)
    await site.advance(300)
    total = site.meter().account.ledger.total
    # 0.6 kWh at 100 g and 0.3 kWh at 500 g.
    assert total.carbon == pytest.approx(60 + 150, rel=1e-6)
    assert set(total.by_grade) == {"measured"}


async def test_change_between_two_readings_splits_the_energy(site: SiteUnderTest) -> None:
    await opened(site)
    await site.advance(60, step=60)
    before = site.meter().account.ledger.total.carbon
    site.pass_unseen(30)
    site.hass.states.async_set("sensor.co2", "500", UNIT)
    await site.advance(30, step=30)
    # One minute of 3600 W is 60 Wh: half of it at 100 g, half at 500 g.
    gained = site.meter().account.ledger.total.carbon - before
    assert gained == pytest.approx(3 + 15, rel=1e-6)


@pytest.mark.parametrize("state", ["unavailable", "unknown", "cloudy", "nan", "-5", "1e9"])
async def test_outage_is_filled_with_the_yearly_factor_and_graded(
    site: SiteUnderTest, state: str
) -> None:
    await opened(site)
    await site.advance(600)
    site.hass.states.async_set("sensor.co2", state, UNIT)
    await site.advance(600)
    total = site.meter().account.ledger.total
    assert total.carbon == pytest.approx(60 + 0.6 * FACTOR, rel=1e-6)
    assert total.by_grade["measured"] == pytest.approx(600, rel=1e-6)
    assert total.by_grade["yearly_factor"] == pytest.approx(600, rel=1e-6)
    attributes = site.hass.states.get(site.entity_id("coverage")).attributes
    assert attributes["measured"] == 50.0
    assert attributes["yearly_factor"] == 50.0


async def test_value_holds_over_a_short_restart(site: SiteUnderTest) -> None:
    await opened(site)
    await site.advance(600)
    await site.unload()
    site.pass_unseen(1200)
    await site.load()
    await site.advance(60)
    total = site.meter().account.ledger.total
    assert total.carbon == pytest.approx(total.import_energy / 1000 * 100, rel=1e-6)


async def test_value_holds_an_hour_over_a_long_restart(site: SiteUnderTest) -> None:
    await opened(site)
    await site.advance(600)
    await site.unload()
    site.hass.states.async_remove("sensor.co2")
    site.pass_unseen(3 * 3600)
    site.hass.states.async_set("sensor.co2", "200", UNIT)
    await site.load()
    await site.advance(10)
    total = site.meter().account.ledger.total
    assert total.import_energy == pytest.approx(600 + 10800 + 10, abs=1)
    expected = 0.6 * 100 + 3.6 * 100 + 7.2 * FACTOR + 0.01 * 200
    assert total.carbon == pytest.approx(expected, rel=1e-3)


async def test_missing_entity_is_told_and_forgotten(site: SiteUnderTest) -> None:
    await site.open(SPECS, options=OPTIONS)
    issues = ir.async_get(site.hass)
    issue_id = f"intensity_{site.entry.entry_id}_entity:sensor.co2"
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_key == "intensity_entity_missing"
    assert issue.translation_placeholders == {"entity_id": "sensor.co2"}
    assert site.value("carbon_intensity", None) == FACTOR
    site.hass.states.async_set("sensor.co2", "100", UNIT)
    await site.settle()
    assert issues.async_get_issue(DOMAIN, issue_id) is None
    assert site.value("carbon_intensity", None) == 100


async def test_changed_unit_is_told(site: SiteUnderTest) -> None:
    await opened(site)
    site.hass.states.async_set("sensor.co2", "100", {"unit_of_measurement": "ppm"})
    await site.settle()
    issue = ir.async_get(site.hass).async_get_issue(
        DOMAIN, f"intensity_{site.entry.entry_id}_entity:sensor.co2"
    )
    assert issue is not None
    assert issue.translation_key == "intensity_entity_unit"
    assert issue.translation_placeholders == {"entity_id": "sensor.co2", "unit": "ppm"}
    assert site.value("carbon_intensity", None) == FACTOR


async def test_removed_entity_is_told(site: SiteUnderTest) -> None:
    await opened(site)
    site.hass.states.async_remove("sensor.co2")
    await site.settle()
    assert ir.async_get(site.hass).async_get_issue(
        DOMAIN, f"intensity_{site.entry.entry_id}_entity:sensor.co2"
    )
    assert site.value("carbon_intensity", None) == FACTOR


async def test_what_an_entity_says_now_is_no_forecast(site: SiteUnderTest) -> None:
    start = int(site.clock.now()) // 3600 * 3600
    rows = [{"start": start + 3600 * ahead, "value": 200 + ahead} for ahead in range(24)]
    said = {**UNIT, "friendly_name": "Grid signal", "forecast": rows}
    site.hass.states.async_set("sensor.co2", "100", said)
    await site.open(SPECS, watts=3600.0, options=OPTIONS)
    await site.advance(60)
    state = site.hass.states.get("sensor.home_carbon_intensity")
    assert float(state.state) == 100
    assert state.attributes["grade"] == "measured"
    assert state.attributes["source_name"] == "Grid signal"
