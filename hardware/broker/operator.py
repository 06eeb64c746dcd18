"""Rights changed on a running broker, with the operator's own certificate.

Not with the hub's: a client's id is the name in its certificate, so the tool would push the hub
out of its session.
"""

from collections.abc import Generator
from contextlib import contextmanager
import json
import queue
import secrets
import ssl
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.hub.dynsec import (
    ANSWERS,
    DynsecControl,
    answers,
    complaints,
)
from custom_components.carbon_meter.community.hub.rights import CONTROL, invited_user

from .errors import BrokerError
from .layout import Layout
from .setup import Setup

_PATIENCE: Final = 15.0
"""Seconds for each answer of the broker."""

_STOPPED: Final = "If it is stopped, and its files are here, add --offline"


@contextmanager
def running_broker(layout: Layout, setup: Setup) -> Generator[RunningRights]:
    """Give the rights of the broker that runs; each command has been carried out when it returns.

    Raises BrokerError for a broker that does not answer, and for a command that it refuses.
    """
    line = _Line(layout, setup)
    try:
        yield RunningRights(setup.community, line)
    finally:
        line.close()


class RunningRights(DynsecControl):
    """The rights of a broker that runs."""

    def __init__(self, community: str, line: _Line) -> None:
        """Take the line to the broker."""
        super().__init__(community, line.command, line.mark)
        self._line = line

    def knows(self, home: str) -> bool:
        """Tell whether the broker has anybody of this name, or an invitation for it."""
        return any(self._line.has(user) for user in (home, invited_user(home)))

    def has_rights(self, home: str) -> bool:
        """Tell whether somebody of this name was enrolled, by whomever."""
        return self._line.has(home)


class _Line:
    """A connection to the broker that waits for each answer."""

    def __init__(self, layout: Layout, setup: Setup) -> None:
        """Connect; raises BrokerError."""
        self.mark = secrets.token_hex(8)
        self._where = f"the broker at {setup.hosts[0]}:{setup.port}"
        self._ready: queue.Queue[str] = queue.Queue()
        self._heard: queue.Queue[bytes] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.tls_set_context(Credentials(layout.operator).context())
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        try:
            self._client.connect(setup.hosts[0], setup.port)
        except (OSError, ValueError) as err:
            raise BrokerError(f"{self._where} does not answer: {_reason(err)}. {_STOPPED}") from err
        self._client.loop_start()
        try:
            refusal = self._next(self._ready)
        except BrokerError:
            self.close()
            raise
        if refusal:
            self.close()
            raise BrokerError(f"{self._where} refuses the operator: {refusal}")

    def command(self, topic: str, payload: bytes) -> None:
        """Send commands and wait for their answer; raises BrokerError for one that failed."""
        if failed := complaints(self._answer(topic, payload)):
            raise BrokerError(f"{self._where} refuses: {'; '.join(failed)}")

    def has(self, user: str) -> bool:
        """Tell whether the broker has a client of this name."""
        command = {"command": "getClient", "username": user, "correlationData": self.mark}
        return not complaints(self._answer(CONTROL, json.dumps({"commands": [command]}).encode()))

    def _answer(self, topic: str, payload: bytes) -> bytes:
        """Send commands; return the answer to them."""
        self._client.publish(topic, payload, qos=1)
        answer = self._next(self._heard)
        while not answers(answer, self.mark):
            answer = self._next(self._heard)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def _next[T](self, coming: queue.Queue[T]) -> T:
        """Return what comes next; raises BrokerError if nothing comes."""
        try:
            return coming.get(timeout=_PATIENCE)
        except queue.Empty:
            raise BrokerError(
                f"{self._where} does not answer within {_PATIENCE:g} s. {_STOPPED}"
            ) from None

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        if reason.is_failure:
            self._ready.put(str(reason))
        else:
            client.subscribe(ANSWERS, 1)

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        failed = [str(reason) for reason in reasons if reason.is_failure]
        self._ready.put(failed[0] if failed else "")

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._heard.put(bytes(message.payload))


def _reason(err: Exception) -> str:
    """Return what an operator can make something of."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({err.verify_message})"
    return str(err)
