"""The live source that a new site is offered."""

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from tests.carbon.intensity.provider_server import ProviderServer
from tests.common import LOOPBACK
from tests.flows.sources import choices


async def confirmation(hass: HomeAssistant, home: VirtualHome):
    """Return the form that confirms a meter of a new site."""
    flows = hass.config_entries.flow
    menu = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    form = await flows.async_configure(menu["flow_id"], {"next_step_id": "address"})
    return await flows.async_configure(
        form["flow_id"], {"host": LOOPBACK, "port": home.port, "unit": 1}
    )


def ticked(form) -> list[str]:
    (marker,) = (key for key in form["data_schema"].schema if key == "live")
    chosen: list[str] = marker.default()
    return chosen


@pytest.fixture
async def home(real_time: HomeAssistant):
    """Return a home with one meter."""
    clock = VirtualClock()
    specs = [MeterSpec(profile="eastron_sdm630")]
    async with VirtualHome(specs, Household.simulated(clock.now()), clock=clock) as opened:
        yield opened
        for entry in real_time.config_entries.async_entries(DOMAIN):
            await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize(
    ("country", "place", "offered", "chosen"),
    [
        ("GB", (51.5, -0.1), ["neso:GB"], ["neso:GB"]),
        ("DE", (52.5, 13.4), ["energy_charts:DE"], ["energy_charts:DE"]),
        ("FR", (48.9, 2.4), ["eco2mix:FR"], ["eco2mix:FR"]),
        ("DK", (56.2, 10.2), ["energinet:DK1", "energinet:DK2"], ["energinet:DK1"]),
        ("DK", (55.7, 12.6), ["energinet:DK1", "energinet:DK2"], ["energinet:DK2"]),
        ("FI", (60.2, 24.9), ["energy_charts:FI"], ["energy_charts:FI"]),
    ],
)
async def test_what_is_free_in_the_country(
    country, place, offered, chosen, real_time: HomeAssistant, home: VirtualHome
) -> None:
    real_time.config.country = country
    real_time.config.latitude, real_time.config.longitude = place
    form = await confirmation(real_time, home)
    assert choices(form, "live") == offered
    assert ticked(form) == chosen
    selector = form["data_schema"].schema["live"]
    assert "CC BY" in selector.config["options"][0]["label"] or country == "FR"


@pytest.mark.parametrize("country", ["US", "CN", None])
async def test_nothing_is_offered_elsewhere(
    country, real_time: HomeAssistant, home: VirtualHome
) -> None:
    real_time.config.country = country
    form = await confirmation(real_time, home)
    assert "live" not in form["data_schema"].schema
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["result"].options == {"sources": []}


async def test_a_household_gets_it_without_asking(
    real_time: HomeAssistant, home: VirtualHome, providers: ProviderServer
) -> None:
    real_time.config.country = "GB"
    form = await confirmation(real_time, home)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    entry = result["result"]
    assert entry.options == {"sources": [{"kind": "live", "provider": "neso", "zone": "GB"}]}
    assert (entry.version, entry.minor_version) == (1, 2)
    assert providers.requests
    # The second meter goes to the same site: nothing is offered any more.
    form = await confirmation(real_time, home)
    assert "live" not in form["data_schema"].schema


async def test_who_does_not_want_it_unticks_it(
    real_time: HomeAssistant, home: VirtualHome, providers: ProviderServer
) -> None:
    real_time.config.country = "GB"
    form = await confirmation(real_time, home)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid", "live": []}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["result"].options == {"sources": []}
    assert not providers.requests
