"""From the form to the ledger of a real hub: a home joins, tells its hours, and leaves."""

import json
import socket
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import psutil
import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.membership.files import member_folder, members_folder
from custom_components.carbon_meter.membership.memberships import async_go_on_leaving
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.membership.hub import COMMUNITY, NAME, HubUnderTest
from tests.membership.joining import (
    HOUR,
    begin,
    changing,
    go_on,
    join,
    lived,
    only,
    opened,
    quiet,
    reconfigure,
    until,
)

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


def told(hub: HubUnderTest) -> list[dict[str, Any]]:
    """Return the footprints that the hub has heard."""
    return [json.loads(payload) for topic, payload in hub.heard if "/up/fp/" in topic]


def revisions(hub: HubUnderTest, hour: int) -> list[int]:
    """Return the revisions of an hour, each once: a slow hub is told the same again."""
    return sorted({one["rev"] for one in told(hub) if one["start"] == hour})


async def test_a_home_joins_and_tells_its_hours_to_the_watt_hour(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    first = await opened(site)
    await lived(site, 2)
    membership = await join(site, hub)
    assert membership.subentry.title == NAME
    joined = await lived(site, 3)
    await until(site, lambda: len(hub.cells(first, joined)) >= 4)
    cells = hub.cells(first, joined)
    # It joined within the third hour: that one and those before are not told.
    hours = [first + 3 * HOUR, first + 4 * HOUR]
    assert {begin for begin, _ in cells} == set(hours)
    for hour in hours:
        imported = cells[hour, Flow.GRID_IMPORT].sums
        assert (imported.wh, imported.mg) == (3600, 900_000)
        assert imported.measured == 3600
        assert imported.covered == HOUR * 10_000
        assert cells[hour, Flow.GRID_EXPORT].sums.wh == 0
    await until(site, lambda: membership.link.status.out == 0)
    assert membership.link.status.acknowledged_at is not None
    one = told(hub)[0]
    assert one["src"] == membership.link.status.home
    (item,) = [item for item in one["items"] if item["flow"] == "grid_import"]
    assert item["ci"] == {
        "source": "fixed",
        "zone": "001",
        "kind": "average",
        "version": "yearly_factor",
        "resolution": 365 * 86400,
    }
    assert item["q"] == "measured"
    assert one["method"] == "location@1"


async def test_a_member_opens_no_port(site: SiteUnderTest, hub: HubUnderTest) -> None:
    """Whatever it hears comes over the connection that it has made."""

    def doors() -> set[tuple[str, int]]:
        return {
            (one.laddr.ip, one.laddr.port)
            for one in psutil.Process().net_connections()
            if one.status == psutil.CONN_LISTEN or one.type is socket.SOCK_DGRAM
        }

    await opened(site)
    before = doors()
    assert before, "the meters of the test listen"
    membership = await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: membership.link.status.acknowledged_at is not None)
    assert doors() == before


