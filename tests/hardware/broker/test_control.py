"""Rights that are given and taken while the broker runs, by the hub's own hand."""

import json

import pytest

from custom_components.carbon_meter.community.contract.refusal import RefusedError
from custom_components.carbon_meter.community.hub import dynsec, rights
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from tests.community.broker import Broker, needs_broker

from .peer import Hub, Peer

pytestmark = needs_broker

TOKEN = "a" * 22


def invited(broker: Broker, home: str, token: str = TOKEN, **how: object) -> Peer:
    """Return somebody who comes with an invitation."""
    return Peer(broker, None, user=rights.invited_user(home), password=token, **how)  # type: ignore[arg-type]


def names(broker: Broker) -> set[str]:
    """Return who has rights, as the plugin has written it down."""
    state = broker.written_rights()
    return {client["username"] for client in state["clients"]} | {
        role["rolename"] for role in state["roles"] if role["acls"]
    }


def test_from_an_invitation_to_a_certificate(broker: Broker) -> None:
    request, answer = "cm/v1/c1/h7/up/csr", "cm/v1/c1/h7/down/cert"
    with broker, Hub(broker) as hub:
        hub.listen()
        hub.control.invited("h7", TOKEN)
        with invited(broker, "h7") as guest:
            assert guest.subscribe(answer) == ["Granted QoS 1"]
            assert guest.publish(request, b"please") == "Success"
            assert hub.heard(2)[-1] == (request, b"please")
            hub.control.enrolled("h7")
            # Rights are given first and nobody is thrown out by it: the certificate arrives.
            hub.publish(answer, b"certificate")
            assert guest.heard(1) == [(answer, b"certificate")]
            with Peer(broker, broker.credentials("h7")) as home:
                assert home.subscribe("cm/v1/c1/h7/down/+") == ["Granted QoS 1"]
                assert home.publish("cm/v1/c1/h7/up/consent") == "Success"
                assert guest.disconnected.empty()
                hub.control.settled("h7")
                guest.wait_until_thrown_out()
                # One-time: the invitation has done its work.
                assert invited(broker, "h7").connect() == "Not authorized"
                assert home.publish("cm/v1/c1/h7/up/fp/3600") == "Success"
                assert home.disconnected.empty()


def test_an_invitation_allows_nothing_but_to_ask(broker: Broker) -> None:
    broker.enrolled("h2")
    with broker, Hub(broker) as hub:
        hub.listen()
        hub.control.invited("h7", TOKEN)
        with invited(broker, "h7") as guest:
            filters = (
                "#",
                "cm/v1/c1/h7/down/+",
                "cm/v1/c1/h7/up/#",
                "cm/v1/c1/h2/down/cert",
                "cm/v1/c1/+/down/cert",
                "$share/x/cm/v1/c1/+/up/#",
                "$share/x/cm/v1/c1/h7/down/cert",
                "$CONTROL/dynamic-security/v1/response",
            )
            assert set(guest.subscribe(*filters)) == {"Not authorized"}
            for topic in (
                "cm/v1/c1/h7/up/fp/3600",
                "cm/v1/c1/h7/up/consent",
                "cm/v1/c1/h2/up/csr",
                "cm/v1/c1/h7/down/cert",
                "$CONTROL/dynamic-security/v1",
            ):
                assert guest.publish(topic) == "Not authorized"


def test_a_wrong_token_is_refused(broker: Broker) -> None:
    with broker, Hub(broker) as hub:
        hub.control.invited("h7", TOKEN)
        for token in ("", "wrong", TOKEN[:-1], TOKEN + "a", TOKEN.upper()):
            assert invited(broker, "h7", token).connect() in {
                "Not authorized",
                "Bad user name or password",
            }
        assert invited(broker, "h8").connect() == "Not authorized"


