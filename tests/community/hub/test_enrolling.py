"""A home that knows docs/community/contract.md alone, with openssl and JSON: it comes in and goes.

Nothing of the integration runs on the home's side here; hub and broker are the real ones.
"""

import base64
from collections.abc import Iterator
import hashlib
import json
from pathlib import Path
import queue
import shutil
import ssl
import subprocess
import time
from typing import Any
from zoneinfo import ZoneInfo

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
import pytest

from custom_components.carbon_meter.community.authority.hub_file import read_hub_file
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from tests.community.broker import Broker, needs_broker

pytestmark = [
    needs_broker,
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]

PATIENCE = 60.0

P_256 = ("-pkeyopt", "ec_paramgen_curve:P-256")


@pytest.fixture
def broker(tmp_path: Path, socket_enabled: None) -> Iterator[Broker]:
    with Broker(tmp_path, community="street") as broker:
        yield broker


@pytest.fixture
def hub(tmp_path: Path, broker: Broker) -> Iterator[Hub]:
    hub_file = read_hub_file(broker.layout.hub_file.read_text(), time.time())
    hub = open_hub(tmp_path / "hub", hub_file, zone=ZoneInfo("Europe/Berlin"))
    hub.start()
    deadline = time.monotonic() + PATIENCE
    assert hub.worker is not None
    while hub.worker.status.connected_since is None:
        assert time.monotonic() < deadline, hub.worker.status
        time.sleep(0.02)
    yield hub
    assert hub.stop()
    hub.close()


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["openssl", *map(str, arguments)],  # noqa: S607  # whichever is installed
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


class Home:
    """What somebody would write who has the document, a shell and an MQTT client."""

    def __init__(self, folder: Path, text: str) -> None:
        folder.mkdir()
        self.folder = folder
        encoded, _, check = "".join(text.split()).removeprefix("carbon-meter:").partition(".")
        content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        assert hashlib.sha256(content).hexdigest()[:8] == check
        self.invitation: dict[str, Any] = json.loads(content)
        self.id: str = self.invitation["home"]
        self.base = f"cm/v1/{self.invitation['community']}/{self.id}"
        (folder / "authorities.pem").write_text(self.invitation["authorities"])

    def request(self, wanted: str, name: str, *algorithm: str) -> dict[str, Any]:
        """Make a key and ask for its certificate."""
        key = self.folder / f"{name}.key"
        openssl("genpkey", *algorithm, "-out", key)
        return {
            "v": 1,
            "src": self.id,
            "at": int(time.time() * 1000),
            "wanted": wanted,
            "csr": openssl("req", "-new", "-key", key, "-subj", f"/CN={self.id}"),
        }

    def keep(self, name: str, answer: dict[str, Any]) -> None:
        """Keep a certificate after the checks of CM-42."""
        (self.folder / f"{name}.crt").write_text(answer["certificate"])
        (self.folder / "authorities.pem").write_text(answer["authorities"])
        authorities = self.folder / "authorities.pem"
        certificate = self.folder / f"{name}.crt"
        openssl("verify", "-x509_strict", "-CAfile", authorities, certificate)
        public = openssl("x509", "-in", certificate, "-pubkey", "-noout")
        assert public == openssl("pkey", "-in", self.folder / f"{name}.key", "-pubout")
        subject = openssl("x509", "-in", certificate, "-subject", "-noout")
        assert "".join(subject.split()) == f"subject=CN={answer['subject']}"

    def invited(self) -> Line:
        """Go to the door for invitations."""
        user, token = f"invited.{self.id}", self.invitation["token"]
        return Line(self, self.invitation["broker"]["enrol_port"], None, (user, token))

    def enrolled(self, name: str) -> Line:
        """Go to the door for certificates."""
        return Line(self, self.invitation["broker"]["port"], name, None)


class Line:
    """One connection; every wait has an end."""

    def __init__(
        self, home: Home, port: int, name: str | None, login: tuple[str, str] | None
    ) -> None:
        self.home = home
        self.heard: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.connected: queue.Queue[str] = queue.Queue()
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=home.id, protocol=MQTTProtocolVersion.MQTTv5
        )
        context = ssl.create_default_context(cafile=home.folder / "authorities.pem")
        if name is not None:
            context.load_cert_chain(home.folder / f"{name}.crt", home.folder / f"{name}.key")
        self._client.tls_set_context(context)
        if login is not None:
            self._client.username_pw_set(*login)
        self._client.on_connect = lambda *arguments: self.connected.put(str(arguments[3]))
        self._client.on_subscribe = lambda *arguments: self._subscribed.put(
            any(code.is_failure for code in arguments[3])
        )
        self._client.on_message = lambda _client, _data, message: self.heard.put(
            (message.topic.removeprefix(f"{home.base}/"), json.loads(message.payload))
        )
        self._client.connect(home.invitation["broker"]["host"], port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, tail: str) -> None:
        self._client.subscribe(f"{self.home.base}/{tail}", qos=1)
        assert not self._subscribed.get(timeout=PATIENCE)

    def say(self, tail: str, message: dict[str, Any]) -> None:
        self._client.publish(f"{self.home.base}/{tail}", json.dumps(message), qos=1)

    def hears(self, tail: str) -> dict[str, Any]:
        """Return the next message of a topic."""
        deadline = time.monotonic() + PATIENCE
        while True:
            topic, message = self.heard.get(timeout=max(0.0, deadline - time.monotonic()))
            if topic == tail:
                return message