async def test_nothing_is_told_before_somebody_has_agreed(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    await lived(site, 2)
    form = await go_on(site, await begin(site), {"invitation": hub.invite().as_text()})
    assert form["step_id"] == "choices"
    assert form["description_placeholders"]["community"] == NAME
    form = await go_on(site, form, {"duration": "hour", "flows": ["grid_import"]})
    assert form["step_id"] == "consent"
    # What is shown is a message as the hub would take it, with nothing that was not chosen.
    message = form["description_placeholders"]["message"]
    shown = json.loads(message.split("```json")[1].split("```")[0])
    assert [item["flow"] for item in shown["items"]] == ["grid_import"]
    assert shown["items"][0]["wh"] == 3600
    form = await go_on(site, form, {"agreed": False})
    assert form["errors"] == {"agreed": "not_agreed"}
    await site.advance(HOUR, step=300)
    assert hub.heard == []
    assert not member_folder(site.hass, site.entry.entry_id, COMMUNITY).exists()


async def test_a_restart_goes_on_where_it_was(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    await join(site, hub)
    await lived(site, 2)
    hub.disconnect()
    await lived(site, 1)
    await site.unload()
    site.pass_unseen(2 * HOUR)
    await site.load()
    end = await lived(site, 1)
    hub.connect()
    wanted = {first + count * HOUR for count in range(1, 6)}
    await until(site, lambda: {start for start, _ in hub.cells(first, end)} >= wanted)
    cells = hub.cells(first, end)
    # What flowed while nobody read is known, though not measured.
    unseen = [cells[hour, Flow.GRID_IMPORT].sums for hour in sorted(wanted)]
    assert sum(sums.wh for sums in unseen) == pytest.approx(5 * 3600, abs=3)
    assert sum(sums.estimated for sums in unseen) > 0
    await until(site, lambda: only(site).link.status.out == 0)


async def test_a_restated_hour_is_told_again(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    await join(site, hub)
    end = await lived(site, 3)
    hour = first + HOUR
    both = {(hour, Flow.GRID_IMPORT), (hour + HOUR, Flow.GRID_IMPORT)}
    await until(site, lambda: both <= hub.cells(first, end).keys())
    await quiet(site, hub)
    before, others = revisions(hub, hour), revisions(hub, hour + HOUR)
    assert before[0] == others[0] == 0
    await site.hass.services.async_call(
        DOMAIN,
        "restate",
        {
            "start": _iso(hour),
            "end": _iso(hour + HOUR),
            "intensity": 100,
            "reason": "the supplier said so",
        },
        blocking=True,
        return_response=True,
    )
    await until(site, lambda: hub.cells(first, end)[hour, Flow.GRID_IMPORT].sums.mg == 360_000)
    await quiet(site, hub)
    assert revisions(hub, hour) == [*before, before[-1] + 1]
    # The others are as they were: there is nothing new to be told of them.
    assert revisions(hub, hour + HOUR) == others


async def test_showing_less_holds_at_once(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: only(site).link.status.acknowledged_at is not None)
    # What left before showed more, as was agreed to.
    await quiet(site, hub)
    hub.disconnect()
    form = await changing(site, "change")
    form = await go_on(site, form, {"duration": "hour", "flows": ["grid_import"]})
    form = await go_on(site, form, {"agreed": True})
    assert form["reason"] == "consent_changed"
    await site.settle()
    before = len(told(hub))
    end = await lived(site, 2)
    hub.connect()
    await until(site, lambda: len(told(hub)) >= before + 2)
    assert {item["flow"] for one in told(hub)[before:] for item in one["items"]} == {"grid_import"}
    assert only(site).subentry.data["flows"] == ["grid_import"]
    assert (first + HOUR, Flow.GRID_EXPORT) in hub.cells(first, end)


async def test_leaving_deletes_everything_at_the_hub(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    end = await lived(site, 3)
    await until(site, lambda: hub.cells(first, end))
    await quiet(site, hub)
    form = await changing(site, "withdraw")
    assert form["description_placeholders"] == {"community": NAME}
    refused = await go_on(site, form, {"confirm": False})
    assert refused["errors"] == {"confirm": "not_confirmed"}
    form = await site.hass.config_entries.subentries.async_configure(
        form["flow_id"], {"confirm": True}
    )
    await until(site, lambda: membership.link.status.state is MemberState.WITHDRAWN)
    form = await go_on(site, form)
    assert form["reason"] == "withdrawn"
    assert hub.cells(first, end) == {}
    assert home not in hub.homes
    assert hub.ledger.recompute() == 0
    await quiet(site, hub)
    heard = len(hub.heard)
    await lived(site, 2)
    assert len(hub.heard) == heard
    folder = member_folder(site.hass, site.entry.entry_id, COMMUNITY)
    assert not [path for path in folder.rglob("*") if path.suffix in {".pem", ".db"}]
    # It stays so after a restart, and can then be removed.
    await site.unload()
    await site.load()
    assert only(site).link.status.state is MemberState.WITHDRAWN
    menu = await reconfigure(site)
    assert menu["menu_options"] == ["outgoing"]
    site.hass.config_entries.async_remove_subentry(site.entry, only(site).subentry.subentry_id)
    await site.settle()
    await until(site, lambda: not folder.exists())


async def test_removing_a_membership_withdraws_it(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    end = await lived(site, 2)
    await until(site, lambda: hub.cells(first, end))
    other = hub.invite()
    hub.disconnect()
    site.hass.config_entries.async_remove_subentry(site.entry, membership.subentry.subentry_id)
    await site.settle()
    folder = member_folder(site.hass, site.entry.entry_id, COMMUNITY)
    assert folder.exists()
    await until(site, lambda: _issues(site.hass) == {"membership_leaving"})
    form = await go_on(site, await begin(site), {"invitation": other.as_text()})
    assert form["reason"] == "still_leaving"
    await site.unload()
    await site.load()
    hub.connect()
    await until(site, lambda: not folder.exists())
    assert hub.cells(first, end) == {}
    assert home not in hub.homes
    assert _issues(site.hass) == set()


async def test_removing_the_site_withdraws_it(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    await join(site, hub)
    end = await lived(site, 2)
    await until(site, lambda: hub.cells(first, end))
    removing = site.hass.async_create_task(
        site.hass.config_entries.async_remove(site.entry.entry_id)
    )
    await until(site, removing.done)
    assert hub.cells(first, end) == {}
    assert not members_folder(site.hass, site.entry.entry_id).exists()
    assert _issues(site.hass) == set()


async def test_removing_the_site_tells_of_a_hub_that_did_not_hear(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    end = await lived(site, 2)
    await until(site, lambda: hub.cells(first, end))
    hub.disconnect()
    removing = site.hass.async_create_task(
        site.hass.config_entries.async_remove(site.entry.entry_id)
    )
    await until(site, removing.done, patience=60.0, step=0.2)
    folder = members_folder(site.hass, site.entry.entry_id)
    assert folder.exists()
    (issue,) = [one for one in ir.async_get(site.hass).issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "membership_left_behind"
    assert issue.is_persistent
    assert issue.translation_placeholders == {"community": NAME, "homes": home}
    # Nobody has given up.
    hub.connect()
    await until(site, lambda: not folder.exists(), patience=60.0, step=0.2)
    assert hub.cells(first, end) == {}
    assert home not in hub.homes
    assert _issues(site.hass) == set()


async def test_the_next_start_goes_on_where_a_site_was_removed(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    home = membership.link.status.home
    end = await lived(site, 2)
    await until(site, lambda: hub.cells(first, end))
    # As it is when Home Assistant ends while the hub is away: the files, and no entry of theirs.
    await site.unload()
    folder = members_folder(site.hass, site.entry.entry_id)
    behind = folder.with_name(folder.name.replace(site.entry.entry_id, "gone"))
    folder.rename(behind)
    await async_go_on_leaving(site.hass)
    await until(site, lambda: not behind.exists())
    assert hub.cells(first, end) == {}
    assert home not in hub.homes
    assert _issues(site.hass) == set()


def _issues(hass: HomeAssistant) -> set[str | None]:
    """Return what repair issues of memberships there are, but that of an unkept clock."""
    return {
        issue.translation_key
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and (issue.translation_key or "").startswith("membership_")
    } - {"membership_unsynced"}


def _iso(moment: int) -> str:
    return dt_util.utc_from_timestamp(moment).isoformat()