def test_a_guest_cannot_take_the_session_of_a_home(broker: Broker) -> None:
    """At both doors a client's id is its name, whatever it wants to be called."""
    (home,) = broker.enrolled("h2")
    with broker, Hub(broker) as hub, Peer(broker, home) as victim:
        hub.control.invited("h7", TOKEN)
        for name in ("h2", "hub", "h7"):
            with invited(broker, "h7", client_id=name) as guest:
                assert guest.publish("cm/v1/c1/h7/up/csr") in {
                    "Success",
                    "No matching subscribers",
                }
        victim.publish("cm/v1/c1/h2/up/fp/3600")
        hub.publish("cm/v1/c1/h2/down/ack")
        assert victim.disconnected.empty()
        assert hub.disconnected.empty()


def test_a_token_is_kept_hashed(broker: Broker) -> None:
    with broker, Hub(broker) as hub:
        hub.control.invited("h7", TOKEN)
    assert TOKEN not in broker.layout.rights.read_text()
    assert "invited.h7" in names(broker)


def test_every_command_may_come_again_and_in_any_order(broker: Broker) -> None:
    with broker, Hub(broker) as hub:
        hub.listen()
        control = hub.control
        control.gone("h7")
        control.settled("h7")
        control.enrolled("h7")
        control.enrolled("h7")
        control.invited("h7", TOKEN)
        control.invited("h7", "another")
        control.enrolled("h7")
        assert {"h7", "home-h7", "invited.h7", "invited-h7"} <= names(broker)
        # The last token counts.
        assert invited(broker, "h7").connect() == "Not authorized"
        with invited(broker, "h7", "another"):
            pass
        control.settled("h7")
        control.settled("h7")
        assert {"h7", "home-h7"} <= names(broker)
        assert not {"invited.h7", "invited-h7"} & names(broker)
        control.gone("h7")
        control.gone("h7")
        assert names(broker) == {"hub", "operator"}
        answers = [payload for topic, payload in hub.heard(11) if topic == dynsec.ANSWERS]
        assert len(answers) == 11
        assert [dynsec.complaints(answer) for answer in answers] == [[]] * 11


def test_giving_rights_again_does_not_throw_the_home_out(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Hub(broker) as hub, Peer(broker, home) as peer:
        hub.control.enrolled("h1")
        assert peer.publish("cm/v1/c1/h1/up/fp/3600") == "No matching subscribers"
        assert peer.disconnected.empty()


def test_who_is_gone_is_thrown_out_and_powerless(broker: Broker) -> None:
    home, other = broker.enrolled("h1", "h2")
    with broker, Hub(broker) as hub, Peer(broker, home) as peer, Peer(broker, other) as bystander:
        hub.listen()
        peer.subscribe("cm/v1/c1/h1/down/+")
        hub.control.gone("h1")
        peer.wait_until_thrown_out()
        with Peer(broker, home) as again:
            assert again.subscribe("cm/v1/c1/h1/down/+") == ["Not authorized"]
            assert again.publish("cm/v1/c1/h1/up/fp/3600") == "Not authorized"
        assert bystander.publish("cm/v1/c1/h2/up/fp/3600") == "Success"
        assert bystander.disconnected.empty()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_rights_outlive_the_broker(broker: Broker, how: str) -> None:
    with broker, Hub(broker) as hub:
        hub.control.invited("h7", TOKEN)
        hub.control.enrolled("h8")
        hub.control.enrolled("h9")
        hub.control.gone("h9")
        getattr(broker, how)()
        broker.start()
        with invited(broker, "h7") as guest:
            assert guest.subscribe("cm/v1/c1/h7/down/cert") == ["Granted QoS 1"]
        with Peer(broker, broker.credentials("h8")) as home:
            assert home.subscribe("cm/v1/c1/h8/down/+") == ["Granted QoS 1"]
        with Peer(broker, broker.credentials("h9")) as home:
            assert home.subscribe("cm/v1/c1/h9/down/+") == ["Not authorized"]


def test_any_number_of_commands_is_carried_out(broker: Broker) -> None:
    """With a memory_limit mosquitto 2.0 counts the plugin's memory wrongly and gives up."""
    with broker, Hub(broker) as hub:
        for number in range(100):
            hub.control.enrolled(f"h{number}")
        assert {f"h{number}" for number in range(100)} < names(broker)
        for number in range(100):
            hub.control.gone(f"h{number}")
        assert names(broker) == {"hub", "operator"}


def test_what_the_plugin_could_not_do_is_told(broker: Broker) -> None:
    with broker, Hub(broker) as hub:
        hub.listen()
        command = {"command": "addClientRole", "username": "hub", "rolename": "nothing"}
        hub.publish(rights.CONTROL, json.dumps({"commands": [command]}).encode())
        ((_, answer),) = hub.heard(1)
        assert dynsec.complaints(answer) == ["addClientRole: Role not found"]


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"\xff", b"{}", b'{"responses":[1]}', b'{"responses":1}', b"[" * 100_000],
)
def test_a_damaged_answer_is_a_complaint(payload: bytes) -> None:
    assert dynsec.complaints(payload) == ["the plugin's answer cannot be read"]
    assert not dynsec.answers(payload, "mark")


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        [{"command": "getGroup"}],
        [{"data": {"group": "revoked"}}, {"data": {"role": []}}],
        [{"data": {"group": {"groupname": "revoked"}}}],
        [{"data": {"group": {"groupname": "revoked", "clients": 5}}}],
        [{"data": {"group": {"groupname": "revoked", "clients": ["h1", {"username": 1}, None]}}}],
        [{"data": {"group": {"groupname": "others", "clients": [{"username": "h1"}]}}}],
    ],
)
def test_an_answer_that_says_nothing_puts_nobody_out(told: object) -> None:
    for payload in (json.dumps({"responses": told}).encode(), b"{", b"[]", b"null", b"\xff"):
        assert dynsec.revoked_in(payload) == []
        assert not dynsec.is_fresh(payload)


