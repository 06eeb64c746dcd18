"""The file of a site: whatever happens to Home Assistant, the counters give back what it lacks."""

import asyncio
from copy import deepcopy
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.store import SiteStore
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest

SPECS = [MeterSpec(profile="schneider_iem3000", initial_import=5e6)]


def key_of(site: SiteUnderTest) -> str:
    return f"carbon_meter.{site.entry.entry_id}"


async def killed(site: SiteUnderTest, hass_storage: dict[str, Any], seconds: float) -> None:
    """Let Home Assistant die without a word, and start again some seconds later."""
    on_disk = deepcopy(hass_storage.get(key_of(site)))
    await site.unload()
    if on_disk is None:
        hass_storage.pop(key_of(site), None)
    else:
        hass_storage[key_of(site)] = on_disk
    site.pass_unseen(seconds)
    await site.load()


@pytest.mark.parametrize("lived", [70, 119, 121, 245, 301])
async def test_killed_at_any_moment_loses_nothing(
    site: SiteUnderTest, hass_storage: dict[str, Any], lived: int
) -> None:
    await site.open(SPECS, watts=3600.0)
    await site.advance(lived)
    await killed(site, hass_storage, 33)
    await site.advance(lived)
    await killed(site, hass_storage, 33)
    await site.advance(10)
    total = site.meter().account.ledger.total
    counted = site.home["grid"].shown_values(site.clock.now())["energy_import"] - 5e6
    assert total.import_energy == pytest.approx(counted, abs=1)
    # What nobody saw is marked: the minute that was not on disk and the time it was down.
    assert 33 * 2 - 20 <= total.estimated_time <= 2 * (33 + 60 + 20)
    assert not site.meter().account.incidents


async def test_orderly_end_of_a_site_writes_to_the_last_reading(
    site: SiteUnderTest, hass_storage: dict[str, Any]
) -> None:
    await site.open(SPECS, watts=3600.0)
    await site.advance(35)
    account, subentry = site.meter().account, site.meter().subentry.subentry_id
    await site.unload()
    stored = hass_storage[key_of(site)]["data"]["meters"][subentry]
    assert stored["flows"]["import"]["booked_until"] == account.booked_until


@pytest.mark.parametrize("steps", [1, 5, 6, 7, 11, 12, 13])
async def test_stop_of_home_assistant_writes_to_the_last_reading(
    site: SiteUnderTest, hass_storage: dict[str, Any], steps: int
) -> None:
    await site.open(SPECS, watts=3600.0)
    subentry = site.meter().subentry.subentry_id
    # It is saved once a minute; whenever the stop comes, all is written.
    await site.advance(10 * steps)
    site.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await site.settle()
    stored = hass_storage[key_of(site)]["data"]["meters"][subentry]
    assert stored["flows"]["import"]["booked_until"] == site.meter().account.booked_until


class Parts:
    """Meters that can be stored."""

    def __init__(self, store: SiteStore, count: int) -> None:
        self.store = store
        self.version = 0
        self.collected: list[int] = []
        self.while_collecting = lambda: None
        store.async_collect_with(
            {str(number): lambda number=number: self.part(number) for number in range(count)},
            lambda: {"version": self.version},
        )

    def part(self, number: int) -> dict[str, int]:
        self.collected.append(number)
        self.while_collecting()
        return {"number": number, "version": self.version}


async def test_others_have_their_turn_between_two_meters(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    store = SiteStore(hass, "site")
    parts = Parts(store, 200)
    seen: list[int] = []

    async def others() -> None:
        while True:
            seen.append(len(parts.collected))
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await store.async_save()
    task.cancel()
    assert parts.collected == list(range(200))
    assert set(range(1, 200)) <= set(seen)
    assert len(hass_storage["carbon_meter.site"]["data"]["meters"]) == 200


async def test_what_changes_while_it_is_saved_is_written_at_the_stop(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    store = SiteStore(hass, "site")
    parts = Parts(store, 3)

    def change() -> None:
        parts.version += 1
        store.async_schedule()

    parts.while_collecting = change
    await store.async_save()
    parts.while_collecting = lambda: None
    assert hass_storage["carbon_meter.site"]["data"]["meters"]["0"]["version"] < parts.version
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    stored = hass_storage["carbon_meter.site"]["data"]
    assert {part["version"] for part in stored["meters"].values()} == {parts.version}
    store.async_close()


async def test_closed_store_schedules_nothing(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    store = SiteStore(hass, "site")
    parts = Parts(store, 1)
    store.async_schedule()
    store.async_close()
    store.async_schedule()
    assert store._timer is None
    await store.async_save()
    parts.version = 7
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert hass_storage["carbon_meter.site"]["data"]["version"] == 0


async def test_two_saves_do_not_mix(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    store = SiteStore(hass, "site")
    parts = Parts(store, 5)
    await asyncio.gather(store.async_save(), store.async_save())
    assert parts.collected == [0, 1, 2, 3, 4] * 2


async def test_first_start_has_nothing(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    store = SiteStore(hass, "site")
    assert await store.async_load() == {}
    Parts(store, 2)
    await store.async_save()
    assert (await SiteStore(hass, "site").async_load())["meters"]["1"] == {
        "number": 1,
        "version": 0,
    }
    await store.async_remove()
    assert await SiteStore(hass, "site").async_load() == {}
