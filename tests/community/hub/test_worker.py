"""The worker against a real mosquitto with mutual TLS: crashes, restarts, floods, two homes."""

from collections.abc import Callable, Iterator
from datetime import date
import json
import logging
from pathlib import Path
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
import pytest

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract import topics
from custom_components.carbon_meter.community.contract.answers import Ack, read_answer
from custom_components.carbon_meter.community.hub import connection, worker as worker_of
from custom_components.carbon_meter.community.hub.arrived import Arrived, Reply
from custom_components.carbon_meter.community.hub.connection import Link
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl, complaints
from custom_components.carbon_meter.community.hub.errors import NotConnectedError
from custom_components.carbon_meter.community.hub.limits import Limits
from custom_components.carbon_meter.community.hub.opening import Hub, open_worker
from custom_components.carbon_meter.community.hub.rights import CONTROL
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.broker import Broker, context, needs_broker
from tests.community.hub.homes import (
    MIDNIGHT,
    NOW,
    consent,
    homes_of,
    said,
    settled,
    whs,
)
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR

pytestmark = [needs_broker, pytest.mark.usefixtures("socket_enabled")]

PATIENCE = 60.0
PROCESS = Path(__file__).with_name("process.py")
HOMES = ("a", "b", "c")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker", community=COMMUNITY)
    made.folders = dict(zip(HOMES, made.enrolled(*HOMES), strict=True))
    with made:
        yield made


def link_of(broker: Broker, credentials: Path | None = None) -> Link:
    folder = credentials or broker.hub_credentials
    return Link(
        host=broker.address,
        port=broker.port,
        context=Credentials(folder).context(),
        community=COMMUNITY,
    )


@pytest.fixture
def hub(tmp_path: Path, broker: Broker) -> Iterator[Hub]:
    opened = open_worker(
        tmp_path / "hub", COMMUNITY, BERLIN, link_of(broker), members=HOMES, now=lambda: NOW
    )
    settled(opened, *HOMES)
    yield opened
    assert opened.stop()
    opened.close()


class Home:
    """A home's client: sends with QoS 1, hears what it is told."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.name = name
        self.acks: list[Ack] = []
        self.lasting: list[int | None] = []
        """For how many seconds more the broker would have kept each ack."""

        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5
        )
        self._client.tls_set_context(context(broker.folders[name]))
        self._client.max_inflight_messages_set(500)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(
            topics.to_home(COMMUNITY, name), 1
        )
        heard = threading.Event()
        self._client.on_subscribe = lambda *_: heard.set()
        self._client.connect(broker.address, broker.port)
        self._client.loop_start()
        assert heard.wait(PATIENCE)

    def _on_message(self, _client, _data, message: mqtt.MQTTMessage) -> None:
        answer = read_answer(message.topic, message.payload)
        if isinstance(answer, Ack):
            self.acks.append(answer)
            self.lasting.append(getattr(message.properties, "MessageExpiryInterval", None))

    def say(self, *messages: Arrived) -> None:
        """Send messages; the broker has them when this returns."""
        until(self._client.is_connected)
        sent = [self._client.publish(each.topic, each.payload, qos=1) for each in messages]
        for each in sent:
            each.wait_for_publish(PATIENCE)

    @property
    def told(self) -> Ack | None:
        """The last thing that it was told."""
        return self.acks[-1] if self.acks else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def started(arguments: dict) -> subprocess.Popen[bytes]:
    """Start a hub in a process of its own; it ends in order when its input does."""
    process = subprocess.Popen(
        [sys.executable, PROCESS, json.dumps(arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"running\n"
    return process


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def connected(hub: Hub) -> bool:
    return hub.worker.status.state is WorkerState.CONNECTED


def test_two_homes_are_heard_and_answered_each_for_itself(broker: Broker, hub: Hub) -> None:
    hub.start()
    until(lambda: connected(hub))
    with Home(broker, "a") as a, Home(broker, "b") as b:
        a.say(*(said("a", hour, 1, seq=hour + 1) for hour in range(24)))
        b.say(*(said("b", hour, 2, seq=hour + 1) for hour in range(12)))
        until(lambda: a.told and a.told.upto == 24)
        until(lambda: b.told and b.told.upto == 12)
        assert {ack.home for ack in a.acks} == {"a"}
        assert {ack.home for ack in b.acks} == {"b"}
        # Acks that a home does not fetch do not pile up.
        assert all(lasts is not None and 3500 < lasts <= 3600 for lasts in a.lasting + b.lasting)
    status = hub.worker.status
    assert (status.committed, status.waiting, status.owed, status.error) == (36, 0, 0, None)
    assert status.lag is not None
    assert status.rate == pytest.approx(36 / 60)
    assert whs(hub.ledger)[MIDNIGHT] == 3


def test_what_comes_while_the_hub_is_away_is_there_when_it_is_back(
    broker: Broker, hub: Hub
) -> None:
    hub.start()
    until(lambda: connected(hub))
    assert hub.stop()
    with Home(broker, "a") as home:
        home.say(*(said("a", hour, 1, seq=hour + 1) for hour in range(24)))
        again = worker_of.HubWorker(link_of(broker), hub.processor, now=lambda: NOW)
        again.start()
        until(lambda: home.told and home.told.upto == 24)
        assert again.stop()
        assert again.status.state is WorkerState.STOPPED


def test_a_hub_that_is_slow_over_what_waits_is_not_cut_off(
    broker: Broker, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the broker has kept comes before its answer to the hub's subscription."""
    hub.start()
    until(lambda: connected(hub))
    assert hub.stop()
    with Home(broker, "a") as home:
        home.say(*(said("a", hour % 24, 1, seq=hour % 24 + 1) for hour in range(3000)))
    take = hub.processor.process

    pauses = [3.0]

    def slow(messages, now):
        if pauses:
            time.sleep(pauses.pop())
        return take(messages, now)

    monkeypatch.setattr(connection, "_PATIENCE", 2.0)
    monkeypatch.setattr(hub.processor, "process", slow)
    again = worker_of.HubWorker(link_of(broker), hub.processor, now=lambda: NOW)
    errors = set()
    again.listen(lambda: errors.add(again.status.error))
    again.start()
    until(lambda: again.status.committed >= 3000)
    assert again.stop()
    assert errors == {None}


