"""From nothing to a hub: every way through the flow, and everything that can be in the way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
import socket
import ssl
import threading
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.hub_file import HubFile, read_hub_file
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.files import hub_folder
from custom_components.carbon_meter.hub_entry.trial import TrialError, Trouble, try_broker
from tests.community.broker import Broker, needs_broker
from tests.hub_entry.village import Village

pytestmark = needs_broker


@pytest.fixture
def broker(socket_enabled: None, tmp_path: Path) -> Broker:
    return Broker(tmp_path / "broker")


@pytest.fixture
def hub_file(broker: Broker) -> HubFile:
    return read_hub_file(broker.layout.hub_file.read_text(), time.time())


@pytest.fixture
async def flows(real_time: HomeAssistant) -> AsyncIterator[Flows]:
    flows = Flows(real_time)
    yield flows
    for entry in real_time.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await real_time.config_entries.async_unload(entry.entry_id)


class Flows:
    """One flow, led by the hand."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass

    async def begin(self, *steps: str) -> dict[str, Any]:
        result = await self.hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
        for step in ("hub", *steps):
            assert result["type"] is FlowResultType.MENU
            result = await self.go(result, {"next_step_id": step})
        return result

    async def go(self, result: dict[str, Any], user_input: dict[str, Any]) -> dict[str, Any]:
        result = await self.hass.config_entries.flow.async_configure(result["flow_id"], user_input)
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            assert result["progress_action"] == "connecting_hub"
            await self.hass.async_block_till_done()
            result = await self.hass.config_entries.flow.async_configure(result["flow_id"])
        return result


async def test_hub_file_makes_a_hub(flows: Flows, broker: Broker) -> None:
    with broker:
        result = await flows.begin("hub_file")
        result = await flows.go(result, {"text": broker.layout.hub_file.read_text()})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["title"] == "Test community"
        entry = result["result"]
        await flows.hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
        assert entry.unique_id == "hub:c1"
        # No key is in the entry; the folder is for Home Assistant alone.
        assert "PRIVATE KEY" not in str(entry.as_dict())
        folder = hub_folder(flows.hass, entry.entry_id)
        assert folder.stat().st_mode & 0o077 == 0
        assert (folder / "hub.json").stat().st_mode & 0o077 == 0
        # The same community again is refused.
        result = await flows.begin("hub_file")
        result = await flows.go(result, {"text": broker.layout.hub_file.read_text()})
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "hub_configured"
        await flows.hass.config_entries.async_unload(entry.entry_id)
        await flows.hass.config_entries.async_remove(entry.entry_id)
        assert not folder.exists()


