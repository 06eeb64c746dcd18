"""The hub of a broker's hub file, as Home Assistant would run it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
import threading
import time
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.authority.hub_file import read_hub_file
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.desk import Desk
from custom_components.carbon_meter.community.hub.members import Terms
from custom_components.carbon_meter.community.hub.opening import Hub, open_hub
from custom_components.carbon_meter.community.hub.status import WorkerState
from tests.community.broker import Broker

PATIENCE = 60.0

UTC = ZoneInfo("UTC")


@contextmanager
def running_hub(broker: Broker, folder: Path) -> Iterator[Hub]:
    """Yield the hub of the hub file, connected."""
    file = read_hub_file(broker.layout.hub_file.read_text(encoding="utf-8"), time.time())
    terms = Terms(
        name=file.name,
        broker=file.broker,
        level=Level.CLEAR,
        duration=3600,
        flows=(Flow.GRID_IMPORT,),
    )
    hub = open_hub(folder, file, zone=UTC, terms=terms)
    assert hub.worker is not None
    changed = threading.Event()
    hub.worker.listen(changed.set)
    hub.start()
    try:
        while hub.worker.status.state is not WorkerState.CONNECTED:
            assert changed.wait(PATIENCE), hub.worker.status
            changed.clear()
        yield hub
    finally:
        hub.stop()
        hub.close()


def desk_of(hub: Hub) -> Desk:
    """Return the hub's desk."""
    assert hub.desk is not None
    return hub.desk


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds; fails if it never does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
