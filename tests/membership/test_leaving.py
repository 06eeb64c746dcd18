"""What is left of a membership that was removed: nothing is forgotten, and nobody else's goes."""

import asyncio
from dataclasses import replace
from pathlib import Path

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.backup import async_post_backup, async_pre_backup
from custom_components.carbon_meter.community.member.box import databases
from custom_components.carbon_meter.community.member.state import load, save
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.membership.files import (
    communities_in,
    member_folder,
    members_databases,
    members_folder,
)
from custom_components.carbon_meter.membership.keys import DATA_JOINING
from custom_components.carbon_meter.membership.memberships import (
    async_go_on_leaving,
    memberships_of,
)
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.membership.hub import COMMUNITY, NAME, HubUnderTest
from tests.membership.joining import join, lived, only, opened, until

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


def told(site: SiteUnderTest) -> dict[str | None, ir.IssueEntry]:
    """Return the repair issues of memberships by their key, but that of an unkept clock."""
    return {
        issue.translation_key: issue
        for issue in ir.async_get(site.hass).issues.values()
        if issue.domain == DOMAIN and issue.translation_key != "membership_unsynced"
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in databases(folder)}


def leaving(site: SiteUnderTest) -> list[str]:
    """Return which withdrawals are under way."""
    tasks = [task for task in site.hass._background_tasks if isinstance(task, asyncio.Task)]
    return [task.get_name() for task in tasks if task.get_name().startswith("leave ")]


async def left_behind(site: SiteUnderTest) -> Path:
    """Take the site down, and leave its memberships as those of an entry that is gone."""
    await site.unload()
    folder = members_folder(site.hass, site.entry.entry_id)
    behind = folder.with_name(folder.name.replace(site.entry.entry_id, "gone"))
    folder.rename(behind)
    return behind


async def test_a_withdrawal_that_goes_on_alone_is_held_in_a_backup(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    first = await opened(site)
    await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: only(site).link.status.acknowledged_at is not None)
    hub.disconnect()
    end = await lived(site, 1)
    behind = await left_behind(site)
    folder = behind / COMMUNITY
    await async_pre_backup(site.hass)
    before = await asyncio.to_thread(contents, folder)
    assert before.keys() == {"outbox.sqlite", "told.sqlite"}
    # What waits to be told is dropped, the files are closed and opened: the copy has it all.
    await async_go_on_leaving(site.hass)
    await until(site, lambda: "membership_left_behind" in told(site))
    await lived(site, 1)
    assert await asyncio.to_thread(contents, folder) == before
    # The hub answers while the backup is being made, and the files go: nothing is in the way.
    hub.connect()
    await until(site, lambda: not behind.exists())
    await async_post_backup(site.hass)
    assert hub.cells(first, end) == {}
    assert told(site) == {}


async def test_what_is_deleted_meanwhile_hinders_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "members"
    assert communities_in(folder) == []
    (folder / "h1").mkdir(parents=True)
    (folder / "a file").touch()
    assert communities_in(folder) == ["h1"]
    monkeypatch.setattr(
        "custom_components.carbon_meter.membership.files.communities_in", lambda _: ["gone", "h1"]
    )
    assert members_databases(folder) == []


async def test_files_that_cannot_be_read_stay(site: SiteUnderTest, hub: HubUnderTest) -> None:
    """They alone know which homes have to be deleted."""
    await opened(site)
    await join(site, hub)
    behind = await left_behind(site)
    (behind / COMMUNITY / "member.json").write_text("{")
    await async_go_on_leaving(site.hass)
    await until(site, lambda: "membership_not_withdrawn" in told(site))
    issue = told(site)["membership_not_withdrawn"]
    assert issue.translation_placeholders == {"community": COMMUNITY, "homes": "?"}
    assert issue.is_persistent
    await until(site, lambda: not leaving(site))
    assert list(databases(behind / COMMUNITY))


async def test_a_hub_that_can_be_told_no_more_is_said(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    await lived(site, 1)  # before its first hour it has told nothing
    behind = await left_behind(site)
    folder = behind / COMMUNITY
    # Its certificate has ended.
    state = load(folder)
    ended = [replace(one, holds_until=int(site.now()) - 1) for one in state.identities]
    save(folder, replace(state, identities=tuple(ended)))
    await async_go_on_leaving(site.hass)
    await until(site, lambda: told(site) and not behind.exists())
    assert set(told(site)) == {"membership_not_withdrawn"}
    issue = told(site)["membership_not_withdrawn"]
    assert issue.translation_placeholders == {"community": NAME, "homes": home}
    assert issue.is_persistent


async def test_who_gave_up_joining_leaves_nothing(site: SiteUnderTest) -> None:
    await opened(site)
    begun = member_folder(site.hass, site.entry.entry_id, "begun")
    given_up = member_folder(site.hass, site.entry.entry_id, "given_up")
    for folder in (begun, given_up):
        folder.mkdir(parents=True)
        (folder / "key.pem").write_text("secret")
    await site.unload()
    site.hass.data[DATA_JOINING] = {str(begun)}
    await site.load()
    await until(site, lambda: not given_up.exists())
    memberships = memberships_of(site.hass, site.entry)
    assert memberships is not None
    assert not memberships.is_leaving("begun")
    # Somebody is just joining there.
    assert begun.exists()
    assert told(site) == {}


async def test_nobody_leaves_whose_site_is_still_there(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    membership = await join(site, hub)
    await async_go_on_leaving(site.hass)
    assert leaving(site) == []
    assert load(membership.folder).withdrawn_at is None