async def test_broker_that_is_down_can_be_started_and_tried_again(
    flows: Flows, broker: Broker
) -> None:
    result = await flows.begin("hub_file")
    result = await flows.go(result, {"text": broker.layout.hub_file.read_text()})
    assert result["step_id"] == "hub_trouble"
    assert result["errors"] == {"base": "hub_unreachable"}
    assert result["description_placeholders"]["port"] == str(broker.port)
    with broker:
        result = await flows.go(result, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await flows.hass.async_block_till_done()
        await flows.hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize(
    ("text", "where", "error"),
    [
        ("", "base", "hub_file_needed"),
        ("nonsense", "text", "hub_file_another_file"),
        ('{"v": 1, "type": "carbon-meter invitation"}', "text", "hub_file_another_file"),
        ('{"v": 2, "type": "carbon-meter hub"}', "text", "hub_file_other_version"),
        ('{"v": 1, "type": "carbon-meter hub", "comm', "text", "hub_file_damaged"),
        ('{"v": 1, "type": "carbon-meter hub"}', "text", "hub_file_damaged"),
    ],
)
async def test_what_is_no_hub_file_is_told(flows: Flows, text: str, where: str, error: str) -> None:
    result = await flows.begin("hub_file")
    result = await flows.go(result, {"text": text})
    assert result["errors"] == {where: error}
    assert result["step_id"] == "hub_file"


async def test_file_that_was_not_uploaded_is_told(flows: Flows) -> None:
    result = await flows.begin("hub_file")
    result = await flows.go(result, {"file": "0123456789abcdef0123456789abcdef"})
    assert result["errors"] == {"file": "hub_file_unreadable"}


def trouble(hub_file: HubFile) -> Trouble | None:
    try:
        try_broker(hub_file)
    except TrialError as err:
        return err.trouble
    return None


def test_each_trouble_with_a_broker_is_told_apart(
    broker: Broker, hub_file: HubFile, tmp_path: Path
) -> None:
    def at(**changes: Any) -> HubFile:
        return replace(hub_file, broker=replace(hub_file.broker, **changes))

    def with_certificate(folder: Path) -> HubFile:
        credentials = Credentials(folder)
        return replace(hub_file, key=credentials.key, certificate=credentials.certificate)

    other = Broker(tmp_path / "other")
    foreign = read_hub_file(other.layout.hub_file.read_text(), time.time())
    assert trouble(hub_file) is Trouble.UNREACHABLE
    with broker:
        assert trouble(hub_file) is None
        assert trouble(replace(foreign, broker=hub_file.broker)) is Trouble.FOREIGN
        assert trouble(with_certificate(other.hub_credentials)) is Trouble.REFUSED
        assert trouble(with_certificate(broker.credentials("h1"))) is Trouble.NO_RIGHTS
        ended = broker.credentials("hub", begins=time.time() - 40 * 86400, days=10)
        assert trouble(with_certificate(ended)) is Trouble.REFUSED
        assert trouble(at(port=broker.enrol_port)) is Trouble.NOT_AUTHORIZED


def test_name_that_nobody_knows_is_told(hub_file: HubFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # Tests have no name server.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert trouble(hub_file) is Trouble.UNKNOWN_HOST


def answering(answer: bytes) -> int:
    """Open a port at which one connection gets an answer that is no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(answer)
        connection.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def test_port_without_tls_is_told(hub_file: HubFile) -> None:
    port = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert trouble(replace(hub_file, broker=replace(hub_file.broker, port=port))) is Trouble.NO_TLS


def test_server_certificate_that_has_ended_is_told(broker: Broker, hub_file: HubFile) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key, certificate = broker.authority.sign_server(
        ("localhost",), ("127.0.0.1",), now=time.time() - 40 * 86400, days=10
    )
    file = broker.layout.folder / "ended.pem"
    file.write_text(key + certificate)
    server.load_cert_chain(file)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            server.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            connection.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    assert trouble(replace(hub_file, broker=replace(hub_file.broker, port=port))) is Trouble.CLOCK


async def test_pilot_needs_a_broker_of_home_assistant(flows: Flows) -> None:
    result = await flows.begin("hub_pilot")
    result = await flows.go(result, {"name": "Linden street"})
    assert result["errors"] == {"base": "hub_no_mqtt"}


@pytest.mark.parametrize(
    ("told", "errors"),
    [
        ({"name": " "}, {"name": "hub_name_needed"}),
        ({"name": "A", "community": "A b"}, {"community": "hub_community_id"}),
        ({"name": "A", "community": "x" * 65}, {"community": "hub_community_id"}),
        ({"name": "A", "community": "#"}, {"community": "hub_community_id"}),
    ],
)
async def test_pilot_with_a_name_that_cannot_be(
    flows: Flows, told: dict[str, str], errors: dict[str, str]
) -> None:
    result = await flows.begin("hub_pilot")
    assert (await flows.go(result, told))["errors"] == errors


async def test_pilot_over_home_assistants_broker(village: Village) -> None:
    flows = Flows(village.hass)
    result = await flows.begin("hub_pilot")
    result = await flows.go(result, {"name": "Linden street"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.data["community"] == "linden_street"
    assert entry.data["time_zone"] == village.hass.config.time_zone
    await village.hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    result = await flows.begin("hub_pilot")
    result = await flows.go(result, {"name": "Another", "community": "linden_street"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "hub_configured")
    await village.hass.config_entries.async_unload(entry.entry_id)
