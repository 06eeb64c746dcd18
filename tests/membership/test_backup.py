"""A backup holds what waits to be told as it was at one moment, while the home goes on."""

import asyncio
from pathlib import Path
import shutil
import sqlite3

import pytest

from custom_components.carbon_meter.backup import async_post_backup, async_pre_backup
from custom_components.carbon_meter.community.member.box import Box, databases
from custom_components.carbon_meter.community.member.figures import HourFigures
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.state import load
from custom_components.carbon_meter.membership.files import member_folder
from custom_components.carbon_meter.membership.membership import async_maker, present_clock
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.membership.hub import COMMUNITY, HubUnderTest
from tests.membership.joining import join, lived, opened, until

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that a backup takes, without their logs."""
    return {path.name: path.read_bytes() for path in databases(folder)}


async def no_hours(_begin: int, _end: int) -> list[HourFigures]:
    return []


async def test_files_do_not_change_while_a_backup_is_made(
    site: SiteUnderTest, hub: HubUnderTest, tmp_path: Path
) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    end = await lived(site, 2)
    await until(site, lambda: hub.cells(first, end))
    folder = member_folder(site.hass, site.entry.entry_id, COMMUNITY)
    await async_pre_backup(site.hass)
    before = await asyncio.to_thread(contents, folder)
    assert before.keys() == {"outbox.sqlite", "told.sqlite"}
    # Hours are told, and acknowledged, meanwhile.
    later = await lived(site, 2)
    await until(site, lambda: len(hub.cells(end, later)) > 0 and not membership.link.status.out)
    assert await asyncio.to_thread(contents, folder) == before
    copy = tmp_path / "copy"
    await asyncio.to_thread(shutil.copytree, folder, copy)
    await async_post_backup(site.hass)
    assert await asyncio.to_thread(contents, folder) != before

    # The copy is whole, and goes on where it was.
    for path in databases(copy):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    restored = await MemberLink.open(
        copy, no_hours, await async_maker(site.hass), clock=present_clock
    )
    assert restored.status.dropped == 0
    await restored.close()
    box = Box(copy / load(copy).identities[0].home, 0.0)
    assert box.outbox.damaged is None
    assert box._told.is_new is False
    box.close()


async def test_what_was_told_is_held_before_its_outbox(tmp_path: Path) -> None:
    """Else a footprint could be in neither: told, says the one, and the other never had it."""
    for name in ("h1", "h2"):
        (tmp_path / name).mkdir()
        Box(tmp_path / name, 0.0).close()
    (tmp_path / "member.json").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in databases(tmp_path)] == [
        "h1/told.sqlite",
        "h1/outbox.sqlite",
        "h2/told.sqlite",
        "h2/outbox.sqlite",
    ]


async def test_a_membership_that_has_left_hinders_no_backup(
    site: SiteUnderTest, hub: HubUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(site)
    await join(site, hub)
    await site.unload()
    await async_pre_backup(site.hass)
    await async_post_backup(site.hass)
    await site.load()
    await async_pre_backup(site.hass)
    # One that is unloaded while it is held lets go all the same.
    await site.unload()
    await async_post_backup(site.hass)
    assert "as it happens to be" not in caplog.text
    await site.load()