POINTS = ("before the ledger", "between ledger and books", "between books and ack")


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_at_any_point_loses_nothing_and_counts_nothing_twice(
    broker: Broker, tmp_path: Path, seed: int
) -> None:
    """2000 messages of two homes; the hub dies at each point, and at moments of chance."""
    chance = random.Random(seed)  # noqa: S311
    arguments = {
        "folder": str(tmp_path / "hub"),
        "community": COMMUNITY,
        "host": broker.address,
        "port": broker.port,
        "credentials": str(broker.hub_credentials),
        "members": ["a", "b"],
        "now": NOW,
    }
    whs_of = {name: [chance.randrange(5000) for _ in range(1000)] for name in "ab"}
    fates = [[point, chance.randrange(2)] for point in POINTS]
    chance.shuffle(fates)
    process, dies = started(arguments | {"die": fates[0]}), True
    with Home(broker, "a") as a, Home(broker, "b") as b:
        a.say(consent("a"))
        b.say(consent("b"))
        senders = [
            threading.Thread(
                target=home.say,
                args=[said(home.name, -n, wh, seq=n) for n, wh in enumerate(whs_of[home.name], 1)],
            )
            for home in (a, b)
        ]
        for sender in senders:
            sender.start()
        for fate in [*fates[1:], None, None]:
            if dies:
                assert process.wait(PATIENCE) == -signal.SIGKILL
            else:
                time.sleep(chance.random() / 4)
                process.kill()
                process.wait()
            process, dies = started(arguments | {"die": fate}), fate is not None
        until(lambda: all(home.told and home.told.upto == 1000 for home in (a, b)))
        for sender in senders:
            sender.join()
    process.communicate()
    assert process.returncode == 0
    ledger = Ledger(tmp_path / "hub" / "ledger.db", community=COMMUNITY, zone=BERLIN)
    assert whs(ledger) == {
        MIDNIGHT - n * HOUR: sum(pair)
        for n, pair in enumerate(zip(*whs_of.values(), strict=True), 1)
    }
    assert ledger.recompute() == 0
    ledger.close()


def test_the_broker_is_killed_and_comes_back(broker: Broker, hub: Hub) -> None:
    hub.start()
    until(lambda: connected(hub))
    with Home(broker, "a") as home:
        home.say(*(said("a", hour, 1, seq=hour + 1) for hour in range(12)))
        until(lambda: home.told and home.told.upto == 12)
        broker.kill()
        until(lambda: hub.worker.status.state is WorkerState.WAITING)
        assert hub.worker.status.error
        with pytest.raises(NotConnectedError):
            hub.worker.publish("x", b"")
        broker.start()
        until(lambda: connected(hub))
        home.say(*(said("a", hour, 1, seq=hour + 1) for hour in range(12, 24)))
        until(lambda: home.told and home.told.upto == 24)