def footprint(home: Home, boot: str, start: int) -> dict[str, Any]:
    return {
        "v": 1,
        "src": home.id,
        "boot": boot,
        "seq": 1,
        "start": start,
        "dur": 3600,
        "rev": 0,
        "at": int(time.time() * 1000),
        "items": [
            {
                "flow": "grid_import",
                "wh": 1250,
                "mg": 437_500,
                "ci": {
                    "source": "a",
                    "zone": "DE",
                    "kind": "average",
                    "version": "1",
                    "resolution": 900,
                },
                "cov": 10_000,
                "q": "measured",
            }
        ],
        "method": "location@1",
        "sw": "another vendor",
        "clk": {"synced": True, "offset_ms": None},
        "level": "pseudonym",
        "final": False,
    }


@pytest.mark.clause("CM-37", "CM-39", "CM-40", "CM-41", "CM-42")
def test_by_the_document_alone_a_home_comes_in_and_goes(tmp_path: Path, hub: Hub) -> None:
    assert hub.desk is not None
    home = Home(tmp_path / "home", hub.desk.invite(time.time()).as_text())
    door = home.invited()
    assert door.connected.get(timeout=PATIENCE) == "Success"
    door.subscribe("down/cert")
    request = home.request("enrol", "first", "-algorithm", "EC", *P_256)
    door.say("up/csr", request)
    answer = door.hears("down/cert")
    # The answer may have been lost: the same is asked again, and answered again.
    door.say("up/csr", request)
    assert door.hears("down/cert") == answer
    home.keep("first", answer)
    # Somebody who has seen the token comes too late.
    door.say("up/csr", home.request("enrol", "thief", "-algorithm", "ED25519"))
    assert door.hears("down/cert")["code"] == "certificate"
    door.say("up/csr", home.request("renew", "thief", "-algorithm", "ED25519"))
    assert door.hears("down/cert")["code"] == "certificate"

    line = home.enrolled("first")
    assert line.connected.get(timeout=PATIENCE) == "Success"
    line.subscribe("down/+")
    now = int(time.time() * 1000)
    secret = "5" * 64
    consent = {
        "v": 1,
        "src": home.id,
        "at": now,
        "text": "privacy@1",
        "level": "pseudonym",
        "dur": 3600,
        "flows": ["grid_import"],
        "proof": hashlib.sha256(secret.encode()).hexdigest(),
    }
    line.say("up/consent", consent)
    start = int(time.time()) // 3600 * 3600 - 3600
    line.say(f"up/fp/{start}", footprint(home, "abc", start))
    ack = line.hears("down/ack")
    assert (ack["boot"], ack["upto"]) == ("abc", 1)
    assert hub.ledger.homes == (home.id,)

    # The invitation is over: its token opens nothing any more.
    door.close()
    late = home.invited()
    assert late.connected.get(timeout=PATIENCE) == "Not authorized"
    late.close()

    line.say("up/withdraw", {"v": 1, "src": home.id, "at": now + 1})
    assert line.hears("down/deleted")["homes"] == 1
    assert hub.ledger.homes == ()
    line.say("up/consent", consent | {"at": now + 2})
    line.say(f"up/fp/{start}", footprint(home, "abd", start))
    assert line.hears("down/nack")["code"] == "consent"
    line.close()


@pytest.mark.clause("CM-39")
@pytest.mark.parametrize(
    "algorithm",
    [
        ("-algorithm", "ED25519"),
        ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
    ],
)
def test_every_key_that_openssl_makes_by_the_document_gets_in(
    tmp_path: Path, hub: Hub, algorithm: tuple[str, ...]
) -> None:
    assert hub.desk is not None
    home = Home(tmp_path / "home", hub.desk.invite(time.time()).as_text())
    door = home.invited()
    assert door.connected.get(timeout=PATIENCE) == "Success"
    door.subscribe("down/cert")
    door.say("up/csr", home.request("enrol", "key", *algorithm))
    home.keep("key", door.hears("down/cert"))
    door.close()
    line = home.enrolled("key")
    assert line.connected.get(timeout=PATIENCE) == "Success"
    line.close()
