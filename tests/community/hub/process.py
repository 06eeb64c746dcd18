"""A hub in a process of its own, to be killed: `python process.py ARGUMENTS`.

ARGUMENTS is JSON: folder, community, host, port, credentials, members, now, and where it is to be
killed by itself: die is [point, how many batches it survives], or null.
"""

# ruff: noqa: E402  # the floors below need nothing of Home Assistant, whose import takes long

import json
import os
from pathlib import Path
import signal
import sys
from types import ModuleType
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[3]
if "custom_components.carbon_meter" not in sys.modules:
    sys.path.insert(0, str(ROOT))
    bare = ModuleType("custom_components.carbon_meter")
    bare.__path__ = [str(ROOT / "custom_components" / "carbon_meter")]
    sys.modules[bare.__name__] = bare

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.hub.connection import Link
from custom_components.carbon_meter.community.hub.opening import Hub, open_worker


def opened(arguments: dict) -> Hub:
    now = arguments["now"]
    link = Link(
        host=arguments["host"],
        port=arguments["port"],
        context=Credentials(Path(arguments["credentials"])).context(),
        community=arguments["community"],
    )
    return open_worker(
        Path(arguments["folder"]),
        arguments["community"],
        ZoneInfo("Europe/Berlin"),
        link,
        members=arguments["members"],
        now=lambda: now,
    )


def doomed(hub: Hub, point: str, batches: int) -> None:
    """Have the process killed at a point of the batch after so many with footprints."""
    left = [batches]

    def here(name: str) -> None:
        if name == point and left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    take, process = hub.ledger.take, hub.processor.process

    def dying_take(footprints, received_at):
        here("before the ledger")
        outcomes = take(footprints, received_at)
        here("between ledger and books")
        left[0] -= 1
        return outcomes

    def dying_process(batch, now):
        replies = process(batch, now)
        here("between books and ack")
        return replies

    hub.ledger.take = dying_take
    hub.processor.process = dying_process


def main() -> None:
    arguments = json.loads(sys.argv[1])
    hub = opened(arguments)
    if arguments.get("die"):
        doomed(hub, *arguments["die"])
    hub.start()
    print("running", flush=True)  # noqa: T201  # who has started it waits for that
    sys.stdin.read()
    assert hub.stop()
    hub.close()


if __name__ == "__main__":
    main()
