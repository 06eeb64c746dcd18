"""How a worker stands, as it tells it while it works."""

from custom_components.carbon_meter.community.hub.counts import Counts
from custom_components.carbon_meter.community.hub.status import WorkerStanding, WorkerState


class Clock:
    """Stands until it is put forward."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


def status(standing: WorkerStanding):
    return standing.status(waiting=3, owed=4, counts=Counts())


def test_a_state_lasts_from_when_it_began_whatever_its_error() -> None:
    clock = Clock()
    standing = WorkerStanding(clock)
    assert (status(standing).state, status(standing).since) == (WorkerState.STARTING, 1000.0)
    clock.at = 1010.0
    assert standing.become(WorkerState.WAITING, "one")
    clock.at = 1020.0
    assert standing.become(WorkerState.WAITING, "two")
    assert not standing.become(WorkerState.WAITING, "two")
    found = status(standing)
    assert (found.since, found.error) == (1010.0, "two")
    assert (found.waiting, found.owed) == (3, 4)


def test_a_connection_lasts_over_states_until_it_is_lost() -> None:
    clock = Clock()
    standing = WorkerStanding(clock)
    assert not standing.is_connected
    standing.become(WorkerState.CONNECTED, None, connected=True)
    clock.at = 1010.0
    standing.become(WorkerState.STORE, "full", connected=True)
    standing.become(WorkerState.STORE, "still full")
    assert standing.is_connected
    assert status(standing).connected_since == 1000.0
    standing.become(WorkerState.WAITING, None, connected=False)
    assert not standing.is_connected
    assert status(standing).connected_since is None
    standing.become(WorkerState.CONNECTED, None, connected=True)
    assert status(standing).connected_since == 1010.0


def test_batches_count_for_good_and_set_the_pace_of_the_last_minute() -> None:
    clock = Clock()
    standing = WorkerStanding(clock)
    assert (status(standing).rate, status(standing).lag) == (0.0, None)
    standing.took(120, 0.25)
    clock.at = 1030.0
    standing.took(60, 0.5)
    found = status(standing)
    assert (found.committed, found.batches, found.rate, found.lag) == (180, 2, 3.0, 0.5)
    clock.at = 1080.0
    found = status(standing)
    assert (found.committed, found.batches, found.rate, found.lag) == (180, 2, 1.0, 0.5)
    clock.at = 2000.0
    assert (status(standing).rate, status(standing).lag) == (0.0, None)
