"""The report of a site that was measured for a day."""

from collections.abc import AsyncGenerator

from freezegun.api import FrozenDateTimeFactory
from homeassistant.setup import async_setup_component
import pytest

from hardware.virtual import MeterSpec
from tests.blueprints.harness import TELL, House, local
from tests.common import SiteUnderTest
from tests.loads.site import LoadedSite


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock: None) -> None:
    """Set the recorder up before Home Assistant."""


@pytest.fixture
async def house(site: SiteUnderTest, freezer: FrozenDateTimeFactory) -> AsyncGenerator[House]:
    """Return a house in the Home Assistant of a site, a little before midnight in Berlin."""
    opened = House(site.hass, freezer)
    await opened.open()
    site.start_at(local("2026-11-10 23:55"))
    yield opened
    await opened.close()


async def test_a_day(house: House, site: SiteUnderTest) -> None:
    assert await async_setup_component(house.hass, "persistent_notification", {})
    home = LoadedSite(site)
    await home.open(
        [],
        [250.0] * 60,
        specs=[MeterSpec(profile="eastron_sdm630")],
        watts=1000.0,
        meters={"grid": {"interval": 300}},
    )
    await house.automate("report", site=site.entry.entry_id, notify=TELL)
    await home.advance(600, step=60)
    await home.advance(24 * 3600, step=300)
    await home.advance(1200, step=60)
    before, of_the_day = house.told
    assert before.startswith("Only ")
    assert of_the_day.startswith("6.0 kg CO2eq for 24.0 kWh from the grid (100.0 % known)")
