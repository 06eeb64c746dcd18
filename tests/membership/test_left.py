"""What has left is kept over a restart, and shown in plain words."""

from dataclasses import replace
import json
from pathlib import Path
import stat
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Item,
    Kind,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.member.outgoing import Outgoing, Sort
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.flows.membership_messages import Messages, moment, period
from custom_components.carbon_meter.membership.left import load_left, save_left
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.contract.test_translations import CHINESE, ENGLISH
from tests.membership.hub import HubUnderTest
from tests.membership.joining import changing, join, lived, only, opened, until

OUTGOING = Outgoing(
    at=1_795_448_768.5,
    topic="cm/v1/c1/habcdefghijkl/up/fp/1795446000",
    payload='{"v":1}',
    kind=Sort.FOOTPRINT,
    reason=0,
    start=1_795_446_000,
    duration=3600,
    revision=2,
    boot="44edbfaef5cdc24f",
    seq=7,
    acknowledged_at=1_795_448_770.0,
)


def test_what_has_left_is_read_as_it_was_kept(tmp_path: Path) -> None:
    refused = replace(OUTGOING, kind=Sort.CONSENT, acknowledged_at=None, refused="consent")
    unanswered = replace(OUTGOING, reason=None, acknowledged_at=None)
    save_left(tmp_path, (OUTGOING, refused, unanswered))
    assert load_left(tmp_path) == (OUTGOING, refused, unanswered)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_kept_of_nothing(tmp_path: Path) -> None:
    save_left(tmp_path, (OUTGOING,))
    save_left(tmp_path, ())
    assert not list(tmp_path.iterdir())
    assert load_left(tmp_path) == ()


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"kind": "footprint"}]', '[{"kind": 1}]'])
def test_a_damaged_file_shows_nothing(tmp_path: Path, text: str) -> None:
    save_left(tmp_path, (OUTGOING,))
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    assert load_left(tmp_path) == ()


def test_a_disk_that_cannot_be_written_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_left(tmp_path / "gone", (OUTGOING,))
    assert "is not shown after a restart" in caplog.text


@needs_broker
@pytest.mark.usefixtures("at_once")
async def test_after_a_restart_the_last_message_is_shown_at_once(
    site: SiteUnderTest, hub: HubUnderTest
) -> None:
    await opened(site)
    membership = await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: membership.link.status.acknowledged_at is not None)
    last = membership.link.status.last_told
    assert last is not None
    hub.disconnect()
    hub.broker.stop()
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    again = only(site)
    assert again is not membership
    assert again.link.status.last_told == last
    assert again.link.status.acknowledged_at == last.acknowledged_at
    form = await changing(site, "outgoing")
    assert last.topic in form["description_placeholders"]["messages"]
    unique_id = f"{again.subentry.subentry_id}_membership_told"
    entity_id = er.async_get(site.hass).async_get_entity_id("sensor", DOMAIN, unique_id)
    assert site.hass.states.get(entity_id).attributes["message"] == json.loads(last.payload)


@needs_broker
@pytest.mark.usefixtures("at_once")
async def test_who_has_left_keeps_nothing_of_it(site: SiteUnderTest, hub: HubUnderTest) -> None:
    await opened(site)
    membership = await join(site, hub)
    await lived(site, 2)
    await until(site, lambda: membership.link.status.acknowledged_at is not None)
    await membership.async_stop()
    assert load_left(membership.folder)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    membership = only(site)
    await membership.link.withdraw()
    await until(site, lambda: membership.link.status.state == "withdrawn")
    await membership.async_stop()
    assert load_left(membership.folder) == ()


# In plain words


def test_a_footprint_is_told_in_plain_words_and_word_for_word() -> None:
    footprint = _footprint(
        _item(Flow.GRID_IMPORT, wh=1234, mg=456_789, coverage=5000),
        _item(Flow.PV, quality=Quality.MISSING, wh=0, mg=0, coverage=0),
        _item(Flow.WATER, wh=0, mg=2_000_000, quality=Quality.ESTIMATED),
        _item(Flow.GRID_EXPORT, wh=10, mg=-5000, kind=Kind.RESIDUAL),
    )
    topic, payload = write(footprint)
    text = _messages(ENGLISH).footprint(topic, payload.decode())
    assert (
        "- Electricity from the grid: 1.234 kWh, 0.457 kg CO₂e (measured, 50 % of the time)" in text
    )
    assert "- Solar electricity: not known" in text
    assert "- Carbon of water: 2.000 kg CO₂e (estimated)" in text
    assert "- Electricity fed into the grid: 0.010 kWh, -0.005 kg CO₂e (measured, residual)" in text
    assert json.dumps(json.loads(payload), indent=1) in text
    assert topic in text


def test_it_is_told_in_the_language_of_the_house() -> None:
    messages = _messages(CHINESE)
    topic, payload = write(_footprint(_item(Flow.PV, wh=1000, mg=0)))
    assert "- 光伏发电量: 1.000 kWh, 0.000 kg CO₂e (实测)" in messages.footprint(
        topic, payload.decode()
    )
    assert messages.upcoming(()) == "没有等待发送的内容。每个时段结束后才会生成消息。"
    assert messages.upcoming((), has_left=True) == "不再发送任何内容。"
    assert messages.example(None) == "尚无任何已结束时段的数据。"
    assert messages.left(()) == "尚未发送任何内容。"


def test_what_has_left_says_whether_it_has_arrived() -> None:
    messages = _messages(ENGLISH)
    topic, payload = write(_footprint(_item(Flow.PV, wh=1000, mg=0)))
    one = replace(OUTGOING, topic=topic, payload=payload.decode())
    assert f"→ ✓ {moment(one.acknowledged_at)}" in messages.left((one,))
    assert "→ …" in messages.left((replace(one, acknowledged_at=None),))
    assert "✗ future" in messages.left((replace(one, refused="future"),))
    consent = replace(one, kind=Sort.CONSENT, payload="{}", acknowledged_at=None)
    assert "**Consent**" in messages.left((consent,))
    assert "→" not in messages.left((consent,))
    # Nobody knows yet whether it has arrived, not even at the broker.
    assert "→ …" in messages.left((replace(consent, reason=None),))


async def test_moments_and_periods_are_local(hass: HomeAssistant) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert period(1_795_446_000, 3600) == "2026-11-23 16:00 - 17:00"
    assert period(1_795_392_000, 86400) == "2026-11-23 01:00 - 2026-11-24 01:00"
    assert moment(1_795_446_000) == "2026-11-23 16:00:00"
    assert moment(None) == "—"
    assert moment(1e18) == "—"


def _messages(language: dict[str, Any]) -> Messages:
    return Messages(
        {
            f"component.{DOMAIN}.selector.{key}.options.{name}": text
            for key, choices in language["selector"].items()
            for name, text in choices["options"].items()
        }
    )


def _item(flow: Flow, **changes: object) -> Item:
    return replace(
        Item(
            flow=flow,
            wh=0,
            mg=0,
            carbon_free=None,
            source="home",
            zone="DE",
            kind=Kind.AVERAGE,
            version="1",
            resolution=3600,
            coverage=10_000,
            quality=Quality.MEASURED,
        ),
        **changes,
    )


def _footprint(*items: Item) -> Footprint:
    return Footprint(
        community="c1",
        home="habcdefghijkl",
        boot="44edbfaef5cdc24f",
        seq=1,
        start=1_795_446_000,
        duration=3600,
        revision=0,
        at=1_795_450_029_263,
        items=items,
        is_final=False,
        level=Level.PSEUDONYM,
        method="location@1",
        software="test",
        synced=False,
        offset_ms=None,
    )
