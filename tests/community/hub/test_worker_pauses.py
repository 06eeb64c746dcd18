"""The hub's worker against a port where nobody listens: how often it tries, and when."""

from pathlib import Path
import ssl
import threading

import pytest

from custom_components.carbon_meter.community.hub.connection import Link
from custom_components.carbon_meter.community.hub.opening import open_worker
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.community.hub.worker import LONGEST_PAUSE
from tests.community.broker import ADDRESS, free_port
from tests.community.ledger.village import BERLIN, COMMUNITY

pytestmark = pytest.mark.usefixtures("socket_enabled")

PATIENCE = 60.0


class Pauses(threading.Event):
    """Stands for the event that ends the worker: pauses take no time, and are written down."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.states: list[WorkerState] = []
        self.done = threading.Event()
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        if len(self.seconds) >= self._most:
            self.set()
            self.done.set()
        return self.is_set()


def test_every_failure_is_followed_by_a_random_pause_under_a_bound_that_doubles(
    tmp_path: Path,
) -> None:
    link = Link(
        host=ADDRESS,
        port=free_port(),
        context=ssl.create_default_context(),
        community=COMMUNITY,
    )
    hub = open_worker(tmp_path / "hub", COMMUNITY, BERLIN, link)
    worker = hub.worker
    assert worker is not None
    tries: list[float] = []
    pauses = Pauses(300)

    def counted() -> Link:
        tries.append(1)
        if len(tries) > 1000:
            pauses.set()  # it does not pause at all
            pauses.done.set()
        return link

    worker._link = counted
    worker._is_stopping = pauses
    worker.listen(lambda: pauses.states.append(worker.status.state))
    worker.start()
    assert pauses.done.wait(PATIENCE)
    assert worker.stop()
    hub.close()
    assert len(tries) == len(pauses.seconds) == 300
    assert set(pauses.states) == {WorkerState.WAITING, WorkerState.STOPPED}
    bounds = [min(2.0**failures, LONGEST_PAUSE) for failures in range(300)]
    parts = [pause / bound for pause, bound in zip(pauses.seconds, bounds, strict=True)]
    assert all(0 <= part < 1 for part in parts)
    for fifth in range(5):
        assert sum(fifth / 5 <= part < (fifth + 1) / 5 for part in parts) > 15
