"""What a home, an invitation or a last will can add to a message, and mosquitto passes on."""

from collections.abc import Callable
from pathlib import Path
import random
import time
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers, writeBytes, writeInt32, writeUTF
import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.hub import connection, worker
from custom_components.carbon_meter.community.hub.opening import Hub
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from tests.community.broker import Broker, needs_broker

from .hubs import desk_of, running_hub, until
from .peer import Hub as BareHub, Peer

pytestmark = needs_broker

MARK = "\ufeff"
"""MQTT 5 allows it in a text (1.5.4); paho 2.1 takes it for a reason to hang up."""


def written(packet: int = PacketTypes.PUBLISH, **values: Any) -> Properties:
    """Return properties as paho writes them, without a look at their texts."""
    properties = Properties(packet)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


MARKED = {
    "user": {"UserProperty": ("a", MARK)},
    "name": {"UserProperty": (f"x{MARK}", "b")},
    "content": {"ContentType": f"text{MARK}"},
    "response": {"ResponseTopic": f"a/{MARK}"},
}


def say(peer: Peer, topic: str, properties: Properties) -> None:
    """Send a message with QoS 1; the broker has it when this returns."""
    peer.client.publish(topic, b"x", qos=1, properties=properties).wait_for_publish(20)


def assert_heard(hub: Hub, home: Peer) -> None:
    """Let another home say something, and hear what the hub makes of it."""
    home.publish("cm/v1/c1/h2/up/consent", b"{}")
    assert home.heard(1)[0][0] == "cm/v1/c1/h2/down/nack"
    assert hub.worker is not None
    assert hub.worker.status.state is WorkerState.CONNECTED


@pytest.mark.parametrize("kind", MARKED)
def test_a_home_cannot_silence_the_hub_by_a_property(
    broker: Broker, tmp_path: Path, kind: str
) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Peer(broker, other) as home, Peer(broker, hostile) as peer:
        home.subscribe("cm/v1/c1/h2/down/+")
        peer.subscribe("cm/v1/c1/h1/down/+")
        with running_hub(broker, tmp_path / "hub") as hub:
            assert hub.worker is not None
            since = hub.worker.status.connected_since
            say(peer, "cm/v1/c1/h1/up/consent", written(**MARKED[kind]))
            # It is refused like any other, and does not wait for the hub to come back.
            assert peer.heard(1)[0][0] == "cm/v1/c1/h1/down/nack"
            assert_heard(hub, home)
            assert hub.worker.status.connected_since == since
        with running_hub(broker, tmp_path / "hub") as hub:
            assert_heard(hub, home)


def test_what_waited_for_the_hub_does_not_silence_it(broker: Broker, tmp_path: Path) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Peer(broker, other) as home, Peer(broker, hostile) as peer:
        with running_hub(broker, tmp_path / "hub"):
            home.subscribe("cm/v1/c1/h2/down/+")
        for values in MARKED.values():
            say(peer, "cm/v1/c1/h1/up/x", written(**values))
        with running_hub(broker, tmp_path / "hub") as hub:
            assert_heard(hub, home)


def test_a_last_will_does_not_silence_the_hub(broker: Broker, tmp_path: Path) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Peer(broker, other) as home, running_hub(broker, tmp_path / "hub") as hub:
        home.subscribe("cm/v1/c1/h2/down/+")
        peer = Peer(broker, hostile)
        marked = written(PacketTypes.WILLMESSAGE, **MARKED["user"], ContentType=MARK)
        peer.client.will_set("cm/v1/c1/h1/up/x", b"x", qos=1, properties=marked)
        assert peer.connect() == "Success"
        peer.vanish()
        assert hub.worker is not None
        until(lambda: sum(hub.worker.status.counts.refused.values()) == 1)
        assert_heard(hub, home)


def test_an_invitation_does_not_silence_the_hub(broker: Broker, tmp_path: Path) -> None:
    (other,) = broker.enrolled("h2")
    with broker, Peer(broker, other) as home, running_hub(broker, tmp_path / "hub") as hub:
        home.subscribe("cm/v1/c1/h2/down/+")
        invitation = desk_of(hub).invite(time.time())
        guest = Peer(broker, None, user=f"invited.{invitation.home}", password=invitation.token)
        until(lambda: invitation.home in broker.layout.rights.read_text())
        with guest:
            guest.subscribe(f"cm/v1/c1/{invitation.home}/down/cert")
            say(guest, f"cm/v1/c1/{invitation.home}/up/csr", written(**MARKED["content"]))
            guest.heard(1)
        assert_heard(hub, home)


