"""Which hub is meant, how much is told of it, and what is left of one that is removed."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.chosen import async_hub
from custom_components.carbon_meter.hub_entry.files import hub_databases, hub_folder
from tests.hub_entry.village import HOUR, Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


async def act(village: Village, action: str, **data: Any) -> Any:
    return await village.hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


def refusal_of(village: Village, chosen: str | None) -> str | None:
    with pytest.raises(ServiceValidationError) as refusal:
        async_hub(village.hass, chosen)
    return refusal.value.translation_key


async def test_one_of_two_hubs_is_chosen(village: Village) -> None:
    hub = await village.open()
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Other",
        unique_id="hub:other",
        data={
            "entry": "hub",
            "community": "other",
            "own_broker": True,
            "time_zone": "Europe/Berlin",
        },
        minor_version=2,
    )
    other.add_to_hass(village.hass)
    assert refusal_of(village, None) == "choose_hub"
    assert async_hub(village.hass, village.entry.entry_id) is hub
    assert refusal_of(village, other.entry_id) == "hub_not_loaded"
    # One that is disabled is none.
    await village.hass.config_entries.async_set_disabled_by(
        other.entry_id, ConfigEntryDisabler.USER
    )
    assert async_hub(village.hass, None) is hub
    assert refusal_of(village, other.entry_id) == "unknown_hub"


async def test_an_export_is_as_long_as_is_wished(village: Village) -> None:
    await village.open()
    begin, end = "2026-01-01 00:00:00", "2026-06-01 00:00:00"
    assert (await act(village, "export_community", grain="hour", begin=begin, end=end))[
        "periods"
    ] == 0
    with pytest.raises(ServiceValidationError) as refusal:
        await act(village, "community_report", begin=begin, end=begin)
    assert refusal.value.translation_key == "start_after_end"


async def test_a_community_has_no_name_to_be_asked_for(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    starts = last_hours(1)
    await village.tell(homes, starts, lambda number, _: {Flow.GRID_IMPORT: 1000 + number})
    await village.publish()
    begin = datetime.fromtimestamp(starts[0], UTC).isoformat()
    report = await act(village, "community_report", grain="hour", begin=begin, name="North")
    assert [flow["homes"] for flow in report["periods"][0]["flows"]] == [20]
    assert report["name"] != "North"


async def test_names_are_told_once_and_without_edges(village: Village) -> None:
    hub = await village.open()
    await act(village, "invite_home", feeder=" North ", groups=["A ", " A", "B"])
    (home,) = await hub.homes.async_homes()
    assert (home.feeder, home.groups) == ("North", ("A", "B"))


async def test_a_hub_that_is_removed_leaves_what_it_published_alone(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(2)
    await act(village, "invite_home")
    starts = last_hours(1)
    await village.tell(homes, starts, lambda number, _: {Flow.GRID_IMPORT: 1000 + number})
    begin = datetime.fromtimestamp(starts[0] - HOUR, UTC).isoformat()
    await act(village, "export_community", grain="hour", begin=begin)
    hub.care.store_failed("no space left")
    assert "hub_store" in village.issues()
    folder = Path(village.hass.config.path(DOMAIN, "linden"))
    kept = hub_folder(village.hass, village.entry.entry_id)
    assert await asyncio.to_thread(hub_databases, kept)
    await village.hass.config_entries.async_remove(village.entry.entry_id)
    await village.hass.async_block_till_done()
    assert not await asyncio.to_thread(kept.exists)
    assert [path.name for path in await asyncio.to_thread(lambda: list(folder.iterdir()))] == [
        "exports"
    ]
    assert village.issues() == set()
