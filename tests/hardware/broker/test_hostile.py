"""What a hostile member of the community tries, with a certificate that holds."""

from pathlib import Path

import pytest

from tests.community.broker import Broker, needs_broker

from .peer import CONTROL, Hub, Peer

pytestmark = needs_broker


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+/#",
        "cm/#",
        "cm/v1/c1/#",
        "cm/v1/+/+/+/+",
        "cm/v1/c1/+/up/#",
        "cm/v1/c1/+/down/+",
        "cm/v1/c1/h2/#",
        "cm/v1/c1/h2/up/#",
        "cm/v1/c1/h2/down/+",
        "cm/v1/c1/h2/down/cert",
        "cm/v1/c1/h1/#",
        "cm/v1/c1/h1/up/#",
        "$SYS/#",
        "$SYS/broker/uptime",
        "$CONTROL/#",
        f"{CONTROL}/response",
        "$share/hub/cm/v1/c1/+/up/#",
        "$share/x/cm/v1/c1/h2/down/+",
        "$share/x/cm/v1/c1/h1/down/+",
        "$share/x/#",
    ],
)
def test_a_member_cannot_listen_to_others(broker: Broker, topic: str) -> None:
    hostile, victim = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, victim) as home, Peer(broker, hostile) as peer:
        hub.listen()
        home.subscribe("cm/v1/c1/h2/down/+")
        assert peer.subscribe(topic) == ["Not authorized"]
        home.publish("cm/v1/c1/h2/up/fp/3600", b"private")
        hub.publish("cm/v1/c1/h2/down/ack", b"private")
        hub.heard(1)
        home.heard(1)
        assert peer.messages.empty()


def test_a_member_cannot_take_the_hubs_messages_by_a_shared_subscription(broker: Broker) -> None:
    """With a file of rules instead of the plugin the hub gets 50 of these 100."""
    hostile, victim = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, victim) as home, Peer(broker, hostile) as peer:
        hub.listen()
        assert peer.subscribe("$share/hub/cm/v1/c1/+/up/#") == ["Not authorized"]
        topics = [f"cm/v1/c1/h2/up/fp/{3600 * number}" for number in range(100)]
        home.flood(topics, b"x")
        assert [topic for topic, _ in hub.heard(100)] == topics
        assert peer.messages.empty()


@pytest.mark.parametrize(
    "topic",
    [
        "cm/v1/c1/h2/up/fp/3600",
        "cm/v1/c1/h2/up/consent",
        "cm/v1/c1/h2/up/withdraw",
        "cm/v1/c1/h2/up/csr",
        "cm/v1/c1/h2/down/ack",
        "cm/v1/c1/h1/down/ack",
        "cm/v1/c1/h1/down/cert",
        "cm/v1/c1/hub/up/fp/3600",
        "cm/v1/c1/public/rollup",
        "cm/v1/c2/h1/up/fp/3600",
        "cm/v1/c1/h1",
        CONTROL,
        f"{CONTROL}/response",
        "$SYS/broker/uptime",
        "anything",
    ],
)
def test_a_member_cannot_speak_for_others(broker: Broker, topic: str) -> None:
    hostile, victim = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, victim) as home, Peer(broker, hostile) as peer:
        hub.listen()
        home.subscribe("cm/v1/c1/h2/down/+")
        assert peer.publish(topic, b"forged") == "Not authorized"
        peer.publish("cm/v1/c1/h1/up/fp/3600", b"own")
        assert hub.heard(1) == [("cm/v1/c1/h1/up/fp/3600", b"own")]
        hub.publish("cm/v1/c1/h2/down/ack", b"true")
        assert home.heard(1) == [("cm/v1/c1/h2/down/ack", b"true")]


def test_a_last_will_is_bound_to_the_same_rights(broker: Broker) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, other) as bystander:
        hub.listen()
        for topic in ("cm/v1/c1/h2/up/withdraw", "cm/v1/c1/h1/down/ack", CONTROL):
            peer = Peer(broker, hostile)
            peer.client.will_set(topic, b"forged", qos=1)
            if peer.connect() == "Success":
                peer.vanish()
            bystander.publish("cm/v1/c1/h2/up/fp/0")
            hub.heard(1)
        own = Peer(broker, hostile)
        own.client.will_set("cm/v1/c1/h1/up/fp/3600", b"last", qos=1)
        assert own.connect() == "Success"
        own.vanish()
        # The wills of others would have come before it.
        assert hub.heard(1) == [("cm/v1/c1/h1/up/fp/3600", b"last")]


def test_a_member_cannot_give_itself_rights(broker: Broker) -> None:
    (hostile,) = broker.enrolled("h1")
    before = broker.written_rights()
    with broker, Peer(broker, hostile) as peer:
        for command in (
            b'{"commands":[{"command":"addClientRole","username":"h1","rolename":"hub"}]}',
            b'{"commands":[{"command":"createClient","username":"evil","password":"x"}]}',
            b'{"commands":[{"command":"setDefaultACLAccess","acls":[{"acltype":"subscribe"}]}]}',
            b'{"commands":[{"command":"listClients"}]}',
        ):
            assert peer.publish(CONTROL, command) == "Not authorized"
        assert peer.subscribe("cm/v1/c1/+/up/#") == ["Not authorized"]
    assert broker.written_rights() == before


@pytest.mark.parametrize("user", ["hub", "operator", "h1", "invited.h1", "#", "admin", ""])
@pytest.mark.parametrize("password", [None, "", "hub", "password"])
def test_nobody_who_is_enrolled_or_unknown_logs_in_by_password(
    broker: Broker, user: str, password: str | None
) -> None:
    broker.enrolled("h1")
    with broker:
        peer = Peer(broker, None, user=user, password=password)
        assert peer.connect() in {"Not authorized", "Bad user name or password"}


def test_a_certificate_opens_nothing_at_the_door_for_invitations(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker:
        peer = Peer(broker, home, user="h1", password="x")
        assert peer.connect() == "Not authorized"


def test_the_log_tells_nobodys_name_with_an_address(broker: Broker, tmp_path: Path) -> None:
    """Else who reads it learns which pseudonyms speak from one address."""
    (home,) = broker.enrolled("h1")
    with broker, Peer(broker, home) as peer:
        peer.publish("cm/v1/c1/h1/up/fp/3600")
    assert "127.0.0.1" not in broker.log
    assert "h1" not in broker.log
