"""A hub opened from its hub file: a home is invited, gets its certificate, tells, and withdraws."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
import queue
import ssl
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.hub_file import read_hub_file
from custom_components.carbon_meter.community.authority.invitation import Invitation
from custom_components.carbon_meter.community.contract.answers import read_answer
from custom_components.carbon_meter.community.contract.certificates import (
    Declined,
    Issued,
    SigningRequest,
    Wanted,
    read_certificate,
    write_signing,
)
from custom_components.carbon_meter.community.contract.consent import read_deleted
from custom_components.carbon_meter.community.contract.topics import Channel, Topic, build
from custom_components.carbon_meter.community.hub.desk import DeskError
from custom_components.carbon_meter.community.hub.errors import StoreError
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from custom_components.carbon_meter.community.hub.status import WorkerState
from tests.community.broker import Broker, needs_broker
from tests.community.hub.homes import consent, told, withdrawal
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, imported

pytestmark = [needs_broker, pytest.mark.usefixtures("socket_enabled")]

PATIENCE = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", community=COMMUNITY) as made:
        yield made


def opened(folder: Path, broker: Broker) -> Hub:
    text = broker.layout.hub_file.read_text()
    hub = open_hub(folder, read_hub_file(text, time.time()), zone=BERLIN)
    hub.start()
    end = time.monotonic() + PATIENCE
    while hub.worker.status.state is not WorkerState.CONNECTED:
        assert time.monotonic() < end, hub.worker.status
        time.sleep(0.01)
    return hub


class Client:
    """A home's connection; what it is told waits in `heard`."""

    def __init__(self, name: str, context: ssl.SSLContext, port: int, token: str | None) -> None:
        self.heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._ready: queue.Queue[object] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self.client.tls_set_context(context)
        if token is not None:
            self.client.username_pw_set(name, token)
        self.client.on_message = lambda _client, _data, message: self.heard.put(message)
        self.client.on_connect = lambda _client, _data, _flags, code, _more: self._ready.put(code)
        self.client.on_subscribe = lambda *_: self._ready.put("subscribed")
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.code = self._ready.get(timeout=PATIENCE)

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, 1)
        assert self._ready.get(timeout=PATIENCE) == "subscribed"

    def ask(self, topic: str, payload: bytes) -> mqtt.MQTTMessage:
        """Return the next thing that is said after a message."""
        self.client.publish(topic, payload, 1)
        return self.heard.get(timeout=PATIENCE)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def enrolled(broker: Broker, invitation: Invitation, folder: Path) -> Credentials:
    """Get a certificate by an invitation."""
    context = ssl.create_default_context(cadata=invitation.authorities)
    client = Client(invitation.user, context, broker.enrol_port, invitation.token)
    assert not client.code.is_failure, client.code
    place = Topic(community=invitation.community, home=invitation.home, channel=Channel.CERTIFICATE)
    client.subscribe(build(place))
    key = keys.new_key()
    request = SigningRequest(
        community=invitation.community,
        home=invitation.home,
        at=int(time.time() * 1000),
        wanted=Wanted.ENROL,
        csr=keys.csr_for(key, invitation.home),
    )
    topic, payload = write_signing(request)
    declined = client.ask(topic, payload.replace(b"CERTIFICATE REQUEST", b"NOTHING"))
    assert isinstance(read_certificate(declined.topic, declined.payload), Declined)
    answer = client.ask(topic, payload)
    issued = read_certificate(answer.topic, answer.payload)
    assert isinstance(issued, Issued)
    credentials = Credentials(folder)
    credentials.store(key, issued.certificate, issued.authorities)
    client.close()
    return credentials


def test_from_an_invitation_to_the_proof_of_deletion(broker: Broker, tmp_path: Path) -> None:
    hub = opened(tmp_path / "hub", broker)
    now = time.time()
    today = hub.ledger.calendar.date_of(int(now))
    invitation = hub.desk.invite(now, feeder="north", since=today - timedelta(days=3))
    credentials = enrolled(broker, invitation, tmp_path / "home")
    home = invitation.home
    client = Client(home, credentials.context(), broker.port, None)
    client.subscribe(f"cm/v1/{COMMUNITY}/{home}/down/+")
    start = int(now) // HOUR * HOUR - 24 * HOUR
    before = told(imported(home, start, 7))
    nack = client.ask(before.topic, before.payload)
    assert read_answer(nack.topic, nack.payload).clause == "CM-36"
    agreed = consent(home, int(now * 1000) - 1000)
    client.client.publish(agreed.topic, agreed.payload, 1)
    ack = client.ask(before.topic, before.payload)
    assert read_answer(ack.topic, ack.payload).upto == 1
    [cell] = hub.ledger.cells("hour", start, start + HOUR, scope="feeder", name="north")
    assert cell.sums.wh == 7
    # The invitation is used up.
    context = ssl.create_default_context(cadata=invitation.authorities)
    again = Client(invitation.user, context, broker.enrol_port, invitation.token)
    assert again.code.is_failure
    again.close()
    # A restart of the hub changes nothing.
    assert hub.stop()
    hub.close()
    hub = opened(tmp_path / "hub", broker)
    gone = withdrawal(home, int(now * 1000))
    deleted = client.ask(gone.topic, gone.payload)
    assert read_deleted(deleted.topic, deleted.payload).homes == 1
    assert not hub.ledger.cells("hour", start, start + HOUR)
    client.close()
    assert hub.stop()
    hub.close()


def test_a_hub_needs_a_community(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="community"):
        open_hub(tmp_path, None, zone=BERLIN)


def test_the_files_of_another_community_are_not_used(tmp_path: Path) -> None:
    open_hub(tmp_path, None, zone=BERLIN, community="one").close()
    with pytest.raises(StoreError, match="community"):
        open_hub(tmp_path, None, zone=BERLIN, community="two")


def test_commands_without_a_connection_are_kept_from_being_lost(
    broker: Broker, tmp_path: Path
) -> None:
    text = broker.layout.hub_file.read_text()
    hub = open_hub(tmp_path / "hub", read_hub_file(text, time.time()), zone=BERLIN)
    with pytest.raises(DeskError, match="connected"):
        hub.desk.invite(time.time())
    assert hub.desk.homes() == ()
    assert hub.stop()
    hub.close()
