"""Who floods is put out by a real broker, others are heard, and after a while it may come back."""

from pathlib import Path
import threading
import time

import pytest

from custom_components.carbon_meter.community.hub import cutting
from custom_components.carbon_meter.community.hub.cutting import CUT_FOR, MOST_DROPPED, Cutting
from custom_components.carbon_meter.community.hub.limits import Limits
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from hardware.broker import rights
from tests.community.broker import Broker, needs_broker

from .hubs import desk_of, running_hub, until
from .peer import Peer


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hub take 100 messages at once."""
    few = Limits(rate=0.1, burst=100)
    monkeypatch.setattr(
        "tests.hardware.broker.hubs.open_hub",
        lambda *args, **more: open_hub(*args, **more, limits=few),
    )


def flood(peer: Peer, topic: str) -> None:
    """Say the same as fast as it goes, until the broker hangs up."""
    while peer.disconnected.empty():
        for _ in range(200):
            peer.client.publish(topic, b"x", qos=0)
        time.sleep(0.001)


def cut(hub: Hub) -> tuple[str, ...]:
    assert hub.worker is not None
    return hub.worker.status.counts.cut


@needs_broker
@pytest.mark.usefixtures("small")
def test_who_floods_is_put_out_and_others_are_heard(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hostile, other = broker.enrolled("h1", "h2")
    with broker, Peer(broker, other) as home, running_hub(broker, tmp_path / "hub") as hub:
        home.subscribe("cm/v1/c1/h2/down/+")
        peer = Peer(broker, hostile)
        assert peer.connect() == "Success"
        flooding = threading.Thread(target=flood, args=(peer, "cm/v1/c1/h1/up/x"))
        flooding.start()
        peer.wait_until_thrown_out()
        peer.disconnected.put("so that the flood ends too")
        flooding.join()
        peer.client.loop_stop()
        until(lambda: cut(hub) == ("h1",))
        with Peer(broker, hostile) as again:
            assert again.publish("cm/v1/c1/h1/up/x") == "Not authorized"
        home.publish("cm/v1/c1/h2/up/consent", b"{}")
        assert home.heard(1)[0][0] == "cm/v1/c1/h2/down/nack"
        # What it had, it has; of an invitation it has none, and that is no fault.
        assert "h1" in rights.users(broker.layout.rights)
        assert "has not done" not in caplog.text


@needs_broker
@pytest.mark.usefixtures("small")
def test_after_a_while_it_may_come_back(
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (hostile,) = broker.enrolled("h1")
    with broker:
        with running_hub(broker, tmp_path / "hub") as hub:
            peer = Peer(broker, hostile)
            assert peer.connect() == "Success"
            flood(peer, "cm/v1/c1/h1/up/x")
            peer.client.loop_stop()
            until(lambda: cut(hub) == ("h1",))
        # The hub may be another one by then: the broker has the mark.
        monkeypatch.setattr(cutting, "CUT_FOR", 3.0)
        with running_hub(broker, tmp_path / "hub") as hub, Peer(broker, hostile) as home:
            assert home.subscribe("cm/v1/c1/h1/down/+") == ["Not authorized"]
            until(lambda: cut(hub) == ())
            home.wait_until_thrown_out()
            with Peer(broker, hostile) as again:
                assert again.subscribe("cm/v1/c1/h1/down/+") == ["Granted QoS 1"]
    assert "has not done" not in caplog.text


@needs_broker
@pytest.mark.usefixtures("small")
def test_an_invitation_that_floods_is_put_out(broker: Broker, tmp_path: Path) -> None:
    with broker, running_hub(broker, tmp_path / "hub") as hub:
        invitation = desk_of(hub).invite(time.time())
        until(lambda: invitation.home in broker.layout.rights.read_text())
        guest = Peer(broker, None, user=f"invited.{invitation.home}", password=invitation.token)
        assert guest.connect() == "Success"
        flood(guest, f"cm/v1/c1/{invitation.home}/up/csr")
        guest.client.loop_stop()
        until(lambda: cut(hub) == (invitation.home,))


class Doors:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def cut(self, home: str) -> None:
        self.told.append(f"cut {home}")

    def let_in(self, home: str) -> None:
        self.told.append(f"let in {home}")


def test_little_that_is_dropped_cuts_nobody_off() -> None:
    doors, cut_off = Doors(), Cutting()
    cut_off.door = doors
    for minute in range(100):
        for _ in range(MOST_DROPPED - 1):
            cut_off.drop("h1", 60.0 * minute)
    assert doors.told == []


def test_it_is_cut_off_once_and_let_in_once() -> None:
    doors, cut_off = Doors(), Cutting()
    cut_off.door = doors
    for _ in range(5 * MOST_DROPPED):
        cut_off.drop("h1", 1000.0)
    cut_off.turn(1000.0 + CUT_FOR - 1)
    assert (doors.told, cut_off.homes) == (["cut h1"], ("h1",))
    # A clock that is set back lets nobody in before its time, nor keeps anybody out for ever.
    cut_off.turn(10.0)
    cut_off.turn(10.0 + CUT_FOR)
    cut_off.turn(9_999_999.0)
    assert (doors.told, cut_off.homes) == (["cut h1", "let in h1"], ())
