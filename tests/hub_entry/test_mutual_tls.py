"""A hub with a community's own broker: invitations, certificates, troubles, from end to end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import queue
import sqlite3
import time
from typing import Any

from cryptography import x509
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage, MQTTProtocolVersion
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.contract.answers import Ack, read_answer
from custom_components.carbon_meter.community.contract.consent import Consent, write_agreement
from custom_components.carbon_meter.community.contract.message import Flow, Footprint, Level
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.counts import Counts
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.community.member.enrol import enrol
from custom_components.carbon_meter.community.member.errors import EnrolmentError
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry.hub import Hub
from tests.community.broker import Broker, needs_broker
from tests.hub_entry.village import HOUR, PATIENCE, afternoon, item, last_hours

pytestmark = needs_broker


class Community:
    """A broker with mutual TLS, and a hub."""

    def __init__(self, hass: HomeAssistant, broker: Broker) -> None:
        self.hass, self.broker = hass, broker
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Linden street",
            unique_id="hub:c1",
            data={
                "entry": "hub",
                "community": "c1",
                "own_broker": False,
                "time_zone": afternoon(),
                "hub_file": broker.layout.hub_file.read_text(),
            },
            minor_version=2,
        )
        self.entry.add_to_hass(hass)

    @property
    def hub(self) -> Hub:
        hub: Hub = self.entry.runtime_data
        return hub

    async def open(self) -> Hub:
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        return self.hub

    async def connected(self) -> Hub:
        hub = await self.open()
        await self.until(lambda: hub.status.state is WorkerState.CONNECTED)
        return hub

    async def until(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    def issues(self) -> set[str | None]:
        return {
            issue.translation_key
            for (domain, _), issue in ir.async_get(self.hass).issues.items()
            if domain == DOMAIN
        }


class Home:
    """A home with its own certificate, by the contract alone."""

    def __init__(self, broker: Broker, credentials: Credentials) -> None:
        self.id = credentials.subject
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        self.codes: queue.Queue[int] = queue.Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.id, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.tls_set_context(credentials.context())
        self._client.on_subscribe = lambda _c, _d, _m, reasons, _p: self.codes.put(reasons[0].value)
        self._client.on_message = lambda _c, _d, message: self.heard.put(message)
        self._client.connect(broker.address, broker.port)
        self._client.loop_start()
        self._client.subscribe(f"cm/v1/c1/{self.id}/down/+", 1)
        self.code = self.codes.get(timeout=PATIENCE)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE)

    def consent(self) -> None:
        self.say(
            *write_agreement(
                Consent(
                    community="c1",
                    home=self.id,
                    at=int(time.time() * 1000),
                    text="community@1",
                    level=Level.PSEUDONYM,
                    duration=HOUR,
                    flows=tuple(Flow),
                )
            )
        )

    def tell(self, start: int, seq: int = 1) -> Footprint:
        footprint = Footprint(
            community="c1",
            home=self.id,
            boot="b1",
            seq=seq,
            start=start,
            duration=HOUR,
            revision=0,
            at=int(time.time() * 1000),
            items=(item(Flow.GRID_IMPORT, 1000),),
            method="location@1",
            software="test 1",
            synced=True,
            offset_ms=0,
            level=Level.PSEUDONYM,
            is_final=False,
        )
        self.say(*write(footprint))
        return footprint

    def ack(self) -> Ack:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self.heard.get(timeout=PATIENCE)
            if message.topic.endswith("/down/ack"):
                answer = read_answer(message.topic, message.payload)
                assert isinstance(answer, Ack)
                return answer
        raise TimeoutError

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
async def community(real_time: HomeAssistant, tmp_path: Path) -> AsyncIterator[Community]:
    broker = await asyncio.to_thread(Broker, tmp_path / "broker")
    community = Community(real_time, broker)
    yield community
    if community.entry.state is ConfigEntryState.LOADED:
        assert await real_time.config_entries.async_unload(community.entry.entry_id)
    await asyncio.to_thread(broker.stop)
    await real_time.async_block_till_done()


async def joined(community: Community, folder: Path) -> tuple[str, Credentials]:
    """Let a home join by a real invitation; return the invitation's text and what it got."""
    (file,) = await community.hub.homes.async_invite(1, since=dt_util.now().date() - timedelta(3))
    invitation = read_invitation(file.text, time.time())
    return file.text, await enrol(invitation, folder)


