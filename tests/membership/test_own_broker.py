"""A small pilot: the same messages over the broker that Home Assistant has already."""

from collections.abc import AsyncGenerator
import json
from pathlib import Path
import subprocess

from homeassistant.components import mqtt
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.community.member.transport import TransportError, Trouble
from custom_components.carbon_meter.membership.own_broker import OwnBroker
from hardware.broker.plugin import find_mosquitto
from tests.common import SiteUnderTest
from tests.community.broker import ADDRESS, free_port, needs_broker
from tests.membership.hub import NO_PINGS
from tests.membership.joining import agree, lived, only, opened, tick, until
from tests.membership.test_forms import OWN

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


@pytest.fixture
async def own_broker(
    site: SiteUnderTest, tmp_path: Path, mock_hass_config: None
) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of Home Assistant's MQTT integration, connected to a real broker."""
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} {ADDRESS}\nallow_anonymous true\n")
    program = find_mosquitto()
    assert program is not None
    with subprocess.Popen([program, "-c", configuration]) as process:  # noqa: ASYNC220
        await tick(site, 0.3)
        entry = MockConfigEntry(
            domain="mqtt",
            data={"broker": ADDRESS, "port": port, "protocol": "5", "keepalive": NO_PINGS},
            version=1,
            minor_version=2,
        )
        entry.add_to_hass(site.hass)
        setting_up = site.hass.async_create_task(
            site.hass.config_entries.async_setup(entry.entry_id)
        )
        await until(site, setting_up.done)
        await until(site, lambda: mqtt.is_connected(site.hass))
        yield entry
        await site.close()
        process.kill()


async def test_a_pilot_over_the_home_s_own_broker(
    site: SiteUnderTest, own_broker: MockConfigEntry
) -> None:
    heard: list[tuple[str, dict[str, object]]] = []
    await mqtt.async_subscribe(
        site.hass,
        f"cm/v1/{OWN.community}/+/up/#",
        lambda message: heard.append((message.topic, json.loads(message.payload))),
        qos=1,
    )
    await opened(site)
    form = await agree(site, OWN, {"level": "pseudonym"})
    assert form["title"] == OWN.name
    assert form["data"]["broker"] is None
    await site.settle()
    await until(site, lambda: only(site).link.status.state is MemberState.CONNECTED)
    await until(site, lambda: any(topic.endswith("/up/consent") for topic, _ in heard))
    # The name does not change every month here, and nobody is told that it does.
    (agreed, *_) = [message["text"] for topic, message in heard if topic.endswith("/up/consent")]
    assert agreed == "pseudonym-own-broker@1"
    assert only(site).link.status.agreed.text == agreed
    await lived(site, 2)
    await until(site, lambda: any("/up/fp/" in topic for topic, _ in heard))
    (message, *_) = [message for topic, message in heard if "/up/fp/" in topic]
    assert message["src"] == OWN.home
    items = message["items"]
    assert isinstance(items, list)
    assert [item["flow"] for item in items] == [Flow.GRID_IMPORT]


async def test_without_a_broker_there_is_no_connection(site: SiteUnderTest) -> None:
    with pytest.raises(TransportError) as raised:
        await OwnBroker(site.hass).__aenter__()
    assert raised.value.trouble is Trouble.UNREACHABLE
