"""What waits at the broker for the hub, through restarts and crashes."""

import time

import pytest

from custom_components.carbon_meter.community.hub.dynsec import is_fresh
from hardware.broker import rights
from tests.community.broker import Broker, needs_broker

from .peer import CONTROL, PATIENCE, Hub, Peer

pytestmark = needs_broker

WEEK = 7 * 86_400

CREATE = b'{"commands":[{"command":"createClient","username":"%s"}]}'


def starts(count: int, first: int = 0) -> list[str]:
    return [f"cm/v1/c1/h1/up/fp/{3600 * number}" for number in range(first, first + count)]


def test_what_waits_for_the_hub_outlives_a_restart_in_order(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker:
        with Hub(broker, expiry=WEEK) as hub:
            hub.listen()
        with Peer(broker, home) as peer:
            assert set(peer.flood(starts(300), b"x")) == {"Success"}
        broker.stop()
        broker.start()
        with Hub(broker, expiry=WEEK) as hub:
            # The subscription is still there: nobody has subscribed anew.
            assert [topic for topic, _ in hub.heard(300)] == starts(300)


def test_what_was_not_acknowledged_comes_again(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker:
        hub = Hub(broker, expiry=WEEK, manual_ack=True)
        with hub, Peer(broker, home) as peer:
            hub.listen()
            peer.flood(starts(10), b"x")
            for _ in range(4):
                message = hub.messages.get(timeout=PATIENCE)
                hub.client.ack(message.mid, message.qos)
            hub.heard(6)
            # What was acknowledged before this has arrived as well.
            hub.publish("cm/v1/c1/h1/down/ack")
        broker.stop()
        broker.start()
        with Hub(broker, expiry=WEEK) as again:
            assert [topic for topic, _ in again.heard(6)] == starts(10)[4:]


def test_after_a_crash_the_broker_is_there_again_with_what_it_had_saved(broker: Broker) -> None:
    """What it had not saved is lost, and sent again by the homes: they had no ack of the hub."""
    (home,) = broker.enrolled("h1")
    with broker:
        with Hub(broker, expiry=WEEK) as hub:
            hub.listen()
        with Peer(broker, home) as peer:
            peer.flood(starts(50), b"saved")
        broker.stop()
        broker.start()
        with Peer(broker, home) as peer:
            peer.flood(starts(50, first=50), b"perhaps not saved")
            broker.kill()
            peer.wait_until_thrown_out()
        broker.start()
        with Peer(broker, home) as peer, Hub(broker, expiry=WEEK) as hub:
            assert peer.publish("cm/v1/c1/h1/up/consent") == "Success"
            arrived = hub.heard_until("cm/v1/c1/h1/up/consent")
            assert arrived[:50] == starts(50)
            assert set(arrived[50:]) <= set(starts(50, first=50))


def test_a_crash_while_rights_are_written_leaves_nobody_more_and_the_hub_tells_them_again(
    broker: Broker,
) -> None:
    """The plugin of mosquitto 2.0 writes its file in place: a crash can leave nothing of it."""
    many = [f"h{number}" for number in range(40)]
    rights.enrol(broker.layout.rights, "c1", *many)
    (home,) = broker.enrolled("h1")
    for moment in range(8):
        broker.start()
        with Hub(broker) as hub:
            for number in range(50):
                hub.client.publish(CONTROL, CREATE % (b"new%d" % number), qos=1)
            time.sleep(0.004 * moment)
            broker.kill()
        broker.start()
        assert {"hub", "operator"} <= rights.users(broker.layout.rights)
        with Hub(broker) as hub, Peer(broker, home) as peer:
            hub.listen()
            hub.control.inquire()
            ((_, answer),) = hub.heard(1)
            if is_fresh(answer):
                assert peer.subscribe("cm/v1/c1/h1/down/+") == ["Not authorized"]
                for name in many:
                    hub.control.enrolled(name)
                hub.control.refreshed()
            assert peer.subscribe("cm/v1/c1/h1/down/+") == ["Granted QoS 1"]
            assert peer.publish("cm/v1/c1/h1/up/fp/3600") == "Success"
        broker.stop()
        assert set(many) <= rights.users(broker.layout.rights)


@pytest.mark.parametrize("left", [b"", b"{", b'{\n\t"clients":\t[{\n\t\t\t"username": "h1"\n\t\t}'])
def test_a_file_of_rights_that_was_cut_short_gives_nobody_a_right_but_the_hub(
    broker: Broker, left: bytes
) -> None:
    (home,) = broker.enrolled("h1")
    broker.layout.rights.write_bytes(left)
    with broker, Hub(broker) as hub, Peer(broker, home) as peer:
        hub.listen()
        assert peer.publish("cm/v1/c1/h1/up/fp/3600") == "Not authorized"
        hub.control.inquire()
        assert is_fresh(hub.heard(1)[0][1])
        hub.control.enrolled("h1")
        hub.control.refreshed()
        hub.control.inquire()
        *_, (_, answer) = hub.heard(3)
        assert not is_fresh(answer)
        assert peer.publish("cm/v1/c1/h1/up/fp/3600") == "Success"


def test_without_its_file_mosquitto_lets_nobody_do_anything(broker: Broker) -> None:
    """Should it ever be started without start.sh: closed, not open."""
    (home,) = broker.enrolled("h1")
    broker.layout.rights.write_bytes(b"")
    broker.layout.start.write_text(
        '#!/bin/sh\ncd "$(dirname "$0")"\nexec "$MOSQUITTO" -c mosquitto.conf\n'
    )
    with broker:
        for credentials in (home, broker.hub_credentials):
            with Peer(broker, credentials) as peer:
                filters = ("cm/v1/c1/h1/down/+", "cm/v1/c1/+/up/#", "#")
                assert set(peer.subscribe(*filters)) == {"Not authorized"}
                assert peer.publish("cm/v1/c1/h1/up/fp/3600") == "Not authorized"
                assert peer.publish(CONTROL, CREATE % b"evil") == "Not authorized"