async def test_home_joins_by_its_invitation_and_is_heard(
    community: Community, tmp_path: Path
) -> None:
    await asyncio.to_thread(community.broker.start)
    hub = await community.connected()
    text, credentials = await joined(community, tmp_path / "home")
    home = await asyncio.to_thread(Home, community.broker, credentials)
    await asyncio.to_thread(home.consent)
    footprint = await asyncio.to_thread(home.tell, last_hours(1)[0])
    ack = await asyncio.to_thread(home.ack)
    assert ack.covers(1)
    assert ack.digest == footprint.digest
    await hub.homes.async_refresh()
    assert hub.homes.by_state == {"enrolled": 1}
    # The invitation lets nobody else in.
    with pytest.raises(EnrolmentError):
        await enrol(read_invitation(text, time.time()), tmp_path / "thief", patience=5.0)
    # Removed, it has no rights any more, and its certificate is in the list.
    await hub.async_remove_home(home.id)
    home.close()
    folder = Path(community.hass.config.path(DOMAIN, "c1"))
    crl = await asyncio.to_thread((folder / "crl.pem").read_bytes)
    serial = x509.load_pem_x509_certificate(credentials.certificate.encode()).serial_number
    lists = x509.load_pem_x509_crl(crl)
    assert lists.get_revoked_certificate_by_serial_number(serial) is not None
    again = await asyncio.to_thread(Home, community.broker, credentials)
    again.close()
    assert again.code >= 128


async def test_hub_outlives_its_broker(community: Community) -> None:
    hub = await community.open()
    await community.until(lambda: hub.status.state is WorkerState.WAITING)
    assert hub.status.error
    soon, late = (dt_util.utcnow() + timedelta(hours=hours) for hours in (0.5, 2))
    await hub.care.async_run(soon, hub.status)
    assert community.issues() == set()
    await hub.care.async_run(late, hub.status)
    assert community.issues() == {"hub_link"}
    await asyncio.to_thread(community.broker.start)
    await community.until(lambda: hub.status.state is WorkerState.CONNECTED)
    await hub.care.async_run(late, hub.status)
    assert community.issues() == set()
    await asyncio.to_thread(community.broker.kill)
    await community.until(lambda: hub.status.state is WorkerState.WAITING)


async def test_home_that_floods_is_told(community: Community) -> None:
    hub = await community.open()
    flooded = replace(hub.status, counts=Counts(cut=("h1", "h2")))
    await hub.care.async_run(dt_util.utcnow(), flooded)
    assert community.issues() == {"hub_flood"}
    await hub.care.async_run(dt_util.utcnow(), hub.status)
    assert community.issues() == set()


async def test_certificate_that_ends_is_told_in_time(community: Community) -> None:
    hub = await community.open()
    await hub.care.async_run(dt_util.utcnow() + timedelta(days=300), hub.status)
    assert "hub_certificate" not in community.issues()
    await hub.care.async_run(dt_util.utcnow() + timedelta(days=345), hub.status)
    assert "hub_certificate" in community.issues()


async def test_store_that_takes_nothing_loses_nothing(community: Community, tmp_path: Path) -> None:
    await asyncio.to_thread(community.broker.start)
    hub = await community.connected()
    _, credentials = await joined(community, tmp_path / "home")
    home = await asyncio.to_thread(Home, community.broker, credentials)
    await asyncio.to_thread(home.consent)
    await community.until(lambda: hub.status.counts.consents == 1)
    blocker = sqlite3.connect(hub.folder / "ledger.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    await asyncio.to_thread(home.tell, last_hours(1)[0])
    await community.until(lambda: "hub_store" in community.issues())
    assert hub.status.state is WorkerState.STORE
    assert home.heard.empty()
    blocker.execute("ROLLBACK")
    blocker.close()
    assert (await asyncio.to_thread(home.ack)).covers(1)
    await community.until(lambda: "hub_store" not in community.issues())
    home.close()


async def test_new_hub_file_is_tried_and_taken(community: Community, tmp_path: Path) -> None:
    await asyncio.to_thread(community.broker.start)
    await community.connected()
    other = await asyncio.to_thread(Broker, tmp_path / "other", "c2")
    flows = community.hass.config_entries.options

    async def give(text: str) -> dict[str, Any]:
        result = await flows.async_init(community.entry.entry_id)
        result = await flows.async_configure(result["flow_id"], {"next_step_id": "hub_file"})
        result = await flows.async_configure(result["flow_id"], {"text": text})
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            await community.hass.async_block_till_done()
            result = await flows.async_configure(result["flow_id"])
        return dict(result)

    result = await give(await asyncio.to_thread(other.layout.hub_file.read_text))
    assert result["errors"] == {"base": "hub_other_community"}
    result = await give(await asyncio.to_thread(community.broker.layout.hub_file.read_text))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "hub_file_taken")
    await community.hass.async_block_till_done()
    assert community.entry.state is ConfigEntryState.LOADED
    assert "hub_file" not in community.entry.data
    await community.until(lambda: community.hub.status.state is WorkerState.CONNECTED)


async def test_hub_whose_files_are_broken_says_so(community: Community) -> None:
    await community.open()
    folder = community.hub.folder
    assert await community.hass.config_entries.async_unload(community.entry.entry_id)
    await asyncio.to_thread((folder / "hub.json").write_text, "{}")
    await community.hass.config_entries.async_setup(community.entry.entry_id)
    assert community.entry.state is ConfigEntryState.SETUP_RETRY
    assert community.entry.error_reason_translation_key == "hub_unusable"
