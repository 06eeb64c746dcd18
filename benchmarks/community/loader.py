"""Says what many homes have to say over one connection: at once, or at a rate.

Run as `python -m benchmarks.community.loader FOLDER FILE [RATE]`, the file as `village.save`
writes it.
"""

from pathlib import Path
import sys
import threading
import time
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.community import village
from benchmarks.community.rig import Rig

_INFLIGHT: Final = 500


def speak(rig: Rig, messages: list[village.Message], rate: float | None = None) -> None:
    """Publish all, so many a second if a rate is given; return when the broker has them.

    Raises RuntimeError when the broker does not take them.
    """
    connected = threading.Event()
    window = threading.Semaphore(_INFLIGHT)
    refused: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="loader", protocol=mqtt.MQTTv5)
    client.tls_set_context(rig.context("loader"))
    client.max_inflight_messages_set(_INFLIGHT)

    def published(_client: object, _data: object, _mid: int, reason: object, *_: object) -> None:
        if getattr(reason, "is_failure", False):
            refused.append(str(reason))
        window.release()

    client.on_connect = lambda *_: connected.set()
    client.on_publish = published
    client.connect(rig.host, rig.port)
    client.loop_start()
    if not connected.wait(20):
        raise RuntimeError("the broker does not let the loader in")
    begin = time.perf_counter()
    for number, (topic, payload) in enumerate(messages):
        if rate is not None:
            time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        window.acquire()
        client.publish(topic, payload, qos=1)
    for _ in range(_INFLIGHT):
        if not window.acquire(timeout=60):
            raise RuntimeError("the broker has not taken all messages")
    client.disconnect()
    client.loop_stop()
    if refused:
        raise RuntimeError(f"the broker refused {len(refused)} messages: {refused[0]}")


if __name__ == "__main__":
    speak(
        Rig.load(Path(sys.argv[1])),
        village.load(Path(sys.argv[2])),
        float(sys.argv[3]) if len(sys.argv) > 3 else None,
    )
