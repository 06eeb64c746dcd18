"""Whether a meter can be believed now, and why not, through a restart."""

from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.metering.incidents import Reason
from hardware.virtual import MeterSpec
from hardware.virtual.faults import Fault, Freeze, Garbage, Spike
from tests.common import SiteUnderTest
from tests.test_event import followed


def doubt(site: SiteUnderTest) -> tuple[str, set[str]]:
    """Return the state of the binary sensor and its reasons."""
    unique_id = f"{site.meter().subentry.subentry_id}_doubtful"
    entity_id = er.async_get(site.hass).async_get_entity_id("binary_sensor", DOMAIN, unique_id)
    assert entity_id is not None
    state = site.hass.states.get(entity_id)
    assert state is not None
    return state.state, set(state.attributes.get("reasons", ()))


async def test_sound_meter_is_not_doubted(site: SiteUnderTest) -> None:
    await site.open(watts=3000.0)
    await site.advance(600)
    assert doubt(site) == ("off", set())


@pytest.mark.parametrize(
    ("fault", "reason", "quantity"),
    [
        (Spike(quantity="voltage_l1", value=60, times=None), "voltage_out_of_band", "voltage_l1"),
        (Spike(quantity="frequency", value=80, times=None), "frequency_out_of_band", "frequency"),
        (Spike(quantity="power_l1", value=2000, times=None), "phase_sum", "power"),
        (Spike(quantity="power", value=9000, times=None), "impossible_power", "power"),
        (Spike(quantity="power_factor_l1", value=0.2, times=None), "power_factor", None),
        (Freeze(), "frozen", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_lasts_is_shown_told_and_outlives_a_restart(
    site: SiteUnderTest,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    reason: str,
    quantity: str | None,
) -> None:
    await site.open(watts=3000.0)
    told = followed(site, "incident")
    await site.advance(60)
    assert doubt(site) == ("off", set())
    site.home["grid"].apply(fault)
    await site.advance(600)
    state, reasons = doubt(site)
    assert state == "on"
    assert reason in reasons
    text = f"{reason.replace('_', ' ')} ("
    begun = caplog.text.count(text)
    assert begun == len([one for one in told if one["event_type"] == reason]) > 0

    await site.unload()
    await site.load()
    assert reason in doubt(site)[1]
    await site.advance(60)
    assert reason in doubt(site)[1]
    assert caplog.text.count(text) == begun

    told = followed(site, "incident")
    site.home["grid"].clear()
    await site.advance(60)
    assert reason not in doubt(site)[1]
    ended = [one for one in told if one["event_type"] == reason]
    assert len(ended) == begun
    assert all(one["ongoing"] is False for one in ended)
    assert caplog.text.count(f"{reason.replace('_', ' ')} is over") == begun
    if quantity is not None:
        assert ended[0]["quantity"] == (quantity or None)
    known = [one.reason for one in site.meter().account.incidents]
    assert known.count(Reason(reason)) == begun


async def test_register_with_nonsense_is_doubted(site: SiteUnderTest) -> None:
    await site.open(watts=3000.0)
    site.home["grid"].apply(Garbage(quantities=("current_n",)))
    await site.advance(60)
    state, reasons = doubt(site)
    assert (state, "register" in reasons) == ("on", True)
    site.home["grid"].clear()
    await site.advance(60)
    assert doubt(site) == ("off", set())


async def test_counters_that_disagree_with_the_power(site: SiteUnderTest) -> None:
    every_minute = {"grid": {"interval": 60}}
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=3000.0, meters=every_minute)
    await site.advance(3900, step=60)
    assert doubt(site) == ("off", set())
    site.home["grid"].apply(Spike(quantity="power", value=6000, times=None))
    await site.advance(3900, step=60)
    assert doubt(site)[1] >= {"energy_against_power"}
    site.home["grid"].clear()
    await site.advance(4800, step=60)
    assert doubt(site) == ("off", set())


async def test_meter_that_is_away_is_neither_sound_nor_doubtful(site: SiteUnderTest) -> None:
    await site.open(watts=3000.0)
    await site.home.modbus.close()
    await site.advance(60)
    assert doubt(site)[0] == "unavailable"
