"""The actions and the websocket of a hub: what was published, in every form."""

import csv
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from tests.hub_entry.village import HOUR, Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


async def act(village: Village, action: str, **data: Any) -> Any:
    return await village.hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


def used(number: int, _start: int) -> dict[Flow, int]:
    return {Flow.GRID_IMPORT: 1000 + number}


async def told(village: Village, hours: int = 3) -> range:
    """Let twenty homes tell hours, and publish them."""
    homes = await village.invite(20)
    starts = last_hours(hours)
    await village.tell(homes, starts, used)
    await village.publish()
    return starts


def moment(start: int) -> str:
    return datetime.fromtimestamp(start, UTC).isoformat()


async def test_report_tells_what_was_published(village: Village) -> None:
    await village.open()
    starts = await told(village)
    report = await act(
        village,
        "community_report",
        grain="hour",
        begin=moment(starts[0]),
        end=moment(starts[-1] + HOUR),
    )
    total = sum(1000 + number for number in range(20)) / 1000
    assert len(report["periods"]) == 3
    kwh = [flow["kwh"] for period in report["periods"] for flow in period["flows"]]
    assert kwh == pytest.approx([total] * 3)
    json.dumps(report)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"scope": "feeder"}, "hub_name_of_scope"),
        ({"begin": "2026-06-15 13:00:00", "end": "2026-06-15 12:00:00"}, "start_after_end"),
        ({"begin": "1900-01-01 00:00:00", "end": "1901-01-01 00:00:00"}, "hub_no_such_time"),
        ({"begin": "1971-01-01 00:00:00", "end": "2026-01-01 00:00:00"}, "hub_too_long"),
        (
            {"grain": "hour", "begin": "2026-01-01 00:00:00", "end": "2026-06-01 00:00:00"},
            "hub_too_many_hours",
        ),
        ({"hub": "nowhere"}, "unknown_hub"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    village: Village, data: dict[str, str], key: str
) -> None:
    await village.open()
    with pytest.raises(ServiceValidationError) as refusal:
        await act(village, "community_report", **data)
    assert refusal.value.translation_key == key
    assert "hub_" not in str(refusal.value)


@pytest.mark.parametrize("moment", ["2016-12-31T23:59:60Z", "2016-12-31 23:59:60", 1e400])
async def test_a_moment_that_no_clock_of_ours_has_is_refused(
    village: Village, moment: str | float
) -> None:
    """A leap second is one: seconds since 1970 do not count it."""
    await village.open()
    with pytest.raises(probatio.Invalid):
        await act(village, "community_report", begin=moment)


async def test_feeder_that_is_unknown_has_nothing(village: Village) -> None:
    await village.open()
    report = await act(village, "community_report", scope="feeder", name="../../etc")
    assert report["periods"] == []


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_export_writes_a_file(village: Village, kind: str) -> None:
    await village.open()
    starts = await told(village)
    result = await act(
        village, "export_community", grain="hour", begin=moment(starts[0]), format=kind
    )
    path = Path(result["file"])
    assert path.parent == Path(village.hass.config.path(DOMAIN, "linden", "exports"))
    text = await village.hass.async_add_executor_job(path.read_text)
    assert text.replace("\n", "") == result["content"].replace("\r\n", "").replace("\n", "")
    if kind == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert len(rows) == result["periods"] == 3
    else:
        assert json.loads(text)


async def test_audit_finds_nothing_wrong(village: Village) -> None:
    await village.open()
    await told(village)
    assert await act(village, "recompute_community") == {"wrong": 0}
    assert not village.issues()


async def test_wrong_sum_is_found_told_and_put_right(village: Village) -> None:
    hub = await village.open()
    await told(village)

    def spoil() -> None:
        with hub.opened.core.ledger._database.writing() as connection:
            connection.execute("UPDATE cells SET wh = wh + 1 WHERE grain = 'hour'")

    await village.hass.async_add_executor_job(spoil)
    result = await act(village, "recompute_community")
    assert result["wrong"] > 0
    assert "hub_recompute" in village.issues()
    assert await act(village, "recompute_community") == {"wrong": 0}
    assert "hub_recompute" not in village.issues()


