"""Somebody at the broker who notes everything that the broker answers."""

from pathlib import Path
import queue
import ssl
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from custom_components.carbon_meter.community.authority.credentials import server_only_context
from custom_components.carbon_meter.community.hub.dynsec import DynsecControl
from tests.community.broker import Broker, context

PATIENCE = 60.0

CONTROL = "$CONTROL/dynamic-security/v1"


class Peer:
    """One client of a broker; every method waits for the broker's answer."""

    def __init__(
        self,
        broker: Broker,
        credentials: Path | None,
        *,
        client_id: str = "anything",
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        expiry: int = 0,
        manual_ack: bool = False,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> None:
        """Go to the door for certificates, or with a name to that for invitations."""
        self._place = (broker.address, broker.port if user is None else broker.enrol_port)
        self._expiry = expiry
        self._is_5 = protocol is MQTTProtocolVersion.MQTTv5
        self.connected: queue.Queue[str] = queue.Queue()
        self.disconnected: queue.Queue[str] = queue.Queue()
        self.messages: queue.Queue[MQTTMessage] = queue.Queue()
        self._granted: queue.Queue[list[str]] = queue.Queue()
        self._published: queue.Queue[tuple[int, str]] = queue.Queue()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=protocol,
            clean_session=None if protocol is MQTTProtocolVersion.MQTTv5 else expiry == 0,
            manual_ack=manual_ack,
            reconnect_on_failure=False,
        )
        if tls is None and credentials is not None:
            tls = context(credentials)
        self.client.tls_set_context(tls or server_only_context(broker.authority.bundle))
        if user is not None:
            self.client.username_pw_set(user, password)
        self._first: queue.Queue[str] = queue.Queue()
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = lambda _c, _d, message: self.messages.put(message)
        self.client.on_subscribe = lambda _c, _d, _m, reasons, _p: self._granted.put(
            [str(reason) for reason in reasons]
        )
        self.client.on_publish = lambda _c, _d, mid, reason, _p: self._published.put(
            (mid, str(reason))
        )

    def connect(self) -> str:
        """Return the broker's answer; raises OSError where TLS already fails."""
        if self._is_5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self._expiry
            self.client.connect(
                *self._place, keepalive=60, clean_start=self._expiry == 0, properties=properties
            )
        else:
            self.client.connect(*self._place, keepalive=60)
        self.client.loop_start()
        return self.connected.get(timeout=PATIENCE)

    def is_refused(self) -> bool:
        """Tell whether the broker does not let this one in, be it by TLS or by its answer.

        In TLS 1.3 a client hears only after its handshake that its certificate was refused.
        """
        try:
            self.client.connect(*self._place, keepalive=60)
        except OSError:
            return True
        self.client.loop_start()
        answer = self._first.get(timeout=PATIENCE)
        self.close()
        return answer != "Success"

    def _on_connect(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _more: Any
    ) -> None:
        self.connected.put(str(reason))
        self._first.put(str(reason))

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _more: Any
    ) -> None:
        self.disconnected.put(str(reason))
        self._first.put(f"disconnected: {reason}")

    def subscribe(self, *filters: str) -> list[str]:
        """Return what the broker says to each filter."""
        self.client.subscribe([(item, 1) for item in filters])
        return self._granted.get(timeout=PATIENCE)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        """Return the broker's answer to a message with QoS 1."""
        mid = self.client.publish(topic, payload, qos=1, retain=retain).mid
        number, reason = self._published.get(timeout=PATIENCE)
        assert number == mid
        return reason

    def flood(self, topics: list[str], payload: bytes) -> list[str]:
        """Send all at once; return the broker's answers in any order."""
        for topic in topics:
            self.client.publish(topic, payload, qos=1)
        return [self._published.get(timeout=PATIENCE)[1] for _ in topics]

    def heard(self, count: int) -> list[tuple[str, bytes]]:
        """Return the next messages; fails if there are fewer."""
        items = [self.messages.get(timeout=PATIENCE) for _ in range(count)]
        return [(item.topic, item.payload) for item in items]

    def heard_until(self, last: str) -> list[str]:
        """Return the topics of all messages up to the one of a topic, without that one."""
        topics: list[str] = []
        while (topic := self.messages.get(timeout=PATIENCE).topic) != last:
            topics.append(topic)
        return topics

    def wait_until_thrown_out(self) -> None:
        """Wait until the broker hangs up; why, mosquitto 2.0 does not tell."""
        self.disconnected.get(timeout=PATIENCE)

    def vanish(self) -> None:
        """Break the connection without a word, as a router that loses power."""
        socket = self.client.socket()
        assert socket is not None
        socket.close()
        self.client.loop_stop()

    def close(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> Self:
        assert self.connect() == "Success"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Hub(Peer):
    """The hub of a community: hears all homes, and changes rights."""

    def __init__(self, broker: Broker, **how: Any) -> None:
        super().__init__(broker, broker.hub_credentials, client_id="ignored", **how)
        self.control = DynsecControl(broker.community, self.command)

    def listen(self) -> None:
        """Subscribe to what homes say."""
        granted = self.subscribe("cm/v1/c1/+/up/#", f"{CONTROL}/response")
        assert granted == ["Granted QoS 1"] * 2

    def command(self, topic: str, payload: bytes) -> None:
        """Send commands to the plugin and wait until they are carried out."""
        assert self.publish(topic, payload) in {"Success", "No matching subscribers"}
        assert topic == CONTROL
