"""What the broker takes from one, so that all others have their share."""

import contextlib
from itertools import pairwise
import queue
import socket

from paho.mqtt.enums import MQTTProtocolVersion
import pytest

from tests.community.broker import Broker, context, needs_broker

from .peer import PATIENCE, Hub, Peer

pytestmark = needs_broker

TOPIC = "cm/v1/c1/h1/up/fp/3600"


def test_the_largest_message_of_the_contract_passes(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Hub(broker) as hub, Peer(broker, home) as peer:
        hub.listen()
        assert peer.publish(TOPIC, bytes(8192)) == "Success"
        assert hub.heard(1) == [(TOPIC, bytes(8192))]


def test_an_oversize_packet_ends_the_connection_and_reaches_nobody(broker: Broker) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, hostile) as peer, Peer(broker, other) as home:
        hub.listen()
        peer.client.publish(TOPIC, bytes(20_000), qos=1)
        peer.wait_until_thrown_out()
        home.publish("cm/v1/c1/h2/up/fp/3600", b"fine")
        assert hub.heard(1) == [("cm/v1/c1/h2/up/fp/3600", b"fine")]


def test_a_giant_length_before_the_login_is_refused(broker: Broker) -> None:
    """CVE-2023-0809 was memory set aside for a packet that claimed 256 MB."""
    (home,) = broker.enrolled("h1")
    with broker:
        for port in (broker.port, broker.enrol_port):
            with (
                socket.create_connection((broker.address, port), timeout=PATIENCE) as raw,
                context(home).wrap_socket(raw, server_hostname="localhost") as line,
            ):
                line.sendall(bytes.fromhex("10ffffff7f") + bytes(1000))
                with contextlib.suppress(ConnectionResetError):
                    assert line.recv(64)[:1] in {b"", b"\xe0"}
        assert not Peer(broker, home).is_refused()


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
def test_a_retained_message_is_refused(broker: Broker, protocol: MQTTProtocolVersion) -> None:
    """It would come to the hub again at every start, whatever became of its sender."""
    (home,) = broker.enrolled("h1")
    with broker:
        peer = Peer(broker, home, protocol=protocol)
        assert peer.connect() == "Success"
        peer.client.publish(TOPIC, b"poison", qos=1, retain=True)
        peer.wait_until_thrown_out()
        with Hub(broker) as hub, Peer(broker, home) as again:
            hub.listen()
            again.publish(TOPIC, b"fresh")
            assert hub.heard(1) == [(TOPIC, b"fresh")]


def test_a_retained_last_will_is_refused(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker:
        peer = Peer(broker, home)
        peer.client.will_set(TOPIC, b"poison", qos=1, retain=True)
        assert peer.connect() == "Retain not supported"


def test_quality_of_service_2_is_refused(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Peer(broker, home) as peer:
        peer.client.publish(TOPIC, b"x", qos=2)
        peer.wait_until_thrown_out()


def test_a_home_hangs_one_subscription_into_the_broker(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Peer(broker, home) as peer:
        assert peer.subscribe("cm/v1/c1/h1/down/+") == ["Granted QoS 1"]
        many = [f"cm/v1/c1/h1/down/{number}" for number in range(200)]
        assert set(peer.subscribe(*many)) == {"Not authorized"}


def test_ten_thousand_topics_of_one_do_not_hinder_another(broker: Broker) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    last = "cm/v1/c1/h2/up/fp/3600"
    with broker, Hub(broker) as hub, Peer(broker, hostile) as peer, Peer(broker, other) as home:
        hub.listen()
        for number in range(10_000):
            peer.client.publish(f"cm/v1/c1/h1/up/{number}/{number}", b"x" * 100, qos=1)
        # In the midst of it.
        assert home.publish(last, b"fine") == "Success"
        topics = hub.heard_until(last)
        assert all(topic.startswith("cm/v1/c1/h1/up/") for topic in topics)
        # Nor has the broker kept anything of it: it goes on with others at once.
        assert home.publish("cm/v1/c1/h2/up/fp/7200", b"fine") == "Success"


def test_what_waits_for_an_absent_hub_is_bounded_and_the_rest_is_lost_in_silence(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A home cannot learn it from the broker: only the hub's ack tells (CM-28, CM-29)."""
    broker = Broker(tmp_path_factory.mktemp("small"), queued_messages=500)
    hostile, other = broker.enrolled("h1", "h2")
    with broker:
        with Hub(broker, expiry=3600) as hub:
            hub.listen()
        with Peer(broker, hostile) as flooder, Peer(broker, other) as home:
            flood = [f"cm/v1/c1/h1/up/fp/{3600 * number}" for number in range(3000)]
            assert set(flooder.flood(flood, b"x" * 300)) == {"Success"}
            # Told that all is well, but the queue is full.
            assert home.publish("cm/v1/c1/h2/up/fp/3600", b"lost") == "Success"
        with Hub(broker, expiry=3600) as hub, Peer(broker, other) as home:
            assert home.publish("cm/v1/c1/h2/up/fp/3600", b"sent again") == "Success"
            arrived = hub.heard_until("cm/v1/c1/h2/up/fp/3600")
            assert 500 <= len(arrived) < 3000
            starts = [int(topic.rsplit("/", 1)[1]) for topic in arrived]
            # Those that came first were kept, in their order.
            assert all(later - earlier == 3600 for earlier, later in pairwise(starts))
            assert hub.messages.empty()


def test_there_is_a_bound_to_connections(tmp_path_factory: pytest.TempPathFactory) -> None:
    broker = Broker(tmp_path_factory.mktemp("few"), connections=3, enrol_connections=2)
    homes = broker.enrolled("h1", "h2", "h3", "h4")
    with broker, contextlib.ExitStack() as stack:
        open_ = [
            stack.enter_context(socket.create_connection((broker.address, broker.enrol_port)))
            for _ in range(10)
        ]
        # Strangers at the other door take nobody's place at this one.
        peers = [stack.enter_context(Peer(broker, home)) for home in homes[:3]]
        assert Peer(broker, homes[3]).is_refused()
        assert all(peer.disconnected.empty() for peer in peers)
        assert len(open_) == 10


def test_the_hub_gets_as_many_at_once_as_its_batches_hold(broker: Broker) -> None:
    """Of mosquitto's own 20 unacknowledged messages no batch of 500 could be made."""
    (home,) = broker.enrolled("h1")
    with broker, Hub(broker, manual_ack=True) as hub, Peer(broker, home) as peer:
        hub.listen()
        peer.flood([f"cm/v1/c1/h1/up/fp/{3600 * number}" for number in range(600)], b"x")
        # None of these has been acknowledged.
        assert len(hub.heard(600)) == 600
        with pytest.raises(queue.Empty):
            hub.messages.get(timeout=0.2)
