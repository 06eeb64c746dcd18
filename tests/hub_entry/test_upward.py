"""A hub as a member of a larger hub: what it has published goes up, and nothing else."""

from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.member.agreed import Agreed
from custom_components.carbon_meter.community.member.enrol import join
from custom_components.carbon_meter.community.member.schedule import Pace
from custom_components.carbon_meter.config_flow import CarbonMeterConfigFlow
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.hub import Hub
from custom_components.carbon_meter.hub_entry.published_source import PublishedSource
from custom_components.carbon_meter.membership.files import member_folder
from custom_components.carbon_meter.membership.keys import membership_data
from custom_components.carbon_meter.membership.membership import DATA_PACE
from tests.hub_entry.village import HOUR, Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto

TOTAL = sum(1000 + number for number in range(20))


def used(number: int, _start: int) -> dict[Flow, int]:
    return {Flow.GRID_IMPORT: 1000 + number}


async def district(village: Village) -> MockConfigEntry:
    """Return a larger community's hub on the same broker, for members that show themselves."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="District",
        unique_id="hub:district",
        data={
            "entry": "hub",
            "community": "district",
            "own_broker": True,
            "time_zone": "Europe/Berlin",
        },
        options={"rules": "pilot", "level": "clear"},
        minor_version=2,
    )
    entry.add_to_hass(village.hass)
    assert await village.hass.config_entries.async_setup(entry.entry_id)
    await village.hass.async_block_till_done()
    await village.until(lambda: entry.runtime_data.status.state == "connected")
    return entry


async def test_hub_can_join_and_nothing_else(village: Village) -> None:
    await village.open()
    types = CarbonMeterConfigFlow.async_get_supported_subentry_types(village.entry)
    assert set(types) == {"membership"}


async def test_published_hours_are_what_goes_up(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    starts = last_hours(3)
    await village.tell(homes[:14], starts[:1], used)
    await village.tell(homes, starts[1:], used)
    await village.publish()
    source = PublishedSource(village.hass, village.entry)
    assert await source.async_flows() == (Flow.GRID_IMPORT,)
    hours = await source.async_hours(starts[0], starts[-1] + HOUR)
    # The first hour has 14 homes: nothing is shown of it, so nothing goes up.
    assert [hour.start for hour in hours] == list(starts[1:])
    assert [hour.flows[Flow.GRID_IMPORT].wh for hour in hours] == [TOTAL] * 2
    assert hours[0].flows[Flow.GRID_IMPORT].grams == pytest.approx(TOTAL * 0.35)
    first, mark = await source.async_changed_since(0)
    assert first <= starts[0]
    assert (await source.async_changed_since(mark + HOUR))[0] is None
    assert source.ready_until(village.hub.published_at) >= starts[-1] + HOUR


async def test_larger_hub_has_the_sum_and_no_home(village: Village) -> None:
    hass = village.hass
    hass.data[DATA_PACE] = Pace(spread=0, first=0.0)
    larger = await district(village)
    await village.open()
    homes = await village.invite(20)
    starts = last_hours(2)
    await village.tell(homes, starts, used)
    await village.publish()
    top: Hub = larger.runtime_data
    (file,) = await top.homes.async_invite(1)
    invitation = read_invitation(file.text, 0)
    agreed = Agreed.of(invitation, "community@1")
    folder = member_folder(hass, village.entry.entry_id, "district")
    await join(invitation, folder, agreed, run=hass.async_add_executor_job, since=starts[0] - HOUR)
    hass.config_entries.async_add_subentry(
        village.entry,
        ConfigSubentry(
            data=MappingProxyType(membership_data(invitation, agreed)),
            subentry_type="membership",
            title="District",
            unique_id="district",
        ),
    )
    await hass.async_block_till_done()
    await village.until(lambda: top.status.counts.accepted >= 2)
    ledger = top.opened.core.ledger
    cells = await hass.async_add_executor_job(
        ledger.cells, Grain.HOUR, starts[0], starts[-1] + HOUR
    )
    assert {(cell.key.flow, cell.key.kind) for cell in cells} == {(Flow.GRID_IMPORT, Kind.AVERAGE)}
    told = {cell.key.begin: cell.sums.wh for cell in cells}
    assert {start: wh for start, wh in told.items() if wh} == dict.fromkeys(starts, TOTAL)
    assert ledger.homes == (invitation.home,)
    for entry in (village.entry, larger):
        assert await hass.config_entries.async_unload(entry.entry_id)
