"""MQTT 5 over TLS with aiomqtt, and why it failed in kinds that a home can act on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
import logging
import ssl
from types import TracebackType
from typing import Any, Final, Self

import aiomqtt
from aiomqtt.exceptions import MqttCodeError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ..authority.errors import AuthorityError
from ..bare import read_bare
from .transport import FAILED, NOT_AUTHORIZED, Received, TransportError, Trouble

_LOGGER = logging.getLogger(__name__)

_KEEPALIVE: Final = 60
"""Seconds between signs of life; also the bound of the TLS handshake."""

_PATIENCE: Final = 20.0
"""Seconds for the broker to answer anything."""

SESSION: Final = 7 * 86400
"""Seconds for which the broker keeps what the hub says while the home is away."""

_MOST_WAITING: Final = 1000
"""Messages from the hub; it says again what is lost."""

_REFUSALS: Final = frozenset({0x85, 0x86, NOT_AUTHORIZED, 0x8A})
"""Reason codes that are about who asks."""

_ALERTS: Final = ("revoked", "unknown ca", "expired", "bad certificate", "unknown_ca", "required")
"""In what OpenSSL says when a broker does not take the client's certificate."""

_NOT_YET_VALID: Final = 9
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID."""

type Run = Callable[..., Awaitable[Any]]
"""Runs a blocking function with its arguments elsewhere, as `asyncio.to_thread`."""


class _Client(aiomqtt.Client):
    """The client with what it hears and keeps to itself: reason codes, and why it was cut off."""

    def __init__(self, host: str, port: int, **arguments: Any) -> None:
        """Make the client; it connects when it is entered."""
        super().__init__(host, port, **arguments)
        self.reason = 0
        self.heard = ""
        self._is_abandoned = False
        self._client.on_log = self._note
        read_bare(self._client)

    @property
    def gone(self) -> asyncio.Future[None]:
        """Return what is done when the connection has ended."""
        return self._disconnected

    def abandon(self) -> None:
        """Let go of a client that is still connecting, in a thread that cannot be stopped."""
        self._is_abandoned = True
        self.cut()
        self._loop.call_soon(self.cut)

    def _client_connect(self) -> None:
        """Connect, in a thread; if nobody waits for it any more by then, leave again."""
        super()._client_connect()
        if self._is_abandoned:
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self.cut)

    def cut(self) -> None:
        """Close what is still open; who wants to take leave does it before."""
        _look_at(self._disconnected)
        _look_at(self._connected)
        if self._misc_task is not None:
            self._misc_task.cancel()
        sock = self._client.socket()
        if sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _note(self, _client: Any, _userdata: Any, _level: int, text: str) -> None:
        """Keep what the socket said; paho tells it to its log alone."""
        if "socket" in text:
            self.heard = text

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        """Keep the reason code: one message is under way at a time, so it is that one's."""
        self.reason = reason_code.value
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self,
        client: Any,
        userdata: Any,
        flags: Any,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Stop waiting for an answer to CONNECT when the broker has hung up instead."""
        if not self._connected.done():
            self._connected.set_exception(MqttCodeError(reason_code, "the broker hung up"))
            _look_at(self._connected)
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        _look_at(self._disconnected)

    def _on_socket_register_write(self, client: Any, _userdata: Any, sock: Any) -> None:
        """Write as soon as the socket takes it, unless it is closed by then."""
        self._loop.call_soon_threadsafe(self._register, client, sock)

    def _on_socket_unregister_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Stop writing; nobody watches a socket any more that is closed."""
        if sock.fileno() >= 0:
            super()._on_socket_unregister_write(client, userdata, sock)

    def _register(self, client: Any, sock: Any) -> None:
        """Have the event loop watch an open socket."""
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        """Write what waits; a fault of the socket ends the connection."""
        try:
            client.loop_write()
        except (OSError, ValueError) as err:
            if not self._disconnected.done():
                self._disconnected.set_exception(err)
                _look_at(self._disconnected)


def _look_at(future: asyncio.Future[None]) -> None:
    """Keep a fault that nobody waits for at the moment from being reported as forgotten."""
    if future.done() and not future.cancelled():
        future.exception()


