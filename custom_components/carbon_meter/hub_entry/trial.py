"""Try a hub file out: connect to the broker as the hub will, and see what it may do.

The session is the hub's own and is not begun anew, so that messages that wait in it keep waiting:
whatever arrives during the trial is not acknowledged.
"""

from enum import StrEnum
from pathlib import Path
import socket
import ssl
from tempfile import TemporaryDirectory
import time
from typing import Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ..community.authority.credentials import Credentials
from ..community.authority.hub_file import HubFile
from ..community.contract import topics

_PATIENCE: Final = 15.0
"""Seconds for each answer of the broker."""

_STEP: Final = 0.1
_SESSION: Final = 7 * 86400
_REFUSED: Final = 0x80
"""Reason codes from here on are refusals (MQTT 5, 2.4)."""

_NOT_AUTHORIZED: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A})
"""Of a CONNACK: protocol version, client id, name or password, not authorized, banned."""


class Trouble(StrEnum):
    """Why the broker cannot be used as the hub file says; keys of the flow's errors."""

    UNKNOWN_HOST = "hub_unknown_host"
    UNREACHABLE = "hub_unreachable"
    FOREIGN = "hub_foreign"
    """The broker's certificate is not of the community's authority, or not for this name."""

    CLOCK = "hub_clock"
    """A certificate is not valid now: it has ended, or a clock is wrong."""

    REFUSED = "hub_refused"
    """The broker does not take the hub's certificate."""

    NO_TLS = "hub_no_tls"
    NOT_AUTHORIZED = "hub_not_authorized"
    NO_RIGHTS = "hub_no_rights"
    """The hub may connect, but not listen to the homes."""

    SILENT = "hub_silent"


class TrialError(Exception):
    """The broker cannot be used; `trouble` says why."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        """Keep what is told to the operator."""
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail


def try_broker(hub_file: HubFile) -> None:
    """Connect, subscribe as the hub does and let go; raises TrialError. Blocks for seconds."""
    with TemporaryDirectory() as folder:
        credentials = Credentials(Path(folder) / "hub")
        credentials.store(hub_file.key, hub_file.certificate, hub_file.authorities)
        try:
            _Trial(hub_file, credentials.context()).run()
        finally:
            credentials.remove()


class _Trial:
    """One attempt."""

    def __init__(self, hub_file: HubFile, context: ssl.SSLContext) -> None:
        self._hub_file = hub_file
        self._connected: int | None = None
        self._granted: list[int] | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="hub",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self._client.tls_set_context(context)
        self._client.connect_timeout = _PATIENCE
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe

    def run(self) -> None:
        """Go through it."""
        try:
            self._connect()
            self._client.subscribe(topics.to_hub(self._hub_file.community), qos=1)
            self._wait("_granted")
            if any(code >= _REFUSED for code in self._granted or ()):
                raise TrialError(Trouble.NO_RIGHTS, f"SUBACK {self._granted}")
        finally:
            self._client.disconnect()
            self._client.loop(_STEP)

    def _connect(self) -> None:
        """Connect; tell what is in the way."""
        broker = self._hub_file.broker
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION
        properties.ReceiveMaximum = 1
        try:
            self._client.connect(
                broker.host, broker.port, keepalive=30, clean_start=False, properties=properties
            )
        except ssl.SSLCertVerificationError as err:
            clock = "expired" in err.verify_message or "not yet valid" in err.verify_message
            trouble = Trouble.CLOCK if clock else Trouble.FOREIGN
            raise TrialError(trouble, err.verify_message) from err
        except ssl.SSLError as err:
            trouble = Trouble.REFUSED if "ALERT" in str(err.reason) else Trouble.NO_TLS
            raise TrialError(trouble, str(err.reason)) from err
        except socket.gaierror as err:
            raise TrialError(Trouble.UNKNOWN_HOST, str(err.strerror)) from err
        except OSError as err:
            raise TrialError(Trouble.UNREACHABLE, str(err)) from err
        self._wait("_connected")
        if self._connected:
            known = self._connected in _NOT_AUTHORIZED
            raise TrialError(
                Trouble.NOT_AUTHORIZED if known else Trouble.SILENT, f"CONNACK {self._connected}"
            )

    def _wait(self, what: str) -> None:
        """Wait for an answer; with TLS 1.3 a refused certificate shows here first."""
        end = time.monotonic() + _PATIENCE
        while getattr(self, what) is None:
            if time.monotonic() > end:
                raise TrialError(Trouble.SILENT, f"no answer within {_PATIENCE:.0f} s")
            code = self._client.loop(_STEP)
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS and getattr(self, what) is None:
                raise TrialError(Trouble.REFUSED, code.name)

    def _on_connect(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _more: Any
    ) -> None:
        self._connected = int(reason.value)

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[Any], _more: Any
    ) -> None:
        self._granted = [int(reason.value) for reason in reasons]
