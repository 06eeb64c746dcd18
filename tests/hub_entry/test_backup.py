"""A backup holds the files of a hub as they were at one moment, while the hub goes on."""

import asyncio
from pathlib import Path
import shutil
import sqlite3

from custom_components.carbon_meter.backup import async_post_backup, async_pre_backup
from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.hub_entry.village import Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


def used(number: int, _start: int) -> dict[Flow, int]:
    return {Flow.GRID_IMPORT: 1000 + number}


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that a backup takes, without their logs."""
    return {path.name: path.read_bytes() for path in folder.glob("*.db")}


async def test_files_do_not_change_while_a_backup_is_made(village: Village, tmp_path: Path) -> None:
    hub = await village.open()
    homes = await village.invite(20)
    starts = last_hours(3)
    await village.tell(homes, starts[:1], used)
    await async_pre_backup(village.hass)
    before = await asyncio.to_thread(contents, village.folder)
    assert {"ledger.db", "books.db", "desk.db", "releases.db"} <= before.keys()
    # Messages are taken and answered meanwhile.
    await village.tell(homes, starts[1:2], used)
    await village.publish()
    assert hub.status.counts.accepted == 40
    assert await asyncio.to_thread(contents, village.folder) == before
    copy = tmp_path / "copy"
    await asyncio.to_thread(shutil.copytree, village.folder, copy)
    await async_post_backup(village.hass)
    await village.tell(homes, starts[2:], used)
    assert await asyncio.to_thread(contents, village.folder) != before
    # The copy is whole: at least what was there when it was begun, in order.
    zone = hub.opened.core.ledger.calendar.zone
    ledger = await asyncio.to_thread(Ledger, copy / "ledger.db", community="linden", zone=zone)
    assert await asyncio.to_thread(ledger.recompute) == 0
    assert set(ledger.homes) == set(homes)
    ledger.close()
    for name in before:
        connection = sqlite3.connect(copy / name)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


async def test_hub_that_is_not_loaded_hinders_no_backup(village: Village) -> None:
    await village.open()
    await village.unload()
    await async_pre_backup(village.hass)
    await async_post_backup(village.hass)
    await village.load()
    await async_pre_backup(village.hass)
    # A hub that is unloaded while it is held lets go all the same.
    await village.unload()
    await async_post_backup(village.hass)