async def test_homes_are_invited_and_removed(village: Village) -> None:
    hub = await village.open()
    since = (dt_util.now().date() - timedelta(days=3)).isoformat()
    result = await act(village, "invite_home", count=2, feeder="North", groups=["A"], since=since)
    assert len(result["invitations"]) == 2
    first = result["invitations"][0]
    assert first["text"].startswith("carbon-meter:")
    assert Path(first["file"]).name == f"{first['home']}.json"
    assert await act(village, "remove_home", home=first["home"]) == {"removed": first["home"]}
    assert hub.homes.by_state["invited"] == 1
    with pytest.raises(ServiceValidationError) as refusal:
        await act(village, "remove_home", home="nobody")
    assert refusal.value.translation_key == "hub_unknown_home"
    with pytest.raises(HomeAssistantError):
        await act(village, "invite_home", groups=[""])


async def test_a_home_is_invited_again(village: Village) -> None:
    hub = await village.open()
    (home,) = await village.invite(1, feeder="North")
    await village.until(lambda: hub.status.counts.consents == 1)
    (again,) = (await act(village, "invite_home", home=home))["invitations"]
    assert again["home"] == home
    assert Path(again["file"]).name == f"{home}.json"
    (found,) = await hub.homes.async_homes()
    assert (found.state, found.feeder) == ("enrolled", "North")
    for changes in ({"count": 2}, {"feeder": "South"}, {"groups": ["A"]}, {"since": "2026-01-01"}):
        with pytest.raises(ServiceValidationError) as refusal:
            await act(village, "invite_home", home=home, **changes)
        assert refusal.value.translation_key == "hub_reinvite_alone"
    with pytest.raises(ServiceValidationError) as refusal:
        await act(village, "invite_home", home="nobody")
    assert refusal.value.translation_key == "hub_unknown_home"


async def test_only_administrators_invite(village: Village, hass_read_only_user: MockUser) -> None:
    await village.open()
    for name, data in (
        ("invite_home", {}),
        ("remove_home", {"home": "h"}),
        ("export_community", {}),
        ("recompute_community", {}),
    ):
        with pytest.raises(Unauthorized):
            await village.hass.services.async_call(
                DOMAIN, name, data, blocking=True, context=Context(user_id=hass_read_only_user.id)
            )


async def test_websocket_gives_views_and_live_figures(
    village: Village, hass_ws_client: WebSocketGenerator
) -> None:
    await village.open()
    client = await hass_ws_client(village.hass)
    await client.send_json_auto_id({"type": f"{DOMAIN}/community/subscribe"})
    assert (await client.receive_json())["success"]
    first = (await client.receive_json())["event"]
    assert (first["community"], first["scopes"][0]["periods"]) == ("linden", {})
    starts = await told(village)
    while True:
        event = (await client.receive_json())["event"]
        if event["scopes"][0]["periods"]:
            break
    assert event["scopes"][0]["periods"]["hour"]["flows"][0]["homes"] == 20
    await client.send_json_auto_id(
        {"type": f"{DOMAIN}/community/view", "grain": "hour", "begin": moment(starts[0])}
    )
    while (answer := await client.receive_json())["type"] != "result":
        pass
    assert len(answer["result"]["periods"]) == 3
    await client.send_json_auto_id({"type": f"{DOMAIN}/community/view", "hub": "nowhere"})
    while (answer := await client.receive_json())["type"] != "result":
        pass
    assert answer["error"]["code"] == "unknown_hub"


async def test_invitation_is_downloaded_by_administrators_alone(
    village: Village, hass_client: ClientSessionGenerator, hass_read_only_access_token: str
) -> None:
    hub = await village.open()
    (file,) = await hub.homes.async_invite(1)
    url = f"/api/{DOMAIN}/invitation/{village.entry.entry_id}/{file.home}"
    admin = await hass_client()
    response = await admin.get(url)
    assert response.status == 200
    assert (await response.json(content_type=None))["home"] == file.home
    assert f"{file.home}.json" in response.headers["Content-Disposition"]
    for wrong in (f"{url}x", url.replace(village.entry.entry_id, "x"), f"{url}%2F..%2Fx"):
        assert (await admin.get(wrong)).status in {400, 404}
    reader = await hass_client(hass_read_only_access_token)
    assert (await reader.get(url)).status == 401


async def test_diagnostics_name_nobody(village: Village) -> None:
    await village.open()
    homes = await village.invite(2)
    await village.tell(homes, last_hours(1), used)
    told_of = json.dumps(await async_get_config_entry_diagnostics(village.hass, village.entry))
    for secret in (*homes, "Linden", "linden"):
        assert secret not in told_of, secret
    assert '"accepted": 2' in told_of
    await village.unload()
    told_of = json.dumps(await async_get_config_entry_diagnostics(village.hass, village.entry))
    assert "not_loaded" in told_of