def test_who_was_put_out_is_remembered_until_nothing_is_left(broker: Broker) -> None:
    (home,) = broker.enrolled("h1")
    with broker, Hub(broker) as hub:
        hub.listen()
        with Peer(broker, home) as peer:
            hub.control.revoked("h1")
            peer.wait_until_thrown_out()
        ((_, answer),) = hub.heard(1)
        assert dynsec.complaints(answer) == []
        assert dynsec.revoked_in(answer) == ["h1"]
        # No right is given to it any more, and once more is no fault.
        hub.control.enrolled("h1")
        hub.control.revoked("h1")
        hub.control.inquire()
        assert [dynsec.complaints(answer) for _, answer in hub.heard(2)] == [[], []]
        ((_, answer),) = hub.heard(1)
        assert dynsec.revoked_in(answer) == ["h1"]
        assert not dynsec.is_fresh(answer)
        with Peer(broker, home) as peer:
            assert peer.subscribe("cm/v1/c1/h1/down/+") == ["Not authorized"]
        hub.control.gone("h1")
        hub.control.inquire()
        assert [dynsec.revoked_in(answer) for _, answer in hub.heard(2)] == [[], []]
        assert "h1" not in names(broker)


def test_answers_are_told_apart_by_their_mark(broker: Broker) -> None:
    with broker, Hub(broker) as hub:
        hub.listen()
        DynsecControl("c1", hub.command, "m1").enrolled("h1")
        hub.control.enrolled("h2")
        first, second = (payload for _, payload in hub.heard(2))
        assert dynsec.answers(first, "m1")
        assert not dynsec.answers(second, "m1")


def test_an_id_that_is_none_never_becomes_a_right() -> None:
    sent: list[bytes] = []

    def publish(_topic: str, payload: bytes) -> None:
        sent.append(payload)

    control = DynsecControl("c1", publish)
    for home in ("#", "+", "", "a/b", "A", "h1/../h2", "x" * 65, "invited.h1", *rights.RESERVED):
        for command in (control.enrolled, control.settled, control.gone):
            with pytest.raises(RefusedError):
                command(home)
    assert not sent
