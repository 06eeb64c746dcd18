"""Who somebody is at the broker: what the certificate says, and nothing that a client says."""

from pathlib import Path
import socket
import ssl
import time

import pytest

from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import server_only_context
from tests.community.broker import Broker, context, needs_broker

from .peer import Hub, Peer

pytestmark = needs_broker

DAY = 86_400


def test_a_client_without_a_certificate_is_refused(broker: Broker) -> None:
    with broker:
        assert Peer(broker, None).is_refused()


def test_a_certificate_of_another_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    (own,) = broker.enrolled("h1")
    foreign = Authority.create(tmp_path / "foreign", "Test community", now=time.time())
    with broker:
        assert Peer(broker, broker.credentials("h1", by=foreign)).is_refused()
        assert not Peer(broker, own).is_refused()


def test_a_certificate_that_has_ended_or_not_begun_is_refused(broker: Broker) -> None:
    broker.enrolled("h1")
    with broker:
        ended = broker.credentials("h1", begins=time.time() - 100 * DAY, days=90)
        assert Peer(broker, ended).is_refused()
        coming = broker.credentials("h1", begins=time.time() + 2 * DAY)
        assert Peer(broker, coming).is_refused()


def test_the_key_of_a_certificate_is_needed(broker: Broker) -> None:
    """A certificate is no secret: it was sent in the clear, and names only who has its key."""
    (own,) = broker.enrolled("h1")
    other = broker.credentials("h2")
    stolen = ssl.create_default_context(cafile=str(own / "authorities.pem"))
    with pytest.raises(ssl.SSLError):
        stolen.load_cert_chain(own / "certificate.pem", other / "key.pem")


@pytest.mark.parametrize("name", ["#", "+", "cm/v1", "$SYS", "hub ", "Hub", "h1/../hub", "h1+"])
def test_a_certificate_with_a_name_that_means_something_else_has_no_power(
    broker: Broker, name: str
) -> None:
    """Were such a certificate ever signed: CVE-2017-7650 was a name of # or +."""
    (home,) = broker.enrolled("h1")
    odd = broker.credentials(name)
    with broker, Hub(broker) as hub, Peer(broker, home) as neighbour, Peer(broker, odd) as peer:
        hub.listen()
        neighbour.subscribe("cm/v1/c1/h1/down/+")
        refused = peer.subscribe(
            "#", "cm/v1/c1/+/up/#", "cm/v1/c1/h1/down/+", "cm/v1/c1/+/down/+", "$SYS/#"
        )
        assert "Granted QoS 1" not in refused
        for topic in ("cm/v1/c1/h1/up/fp/0", "cm/v1/c1/h1/down/ack", "cm/v1/c1/hub/up/fp/0"):
            assert peer.publish(topic) == "Not authorized"
        neighbour.publish("cm/v1/c1/h1/up/fp/3600")
        hub.publish("cm/v1/c1/h1/down/ack")
        assert [topic for topic, _ in hub.heard(1)] == ["cm/v1/c1/h1/up/fp/3600"]
        assert [topic for topic, _ in neighbour.heard(1)] == ["cm/v1/c1/h1/down/ack"]
        assert peer.messages.empty()


def test_what_a_client_calls_itself_is_not_asked(broker: Broker) -> None:
    """Neither its client id nor a user name and password beside its certificate."""
    first, second = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, first, client_id="h1") as victim:
        hub.listen()
        attacker = Peer(broker, second, client_id="h1")
        attacker.client.username_pw_set("hub", "anything")
        with attacker:
            assert attacker.publish("cm/v1/c1/h1/up/fp/0") == "Not authorized"
            assert attacker.publish("cm/v1/c1/h2/up/fp/0") == "Success"
            assert attacker.publish("cm/v1/c1/h1/down/ack") == "Not authorized"
            # The victim is still there: nobody has taken its session.
            assert victim.publish("cm/v1/c1/h1/up/fp/0") == "Success"
            assert victim.disconnected.empty()
        assert {topic for topic, _ in hub.heard(2)} == {
            "cm/v1/c1/h1/up/fp/0",
            "cm/v1/c1/h2/up/fp/0",
        }


def test_a_second_client_of_one_certificate_takes_the_place_of_the_first(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Peer(broker, home, client_id="a") as first, Peer(broker, home, client_id="b"):
        first.wait_until_thrown_out()


def test_a_home_cannot_pose_as_the_broker(broker: Broker) -> None:
    """Its certificate is for clients: a home in the middle finds nobody who talks to it."""
    (home,) = broker.enrolled("h1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home / "certificate.pem", home / "key.pem")
    client = server_only_context(broker.authority.bundle)
    client.check_hostname = False
    near, far = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(near, far)
    answerer = server.wrap_bio(far, near, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        caller.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        answerer.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        caller.do_handshake()


def test_the_broker_answers_under_each_of_its_names_and_no_other(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    tls = context(home)
    with broker:
        for name in ("localhost", "127.0.0.1"):
            with (
                socket.create_connection((broker.address, broker.port)) as raw,
                tls.wrap_socket(raw, server_hostname=name) as line,
            ):
                assert line.version() in {"TLSv1.2", "TLSv1.3"}
        with (
            socket.create_connection((broker.address, broker.port)) as raw,
            pytest.raises(ssl.SSLCertVerificationError, match=r"example\.org"),
        ):
            tls.wrap_socket(raw, server_hostname="example.org")


def test_old_tls_is_refused(broker: Broker) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    # The client's own library has to be talked into it first.
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with broker:
        for port in (broker.port, broker.enrol_port):
            with (
                socket.create_connection((broker.address, port)) as raw,
                pytest.raises(ssl.SSLError, match=r"(?i)version|alert"),
            ):
                old.wrap_socket(raw)


def test_there_is_no_door_without_tls(broker: Broker) -> None:
    connect = bytes.fromhex("100d00044d5154540402003c000178")
    with broker:
        for port in (broker.port, broker.enrol_port):
            with socket.create_connection((broker.address, port), timeout=10) as raw:
                raw.sendall(connect)
                # An alert of TLS at most, but no CONNACK, which begins with 0x20.
                try:
                    answer = raw.recv(64)
                except ConnectionResetError:
                    answer = b""
                assert not answer.startswith(b"\x20")
