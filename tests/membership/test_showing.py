"""What a membership shows: sensors, the live view, diagnostics; nothing that names the home."""

from typing import Any

from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
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
    assert shown("membership_acknowledged").state != "unknown"
    assert shown("membership_waiting").state.isdigit()

    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    text = str(diagnostics)
    (one,) = diagnostics["memberships"].values()
    assert one["state"] == "connected"
    for secret in (membership.link.status.home, NAME, f"'{COMMUNITY}'", f":{hub.broker.port}"):
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


async def test_the_live_view_is_for_admins(
    site: SiteUnderTest, hass_ws_client: Any, hass_read_only_access_token: str
) -> None:
    await opened(site)
    client = await hass_ws_client(site.hass, hass_read_only_access_token)
    await client.send_json({"id": 1, "type": COMMAND, "subentry_id": "nobody"})
    assert (await client.receive_json())["error"]["code"] == "unauthorized"