class Made(Properties):
    """Properties whose bytes are given."""

    made: bytes

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def pack(self) -> bytes:
        return VariableByteIntegers.encode(len(self.made)) + self.made


def random_text(chance: random.Random) -> str:
    """Return a text of code points that are hard for somebody."""
    hard = '\ufeff\u2028\u202e\u00ad\u0301\u200b\U0001f600\U000e0001\ue000aZ%{}\\"'
    return "".join(chance.choice(hard) for _ in range(chance.randrange(40)))


def random_properties(chance: random.Random) -> bytes:
    """Return the bytes of properties of a PUBLISH, in any order, most of them good."""
    kinds: list[Callable[[], bytes]] = [
        lambda: b"\x01" + bytes([chance.choice([0, 1, 1, 2])]),
        lambda: b"\x02" + writeInt32(chance.choice([1000, 2**31, 2**32 - 1])),
        lambda: b"\x03" + writeUTF(random_text(chance)),
        lambda: b"\x08" + writeUTF(f"a/{random_text(chance)}"),
        lambda: b"\x09" + writeBytes(chance.randbytes(chance.randrange(200))),
    ]
    chosen = [make() for make in chance.sample(kinds, chance.randrange(len(kinds) + 1))]
    chosen += [
        b"\x26" + writeUTF(random_text(chance)) + writeUTF(random_text(chance))
        for _ in range(chance.choice([0, 1, 5, 60]))
    ]
    chance.shuffle(chosen)
    return b"".join(bytes(each) for each in chosen)


def test_no_properties_silence_the_hub(broker: Broker, tmp_path: Path) -> None:
    chance = random.Random(20261123)  # noqa: S311  # no secret
    hostile, other = broker.enrolled("h1", "h2")
    passed = 0
    with broker, Peer(broker, other) as home, running_hub(broker, tmp_path / "hub") as hub:
        home.subscribe("cm/v1/c1/h2/down/+")
        assert hub.worker is not None
        since = hub.worker.status.connected_since
        peer = Peer(broker, hostile)
        assert peer.connect() == "Success"
        for _ in range(300):
            properties = Made(PacketTypes.PUBLISH)
            properties.made = random_properties(chance)
            peer.client.publish("cm/v1/c1/h1/up/x", b"x", qos=1, properties=properties)
            until(lambda peer=peer: not (peer.disconnected.empty() and peer._published.empty()))
            if peer.disconnected.empty():
                passed += peer._published.get()[1] == "Success"
            else:
                # The broker itself took it for malformed.
                peer.client.loop_stop()
                peer = Peer(broker, hostile)
                assert peer.connect() == "Success"
        peer.close()
        assert passed > 100
        until(lambda: sum(hub.worker.status.counts.refused.values()) == passed)
        assert_heard(hub, home)
        assert hub.worker.status.connected_since == since


def test_what_nobody_can_read_is_left_behind(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else it may be some day: here what paho alone cannot read."""
    monkeypatch.setattr(connection, "read_bare", lambda _client: None)
    monkeypatch.setattr(worker, "_FIRST_PAUSE", 0.01)
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Peer(broker, other) as home, Peer(broker, hostile) as peer:
        home.subscribe("cm/v1/c1/h2/down/+")
        with running_hub(broker, tmp_path / "hub") as hub:
            assert hub.worker is not None
            errors: list[str | None] = []
            hub.worker.listen(lambda: errors.append(hub.worker.status.error))
            say(peer, "cm/v1/c1/h1/up/x", written(**MARKED["user"]))
            until(lambda: any(error and "begins a new session" in error for error in errors))
            until(lambda: hub.worker.status.state is WorkerState.CONNECTED)
            assert_heard(hub, home)
    told = [error for error in errors if error and "cannot be read" in error]
    assert len(told) == worker.MOST_UNREADABLE


async def test_a_home_hears_its_hub_whatever_is_added(broker: Broker) -> None:
    (folder,) = broker.enrolled("h1")
    topic = "cm/v1/c1/h1/down/x"
    with broker, BareHub(broker) as hub:
        async with MqttTransport(
            broker.address, broker.port, Credentials(folder).context, identifier="h1"
        ) as home:
            await home.subscribe("cm/v1/c1/h1/down/+")
            for values in (*MARKED.values(), {}):
                say(hub, topic, written(**values))
            heard = home.messages()
            for _ in range(len(MARKED) + 1):
                assert (await anext(heard)).payload == b"x"
