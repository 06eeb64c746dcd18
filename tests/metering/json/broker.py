"""A real MQTT broker on the loopback, and somebody who listens to it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import queue
import shutil
import socket
import subprocess
import time
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
import pytest

PATIENCE = 60.0
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="mosquitto is not installed"
)


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Run a broker; yield its port."""
    assert PROGRAM, "mosquitto is not installed"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with subprocess.Popen(
        [PROGRAM, "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


class Listener:
    """Collects what a broker sends for some subscriptions."""

    def __init__(self, port: int, topics: Iterable[str]) -> None:
        self._topics = list(topics)
        self._port = port
        self._heard: queue.Queue[MQTTMessage] = queue.Queue()
        self._ready: queue.Queue[None] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self._heard.put(message)
        self._client.on_subscribe = lambda *_: self._ready.put(None)

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self._client.subscribe([(topic, 1) for topic in self._topics])
        self._ready.get(timeout=PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def next(self) -> MQTTMessage:
        """Return the next message, waiting for it."""
        return self._heard.get(timeout=PATIENCE)
