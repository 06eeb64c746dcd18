"""A site is set up, taken down, and keeps every watt-hour meanwhile."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
import pytest

from hardware.virtual import Endpoint, Household, MeterSpec, VirtualHome
from hardware.virtual.faults import Freeze, Garbage, Jump, Reset, Spike
from tests.common import LOOPBACK, SiteUnderTest

GRAMS = 342.06
"""gCO2eq/kWh: Germany in the packaged library (Ember, 2024)."""


@pytest.fixture(autouse=True)
def in_germany(hass):
    hass.config.country = "DE"


async def test_known_load_gives_known_energy_and_carbon(site: SiteUnderTest) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    await site.advance(600)
    # 3600 W for 600 s is 600 Wh.
    total = site.meter().account.ledger.total
    assert total.import_energy == pytest.approx(600, abs=1e-6)
    assert total.carbon == pytest.approx(0.6 * GRAMS, rel=1e-9)
    assert site.value("carbon_total") == pytest.approx(0.6 * GRAMS / 1000)
    assert site.value("carbon_rate") == pytest.approx(3.6 * GRAMS, rel=1e-3)
    assert site.value("site_carbon_total", None) == pytest.approx(0.6 * GRAMS / 1000)
    assert site.value("coverage") == 100


async def test_restart_of_twenty_minutes_loses_nothing(site: SiteUnderTest) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    await site.advance(300)
    await site.unload()
    site.pass_unseen(1200)
    await site.load()
    await site.advance(300)
    total = site.meter().account.ledger.total
    assert total.import_energy == pytest.approx(1800, abs=1)
    assert total.estimated_energy == pytest.approx(1200, abs=15)
    assert total.estimated_time == pytest.approx(1200, abs=15)
    ledger = site.meter().account.ledger
    inside = [tally for tally in ledger.intervals.values() if tally.estimated_time == 300]
    assert len(inside) >= 3
    # Five minutes of 3600 W are 300 Wh: the gap is spread evenly.
    assert all(tally.import_energy == pytest.approx(300, abs=1) for tally in inside)


async def test_two_restarts_in_a_row_count_nothing_twice(site: SiteUnderTest) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    for _ in range(2):
        await site.advance(60)
        await site.unload()
        site.pass_unseen(30)
        await site.load()
    await site.advance(60)
    shown = site.home["grid"].shown_values(site.clock.now())["energy_import"]
    assert site.meter().account.ledger.total.import_energy == pytest.approx(shown, abs=1)


async def test_frozen_meter_is_a_gap_that_is_filled(site: SiteUnderTest) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    await site.advance(300)
    site.home["grid"].apply(Freeze())
    await site.advance(1200)
    assert site.meter().account.frozen_for >= 300
    frozen = site.meter().account.ledger.total.import_energy
    assert frozen == pytest.approx(300, abs=15)
    site.home["grid"].clear()
    await site.advance(60)
    total = site.meter().account.ledger.total
    assert total.import_energy == pytest.approx(1560, abs=1)
    assert total.estimated_energy == pytest.approx(1200, abs=25)


async def test_reset_counter_books_what_it_counts_since(site: SiteUnderTest) -> None:
    spec = MeterSpec(profile="schneider_iem3000", initial_import=5_000_000.0)
    await site.open([spec], watts=3600.0)
    await site.advance(300)
    site.home["grid"].apply(Reset(quantities=("energy_import",)))
    await site.advance(300)
    account = site.meter().account
    assert account.ledger.total.import_energy == pytest.approx(600, abs=1)
    assert [incident.reason for incident in account.incidents] == ["reset"]


async def test_jump_and_spike_are_set_apart(site: SiteUnderTest, caplog) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    await site.advance(60)
    site.home["grid"].apply(Jump(by=1_000_000.0))
    await site.advance(60)
    site.home["grid"].apply(Spike(quantity="energy_import", value=9e9))
    await site.advance(60)
    account = site.meter().account
    # What flowed in the ten seconds of the jump cannot be told from it: it is set apart with it.
    assert account.ledger.total.import_energy == pytest.approx(170, abs=1)
    assert [incident.reason for incident in account.incidents] == ["jump", "spike"]
    assert account.incidents[0].set_apart == pytest.approx(1_000_010, abs=1)
    assert "Grid: energy_import: jump (1.00001e+06 Wh); it is kept apart" in caplog.text


async def test_silent_meter_is_unavailable_and_comes_back(site: SiteUnderTest, caplog) -> None:
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3600.0)
    await site.advance(60)
    await site.home.modbus.close()
    await site.advance(120)
    assert site.hass.states.get(site.entity_id("power")).state == STATE_UNAVAILABLE
    carbon = site.value("carbon_total")
    assert carbon > 0  # a total stands whether or not the meter answers
    assert caplog.text.count("Error fetching Grid data") == 1
    await site.home.modbus.open()
    await site.advance(60)
    assert site.value("power") == pytest.approx(3600, rel=0.01)
    assert site.meter().account.ledger.total.import_energy == pytest.approx(240, abs=1)
    assert caplog.text.count("Fetching Grid data recovered") == 1


async def test_garbage_names_the_register_and_harms_nothing_else(
    site: SiteUnderTest, caplog
) -> None:
    await site.open([MeterSpec(profile="eastron_sdm630")], watts=3600.0)
    await site.advance(60)
    before = site.meter().account.ledger.total.import_energy
    site.home["grid"].apply(Garbage(quantities=("voltage_l1", "energy_import")))
    await site.advance(120)
    assert site.value("power") == pytest.approx(3600, rel=0.01)
    site.home["grid"].clear()
    await site.advance(60)
    total = site.meter().account.ledger.total.import_energy
    assert total == pytest.approx(before + 180, abs=12)
    assert "voltage_l1 (input 0x0000)" in caplog.text


async def test_dead_meter_delays_no_other(site: SiteUnderTest) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm630", unit=1),
        MeterSpec(profile="eastron_sdm120", node="heat_pump", unit=2),
    ]
    await site.open(specs, watts=None, meters={"heat_pump": {"role": "submeter", "port": 9}})
    assert site.entry.state is ConfigEntryState.LOADED
    await site.advance(60)
    assert site.meter("grid").last_update_success
    assert not site.meter("heat_pump").last_update_success
    assert site.meter("grid").account.ledger.total.import_energy > 0


async def test_no_meter_at_all_is_retried(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"port": 9}})
    assert site.entry.state is ConfigEntryState.SETUP_RETRY
    assert "Grid could not be read" in (site.entry.reason or "")


async def test_another_meter_at_the_address_is_not_booked(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"serial": "1"}})
    assert site.entry.state is ConfigEntryState.SETUP_RETRY
    assert "Another meter answers" in (site.entry.reason or "")


async def test_meter_swapped_between_two_polls_is_noticed(site: SiteUnderTest) -> None:
    await site.open(watts=3600.0)
    await site.advance(60)
    booked = site.meter().account.ledger.total.import_energy
    port = site.home.port
    await site.home.modbus.close()
    spec = MeterSpec(profile="eastron_sdm630", serial="4711", initial_import=9e6)
    household = Household.constant(3600.0, site.clock.now())
    endpoint = Endpoint(host=LOOPBACK, port=port)
    site.home = VirtualHome([spec], household, clock=site.clock, endpoint=endpoint)
    await site.home.modbus.open()
    await site.advance(30)
    assert not site.meter().last_update_success
    assert "4711" in str(site.meter().last_exception)
    assert site.meter().account.ledger.total.import_energy == booked


async def test_unknown_profile_says_which(site: SiteUnderTest) -> None:
    await site.open(meters={"grid": {"profile": "gone"}})
    assert site.entry.state is ConfigEntryState.SETUP_ERROR
    assert "gone" in (site.entry.reason or "")


async def test_removed_site_leaves_no_file(site: SiteUnderTest, hass_storage) -> None:
    await site.open()
    await site.advance(120)
    await site.unload()
    key = f"carbon_meter.{site.entry.entry_id}"
    assert key in hass_storage
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    await site.settle()
    assert key not in hass_storage


async def test_changed_direction_starts_the_counters_anew(site: SiteUnderTest) -> None:
    spec = MeterSpec(profile="schneider_iem3000", initial_import=5_000_000.0)
    await site.open([spec], watts=3600.0)
    await site.advance(60)
    subentry = next(iter(site.entry.subentries.values()))
    site.hass.config_entries.async_update_subentry(
        site.entry, subentry, data={**subentry.data, "inverted": True}
    )
    await site.settle()
    await site.advance(60)
    total = site.meter().account.ledger.total
    assert total.import_energy == pytest.approx(60, abs=12)
    assert total.export_energy == pytest.approx(60, abs=12)
    assert not site.meter().account.incidents
    assert site.value("power") == pytest.approx(-3600, rel=0.01)
    assert site.value("carbon_rate") == 0


@pytest.mark.parametrize("role", ["solar", "battery"])
async def test_generation_has_no_carbon_figure(site: SiteUnderTest, role: str) -> None:
    await site.open(meters={"grid": {"role": role}})
    await site.advance(60)
    assert site.meter().account.ledger.total.import_energy > 0
    assert site.meter().account.ledger.total.carbon == 0
    with pytest.raises(AssertionError, match="no entity carbon_total"):
        site.entity_id("carbon_total")
