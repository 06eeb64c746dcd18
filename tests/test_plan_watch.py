"""A site's book goes on with what the site has become."""

from datetime import UTC, datetime

from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest

from custom_components.carbon_meter.carbon.site import figures as names
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, area_owner
from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.reports import household

NOON = datetime(2027, 6, 15, 10, tzinfo=UTC)
OPTIONS = {"sources": [{"kind": "fixed", "value": 400.0}]}


def roofed(*, turned: bool) -> list[MeterSpec]:
    """Return meters at the grid and at a solar roof."""
    return [
        MeterSpec(profile="eastron_sdm630"),
        MeterSpec(profile="eastron_sdm120", node="solar", name="pv", unit=2, reversed=turned),
    ]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_generators_meter_may_be_mounted_either_way(
    site: SiteUnderTest, turned: bool
) -> None:
    site.start_at(NOON)
    await site.open(
        roofed(turned=turned),
        household=household(site.clock.now(), house=(3000.0, 500.0), solar=(1200.0, 2000.0)),
        meters={"pv": {"role": "solar"}},
        options=OPTIONS,
    )
    await site.advance(2 * 3600, step=30)
    keeper = site.entry.runtime_data.keeper
    pv = site.meter("pv")
    meter_id = pv.subentry.subentry_id
    await keeper.async_enter()
    await site.settle()
    assert keeper.plan.meters.is_reversed(meter_id) is turned
    ledger = pv.account.ledger.total
    made = ledger.import_energy if turned else ledger.export_energy
    assert made > 500
    assert keeper.totals[meter_id][names.GENERATION] == pytest.approx(made, rel=1e-9)
    of_site = keeper.totals[SITE_OWNER]
    assert of_site[names.GENERATION] == pytest.approx(made, rel=1e-9)
    # What was used is what came in less what went out; nothing is of unknown origin.
    used = of_site[names.IMPORT] + made - of_site.get(names.EXPORT, 0.0)
    assert of_site[names.CONSUMPTION] == pytest.approx(used, rel=1e-6)
    assert of_site.get(names.UNMETERED, 0.0) == pytest.approx(0.0, abs=1.0)
    carried = of_site[names.CONSUMPTION_CARBON] + of_site.get(names.EXPORT_CARBON, 0.0)
    assert carried == pytest.approx(of_site[names.CARBON], rel=1e-9)


async def test_a_meter_counts_for_the_area_that_it_is_moved_to(site: SiteUnderTest) -> None:
    site.start_at(NOON)
    await site.open(
        [
            MeterSpec(profile="eastron_sdm630"),
            MeterSpec(profile="eastron_sdm120", node="house", name="plug", unit=2),
        ],
        watts=1200.0,
        meters={"plug": {"role": "submeter"}},
        options=OPTIONS,
    )
    await site.advance(600)
    area = ar.async_get(site.hass).async_create("Kitchen")
    devices = dr.async_get(site.hass)
    meter_id = site.meter("plug").subentry.subentry_id
    device = devices.async_get_device_by_identifier((DOMAIN, meter_id), site.entry.entry_id)
    devices.async_update_device(device.id, area_id=area.id)
    await site.settle()
    keeper = site.entry.runtime_data.keeper
    assert keeper.plan.areas == {area.id: (meter_id,)}
    await site.advance(600)
    await keeper.async_enter()
    of_area = keeper.totals[area_owner(area.id)]
    assert of_area[names.CARBON] == pytest.approx(of_area[names.CONSUMPTION] * 0.4, rel=1e-9)
    assert 0 < of_area[names.CONSUMPTION] <= keeper.totals[meter_id][names.IMPORT]