def test_a_store_that_takes_nothing_acknowledges_nothing_and_recovers(
    broker: Broker, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    connection = hub.ledger._database._connection
    connection.execute("PRAGMA busy_timeout = 50")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    monkeypatch.setattr(worker_of, "_STORE_PAUSES", (0.05,))
    hub.start()
    until(lambda: connected(hub))
    with Home(broker, "a") as home:
        home.say(*(said("a", -hour, 1, seq=hour) for hour in range(1, 1501)))
        until(lambda: hub.worker.status.state is WorkerState.STORE)
        status = hub.worker.status
        assert "full" in status.error
        # The broker keeps the rest: here are no more than it sends without an ack.
        until(lambda: hub.worker.status.waiting == 1000)
        time.sleep(0.3)
        assert hub.worker.status.waiting == 1000
        assert status.counts.accepted < 1500
        connection.execute("PRAGMA max_page_count = 1073741823")
        until(lambda: home.told and home.told.upto == 1500)
        until(lambda: connected(hub))
    assert len(whs(hub.ledger)) == 1500
    assert caplog.text.count("takes nothing") == 1
    assert "works again" in caplog.text


def test_a_real_flood_does_not_keep_others_from_being_heard(broker: Broker, tmp_path: Path) -> None:
    hub = open_worker(
        tmp_path / "flooded",
        COMMUNITY,
        BERLIN,
        link_of(broker),
        members=HOMES,
        limits=Limits(rate=1.0, burst=1000),
        now=lambda: NOW,
    )
    settled(hub, *HOMES)
    hub.start()
    until(lambda: connected(hub))
    is_over = threading.Event()

    def flood(home: Home) -> None:
        message = said("a", 0, 1)
        while not is_over.is_set():
            home.say(*[message] * 500)

    with Home(broker, "a") as a, Home(broker, "b") as b, Home(broker, "c") as c:
        flooding = threading.Thread(target=flood, args=(a,))
        flooding.start()
        until(lambda: hub.worker.status.counts.flooded > 2000)
        for hour in range(24):
            b.say(said("b", hour, 2, seq=hour + 1))
            c.say(said("c", hour, 3, seq=hour + 1))
        until(lambda: b.told and c.told and b.told.upto == c.told.upto == 24)
        is_over.set()
        flooding.join()
    status = hub.worker.status
    assert status.counts.flooding == ("a",)
    assert homes_of(hub.ledger, 0) == {"a": 1, "b": 2, "c": 3}
    assert hub.stop()
    hub.close()


def test_garbage_from_one_home_leaves_the_worker_running(broker: Broker, hub: Hub) -> None:
    hub.start()
    until(lambda: connected(hub))
    with Home(broker, "a") as a, Home(broker, "b") as b:
        topic = said("a", 0, 1).topic
        a.say(
            *(
                Arrived(topic, body)
                for body in (b"", b"\xff", b"[" * 16000, b'{"v":1}', bytes(range(256)))
            ),
            Arrived(f"cm/v1/{COMMUNITY}/a/up/x/y/z", b"{}"),
        )
        b.say(said("b", 0, 2))
        until(lambda: b.told)
        until(lambda: sum(hub.worker.status.counts.refused.values()) == 6)
    assert connected(hub)


def test_who_is_not_let_in_says_so_and_tries_again(
    broker: Broker, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_of, "_FIRST_PAUSE", 0.05)
    folder = broker.credentials("nobody")
    links = [link_of(broker, folder)]
    worker = worker_of.HubWorker(lambda: links[-1], hub.processor, now=lambda: NOW)
    worker.start()
    until(lambda: worker.status.state is WorkerState.NOT_AUTHORIZED)
    links.append(link_of(broker))  # the operator puts it right
    until(lambda: worker.status.state is WorkerState.CONNECTED)
    assert worker.status.error is None
    assert worker.stop()


def test_a_broker_of_somebody_else_is_not_trusted(broker: Broker, hub: Hub, tmp_path: Path) -> None:
    foreign = Broker(tmp_path / "foreign", community=COMMUNITY)
    mixed = Credentials(foreign.hub_credentials)
    link = Link(host=broker.address, port=broker.port, context=mixed.context(), community=COMMUNITY)
    worker = worker_of.HubWorker(link, hub.processor, now=lambda: NOW)
    worker.start()
    until(lambda: worker.status.state is WorkerState.NOT_TRUSTED)
    assert worker.stop()
    theirs = ssl.create_default_context(cafile=str(broker.hub_credentials / "authorities.pem"))
    link = Link(host=broker.address, port=broker.port, context=theirs, community=COMMUNITY)
    worker = worker_of.HubWorker(link, hub.processor, now=lambda: NOW)
    worker.start()  # trusts the broker, but shows no certificate
    until(lambda: worker.status.state is WorkerState.NOT_TRUSTED)
    assert worker.stop()


@pytest.mark.parametrize("kind", ["closes", "is silent", "speaks nonsense"])
def test_what_is_no_broker_is_tried_again(
    broker: Broker, hub: Hub, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.community.hub.tls._PATIENCE", 0.2)
    monkeypatch.setattr(worker_of, "_FIRST_PAUSE", 0.01)
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                calls.append(peer)
                if kind == "closes":
                    peer.close()
                elif kind == "speaks nonsense":
                    peer.sendall(b"220 smtp ready\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        link = link_of(broker)
        wrong = Link(
            host="127.0.0.1",
            port=server.getsockname()[1],
            context=link.context,
            community=COMMUNITY,
        )
        worker = worker_of.HubWorker(wrong, hub.processor, now=lambda: NOW)
        worker.start()
        until(lambda: len(calls) >= 3)
        assert worker.status.state in {WorkerState.WAITING, WorkerState.NOT_TRUSTED}
        assert worker.stop()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for peer in calls:
            peer.close()


def test_commands_reach_the_broker_before_what_is_said_later(broker: Broker, hub: Hub) -> None:
    """A home gets its rights before the message that relies on them."""
    answers: list[bytes] = []
    hub.worker.on_control = answers.append
    hub.start()
    until(lambda: connected(hub))
    control = DynsecControl(COMMUNITY, hub.worker.publish)
    control.enrolled("d")
    until(lambda: answers)
    assert [complaints(answer) for answer in answers] == [[]]
    broker.folders["d"] = broker.credentials("d")
    hub.ledger.assign("d", date(2026, 1, 1))
    with Home(broker, "d") as home:
        home.say(consent("d"), said("d", 0, 9))
        until(lambda: home.told)
    assert homes_of(hub.ledger, 0) == {"d": 9}


def test_listeners_hear_of_changes_and_do_no_harm(
    broker: Broker, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    states = []
    hub.worker.listen(lambda: states.append(hub.worker.status.state))
    stop = hub.worker.listen(lambda: 1 / 0)
    hub.start()
    until(lambda: connected(hub))
    stop()
    with Home(broker, "a") as home:
        home.say(said("a", 0, 1))
        until(lambda: home.told)
    assert hub.stop()
    assert states[0] is WorkerState.CONNECTED
    assert states[-1] is WorkerState.STOPPED
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(NotConnectedError):
        hub.worker.publish("x", b"")


def test_answers_give_way_to_commands_where_there_is_no_room(
    broker: Broker, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command is said once; what a home is not told it asks again."""
    monkeypatch.setattr(worker_of, "MOST_WAITING", 3)
    said_so_far = [Reply(f"cm/{number}", b"") for number in range(6)]
    commands = [Reply(CONTROL, b"%d" % number) for number in range(5)]
    for place, command in enumerate(commands):
        said_so_far.insert(2 * place, command)
    hub.worker._outgoing.extend(said_so_far)
    hub.worker._bound()
    kept = list(hub.worker._outgoing)
    assert [reply for reply in kept if reply.topic == CONTROL] == commands
    assert [reply.topic for reply in kept if reply.topic != CONTROL] == ["cm/0", "cm/1", "cm/2"]
    hub.worker._outgoing.clear()


def test_a_worker_that_never_ran_stops(broker: Broker, hub: Hub) -> None:
    assert hub.worker.status.state is WorkerState.STARTING
    assert hub.stop()


def _cut_off(broker: Broker, name: str, will: Arrived) -> None:
    """Connect with a last will and be gone without a word: the broker publishes it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.tls_set_context(context(broker.folders[name]))
    client.will_set(will.topic, will.payload, qos=1)
    client.connect(broker.address, broker.port)
    until(lambda: client.loop(0.01) == mqtt.MQTT_ERR_SUCCESS and client.is_connected())
    client.socket().close()


def test_a_storm_of_last_wills_hinders_nobody(broker: Broker, hub: Hub) -> None:
    """One home dies a hundred times, each time with other last words, others speak meanwhile."""
    hub.start()
    until(lambda: connected(hub))
    times = 100
    topic = said("a", 0, 1).topic
    wills = [
        *(said("a", 0, 1, seq=number + 1) for number in range(times // 2)),
        *(Arrived(topic, b"\xff" * number) for number in range(times - times // 2)),
    ]
    random.Random(1).shuffle(wills)  # noqa: S311

    def die() -> None:
        for will in wills:
            _cut_off(broker, "a", will)

    with Home(broker, "b") as b, Home(broker, "c") as c:
        dying = threading.Thread(target=die)
        dying.start()
        for hour in range(24):
            b.say(said("b", hour, 2, seq=hour + 1))
            c.say(said("c", hour, 3, seq=hour + 1))
        until(lambda: b.told and c.told and b.told.upto == c.told.upto == 24)
        dying.join()
        until(lambda: hub.worker.status.counts.messages == 48 + times)
        b.say(said("b", 24, 2, seq=25))
        until(lambda: b.told and b.told.upto == 25)
    counts = hub.worker.status.counts
    assert (counts.accepted, counts.duplicates) == (50, times // 2 - 1)
    assert sum(counts.refused.values()) == times - times // 2
    assert homes_of(hub.ledger, 0) == {"a": 1, "b": 2, "c": 3}
    assert connected(hub)
