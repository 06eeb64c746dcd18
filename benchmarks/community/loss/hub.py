"""The hub as a process, to be killed at any time.

Run as `python -m benchmarks.community.loss.hub FOLDER`.
"""

import logging
from pathlib import Path
import signal
import sys
import threading

from benchmarks.community.loss.plan import ZONE
from benchmarks.community.rig import Rig
from custom_components.carbon_meter.community.hub.connection import Link
from custom_components.carbon_meter.community.hub.opening import open_worker

_ENDED = 1


def main(folder: Path) -> int:
    """Take what homes say until asked to end; return whether that was done in order."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    rig = Rig.load(folder)
    link = Link(host=rig.host, port=rig.port, context=rig.context("hub"), community=rig.community)
    hub = open_worker(rig.hub, rig.community, ZONE, link, now=rig.virtual_now)
    hub.start()
    ending.wait()
    is_stopped = hub.stop()
    hub.close()
    return 0 if is_stopped else _ENDED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
