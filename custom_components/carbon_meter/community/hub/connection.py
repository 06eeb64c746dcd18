"""The hub's connection to its broker: paho with manual acknowledgement, driven by one thread.

It gives messages as they come, and acknowledges them when it is told to, never by itself. What is
sent waits here until the broker has acknowledged it, over any number of connections.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import select
import socket
import ssl
import time
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ..bare import read_bare
from ..contract import topics
from .arrived import Arrived, Reply
from .dynsec import ANSWERS
from .status import WorkerState
from .tls import PiecewiseSocket

SESSION: Final = 7 * 86400
"""Seconds for which the broker keeps what comes while the hub is away."""

KEEPALIVE: Final = 60
"""Seconds."""

MOST_OUT: Final = 200
"""Messages sent that the broker has not acknowledged."""

_PATIENCE: Final = 8.0
"""Seconds of silence for the broker to answer a connection: what waits for the hub comes first."""

_REFUSED: Final = 128
"""From this reason code on the broker says no."""

_NO_RETAINED: Final = 2
"""Handling of retained messages on subscribing: none of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Where the broker is, and how the hub shows who it is."""

    host: str
    port: int
    context: ssl.SSLContext
    """The client's side of mutual TLS. It is the worker's alone from now on."""

    community: str
    client_id: str = "hub"
    """As in the certificate, the same for ever: the broker keeps the session under it."""


class LinkError(Exception):
    """There is no connection; `state` says of what kind that is."""

    def __init__(self, state: WorkerState, detail: str) -> None:
        """Keep the kind."""
        super().__init__(detail)
        self.state = state


class UnreadableError(LinkError):
    """What the broker hands on cannot be read; from a session that lasts it comes again."""

    def __init__(self, detail: str) -> None:
        """Say what could not be done."""
        super().__init__(WorkerState.WAITING, detail)


class Connection:
    """One connection, or none; every method is for one thread."""

    def __init__(self, outgoing: deque[Reply], on_control: Callable[[bytes], None]) -> None:
        """Take what is to be sent, and who hears what the broker says of the hub's commands."""
        self._outgoing = outgoing
        self._on_control = on_control
        self._client: mqtt.Client | None = None
        self._socket: PiecewiseSocket | None = None
        self._lost: LinkError | None = None
        self._is_ready = False
        self._silent_since: float | None = None
        self._sent: dict[int, Reply] = {}
        self._subscribing: int | None = None
        self.arrived: deque[tuple[int, Arrived]] = deque()
        """What has come, each with the number by which it is acknowledged, 0 for none."""

    @property
    def is_ready(self) -> bool:
        """Return whether messages come and go."""
        return self._is_ready

    @property
    def unsent(self) -> int:
        """Return how many messages the broker has not acknowledged."""
        return len(self._sent) + len(self._outgoing)

    def open(self, link: Link, most: int, *, is_anew: bool = False) -> None:
        """Connect, to be sent `most` messages before any is acknowledged.

        What the broker has kept comes first, unless the session `is_anew`. Raises LinkError. The
        broker's answer comes with `run`.
        """
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=link.client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        link.context.sslsocket_class = PiecewiseSocket
        client.tls_set_context(link.context)
        client.connect_timeout = _PATIENCE
        client.max_inflight_messages_set(MOST_OUT)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        # Without it paho writes each packet at once.
        client.on_socket_register_write = _do_nothing
        client.user_data_set(link.community)
        read_bare(client)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION
        properties.ReceiveMaximum = most
        self.arrived.clear()
        self._lost, self._is_ready = None, False
        try:
            client.connect(
                link.host, link.port, KEEPALIVE, clean_start=is_anew, properties=properties
            )
        except ssl.SSLError as err:
            raise LinkError(WorkerState.NOT_TRUSTED, str(err)) from err
        except (OSError, ValueError) as err:
            raise LinkError(WorkerState.WAITING, str(err)) from err
        sock = client.socket()
        if not isinstance(sock, PiecewiseSocket):
            raise LinkError(WorkerState.WAITING, "the connection was lost at once")
        self._client, self._socket = client, sock
        self._silent_since = None

    def run(self, seconds: float, most: int, wake: socket.socket) -> None:
        """Read and write for at most so long, or until something has come or `wake` is told.

        Not more is read than until `most` messages have arrived. Raises LinkError when the
        connection is gone.
        """
        client, sock = self._connected()
        self._write(client, sock)
        has_room = len(self.arrived) < most
        silent_since, self._silent_since = self._silent_since, None
        if not has_room or not sock.pending():
            begin = time.monotonic()
            wants_read = [sock, wake] if has_room else [wake]
            wants_write = [sock] if sock.unsent else []
            readable, _, _ = select.select(wants_read, wants_write, [], seconds)
            if has_room and sock not in readable:
                self._silent_since = begin if silent_since is None else silent_since
            if wake in readable:
                _emptied(wake)
        while len(self.arrived) < most:
            self._check(self._read(client))
            if sock.is_dry:
                break
        if not self._is_ready and self._is_silent_for(_PATIENCE):
            raise self._gone(LinkError(WorkerState.WAITING, "the broker does not answer"))
        self._check(client.loop_misc())
        self._write(client, sock)

    def _is_silent_for(self, seconds: float) -> bool:
        since = self._silent_since
        return since is not None and time.monotonic() > since + seconds

    def acknowledge(self, number: int) -> None:
        """Tell the broker that a message need not come again; raises LinkError."""
        client, _ = self._connected()
        if number:
            client.ack(number, 1)

    def flush(self) -> None:
        """Write what is to be written; raises LinkError."""
        self._write(*self._connected())

    def close(self) -> None:
        """Take leave of the broker, which keeps the session; never raises."""
        client, sock = self._client, self._socket
        self._drop()
        if client is None or sock is None:
            return
        try:
            client.disconnect()
            client.loop_write()
            sock.flush()
        except OSError, ValueError:
            pass
        sock.close()

    def _connected(self) -> tuple[mqtt.Client, PiecewiseSocket]:
        if self._client is None or self._socket is None:
            raise LinkError(WorkerState.WAITING, "not connected")
        return self._client, self._socket

    def _read(self, client: mqtt.Client) -> MQTTErrorCode:
        """Have paho read one packet; raises UnreadableError where it cannot."""
        try:
            return client.loop_read()
        except Exception as err:
            raise self._gone(UnreadableError(f"{type(err).__name__}: {err}")) from err

    def _write(self, client: mqtt.Client, sock: PiecewiseSocket) -> None:
        """Hand on what is to be sent, and write."""
        while self._is_ready and self._outgoing and len(self._sent) < MOST_OUT:
            reply = self._outgoing.popleft()
            info = client.publish(
                reply.topic, reply.payload, qos=1, properties=_properties_of(reply)
            )
            self._sent[info.mid] = reply
        self._check(client.loop_write())
        try:
            sock.flush()
        except OSError as err:
            raise self._gone(LinkError(WorkerState.WAITING, str(err))) from err

    def _check(self, code: MQTTErrorCode) -> None:
        """Raise LinkError where paho, or the broker, has ended the connection."""
        if self._lost is not None:
            raise self._gone(self._lost)
        if code not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN}:
            raise self._gone(LinkError(WorkerState.WAITING, mqtt.error_string(code)))

    def _gone(self, err: LinkError) -> LinkError:
        """Clear up after a connection that is lost; return why it is."""
        sock = self._socket
        self._drop()
        if sock is None:
            return err
        sock.close()
        if sock.trouble is not None:
            # With TLS 1.3 the broker looks at our certificate after the handshake.
            return LinkError(WorkerState.NOT_TRUSTED, sock.trouble)
        return err

    def _drop(self) -> None:
        """Forget the connection: what came is sent again by the broker, what was sent by us."""
        if self._client is not None:
            self._client.on_disconnect = None
        self._client = self._socket = None
        self._is_ready = False
        self.arrived.clear()
        self._outgoing.extendleft(reversed(self._sent.values()))
        self._sent.clear()

    # What paho calls

    def _on_connect(
        self,
        client: mqtt.Client,
        community: str,
        _flags: mqtt.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            state = WorkerState.NOT_AUTHORIZED if _is_denial(code) else WorkerState.WAITING
            self._lost = LinkError(state, f"the broker says: {code}")
            return
        options = SubscribeOptions(qos=1, retainHandling=_NO_RETAINED)
        wanted = [(topics.to_hub(community), options), (ANSWERS, options)]
        _, self._subscribing = client.subscribe(wanted)

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _community: str,
        number: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if number != self._subscribing:
            return
        if codes[0].value >= _REFUSED:
            # Without the second one the hub hears its homes all the same.
            self._lost = LinkError(
                WorkerState.NOT_AUTHORIZED, f"the broker does not let the hub listen: {codes[0]}"
            )
            return
        self._is_ready = True

    def _on_message(self, client: mqtt.Client, _data: str, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if topic == ANSWERS:
            self._on_control(message.payload)
            if message.qos:
                client.ack(message.mid, message.qos)
            return
        number = message.mid if message.qos else 0
        self.arrived.append((number, Arrived(topic, message.payload, message.retain)))

    def _on_publish(
        self,
        _client: mqtt.Client,
        _data: str,
        number: int,
        _code: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._sent.pop(number, None)

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: str,
        _flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._lost is None:
            state = WorkerState.NOT_AUTHORIZED if _is_denial(code) else WorkerState.WAITING
            self._lost = LinkError(state, f"the connection has ended: {code}")


def _is_denial(code: ReasonCode) -> bool:
    """Return whether a reason code says that the hub may not do that."""
    return code.value in {0x86, 0x87, 0x8A}  # bad user name, not authorized, banned


def _properties_of(reply: Reply) -> Properties | None:
    """Return what the broker is told with a message."""
    if reply.expires is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = reply.expires
    return properties


def _do_nothing(*_anything: Any) -> None:
    """Take note of nothing."""


def _emptied(wake: socket.socket) -> None:
    """Read what the other threads have written to be heard."""
    try:
        while wake.recv(4096):
            pass
    except BlockingIOError:
        pass
