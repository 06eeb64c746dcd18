"""Takes what waits for the hub at the broker, as a process of its own, and says what it took.

Run as `python -m benchmarks.community.consumer WHO FOLDER COUNT`. WHO is `ours`, `bare` (the same
rows of messages) or `summing` (the same, added up).
"""

from collections.abc import Callable, Mapping
import json
from pathlib import Path
import sys
import time
from typing import Final

from benchmarks.community import bare, village
from benchmarks.community.rig import Rig
from custom_components.carbon_meter.community.hub.connection import Link
from custom_components.carbon_meter.community.hub.opening import Hub, open_worker

_POLL: Final = 0.002
_WITHIN: Final = 300.0


def link_of(rig: Rig) -> Link:
    """Return how the hub reaches the broker of a rig."""
    return Link(host=rig.host, port=rig.port, context=rig.context("hub"), community=rig.community)


def open_hub(rig: Rig) -> Hub:
    """Return the hub of a rig; its files are there."""
    return open_worker(rig.hub, rig.community, village.ZONE, link_of(rig))


def ours(rig: Rig, count: int) -> Mapping[str, float]:
    """Let the hub take so many messages, then let it do what it may do later."""
    hub = open_hub(rig)
    worker = hub.worker
    assert worker is not None
    # Messages may come before the connection is said to be there: it counts, on both sides.
    cpu, begin = time.process_time(), time.perf_counter()
    hub.start()
    _wait(lambda: worker.status.committed >= count)
    stored, stored_cpu = time.perf_counter() - begin, time.process_time() - cpu
    _wait(lambda: not worker.status.owed and not hub.ledger.settle(0))
    settled, settled_cpu = time.perf_counter() - begin, time.process_time() - cpu
    hub.stop()
    hub.close()
    return {
        "seconds": stored,
        "cpu": stored_cpu,
        "settled_seconds": settled,
        "settled_cpu": settled_cpu,
    }


def peer(rig: Rig, count: int, *, sums: bool) -> Mapping[str, float]:
    """Let the bare loop take so many messages."""
    cpu = time.process_time()
    seconds = bare.consume(rig, count, sums=sums)
    return {"seconds": seconds, "cpu": time.process_time() - cpu}


def _wait(done: Callable[[], bool]) -> None:
    end = time.perf_counter() + _WITHIN
    while not done():
        if time.perf_counter() > end:
            raise TimeoutError("the hub has not taken everything")
        time.sleep(_POLL)


def main(who: str, folder: Path, count: int) -> None:
    """Measure and print what it took as JSON."""
    rig = Rig.load(folder)
    found = ours(rig, count) if who == "ours" else peer(rig, count, sums=who == "summing")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
