"""What a membership shows: sensors, the live view, diagnostics; nothing that names the home."""

from dataclasses import replace
import os
import signal
from typing import Any

from homeassistant.const import MATCH_ALL
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.report import Report
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from custom_components.carbon_meter.membership.sensors import MEMBERSHIP_SENSORS
from custom_components.carbon_meter.membership.websocket import COMMAND
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.membership.hub import COMMUNITY, NAME, HubUnderTest
from tests.membership.joining import join, lived, opened, until

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


async def test_sensors_and_diagnostics(site: SiteUnderTest, hub: HubUnderTest) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: membership.link.status.acknowledged_at is not None)
    await site.settle()

    def shown(key: str) -> Any:
        unique_id = f"{membership.subentry.subentry_id}_{key}"
        entity_id = er.async_get(site.hass).async_get_entity_id("sensor", DOMAIN, unique_id)
        assert entity_id is not None, key
        return site.hass.states.get(entity_id)

    state = shown("membership_state")
    assert state.state == "connected"
    assert state.attributes["home"] == membership.link.status.home
    assert state.attributes["flows"] == ["grid_import", "grid_export"]
    assert "gas" in state.attributes["not_told"]
    told = shown("membership_told")
    assert told.attributes["message"]["start"] == first + 3600
    assert told.attributes["acknowledged"] is not None
    status = membership.link.status
    assert (state.attributes["level"], state.attributes["period"]) == ("pseudonym", 3600)
    assert dt_util.parse_datetime(told.state).timestamp() == first + 3600
    assert told.attributes["topic"] == status.last_told.topic
    acknowledged = dt_util.parse_datetime(shown("membership_acknowledged").state).timestamp()
    assert acknowledged == int(status.acknowledged_at)
    # What the home tells stands in no history.
    entities = site.hass.data["entity_components"]["sensor"].entities
    (entity,) = [one for one in entities if one.entity_id == told.entity_id]
    assert entity._unrecorded_attributes == {MATCH_ALL}

    # The hub is away: what was told is out, and nothing of it is lost.
    hub.disconnect()
    await lived(site, 1)
    await until(site, lambda: membership.link.status.out)
    await site.settle()
    status = membership.link.status
    waiting = shown("membership_waiting")
    assert int(waiting.state) == status.waiting + status.out > 0
    names = ("not_sent", "not_acknowledged", "refused", "given_up", "bytes")
    assert [waiting.attributes[name] for name in names] == [
        status.waiting,
        status.out,
        status.refused,
        status.dropped,
        status.size,
    ]
    certificate = er.async_get(site.hass).async_get_entity_id(
        "sensor", DOMAIN, f"{membership.subentry.subentry_id}_membership_certificate"
    )
    assert er.async_get(site.hass).async_get(certificate).disabled

    membership.link._trouble = "what the disk said of /config"
    report = Report(last_refusal=("consent", f"of {membership.link.status.home}"))
    membership.link._reports[membership.link.status.home] = report

    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    text = str(diagnostics)
    (one,) = diagnostics["memberships"].values()
    assert (one["state"], one["last_refusal"]) == ("store", "consent")
    assert one["out"] == status.out
    for secret in (
        "/config",
        membership.link.status.home,
        NAME,
        f"'{COMMUNITY}'",
        f":{hub.broker.port}",
    ):
        assert secret not in text


async def test_the_live_view_shows_what_leaves(
    site: SiteUnderTest, hub: HubUnderTest, hass_ws_client: Any
) -> None:
    assert await async_setup_component(site.hass, "websocket_api", {})
    await opened(site)
    membership = await join(site, hub)
    client = await hass_ws_client(site.hass)
    await client.send_json({"id": 1, "type": COMMAND, "subentry_id": "nobody"})
    assert (await client.receive_json())["error"]["code"] == "not_found"
    subentry_id = membership.subentry.subentry_id
    await client.send_json({"id": 2, "type": COMMAND, "subentry_id": subentry_id})
    assert (await client.receive_json())["success"]
    view = (await client.receive_json())["event"]
    assert view["state"] == "connected"
    assert view["flows"] == ["grid_import", "grid_export"]
    assert [one["kind"] for one in view["outgoing"]] == ["consent"]
    assert (view["home"], view["level"]) == (membership.link.status.home, "pseudonym")
    assert view["next"] == []
    # What leaves while somebody looks is shown as it leaves, word for word, before any answer.
    await until(site, lambda: membership.link.outgoing[0].reason == 0)
    less = replace(membership.link.status.agreed, flows=(Flow.GRID_IMPORT,))
    os.kill(hub.broker.pid, signal.SIGSTOP)
    try:
        await membership.link.change(less)
        while len(view["outgoing"]) < 2:
            view = (await client.receive_json())["event"]
        assert [one["reason"] for one in view["outgoing"]] == [0, None]
    finally:
        os.kill(hub.broker.pid, signal.SIGCONT)
    while view["outgoing"][-1]["reason"] is None:
        view = (await client.receive_json())["event"]
    assert [one["reason"] for one in view["outgoing"]] == [0, 0]
    assert view["flows"] == ["grid_import"]
    last = membership.link.outgoing[-1]
    assert (view["outgoing"][-1]["topic"], view["outgoing"][-1]["payload"]) == (
        last.topic,
        last.payload,
    )
    await client.send_json({"id": 3, "type": "unsubscribe_events", "subscription": 2})
    while (answer := await client.receive_json())["type"] != "result":
        pass
    assert answer["success"]
    assert len(membership._listeners) == len(MEMBERSHIP_SENSORS) - 1


async def test_the_live_view_is_for_admins(
    site: SiteUnderTest, hass_ws_client: Any, hass_read_only_access_token: str
) -> None:
    await opened(site)
    client = await hass_ws_client(site.hass, hass_read_only_access_token)
    await client.send_json({"id": 1, "type": COMMAND, "subentry_id": "nobody"})
    assert (await client.receive_json())["error"]["code"] == "unauthorized"
