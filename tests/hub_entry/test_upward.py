"""A hub as a member of a larger hub: what it has published goes up, and nothing else."""

import asyncio
import time
from types import MappingProxyType

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
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
from custom_components.carbon_meter.flows import membership
from custom_components.carbon_meter.hub_entry.hub import Hub
from custom_components.carbon_meter.hub_entry.published_source import PublishedSource
from custom_components.carbon_meter.membership.files import member_folder
from custom_components.carbon_meter.membership.keys import membership_data
from custom_components.carbon_meter.membership.membership import DATA_PACE
from tests.hub_entry.village import HOUR, Village, afternoon, last_hours
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
            "time_zone": afternoon(),
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


async def joined_by_the_form(village: Village, top: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the hub join a larger one as its operator does, some hours ago."""
    subentries = village.hass.config_entries.subentries
    (file,) = await top.homes.async_invite(1)
    # What is told begins with the hour after joining.
    monkeypatch.setattr(membership, "now", lambda: time.time() - 6 * HOUR)
    form = await subentries.async_init(
        (village.entry.entry_id, "membership"), context={"source": SOURCE_USER}
    )
    form = await subentries.async_configure(form["flow_id"], {"invitation": file.text})
    assert form["step_id"] == "hub_choices", form
    choices = {
        str(key): key.default() for key in form["data_schema"].schema if key.default is not None
    }
    form = await subentries.async_configure(form["flow_id"], choices)
    assert form["step_id"] == "hub_consent", form
    form = await subentries.async_configure(form["flow_id"], {"agreed": True})
    while form["type"] is FlowResultType.SHOW_PROGRESS:
        await village.hass.async_block_till_done()
        form = await subentries.async_configure(form["flow_id"])
    assert form["type"] is FlowResultType.CREATE_ENTRY, form
    await village.hass.async_block_till_done()
    await village.until(lambda: top.status.counts.consents == 1)


async def test_what_is_hidden_later_goes_from_the_larger_hub_too(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    hass = village.hass
    hass.data[DATA_PACE] = Pace(spread=0, first=0.0)
    larger = await district(village)
    top: Hub = larger.runtime_data
    await village.open()
    homes = await village.invite(20)
    starts = last_hours(2)
    await village.tell(homes, starts, used)
    await village.publish()
    await joined_by_the_form(village, top, monkeypatch)

    def told() -> dict[int, int]:
        cells = top.opened.core.ledger.cells(Grain.HOUR, starts[0], starts[-1] + HOUR)
        return {cell.key.begin: cell.sums.wh for cell in cells}

    await village.until(lambda: top.status.counts.accepted >= 2)
    assert await hass.async_add_executor_job(told) == dict.fromkeys(starts, TOTAL)
    for home in homes:
        await asyncio.to_thread(village.homes.withdraw, home)
    await village.until(lambda: len(village.hub.opened.core.ledger.homes) == 0)
    await village.publish(later=25 * HOUR)
    await village.until(lambda: top.status.counts.accepted >= 4)
    assert await hass.async_add_executor_job(told) == {}
    for entry in (village.entry, larger):
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_member_that_leaves_is_called_a_hub(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    hass = village.hass
    hass.data[DATA_PACE] = Pace(spread=0, first=0.0)
    larger = await district(village)
    await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(2), used)
    await village.publish()
    await joined_by_the_form(village, larger.runtime_data, monkeypatch)
    (subentry_id,) = village.entry.subentries
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), village.entry.entry_id)
    (device,) = [one for one in devices if (DOMAIN, subentry_id) in one.identifiers]
    assert device.model == "Membership in a larger community"
    registry = er.async_get(hass)
    shown = registry.async_get_entity_id("sensor", DOMAIN, f"{subentry_id}_membership_state")
    assert registry.async_get(shown).translation_key == "hub_membership_state"
    # The larger hub does not hear that its member is gone.
    assert await hass.config_entries.async_unload(larger.entry_id)
    hass.config_entries.async_remove_subentry(village.entry, subentry_id)
    await hass.async_block_till_done()
    issue = f"membership_{village.entry.entry_id}_district"
    await village.until(lambda: ir.async_get(hass).async_get_issue(DOMAIN, issue) is not None)
    told = ir.async_get(hass).async_get_issue(DOMAIN, issue)
    assert told.translation_key == "hub_membership_leaving"
    assert await hass.config_entries.async_unload(village.entry.entry_id)