class MqttTransport:
    """One connection to a community's broker."""

    def __init__(  # noqa: PLR0913  # where to, and as whom
        self,
        host: str,
        port: int,
        context: Callable[[], ssl.SSLContext],
        *,
        identifier: str,
        username: str | None = None,
        password: str | None = None,
        session: int = SESSION,
        run: Run = asyncio.to_thread,
    ) -> None:
        """Take where to connect to; `context` reads files, `run` runs it off the event loop.

        `session` is for how many seconds the broker keeps what comes while nobody is connected.
        """
        self._host, self._port = host, port
        self._context = context
        self._names = {"identifier": identifier, "username": username, "password": password}
        self._session = session
        self._run = run
        self._one = asyncio.Lock()
        self._client: _Client | None = None

    async def __aenter__(self) -> Self:
        """Connect, within bounds of time."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._session
        try:
            context = await self._run(self._context)
        except AuthorityError as err:
            raise TransportError(
                Trouble.NOT_AUTHORIZED, f"the home's certificate cannot be used: {err}"
            ) from err
        client = _Client(
            self._host,
            self._port,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=context,
            timeout=_PATIENCE,
            keepalive=_KEEPALIVE,
            clean_start=False,
            properties=properties,
            max_queued_incoming_messages=_MOST_WAITING,
            logger=_LOGGER,
            **self._names,
        )
        entering = asyncio.create_task(_entered(client))
        try:
            # Either may come first: what answers may be no broker at all.
            await asyncio.wait((entering, client.gone), return_when=asyncio.FIRST_COMPLETED)
            if not entering.done():
                entering.cancel()
            await entering
        except asyncio.CancelledError:
            entering.cancel()
            client.abandon()
            if client.gone.done():
                raise _explained(_fault(client.gone), client.heard) from None
            raise
        except (aiomqtt.MqttError, ValueError) as err:
            # ValueError: a name that no resolver takes.
            client.cut()
            raise _explained(err, client.heard) from err
        self._client = client
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            try:
                with suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
            finally:
                client.cut()

    async def subscribe(self, topic: str) -> None:
        """Ask for the messages of a filter."""
        client = self._connected()
        try:
            codes = await client.subscribe(topic, qos=1)
        except aiomqtt.MqttError as err:
            raise _lost(err, client.heard) from err
        for code in codes:
            value = code if isinstance(code, int) else code.value
            if value >= FAILED:
                raise TransportError(Trouble.NOT_AUTHORIZED, f"{topic} is not granted: {code}")

    async def publish(self, topic: str, payload: bytes) -> int:
        """Give a message to the broker; return its reason code."""
        client = self._connected()
        async with self._one:
            try:
                await client.publish(topic, payload, qos=1)
            except (aiomqtt.MqttError, ValueError) as err:
                raise _lost(err, client.heard) from err
            return client.reason

    async def messages(self) -> AsyncIterator[Received]:
        """Yield what comes until the connection ends."""
        client = self._connected()
        try:
            async for message in client.messages:
                payload = message.payload
                yield Received(
                    topic=message.topic.value,
                    payload=payload if isinstance(payload, bytes) else b"",
                    retained=message.retain,
                )
        except aiomqtt.MqttError as err:
            raise _lost(err, client.heard) from err

    def _connected(self) -> _Client:
        if self._client is None:
            raise TransportError(Trouble.LOST, "not connected")
        return self._client


async def _entered(client: _Client) -> None:
    """Connect a client."""
    await client.__aenter__()


def _fault(future: asyncio.Future[None]) -> Exception:
    """Return what a future has failed with."""
    fault = None if future.cancelled() else future.exception()
    return fault if isinstance(fault, Exception) else ConnectionError("the broker hung up")


def _explained(err: Exception, heard: str) -> TransportError:
    """Return why there is no connection."""
    cause = err.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        is_early = cause.verify_code == _NOT_YET_VALID
        trouble = Trouble.NOT_YET if is_early else Trouble.NOT_TRUSTED
        return TransportError(trouble, cause.verify_message)
    said = str(cause) if isinstance(cause, ssl.SSLError) else heard
    if _is_alert(said):
        return TransportError(Trouble.NOT_AUTHORIZED, f"certificate refused: {said}")
    if _is_about_us(err):
        return TransportError(Trouble.NOT_AUTHORIZED, str(err))
    return TransportError(Trouble.UNREACHABLE, heard or str(err))


def _lost(err: Exception, heard: str) -> TransportError:
    """Return why a connection has ended."""
    is_refused = _is_alert(heard) or _is_about_us(err)
    trouble = Trouble.NOT_AUTHORIZED if is_refused else Trouble.LOST
    return TransportError(trouble, heard or str(err))


def _is_about_us(err: Exception) -> bool:
    """Return whether the broker says that this home may not."""
    code = err.rc if isinstance(err, MqttCodeError) else None
    return isinstance(code, ReasonCode) and code.value in _REFUSALS


def _is_alert(text: str) -> bool:
    """Return whether OpenSSL says that the other side refused a certificate."""
    lowered = text.lower()
    return "alert" in lowered and any(word in lowered for word in _ALERTS)
